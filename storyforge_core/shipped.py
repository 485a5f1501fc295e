"""Files that travel beside the code: in a checkout at its top, in an installed package inside it."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """The directory `migrations`, `workflows` … of this installation."""
    installed = _PACKAGE / "_shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def migrations_dir() -> Path:
    """Alembic's directory, the one with `env.py` and `versions`."""
    return shipped("migrations")


def workflows_dir() -> Path:
    """The picture workflows that come with the program."""
    return shipped("workflows")
