"""What can be done with a picture where it hangs, by a press or a sign: the same commands that people type."""

from typing import Literal, assert_never

from storyforge_core.domain.commands import Command
from storyforge_core.domain.pictures import PictureId
from storyforge_core.domain.picturing import ForgetPicture, Paint, ReportPicture

Deed = Literal["again", "forget", "report"]


def command_for(deed: Deed, picture: PictureId, why: str = "") -> Command:
    """Say it as a command; `why` is what somebody said who reports it."""
    match deed:
        case "again":
            return Paint(again=True, picture=picture)
        case "forget":
            return ForgetPicture(picture)
        case "report":
            return ReportPicture(why, picture)
        case _:
            assert_never(deed)
