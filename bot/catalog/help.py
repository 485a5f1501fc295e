"""What the table of commands says to people: the list, the card of one command, the README's table."""

from collections.abc import Iterator

from bot.catalog.row import STORY, Problem, Row
from bot.catalog.table import GROUPS, ROWS, find


def help_text(command: str = "") -> str:
    """Explain one command, or list all of them."""
    if not command:
        return "\n".join(_overview())
    row = find(command)
    return row.sentence if isinstance(row, Problem) else "\n".join(_card(row))


def readme_table() -> str:
    """All commands as a Markdown table."""
    lines = ("| Type | to | who |", "| --- | --- | --- |", *(_readme_line(row) for row in ROWS))
    return "\n".join(lines)


def _overview() -> Iterator[str]:
    width = max(len(row.name) for row in ROWS) + 2
    for group in GROUPS:
        yield group.name if group.root == STORY else f"{group.name} (as a slash command: /{group.root.name} …)"
        yield from (f"  {row.name:<{width}}{row.help}" for row in group.rows)
    yield "Put /story before each. /story help vote tells more about one of them, with an example."


def _card(row: Row) -> Iterator[str]:
    yield row.usage
    yield f"{row.help}. {row.more}"
    width = max((len(argument.name) for argument in row.arguments), default=0) + 2
    yield from (f"  {argument.name:<{width}}{argument.help}" for argument in row.arguments)
    if row.aliases:
        yield f"Also: {', '.join(row.aliases)}"
    if row.who == "host":
        yield "For the host of the story."
    if row.who == "managers":
        yield "For those who manage the server."
    yield f"Example: {row.example}"


def _readme_line(row: Row) -> str:
    usage = row.usage.replace("|", "\\|")
    return f"| `{usage}` | {row.help[0].lower()}{row.help[1:]} | {row.who} |"
