"""What all tables are made with. Whoever needs all of them takes `metadata` from `tables`."""

from typing import get_args

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, MetaData, Uuid

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def one_of(column: str, words: object) -> CheckConstraint:
    """Hold a column to the words of a `Literal`."""
    listed = ", ".join(f"'{word}'" for word in get_args(words))
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def id_column() -> Column[object]:
    """Make the column of a UUIDv7."""
    return Column("id", Uuid, primary_key=True)


def moment(name: str, *, nullable: bool = False) -> Column[object]:
    """Make the column of a time."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def to(table: str, name: str = "", *, nullable: bool = False, primary_key: bool = False) -> Column[object]:
    """Make the column of a foreign key, named after its table unless it has a name of its own."""
    target = ForeignKey(f"{table}.id")
    return Column(name or f"{table}_id", Uuid, target, nullable=nullable, primary_key=primary_key)
