"""How people, places and things look, in words; the picture itself is shown beside them."""

from collections.abc import Mapping
from typing import assert_never

from bot.surface import File
from bot.wording.voice import Voice, lines
from storyforge_core.domain.look_replies import LookLine, LookShown, LooksListed
from storyforge_core.domain.looks import LookSource

FROM: Mapping[LookSource, str] = {
    "given": "a picture that was sent",
    "kept": "the picture of that scene",
    "scanned": "a picture of whoever runs the bot",
}
GONE = "Its file is not there any more, so pictures go by words alone. Send it again with the same command."


def look_text(reply: LookShown | LooksListed, voice: Voice) -> str:
    """Word what was asked about looks."""
    match reply:
        case LookShown():
            name = voice.flavour.strong(voice.name(reply.name))
            told = f"{name} looks like this from scene {reply.scene} on: {FROM[reply.source]}."
            return lines(told, "" if reply.picture else GONE)
        case LooksListed():
            return _listed(reply, voice)
        case _:
            assert_never(reply)


def look_file(reply: LookShown) -> File:
    """The picture of a look, with words for those who cannot see it."""
    alt = f"{reply.name}, as pictures of the story show them from scene {reply.scene} on"
    return File(f"look-from-scene-{reply.scene}.png", reply.picture, alt, reply.place)


def _listed(reply: LooksListed, voice: Voice) -> str:
    if not reply.lines:
        return "Nobody has a look here yet. Send a picture with /story character look, or /story paint keep one."
    rows = (_row(line, voice) for line in reply.lines)
    return lines(voice.flavour.strong("Looks"), *rows, "See one: /story character look Maren")


def _row(line: LookLine, voice: Voice) -> str:
    gone = "" if line.there else " — its file is not there any more"
    return f"{voice.name(line.name)}: from scene {line.scene} on{gone}"
