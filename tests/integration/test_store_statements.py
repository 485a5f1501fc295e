"""Every SQL statement of the program, read by the servers it is written for."""

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

import storyforge_core.store
from storyforge_core.store.database import Database, connect
from storyforge_core.store.migrate import differences
from storyforge_core.store.statement import Statement


def statements() -> dict[str, Statement]:
    modules = [
        importlib.import_module(f"storyforge_core.store.{module.name}")
        for module in pkgutil.iter_modules(storyforge_core.store.__path__)
    ]
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, Statement)
    }


@pytest.mark.parametrize("postgres_major", [18, 16])
async def test_the_server_understands_every_statement(database: Database) -> None:
    assert len(statements()) > 50
    db = await connect(database.url)
    for name, statement in statements().items():
        try:
            await db.prepare(statement.sql)
        except Exception as error:
            raise AssertionError(name) from error
    await db.close()


def test_a_name_used_twice_is_one_parameter_and_a_cast_is_none() -> None:
    assert Statement("SELECT :a, :b::int, 'x:' || :a").sql == "SELECT $1, $2::int, 'x:' || $1"


async def test_the_migrated_tables_are_those_of_the_program(database: Database) -> None:
    assert await differences(database.url) == []


def test_no_statement_is_written_over_another() -> None:
    for path in Path(storyforge_core.store.__file__ or "").parent.glob("*.py"):
        names = [node.targets for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.Assign)]
        assigned = [target.id for targets in names for target in targets if isinstance(target, ast.Name)]
        assert len(assigned) == len(set(assigned)), path.name
