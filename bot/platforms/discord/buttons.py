"""What can be pressed: a button for each choice and a pen under a question, and one that stops what is being written.

They outlive the program that made them: a button's id says what it stands for, and any later program understands it.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol, Self
from uuid import UUID

import discord

from bot.catalog.row import CHOICE_CHARS
from bot.deeds import Deed
from bot.platforms.discord.answers import excused
from bot.platforms.discord.link import Interaction
from bot.surface import BARE, Beside, Frame
from storyforge_core.domain.answers import one_line
from storyforge_core.domain.pictures import PictureId
from storyforge_core.domain.story import RunId, SceneId

LABEL_CHARS = 80
WHY_CHARS = 300
SKETCH = "sf:sketch"
DEEDS: Final[Mapping[Deed, str]] = {
    "again": "🔁 Paint again",
    "keep": "📌 Keep the look",
    "forget": "🗑️ Remove",
    "report": "🚩 Report",
}
"""What can be done with a picture."""
ROW = 5
_SCENE = r"(?P<scene>[0-9a-f]{32})"
_PICTURE = re.compile(r"sf:picture:[a-z]+:([0-9a-f]{32})")
_MARK = re.compile(r"sf:stop:[0-9a-f]{32}:(.+)")
Button = discord.ui.Button[Any]
Item = discord.ui.Item[Any]


class Host(Protocol):
    """The client, as a button sees it."""

    async def voted(self, interaction: Interaction, position: int, scene: SceneId) -> None:
        """Somebody has pressed the button of a choice."""

    async def wrote(self, interaction: Interaction, text: str, scene: SceneId) -> None:
        """Somebody has written a choice of their own."""

    async def pictured(self, interaction: Interaction, deed: Deed, picture: PictureId, why: str = "") -> None:
        """Somebody wants something of a picture."""

    async def stopped(self, interaction: Interaction, run: RunId) -> None:
        """Somebody wants no more to be written."""


class VoteButton(discord.ui.DynamicItem[Button], template=rf"sf:vote:(?P<position>\d):{_SCENE}"):
    """A choice."""

    def __init__(self, position: int, scene: SceneId, label: str = "", row: int = 0) -> None:
        custom_id = f"sf:vote:{position}:{scene.hex}"
        super().__init__(Button(label=label or str(position), custom_id=custom_id, row=row))
        self._position = position
        self._scene = scene

    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: Item, match: re.Match[str]) -> Self:  # noqa: ARG003
        """Make it again from its id."""
        return cls(int(match["position"]), SceneId(UUID(match["scene"])))

    async def callback(self, interaction: Interaction) -> None:
        """Vote."""
        host: Host = interaction.client
        await excused(interaction, host.voted(interaction, self._position, self._scene))


class PenButton(discord.ui.DynamicItem[Button], template=rf"sf:write:{_SCENE}"):
    """The way to a choice of one's own."""

    def __init__(self, scene: SceneId, row: int = 0) -> None:
        super().__init__(Button(label="✍️ Write your own", custom_id=f"sf:write:{scene.hex}", row=row))
        self._scene = scene

    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: Item, match: re.Match[str]) -> Self:  # noqa: ARG003
        """Make it again from its id."""
        return cls(SceneId(UUID(match["scene"])))

    async def callback(self, interaction: Interaction) -> None:
        """Open the form."""
        await excused(interaction, _open(interaction, self._scene))


class StopButton(discord.ui.DynamicItem[Button], template=r"sf:stop:(?P<run>[0-9a-f]{32})(:.*)?"):
    """The end of what is being written; who may press it is for the story to say.

    Args:
        run: what would be stopped.
        mark: by which its message can be told from all others; empty for none.
    """

    def __init__(self, run: RunId, mark: str = "") -> None:
        super().__init__(Button(label="⏹️ Stop", custom_id=f"sf:stop:{run.hex}" + (f":{mark}" if mark else "")))
        self._run = run

    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: Item, match: re.Match[str]) -> Self:  # noqa: ARG003
        """Make it again from its id."""
        return cls(RunId(UUID(match["run"])))

    async def callback(self, interaction: Interaction) -> None:
        """Stop it."""
        host: Host = interaction.client
        await excused(interaction, host.stopped(interaction, self._run))


