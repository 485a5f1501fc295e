"""The open question for people who hear it: what a screen reader says is all there is, without colours and pictures."""

import unicodedata
from dataclasses import replace
from datetime import timedelta

import discord
import pytest

from bot.platforms.discord.buttons import PenButton, VoteButton, under
from bot.surface import Frame
from bot.wording import asking
from bot.wording.asking import Asked
from bot.wording.markup import Markdown
from bot.wording.voice import Voice
from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.events import BallotDecided, BallotWaits
from storyforge_core.domain.story import Rules, RunId, Tie
from tests.fakes import NOON
from tests.unit.test_wording import ANN, BO, CY, SCENE, ballot

VOICE = Voice(Markdown(), lambda at: f"{at:%H:%M}")
TEXTS = ("Open the door", "Wait", "Sing")
PICTURES = {"So", "Sk", "Mn", "Me", "Cf"}
"""Emoji and what they are put together from; some programs read their names, some leave them out."""


def aloud(text: str) -> str:
    """What is left of a text when emoji and marks are left out."""
    heard = "".join(char for char in text if unicodedata.category(char) not in PICTURES and char not in "*_~|`#>")
    return " ".join(heard.split())


def question(now: Ballot, rules: Rules | None = None) -> Asked:
    return Asked(now, rules or Rules(), (ANN, BO, CY))


def test_each_choice_is_heard_with_its_number_its_votes_and_who_gave_them() -> None:
    heard = aloud(asking.open_card(question(ballot((ANN, 1), (BO, 1), (CY, 3))), VOICE, 2000))
    assert "1. Open the door — 2 votes (Ann, Bo) 2. Wait 3. Sing — 1 vote (Cy)" in heard


def test_the_state_of_the_vote_is_heard() -> None:
    closing = replace(ballot((ANN, 1)), deadline=NOON + timedelta(hours=1))
    states = {
        aloud(card)
        for card in (
            asking.open_card(question(closing), VOICE, 2000),
            asking.open_card(question(ballot((ANN, 1)), Rules(quorum=2)), VOICE, 2000),
            asking.decided_card(question(closing), BallotDecided(closing, closing.choices[0], (), ""), VOICE, 2000),
            asking.withdrawn_card(question(closing), VOICE, 2000),
        )
    }
    for words in (
        "What happens next? 1. Open the door",
        "Open until 13:00. Waiting for Bo and Cy.",
        "1 more vote decides.",
        "Decided. 1. Open the door",
        "No longer asked: the group went on.",
    ):
        assert any(words in state for state in states), words


def test_the_winner_is_heard() -> None:
    now = ballot((ANN, 2), (BO, 2), (CY, 1))
    decided = BallotDecided(now, now.choices[1], (), "")
    assert "2. Wait wins with 2 of 3 votes." in aloud(asking.decided_card(question(now), decided, VOICE, 2000))
    assert aloud(asking.outcome(question(now), decided, VOICE)) == "Decided. 2. Wait wins with 2 of 3 votes."


@pytest.mark.parametrize(("tie", "how"), [("random", "The lot falls on"), ("first", "First with its votes was")])
def test_a_tie_is_heard_and_how_it_was_broken(tie: Tie, how: str) -> None:
    now = ballot((ANN, 1), (BO, 2))
    tied = BallotDecided(now, now.choices[1], (now.choices[0].id, now.choices[1].id), "")
    heard = aloud(asking.decided_card(question(now, Rules(tie=tie)), tied, VOICE, 2000))
    assert f"A tie between 1 and 2. {how} 2. Wait" in heard
    assert "A tie between 1 and 2. The host decides:" in aloud(asking.waits(BallotWaits(now, tied.tied), VOICE))


async def test_every_button_is_heard_by_words_and_none_says_anything_by_its_colour() -> None:
    view = under(Frame("…", ballot().choices, stop=RunId(SCENE.id)))
    buttons = [child.item for child in view.children if isinstance(child, discord.ui.DynamicItem)]
    heard = [aloud(button.label or "") for button in buttons]
    assert heard == ["1. Open the door", "2. Wait", "3. Sing", "Write your own", "Stop"]
    assert {button.style for button in buttons} == {discord.ButtonStyle.secondary}
    assert not any(button.emoji for button in buttons)
    assert {VoteButton, PenButton} <= {type(child) for child in view.children}
