"""SQL statements as values: named parameters, column lists by name, run by asyncpg itself.

SQLAlchemy owns the tables, the pool and the migrations. Running a statement through it costs the program three to
four times the processor time of asyncpg alone, and a turn is two dozen statements.
"""

import re
from typing import TYPE_CHECKING, Any, Final

import asyncpg

if TYPE_CHECKING:
    Db = asyncpg.Connection[asyncpg.Record]
else:  # at run time the class takes no parameters
    Db = asyncpg.Connection

_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")

_SIMPLE: Final = {
    "story": """story.id, story.title, story.premise, story.genre, story.tone, story.seed, story.created_at,
        story.shelved""",
    "playthrough": """playthrough.id, playthrough.story_id AS story, playthrough.head_id AS head, playthrough.note,
        playthrough.rules, playthrough.created_at""",
    "scene": """scene.id, scene.story_id AS story, scene.number, scene.parent_id AS parent,
        scene.choice_id AS choice, scene.branch_id AS branch, scene.depth, scene.take, scene.title, scene.prose,
        scene.origin, scene.writer, scene.created_at""",
    "choice": "choice.id, choice.scene_id AS scene, choice.position, choice.text, choice.author_id AS author",
    "run": """run.id, run.playthrough_id AS playthrough, run.status, run.stage, run.draft, run.attempts,
        run.created_at""",
    "member": "member.player_id AS player, player.name, member.state, member.host",
    "vote": "vote.player_id AS player, vote.choice_id AS choice, vote.at",
    "delivery": """delivery.id, delivery.room_id AS room, delivery.subject, delivery.part, delivery.message,
        delivery.shown, delivery.final""",
    "picture": """asset.id, asset.scene_id AS scene, asset.run_id AS run,
        json_build_object('sha256', asset.sha256, 'mime', asset.mime, 'bytes', asset.bytes,
                          'size', json_build_object('width', asset.width, 'height', asset.height)) AS kept,
        json_build_object('prompt', asset.prompt, 'alt', asset.alt, 'seen', asset.seen) AS vision,
        asset.seed, asset.workflow, asset.asker_id AS asker, asset.created_at""",
    "live": "run.status IN ('queued', 'running', 'stopping')",
    "whole_path": """segment (branch_id, parent_id, first, last, whole) AS (
        SELECT branch.id, branch.parent_id, branch.fork_depth + 1, scene.depth, scene.depth
          FROM scene JOIN branch ON branch.id = scene.branch_id
         WHERE scene.id = :scene
        UNION ALL
        SELECT branch.id, branch.parent_id, branch.fork_depth + 1, segment.first - 1, segment.whole
          FROM segment JOIN branch ON branch.id = segment.parent_id
    )""",
    "writing": "run.status IN ('queued', 'running', 'stopping') AND run.kind = 'scene'",
}

_COLUMNS: Final = _SIMPLE | {
    "ballot": """ballot.id, ballot.playthrough_id AS playthrough, ballot.scene_id AS scene,
        (SELECT coalesce(json_agg(option ORDER BY option.position), '[]') FROM (
             SELECT {choice} FROM choice WHERE choice.scene_id = ballot.scene_id
        ) AS option) AS choices,
        (SELECT coalesce(json_agg(said ORDER BY said.at, said.player), '[]') FROM (
             SELECT {vote} FROM vote WHERE vote.ballot_id = ballot.id
        ) AS said) AS votes,
        ballot.status, ballot.winner_id AS winner, ballot.opened_at, ballot.deadline""".format_map(_SIMPLE),
}
"""What `{scene}` … stand for in a statement: a table's columns under the names of the value's fields; and the ranges
of the path to `:scene` with `{whole_path}`, a part of `WITH RECURSIVE`."""


class Statement:
    """One SQL statement with `:named` parameters and `{column lists}`; the server prepares it once per connection."""

    def __init__(self, sql: str) -> None:
        self._names: list[str] = []
        self.sql: Final = _PARAMETER.sub(self._position, sql.format_map(_COLUMNS))

    async def rows(self, db: Db, **values: object) -> list[asyncpg.Record]:
        """Run it and read all rows."""
        return await db.fetch(self.sql, *self._arguments(values))

    async def row(self, db: Db, **values: object) -> asyncpg.Record | None:
        """Run it and read the first row."""
        return await db.fetchrow(self.sql, *self._arguments(values))

    async def value(self, db: Db, **values: object) -> Any:  # noqa: ANN401 - what it is, the statement says
        """Run it and read the first column of the first row; None where there is none."""
        return await db.fetchval(self.sql, *self._arguments(values))

    async def run(self, db: Db, **values: object) -> None:
        """Run it for its effect."""
        await db.execute(self.sql, *self._arguments(values))

    def _arguments(self, values: dict[str, object]) -> list[object]:
        return [values[name] for name in self._names]

    def _position(self, match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in self._names:
            self._names.append(name)
        return f"${self._names.index(name) + 1}"
