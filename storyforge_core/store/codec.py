"""Values to JSON and back, and text made fit for the database."""

import re
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, TypeVar, cast

from pydantic import Field, TypeAdapter
from pydantic_core import PydanticSerializationError

from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.bible import Card, Claim
from storyforge_core.domain.changes import Change
from storyforge_core.domain.events import Event
from storyforge_core.domain.looks import Held
from storyforge_core.domain.lore import Lore
from storyforge_core.domain.pictures import InHand, Picture, PictureDraft, PictureRun
from storyforge_core.domain.runs import Draft, Run, Situation
from storyforge_core.domain.space import Space
from storyforge_core.domain.states import Assertion
from storyforge_core.domain.story import Choice, Rules
from storyforge_core.picture_ports import Filed

Value = TypeVar("Value")

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

CHANGES: TypeAdapter[tuple[Change, ...]] = TypeAdapter(tuple[Annotated[Change, Field(discriminator="kind")], ...])
EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
CHOICES: TypeAdapter[tuple[Choice, ...]] = TypeAdapter(tuple[Choice, ...])
BALLOT = TypeAdapter(Ballot)
RULES = TypeAdapter(Rules)
DRAFT = TypeAdapter(Draft)
RUN = TypeAdapter(Run)
PICTURE = TypeAdapter(Picture)
IN_HAND = TypeAdapter(InHand)
FILED = TypeAdapter(Filed)
PICTURE_DRAFT = TypeAdapter(PictureDraft)
PICTURE_RUN = TypeAdapter(PictureRun)
SITUATION = TypeAdapter(Situation)
SPACE = TypeAdapter(Space)
LORE = TypeAdapter(Lore)
CARD = TypeAdapter(Card)
CLAIM = TypeAdapter(Claim)
HELD = TypeAdapter(Held)
ASSERTION = TypeAdapter(Assertion)


def dump(adapter: TypeAdapter[Value], value: Value) -> str:
    """Write a value as JSON, fit for the database."""
    try:
        written = adapter.dump_json(value)
    except PydanticSerializationError:  # a lone surrogate
        return adapter.dump_json(storable(value)).decode()
    return (adapter.dump_json(storable(value)) if rb"\u0000" in written else written).decode()


def columns(value: object) -> dict[str, object]:
    """The fields of a dataclass by name, each fit for the database."""
    return {field.name: _storable(getattr(value, field.name)) for field in fields(cast("Any", value))}


def storable(value: Value) -> Value:
    """Put U+FFFD for what PostgreSQL cannot keep in a text, NUL and lone surrogates, wherever it stands in a value.

    Nothing is removed: lengths stay, and with them every count of characters already shown.
    """
    return cast("Value", _storable(value))


def _storable(value: Any) -> Any:  # noqa: ANN401 - any value of the domain
    if isinstance(value, str):
        return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, tuple):
        parts = tuple(map(_storable, value))
        return value if all(new is old for new, old in zip(parts, value, strict=True)) else parts
    if is_dataclass(value) and not isinstance(value, type):
        return _storable_fields(value)
    return value


def _storable_fields(value: Any) -> Any:  # noqa: ANN401 - any frozen dataclass
    old = {field.name: getattr(value, field.name) for field in fields(value)}
    new = {name: _storable(part) for name, part in old.items()}
    return value if all(new[name] is part for name, part in old.items()) else type(value)(**new)
