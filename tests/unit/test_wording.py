"""What people read: short, warm, honest, and safe whatever they call themselves."""

from dataclasses import replace
from datetime import timedelta
from typing import Literal, get_args
from uuid import UUID, uuid4

import pytest

from bot.presenter.pages import head_room
from bot.wording import asking, happenings
from bot.wording.asking import Asked
from bot.wording.markup import Markdown, Plain
from bot.wording.replying import reply_text
from bot.wording.treemap import Canvas
from bot.wording.voice import Voice, clock_and_distance, distance, listed
from storyforge_core.domain.ballot import Ballot, Vote
from storyforge_core.domain.events import (
    BallotChanged,
    BallotDecided,
    BallotWaits,
    HeadSet,
    SceneTold,
    StoryBegan,
    StoryOpened,
)
from storyforge_core.domain.replies import (
    Accepted,
    Declined,
    MapShown,
    PathShown,
    Repeated,
    Reply,
    RulesShown,
    RunLine,
    StatusShown,
    StoriesShown,
    StoryLine,
    TakesShown,
)
from storyforge_core.domain.story import (
    BallotId,
    BranchId,
    Choice,
    ChoiceId,
    Member,
    PlayerId,
    Playthrough,
    PlaythroughId,
    Rules,
    Scene,
    SceneId,
    Story,
    StoryId,
)
from storyforge_core.providers.offline import OfflineStoryteller
from tests.fakes import NOON, chat_limits

PLAIN = Voice(Plain(), lambda at: f"{at:%H:%M}")
MARKDOWN = Voice(Markdown(), lambda at: f"<t:{int(at.timestamp())}:R>")
Verb = Literal["branch", "go", "take", "undo", "redo"]
VERBS: tuple[Verb, ...] = get_args(Verb)
WRITING = RunLine("continue", running=True, place=0, words=7)
VILLAIN = "@everyone **Bo** <@1>"
STORY = Story(
    id=StoryId(uuid4()),
    title="Salt",
    premise="A keeper finds a door.",
    genre="mystery",
    tone="",
    seed=1,
    created_at=NOON,
)
PLAYTHROUGH = Playthrough(
    id=PlaythroughId(uuid4()), story=STORY.id, head=None, note="More fog", rules=Rules(), created_at=NOON
)
SCENE = Scene(
    id=SceneId(uuid4()),
    story=STORY.id,
    number=3,
    parent=None,
    choice=None,
    branch=BranchId(uuid4()),
    depth=2,
    take=1,
    title="The cold door",
    prose="It was open.",
    origin="told",
    writer="a-model:7b",
    created_at=NOON,
)


def member(name: str, *, host: bool = False) -> Member:
    return Member(player=PlayerId(uuid4()), name=name, state="joined", host=host)


ANN, BO, CY = member("Ann", host=True), member("Bo"), member("Cy")


def ballot(*votes: tuple[Member, int], texts: tuple[str, ...] = ("Open the door", "Wait", "Sing")) -> Ballot:
    choices = tuple(
        Choice(id=ChoiceId(UUID(int=place)), scene=SCENE.id, position=place, text=text)
        for place, text in enumerate(texts, start=1)
    )
    cast = tuple(Vote(who.player, ChoiceId(UUID(int=number)), NOON) for who, number in votes)
    return Ballot(
        id=BallotId(uuid4()), playthrough=PLAYTHROUGH.id, scene=SCENE.id, choices=choices, votes=cast, opened_at=NOON
    )


def asked(*votes: tuple[Member, int], rules: Rules | None = None, members: tuple[Member, ...] = (ANN, BO, CY)) -> Asked:
    return Asked(ballot(*votes), rules or Rules(), members)


def told(scene: Scene = SCENE, chosen: str = "Open the door", cut: str = "") -> SceneTold:
    return SceneTold(None, scene, chosen, cut)


def test_a_question_lists_choices_votes_and_who_is_missing() -> None:
    assert asking.open_card(asked((ANN, 1), (BO, 1)), PLAIN, None).splitlines() == [
        "What happens next?",
        "1. Open the door — 2 votes (Ann, Bo)",
        "2. Wait",
        "3. Sing",
        "",
        "Waiting for Cy.",
    ]


def test_a_new_question_says_how_to_answer() -> None:
    assert asking.open_card(asked(), PLAIN, None).endswith("Choose a number, or write what happens instead.")


def test_a_question_without_write_ins_offers_none() -> None:
    assert asking.open_card(asked(rules=Rules(write_ins=False)), PLAIN, None).endswith("Choose a number.")


def test_where_only_numbers_can_be_pressed_a_question_says_what_to_type() -> None:
    typed = Voice(Plain(), PLAIN.moment, command="!story")
    card = asking.open_card(asked(), typed, None)
    assert card.endswith("or type !story vote and the number. For something else, !story write and what happens.")
    assert "!story write" not in asking.open_card(asked(rules=Rules(write_ins=False)), typed, None)


