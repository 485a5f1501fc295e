"""Where the files that travel with the program lie: beside the code in a checkout, inside the package in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def migrations_dir() -> Path:
    """Find alembic's directory, the one with `env.py` and `versions`."""
    return _find("migrations")


def workflows_dir() -> Path:
    """Find the picture workflows that come with the program."""
    return _find("workflows")


def _find(name: str) -> Path:
    inside = _PACKAGE / "_shipped" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
