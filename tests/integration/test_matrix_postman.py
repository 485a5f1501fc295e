"""Letters whose keys never come are given up, with a line in the log."""

from datetime import datetime, timedelta

import pytest

from bot.platforms.matrix.postman import LOOK_BACK, PATIENCE, Postman
from storyforge_core.engine.clock import SystemClock
from storyforge_core.logs import configure
from storyforge_core.mailbox import Account, Letter
from storyforge_core.store.database import Database
from storyforge_core.store.mail import PostgresMailbox
from storyforge_core.store.postgres import PostgresStore
from tests.game import until

BOT = Account("matrix", "@bot:example.org")
SEALED = Letter("$one", "!room", {"type": "m.room.encrypted", "content": {}})
GIVEN_UP = "a message could not be decrypted"


class Ahead(SystemClock):
    """A clock that somebody puts forward."""

    by = timedelta()

    def now(self) -> datetime:
        return super().now() + self.by


class Deaf:
    """Gets letters, and does nothing."""

    async def receive(self, letter: Letter) -> None:
        """Nothing."""


async def test_a_message_is_given_up_whose_key_does_not_come_in_a_day(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("warning", "text")
    clock = Ahead()
    mailbox = PostgresMailbox(database, clock)
    await mailbox.deliver(BOT, [SEALED], "s1")
    postman = Postman(mailbox, BOT, lambda *_: None, Deaf(), clock)
    await postman.look()
    clock.by = LOOK_BACK * 2
    await postman.look()
    assert GIVEN_UP not in capsys.readouterr().err
    assert len(await mailbox.letters(BOT, 0, 10)) == 1
    clock.by = PATIENCE + LOOK_BACK * 2
    await postman.look()

    async def gone() -> bool:
        return not await mailbox.letters(BOT, 0, 10)

    await until(gone)
    assert GIVEN_UP in capsys.readouterr().err
    await postman.aclose()


async def test_letters_of_accounts_that_nobody_uses_any_more_go(database: Database) -> None:
    clock = Ahead()
    mailbox, store = PostgresMailbox(database, clock), PostgresStore(database, clock)
    await mailbox.deliver(BOT, [SEALED], "s1")
    await store.forget_messages(clock.now() - timedelta(days=30))
    assert len(await mailbox.letters(BOT, 0, 10)) == 1
    await store.forget_messages(clock.now() + timedelta(seconds=1))
    assert await mailbox.letters(BOT, 0, 10) == ()
    assert await mailbox.mark(BOT) == "s1"