def test_nobody_waits_for_a_single_player() -> None:
    assert "Waiting" not in asking.open_card(asked(members=(ANN,)), PLAIN, None)


def test_a_deadline_is_told_the_way_of_the_platform() -> None:
    now = asked()
    now = replace(now, ballot=replace(now.ballot, deadline=NOON + timedelta(minutes=5)))
    assert "Open until 12:05." in asking.open_card(now, PLAIN, None)
    assert "Open until <t:" in asking.open_card(now, MARKDOWN, None)


def test_a_quorum_counts_down() -> None:
    assert "1 more vote decides." in asking.open_card(asked((ANN, 1), rules=Rules(quorum=2)), PLAIN, None)


@pytest.mark.parametrize("limit", [100, 200, 500, 2000])
def test_a_card_fits_its_message_whatever_players_wrote_in(limit: int) -> None:
    many = Asked(ballot(texts=("*_" * 100,) * 25), Rules(), (ANN,))
    card = asking.open_card(many, MARKDOWN, limit)
    assert len(card) <= limit
    assert "1. " in card or limit == 100


def test_a_tie_is_told_as_one() -> None:
    tied = ballot((ANN, 1), (BO, 2))
    event = BallotDecided(tied, tied.choices[1], (tied.choices[0].id, tied.choices[1].id), "")
    now = Asked(tied, Rules(tie="random"), (ANN, BO))
    assert asking.decision(now, event, PLAIN) == "A tie between 1 and 2. The lot falls on 2. Wait"
    first = Asked(tied, Rules(tie="first"), (ANN, BO))
    assert asking.decision(first, event, PLAIN) == "A tie between 1 and 2. First with its votes was 2. Wait"


def test_a_host_who_decides_is_named() -> None:
    now = asked((BO, 1))
    event = BallotDecided(now.ballot, now.ballot.choices[2], (), "Ann")
    assert asking.decision(now, event, PLAIN) == "Ann decides: 3. Sing"


def test_a_player_alone_is_not_told_what_they_chose() -> None:
    now = asked((ANN, 1), members=(ANN,))
    assert not asking.decision_line(now, BallotDecided(now.ballot, now.ballot.choices[0], (), ""), PLAIN)


def test_a_tie_that_the_host_breaks_says_how() -> None:
    tied = ballot((ANN, 1), (BO, 2))
    waits = BallotWaits(tied, (tied.choices[0].id, tied.choices[1].id))
    assert asking.waits(waits, PLAIN) == ("A tie between 1 and 2. The host decides: /story close 1 or /story close 2.")
    assert "nobody has voted" in asking.waits(BallotWaits(tied, ()), PLAIN)


def test_votes_are_told_in_a_line() -> None:
    now = ballot((ANN, 1), (BO, 2))
    event = BallotChanged(now, Rules(), (ANN, BO, CY), "Bo", now.choices[2])
    assert asking.tally(event, PLAIN) == "Bo adds 3. Sing.\n1 has 1 vote and 2 has 1 vote. Waiting for Cy."


def test_a_scene_has_its_number_title_and_choice_above_it() -> None:
    assert happenings.scene_head(told(), MARKDOWN, 200) == "**3 · The cold door**\n*→ Open the door*"


@pytest.mark.parametrize("limit", [33, 60, 200])
@pytest.mark.parametrize("text", ["*_" * 80, "Open the door " * 20, "\u05e9\u05dc" * 60])
def test_what_stands_above_a_scene_fits(limit: int, text: str) -> None:
    assert len(happenings.scene_head(told(replace(SCENE, title=text), text), MARKDOWN, limit)) <= limit
    assert len(happenings.scene_lead("continue", text, "Ann", MARKDOWN, limit)) <= limit


def test_the_built_in_storyteller_is_always_named() -> None:
    told_by_it = told(replace(SCENE, writer=OfflineStoryteller().label))
    assert happenings.scene_foot(told_by_it, PLAIN) == "built-in storyteller"
    assert not happenings.scene_foot(told(), PLAIN)


def test_another_take_an_edit_and_a_cut_are_told() -> None:
    scene = replace(SCENE, take=2, origin="edited", writer="Ann")
    assert happenings.scene_foot(told(scene, cut="The model fell silent."), PLAIN) == (
        "The model fell silent.\ntake 2 · edited by Ann"
    )


def test_an_opened_story_reminds_of_its_last_words() -> None:
    scene = replace(SCENE, prose="word " * 200 + "and out.")
    text = happenings.story_opened(StoryOpened("Salt", scene), PLAIN)
    assert text.startswith("Salt is open here, at 3 · The cold door.\n… word")
    assert text.endswith("and out.")


