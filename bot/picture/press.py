"""Has SVG turned into PNG by a process beside this one, so that nobody waits for a picture but who asked for it."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterator, Sequence
from typing import Literal

from bot.picture import printer
from bot.picture.typeface import REGULAR, STRONG
from storyforge_core.errors import BrokenAnswer, ServiceSilent

Fonts = Literal["ours", "all"]
"""Only those that come with the program, or those of the computer too; these take longer to load."""

_SECONDS = 20.0


async def printed(svgs: Sequence[str], fonts: Fonts) -> tuple[bytes, ...]:
    """Render pictures.

    Raises:
        ServiceSilent: it took too long.
        BrokenAnswer: the renderer gave up.
    """
    order = {"svgs": svgs, "fonts": [str(REGULAR), str(STRONG)], "system": fonts == "all"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", printer.__file__, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(_SECONDS):
            answer, _ = await process.communicate(json.dumps(order).encode())
    except TimeoutError as error:
        msg = "Drawing the picture took too long. Try again when the computer has less to do."
        raise ServiceSilent(msg) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    pngs = tuple(_pieces(answer))
    if process.returncode or len(pngs) != len(svgs):
        msg = "The picture could not be drawn."
        raise BrokenAnswer(msg)
    return pngs


def _pieces(answer: bytes) -> Iterator[bytes]:
    while answer:
        end = 4 + int.from_bytes(answer[:4])
        yield answer[4:end]
        answer = answer[end:]
