"""Forms that open where a command says too little: a scene to be edited, a director's note to be written."""

from typing import Protocol

import discord

from bot.catalog.row import NOTE_CHARS, Given, Row
from bot.platforms.discord.answers import excused
from bot.platforms.discord.link import Interaction

FORM_CHARS = 4000
"""The most that a field of Discord's forms takes, and is filled in with."""
TOO_LONG = (
    "That scene has {length:,} characters, and a form of Discord's takes {limit:,}. Type the new words instead, behind "
    "/story take edit."
)


class Desk(Protocol):
    """The client, as a form sees it."""

    async def edited(self, interaction: Interaction, prose: str, scene: str) -> None:
        """Somebody has rewritten a scene, named by its number."""

    async def directed(self, interaction: Interaction, note: str) -> None:
        """Somebody has written a director's note, or cleared it."""


class EditForm(discord.ui.Modal, title="Edit this scene"):
    """Takes a scene in a player's words; the prose of before stands in it."""

    def __init__(self, scene: str, prose: str) -> None:
        super().__init__(custom_id=f"sf:edit:{scene}")
        self._scene = scene
        self._text: discord.ui.TextInput[EditForm] = discord.ui.TextInput(
            custom_id="text", style=discord.TextStyle.paragraph, max_length=FORM_CHARS, default=prose
        )
        hint = "It becomes another take; the one before is kept."
        self.add_item(discord.ui.Label(text=f"Scene {scene}", description=hint, component=self._text))

    async def on_submit(self, interaction: Interaction) -> None:
        """Put the words in the scene's place."""
        desk: Desk = interaction.client
        await excused(interaction, desk.edited(interaction, self._text.value, self._scene))


class NoteForm(discord.ui.Modal, title="Director's note"):
    """Takes a director's note; the one that holds stands in it."""

    def __init__(self, note: str) -> None:
        super().__init__(custom_id="sf:note")
        self._text: discord.ui.TextInput[NoteForm] = discord.ui.TextInput(
            custom_id="text",
            style=discord.TextStyle.paragraph,
            max_length=NOTE_CHARS,
            default=note[:NOTE_CHARS],
            required=False,
        )
        hint = "It steers the next scenes until you change it; left empty, it is cleared."
        self.add_item(
            discord.ui.Label(text="What the storyteller keeps in mind", description=hint, component=self._text)
        )

    async def on_submit(self, interaction: Interaction) -> None:
        """Leave the note."""
        desk: Desk = interaction.client
        await excused(interaction, desk.directed(interaction, self._text.value))


def wants_edit_form(row: Row, given: Given) -> bool:
    """Tell whether a command is to edit a scene without saying how."""
    return row.name == "take" and given.get("mode") == "edit" and not given.get("text", "").strip()


def wants_note_form(row: Row, given: Given) -> bool:
    """Tell whether a command is to leave a director's note without saying which."""
    return row.name == "direct" and not given.get("note", "").strip()
