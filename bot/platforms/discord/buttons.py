"""What can be pressed: a button for each choice and a pen under a question, and one that stops what is being written.

They outlive the program that made them: a button's id says what it stands for, and any later program understands it.
"""

import re
from typing import Any, Protocol, Self
from uuid import UUID

import discord

from bot.catalog.row import CHOICE_CHARS
from bot.platforms.discord.answers import excused
from bot.platforms.discord.link import Interaction
from bot.surface import Frame
from storyforge_core.domain.answers import one_line
from storyforge_core.domain.story import RunId, SceneId

LABEL_CHARS = 80
ROW = 5
_SCENE = r"(?P<scene>[0-9a-f]{32})"
_MARK = re.compile(r"sf:stop:[0-9a-f]{32}:(.+)")
Button = discord.ui.Button[Any]
Item = discord.ui.Item[Any]


class Host(Protocol):
    """The client, as a button sees it."""

    async def voted(self, interaction: Interaction, position: int, scene: SceneId) -> None:
        """Somebody has pressed the button of a choice."""

    async def wrote(self, interaction: Interaction, text: str, scene: SceneId) -> None:
        """Somebody has written a choice of their own."""

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


BUTTONS = (VoteButton, PenButton, StopButton)


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
    view.stop()  # discord.py need not keep it: a click finds its class by the id
    return view


def mark_of(message: discord.Message) -> str:
    """The mark that a message's Stop button was given; empty for none."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    buttons = [part for row in rows for part in row.children if isinstance(part, discord.Button)]
    marked = (_MARK.fullmatch(button.custom_id or "") for button in buttons)
    return next((found[1] for found in marked if found), "")


async def _open(interaction: Interaction, scene: SceneId) -> None:
    await interaction.response.send_modal(ChoiceForm(scene))
