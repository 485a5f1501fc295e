"""What can be asked about pictures; see `commands` for everything else."""

from dataclasses import dataclass

from storyforge_core.domain.pictures import PictureId


@dataclass(frozen=True, slots=True)
class Paint:
    """Have the head scene painted: as the hint says, or as it was seen before with other luck."""

    hint: str = ""
    again: bool = False
    picture: PictureId | None = None
    """What is painted again; None: whatever the head scene shows."""


@dataclass(frozen=True, slots=True)
class ForgetPicture:
    """Take the head scene's picture down, and those out of the queue that are being painted of it."""

    picture: PictureId | None = None
    """Only this one."""


@dataclass(frozen=True, slots=True)
class ReportPicture:
    """Have a picture hidden everywhere at once, for hosts to look at it."""

    why: str = ""
    picture: PictureId | None = None
    """None: whatever the head scene shows."""


@dataclass(frozen=True, slots=True)
class RestorePicture:
    """Show the picture again that was reported last."""


PictureCommand = Paint | ForgetPicture | ReportPicture | RestorePicture
