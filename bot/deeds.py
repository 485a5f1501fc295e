"""What can be done with a picture where it hangs, by a press or a sign: the same commands that people type."""

from typing import Literal, assert_never

from storyforge_core.domain.book import KeepLook
from storyforge_core.domain.commands import Command
from storyforge_core.domain.pictures import HungPicture
from storyforge_core.domain.picturing import ForgetPicture, Paint, ReportPicture

Deed = Literal["again", "keep", "forget", "report"]


def command_for(deed: Deed, hung: HungPicture, why: str = "") -> Command:
    """Say it as a command; `why` is what somebody said who reports it."""
    match deed:
        case "again":
            return Paint(again=True, picture=hung.picture)
        case "keep":
            return KeepLook(scene=str(hung.number))
        case "forget":
            return ForgetPicture(hung.picture)
        case "report":
            return ReportPicture(why, hung.picture)
        case _:
            assert_never(deed)
