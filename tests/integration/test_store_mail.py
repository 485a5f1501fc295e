"""Letters wait in order until they are handled, whatever happens meanwhile."""

from datetime import timedelta
from typing import Any

import pytest

from storyforge_core.engine.clock import SystemClock
from storyforge_core.mailbox import Account, Letter
from storyforge_core.store.database import Database
from storyforge_core.store.mail import PostgresMailbox

BOT, OTHER = Account("matrix", "@bot:example.org"), Account("matrix", "@other:example.org")


@pytest.fixture
def mailbox(database: Database) -> PostgresMailbox:
    return PostgresMailbox(database, SystemClock())


def letter(name: str, **body: Any) -> Letter:
    return Letter(f"${name}", "!room", {"body": name, **body})


async def names(mailbox: PostgresMailbox, account: Account = BOT, after: int = 0) -> list[str]:
    return [kept.letter.body["body"] for kept in await mailbox.letters(account, after, 100)]


async def test_letters_come_in_the_order_in_which_they_were_delivered(mailbox: PostgresMailbox) -> None:
    assert await mailbox.mark(BOT) == ""
    await mailbox.deliver(BOT, [letter("one"), letter("two")], "s1")
    await mailbox.deliver(BOT, [letter("three")], "s2")
    assert await mailbox.mark(BOT) == "s2"
    assert await names(mailbox) == ["one", "two", "three"]
    first, *_ = await mailbox.letters(BOT, 0, 1)
    assert await names(mailbox, after=first.number) == ["two", "three"]
    assert SystemClock().now() - first.at < timedelta(minutes=5)


async def test_a_letter_that_comes_again_is_there_once(mailbox: PostgresMailbox) -> None:
    await mailbox.deliver(BOT, [letter("one")], "s1")
    await mailbox.deliver(BOT, [letter("one"), letter("two")], "s1")
    assert await names(mailbox) == ["one", "two"]


async def test_what_is_handled_is_gone(mailbox: PostgresMailbox) -> None:
    await mailbox.deliver(BOT, [letter("one"), letter("two")], "s1")
    one, _ = await mailbox.letters(BOT, 0, 100)
    await mailbox.done(one)
    await mailbox.done(one)
    assert await names(mailbox) == ["two"]


async def test_accounts_have_boxes_of_their_own(mailbox: PostgresMailbox) -> None:
    await mailbox.deliver(BOT, [letter("one")], "s1")
    await mailbox.deliver(OTHER, [letter("one", also=True)], "s9")
    assert (await mailbox.mark(BOT), await mailbox.mark(OTHER)) == ("s1", "s9")
    assert await names(mailbox, OTHER) == ["one"]


async def test_letters_and_the_mark_behind_them_are_stored_together(mailbox: PostgresMailbox) -> None:
    await mailbox.deliver(BOT, [letter("one")], "s1")
    with pytest.raises(TypeError):
        await mailbox.deliver(BOT, [letter("two"), letter("three", bad=object())], "s2")
    assert await mailbox.mark(BOT) == "s1"
    assert await names(mailbox) == ["one"]


async def test_whatever_stands_in_a_letter_can_be_kept(mailbox: PostgresMailbox) -> None:
    await mailbox.deliver(BOT, [letter("a\0b", parts=[{"c\0": "\ud800"}], many=1.5, none=None)], "s1")
    (kept,) = await mailbox.letters(BOT, 0, 100)
    assert kept.letter.body == {"body": "a\ufffdb", "parts": [{"c\ufffd": "\ufffd"}], "many": 1.5, "none": None}
