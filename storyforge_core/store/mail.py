"""What came in from platforms that are asked for what is new, until it is handled."""

import json
from collections.abc import Sequence

from storyforge_core.mailbox import Account, Kept, Letter
from storyforge_core.ports import Clock
from storyforge_core.store.codec import storable
from storyforge_core.store.database import Database
from storyforge_core.store.statement import Db, Statement
from storyforge_core.store.transaction import connection, transaction

_MARK = Statement("SELECT mark FROM mail_mark WHERE platform = :platform AND account = :account")

_KEEP = Statement("""
    INSERT INTO letter (platform, account, event, room, body, at)
    VALUES (:platform, :account, :event, :room, :body, :at)
    ON CONFLICT (platform, account, event) DO NOTHING
""")

_MOVE_MARK = Statement("""
    INSERT INTO mail_mark (platform, account, mark) VALUES (:platform, :account, :mark)
    ON CONFLICT (platform, account) DO UPDATE SET mark = excluded.mark
""")

_LETTERS = Statement("""
    SELECT number, at, event, room, body::text FROM letter
     WHERE platform = :platform AND account = :account AND number > :after ORDER BY number LIMIT :limit
""")

_DONE = Statement("DELETE FROM letter WHERE number = :number")


class PostgresMailbox:
    """See `mailbox.Mailbox`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._engine = database.engine
        self._clock = clock

    async def mark(self, account: Account) -> str:
        """Read up to where everything is in the box; empty for an account that never asked."""
        async with connection(self._engine) as db:
            return await _MARK.value(db, platform=account.platform, account=account.name) or ""

    async def deliver(self, account: Account, letters: Sequence[Letter], mark: str) -> None:
        """Keep letters and the mark behind them, together; a letter that is there already stays as it is."""
        async with transaction(self._engine) as db:
            for letter in letters:
                await self._keep(db, account, letter)
            await _MOVE_MARK.run(db, platform=account.platform, account=account.name, mark=mark)

    async def letters(self, account: Account, after: int, limit: int) -> tuple[Kept, ...]:
        """Read the letters with a number above `after`, in order."""
        whose = {"platform": account.platform, "account": account.name}
        async with connection(self._engine) as db:
            rows = await _LETTERS.rows(db, **whose, after=after, limit=limit)
        return tuple(
            Kept(row["number"], row["at"], Letter(row["event"], row["room"], json.loads(row["body"]))) for row in rows
        )

    async def done(self, kept: Kept) -> None:
        """Take a letter out that was handled."""
        async with connection(self._engine) as db:
            await _DONE.run(db, number=kept.number)

    async def _keep(self, db: Db, account: Account, letter: Letter) -> None:
        await _KEEP.run(
            db,
            platform=account.platform,
            account=account.name,
            event=storable(letter.id),
            room=storable(letter.room),
            body=json.dumps(_fit(letter.body), ensure_ascii=False),
            at=self._clock.now(),
        )


def _fit(value: object) -> object:
    """The same JSON without what PostgreSQL cannot keep in a text."""
    if isinstance(value, dict):
        return {storable(name): _fit(part) for name, part in value.items()}
    return [_fit(part) for part in value] if isinstance(value, list) else storable(value)
