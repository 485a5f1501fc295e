"""What benches stand on: a server of their own with the settings it has in use, and a tree of any size."""

import shutil
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import UUID

from storyforge_core.domain.story import SceneId, StoryId
from storyforge_core.store.database import Database, connect, open_database
from storyforge_core.store.embedded import embedded_postgres
from storyforge_core.store.migrate import upgrade

DEEP = 20_000
"""Scenes on the path of the one deep story."""
PROSE = "The sea held its breath, and the door in it stood open. " * 9
"""About 500 characters, as in the measurements the targets come from."""

FILL = """
    CREATE FUNCTION pg_temp.key(kind bigint, number bigint) RETURNS uuid IMMUTABLE LANGUAGE sql
        AS $$ SELECT (lpad(to_hex(kind), 16, '0') || lpad(to_hex(number), 16, '0'))::uuid $$;
    -- Story 0 is one path that forks every 2,000 scenes.
    INSERT INTO story (id, title, premise, genre, tone, seed, created_at, scenes)
        VALUES (pg_temp.key(1, 0), 'deep', '', '', '', 1, now(), {deep});
    INSERT INTO branch SELECT pg_temp.key(2, b), pg_temp.key(1, 0),
            CASE WHEN b > 0 THEN pg_temp.key(2, b - 1) END, b * 2000 - 1
          FROM generate_series(0, {deep} / 2000 - 1) AS b;
    INSERT INTO scene (id, story_id, number, parent_id, branch_id, depth, take,
                       title, prose, origin, writer, created_at)
        SELECT pg_temp.key(3, n), pg_temp.key(1, 0), n + 1, CASE WHEN n > 0 THEN pg_temp.key(3, n - 1) END,
               pg_temp.key(2, n / 2000), n, 1, 'A scene', '{prose}', 'told', 'bench', now()
          FROM generate_series(0, {deep} - 1) AS n;
    -- All others have 500 scenes: a line of 100, and from its middle four more lines of 100.
    INSERT INTO story (id, title, premise, genre, tone, seed, created_at, scenes)
        SELECT pg_temp.key(1, s), 'story', '', '', '', 1, now(), 500 FROM generate_series(1, {stories}) AS s;
    INSERT INTO branch SELECT pg_temp.key(4, s * 5 + b), pg_temp.key(1, s),
            CASE WHEN b > 0 THEN pg_temp.key(4, s * 5) END, CASE WHEN b > 0 THEN 50 ELSE -1 END
          FROM generate_series(1, {stories}) AS s, generate_series(0, 4) AS b;
    INSERT INTO scene (id, story_id, number, parent_id, branch_id, depth, take,
                       title, prose, origin, writer, created_at)
        SELECT pg_temp.key(5, s * 500 + n), pg_temp.key(1, s), n + 1,
               CASE WHEN n = 0 THEN NULL WHEN n % 100 = 0 THEN pg_temp.key(5, s * 500 + 50)
                    ELSE pg_temp.key(5, s * 500 + n - 1) END,
               pg_temp.key(4, s * 5 + n / 100), CASE WHEN n < 100 THEN n ELSE 51 + n % 100 END,
               CASE WHEN n % 100 = 0 THEN n / 100 + 1 ELSE 1 END, 'A scene', '{prose}', 'told', 'bench', now()
          FROM generate_series(1, {stories}) AS s, generate_series(0, 499) AS n
         ORDER BY s, n;
"""


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory that the server's user may enter when it is not ours."""
    directory = Path(tempfile.mkdtemp(prefix="storyforge-bench-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@asynccontextmanager
async def ground() -> AsyncGenerator[Database, None]:
    """An empty database with all tables. Every commit is on the disk before it is done, as for an owner."""
    with scratch() as directory:
        async with embedded_postgres(directory) as server:
            database = open_database(server.url)
            await upgrade(database.url)
            yield database
            await database.aclose()


async def fill(database: Database, scenes: int) -> None:
    """Grow a forest: one deep story, and bushes up to so many scenes in all."""
    db = await connect(database.url)
    await db.execute("SET statement_timeout = 0")
    await db.execute(FILL.format(deep=DEEP, prose=PROSE, stories=max(1, (scenes - DEEP) // 500)))
    await db.execute("VACUUM (ANALYZE)")
    await db.execute("CHECKPOINT")  # or the disk is still busy with the forest while others are measured
    await db.close()


def deep_scene(depth: int) -> SceneId:
    """A scene of the deep story."""
    return SceneId(UUID(int=3 << 64 | depth))


def deep_story() -> StoryId:
    """The story with the long path."""
    return StoryId(UUID(int=1 << 64))