@pytest.mark.parametrize("verb", VERBS)
def test_a_move_names_who_where_and_the_last_words(verb: Verb) -> None:
    text = happenings.head_set(HeadSet(SCENE, verb, "Ann", None), PLAIN)
    assert text.startswith("Ann ")
    assert "3 · The cold door" in text
    assert text.endswith("It was open.")


def test_a_villain_pings_nobody_by_name_title_choice_or_premise() -> None:
    villain = member(VILLAIN)
    now = Asked(ballot((villain, 1), texts=(VILLAIN, VILLAIN)), Rules(), (ANN, villain))
    texts = [
        asking.open_card(now, MARKDOWN, 2000),
        happenings.story_began(StoryBegan(VILLAIN, VILLAIN, VILLAIN), MARKDOWN),
        happenings.scene_head(told(replace(SCENE, title=VILLAIN), VILLAIN), MARKDOWN, 200),
        happenings.head_set(HeadSet(replace(SCENE, prose=VILLAIN), "go", VILLAIN, None), MARKDOWN),
        happenings.sentence(f"{VILLAIN} joined.", MARKDOWN),
    ]
    for text in texts:
        assert "@everyone" not in text
        assert "<@1>" not in text
        assert "**Bo**" not in text


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Accepted("On with it."), "On with it."),
        (Declined("Nobody has voted yet."), "Nobody has voted yet."),
        (Repeated(), ""),
        (PathShown(STORY, (SCENE,), ("Open the door",), 4), "(4 earlier scenes not shown.)"),
        (PathShown(STORY, (), (), 0), "Nothing has been told yet."),
        (TakesShown((SCENE, replace(SCENE, take=2, number=5)), SCENE.id), "1. 3 · The cold door — It was open. ← here"),
        (TakesShown((SCENE,), SCENE.id), "This is the only take."),
        (StoriesShown((StoryLine(4, "Salt", "A keeper", 12, here=True),)), "4. Salt (12 scenes, open here)"),
        (StoriesShown(()), "/story new"),
        (RulesShown(Rules(), "More fog"), "quorum: 0 (everybody who joined)"),
        (RulesShown(Rules(), "More fog"), "Director's note: More fog"),
        (MapShown(STORY, (), None, (), None, 0), "no scenes yet"),
        (
            StatusShown(STORY, PLAYTHROUGH, SCENE, ballot(), (ANN, BO), WRITING, 9),
            "The next scene is being written: 7 words so far.",
        ),
        (StatusShown(STORY, PLAYTHROUGH, SCENE, ballot(), (ANN, BO), None, 9), "Playing: Ann (host) and Bo."),
        (StatusShown(STORY, PLAYTHROUGH, SCENE, ballot(), (ANN, BO), None, 9), "3. Sing"),
        (StatusShown(STORY, PLAYTHROUGH, None, None, (), None, 0), "The first scene has not been told yet."),
    ],
)  # fmt: skip
def test_every_reply_has_words(reply: Reply, words: str) -> None:
    assert words in reply_text(reply, PLAIN, Canvas())


def test_a_map_in_a_chat_keeps_its_columns() -> None:
    drawn = reply_text(MapShown(STORY, (), None, (), None, 0), MARKDOWN, Canvas())
    assert drawn.startswith("```\n")
    assert drawn.endswith("\n```")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(40, "in 40 seconds"), (60, "in 1 minute"), (7200, "in 2 hours"), (-300, "5 minutes ago"), (200_000, "in 2 days")],
)
def test_distances_in_time_are_said_in_round_words(seconds: int, words: str) -> None:
    assert distance(timedelta(seconds=seconds)) == words


def test_a_time_is_a_clock_and_a_distance() -> None:
    assert clock_and_distance(NOON + timedelta(minutes=5), NOON) == "12:05, in 5 minutes"
    assert clock_and_distance(NOON + timedelta(days=3), NOON) == "23 November, 12:00, in 3 days"


def test_lists_read_like_speech() -> None:
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_a_crowd_is_counted() -> None:
    assert PLAIN.names([str(number) for number in range(10)]) == "0, 1, 2, 3, 4 and 5 others"


def test_the_smallest_chat_leaves_room_for_prose() -> None:
    assert head_room(chat_limits(100)) <= 50


def test_a_premise_that_is_the_title_is_not_said_twice() -> None:
    assert happenings.story_began(StoryBegan("A door", "A door", "Ann"), PLAIN) == "A door\nBegun by Ann."


def test_below_a_scene_number_title_and_origin_share_a_line() -> None:
    scene = replace(SCENE, take=2, writer="built-in storyteller")
    assert happenings.scene_signature(told(scene), PLAIN) == "— 3 · The cold door · take 2 · built-in storyteller"