class PictureButton(
    discord.ui.DynamicItem[Button], template=rf"sf:picture:(?P<deed>{'|'.join(DEEDS)}):(?P<picture>[0-9a-f]{{32}})"
):
    """Something that can be done with a picture; who may do it is for the story to say."""

    def __init__(self, deed: Deed, picture: PictureId, row: int = 0) -> None:
        super().__init__(Button(label=DEEDS[deed], custom_id=f"sf:picture:{deed}:{picture.hex}", row=row))
        self._deed = deed
        self._picture = picture

    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: Item, match: re.Match[str]) -> Self:  # noqa: ARG003
        """Make it again from its id."""
        deed: Deed = match["deed"]  # type: ignore[assignment] # the template takes no others
        return cls(deed, PictureId(UUID(match["picture"])))

    async def callback(self, interaction: Interaction) -> None:
        """Do it; whoever reports a picture may say why."""
        host: Host = interaction.client
        if self._deed == "report":
            await excused(interaction, _ask_why(interaction, self._picture))
        else:
            await excused(interaction, host.pictured(interaction, self._deed, self._picture))


class ReportForm(discord.ui.Modal, title="Report this picture"):
    """Takes the reason why a picture should not be seen, and hides it."""

    def __init__(self, picture: PictureId) -> None:
        super().__init__(custom_id=f"sf:report:{picture.hex}")
        self._picture = picture
        self._why: discord.ui.TextInput[Self] = discord.ui.TextInput(
            custom_id="why", style=discord.TextStyle.paragraph, max_length=WHY_CHARS, required=False
        )
        hint = "Only the hosts read it. The picture is hidden at once."
        self.add_item(discord.ui.Label(text="What is wrong with it?", description=hint, component=self._why))

    async def on_submit(self, interaction: Interaction) -> None:
        """Report it."""
        host: Host = interaction.client
        await excused(interaction, host.pictured(interaction, "report", self._picture, self._why.value))


class ChoiceForm(discord.ui.Modal, title="What happens instead?"):
    """Takes a choice in the player's own words."""

    def __init__(self, scene: SceneId) -> None:
        super().__init__(custom_id=f"sf:choice:{scene.hex}")
        self._scene = scene
        self._text: discord.ui.TextInput[Self] = discord.ui.TextInput(
            custom_id="text", style=discord.TextStyle.paragraph, max_length=CHOICE_CHARS
        )
        hint = "The others can vote for it too."
        self.add_item(discord.ui.Label(text="Your choice", description=hint, component=self._text))

    async def on_submit(self, interaction: Interaction) -> None:
        """Add the choice."""
        host: Host = interaction.client
        await excused(interaction, host.wrote(interaction, self._text.value, self._scene))


BUTTONS = (VoteButton, PenButton, StopButton, PictureButton)


def under(frame: Frame, mark: str = "") -> discord.ui.View:
    """The buttons under a message, none where there is nothing to press. Each says in words what it does."""
    view = discord.ui.View(timeout=None)
    choices = frame.choices
    for place, choice in enumerate(choices):
        label = one_line(f"{choice.position}. {choice.text}", LABEL_CHARS)
        view.add_item(VoteButton(choice.position, choice.scene, label, place // ROW))
    if choices:
        view.add_item(PenButton(choices[0].scene, len(choices) // ROW))
    if frame.stop is not None:
        view.add_item(StopButton(frame.stop, mark))
    _put_beside(view, frame.beside, (len(choices) // ROW + 1) if choices else 0)
    view.stop()  # discord.py need not keep it: a click finds its class by the id
    return view


def _put_beside(view: discord.ui.View, beside: Beside, row: int) -> None:
    """Add what can be done with a picture, or how far it is, in a row of its own."""
    if beside.picture is not None:
        for deed in DEEDS:
            view.add_item(PictureButton(deed, beside.picture, row))
    if beside.sketch:
        label = one_line(beside.sketch, LABEL_CHARS)
        view.add_item(Button(label=label, custom_id=SKETCH, disabled=True, row=row))


def beside_of(message: discord.Message) -> Beside:
    """Read from a message what an earlier program has put beside it."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    ids = [part.custom_id or "" for row in rows for part in row.children if isinstance(part, discord.Button)]
    found = next((match for match in map(_PICTURE.fullmatch, ids) if match), None)
    return Beside(PictureId(UUID(found[1]))) if found else BARE


def mark_of(message: discord.Message) -> str:
    """The mark that a message's Stop button was given; empty for none."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    buttons = [part for row in rows for part in row.children if isinstance(part, discord.Button)]
    marked = (_MARK.fullmatch(button.custom_id or "") for button in buttons)
    return next((found[1] for found in marked if found), "")


async def _ask_why(interaction: Interaction, picture: PictureId) -> None:
    await interaction.response.send_modal(ReportForm(picture))


async def _open(interaction: Interaction, scene: SceneId) -> None:
    await interaction.response.send_modal(ChoiceForm(scene))
