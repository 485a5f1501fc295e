"""What people read about what the story knows and what its storyteller was given."""

import re
from dataclasses import replace
from uuid import uuid4

from bot.wording.markup import Markdown
from bot.wording.replying import reply_text
from bot.wording.treemap import Canvas
from bot.wording.voice import Voice
from storyforge_core.domain.bible import Card, Claim, Entity, EntityId, Fact, FactId
from storyforge_core.domain.found import Dispute, DisputesShown, OfOne, PromisesShown, StateShown
from storyforge_core.domain.manifest import Manifest, Measure, Piece
from storyforge_core.domain.memory import Progress, Quote
from storyforge_core.domain.promises import Promise, PromiseId
from storyforge_core.domain.replies import (
    AnswerShown,
    ContextShown,
    EntitiesShown,
    EntityShown,
    FactsShown,
    Reply,
    SearchHit,
    SearchShown,
    WhyShown,
)
from storyforge_core.domain.runs import Order
from storyforge_core.domain.states import Assertion, AssertionId, Held, Slot, Standing
from storyforge_core.domain.story import BranchId, Scene, SceneId, StoryId
from storyforge_core.domain.writing import Profile
from tests.fakes import NOON

SCENE = Scene(
    id=SceneId(uuid4()), story=StoryId(uuid4()), number=3, parent=None, choice=None, branch=BranchId(uuid4()), depth=2,
    take=1, title="The cold door", prose="It was open.", origin="told", writer="a-model:7b", created_at=NOON,
)  # fmt: skip


def say(reply: Reply) -> str:
    return reply_text(reply, Voice(Markdown(), lambda at: f"{at:%H:%M}"), Canvas(40, 20))


def seen(reply: Reply) -> str:
    """Without what nobody sees."""
    return say(reply).replace("\u200b", "")


FILLED = Manifest(
    profile=Profile("mistral@abc", (("temperature", 0.8),)),
    window=8192,
    max_tokens=504,
    pieces=(
        Piece("rules", 400, "a"),
        Piece("scene", 900, "b", 3, "Low *Water*"),
        Piece("remembered", 200, "c", 1, "The Key", "what was chosen"),
        Piece("task", 100, "d"),
    ),
    templates=(),
    estimated=1700,
    digest="e",
    read=1500,
    written=310,
    cut=True,
)


def test_why_shows_the_parts_and_what_came_back_and_that_the_server_cut() -> None:
    order = Order(
        task="continue", parent=None, choice=None, chosen="Knock *back*", hint="more fog", base=None, head=None,
        ballot=None, seed=7, by="Ann",
    )  # fmt: skip
    text = seen(WhyShown(SCENE, FILLED, order, same=False))
    assert "mistral@abc · seed 7 · temperature 0.8" in text
    assert "→ Knock \\*back\\*" in text
    assert "Hint: more fog" in text
    assert re.search(r"rules, task +500 █░+", text)
    assert re.search(r"remembered +200 █░+", text)
    assert "read 1,500 tokens (1,700 were estimated), and wrote 310." in text
    assert "Remembered for what was chosen: 1 · The Key" in text
    assert "it cut the prompt" in text
    assert "cannot be made again" in text
    assert max(map(len, text.split("```")[1].splitlines())) <= 40


def test_context_says_what_is_measured_and_who_reads() -> None:
    shown = ContextShown(FILLED, 8192, Measure(12, 0.81), 9, "nomic@1", Progress(40, 1200))
    text = seen(shown)
    assert "1 of 9 scenes word for word. 8 older scenes only when they matter." in text
    assert "measure 0.81 of what is estimated, over 12 prompts" in text
    assert "nomic is reading the stories: 40 of 1,200 passages so far." in text
    assert re.search(r"free +5,988 █+░", text)
    assert "is away" in say(replace(shown, embedder=""))
    assert "found by nomic." in seen(replace(shown, progress=Progress(9, 9)))


def test_an_answer_shows_its_proofs_and_no_marks_of_others() -> None:
    quote = Quote(3, "Low *Water*", "The @everyone key lies here.")
    text = say(AnswerShown("Who has **it**?", "Osk.", (quote,)))
    assert text.startswith("**Who has \\*\\*it\\*\\*?**")
    assert "@everyone" not in text
    assert text.endswith("lies here.” — 3 · Low \\*Water\\*")
    assert "The story does not say" in say(AnswerShown("Who?", "", ()))
    assert "This is what the story says" in say(AnswerShown("Who?", "", (quote,)))


def test_a_search_shows_scenes_under_their_stories_and_how_to_open_them() -> None:
    hits = (SearchHit(2, "The Mill", Quote(3, "Low", "a heron")), SearchHit(2, "The Mill", Quote(5, "High", "herons")))
    text = say(SearchShown("heron", hits))
    assert text.count("The Mill") == 1
    assert "/story stories 2" in text
    assert "“a heron” — 3 · Low" in text
    assert "Nothing told here has “heron” in it." in say(SearchShown("heron", ()))


FACT = Fact(FactId(uuid4()), 4, 12, Claim("Osk has the *key*", "He pocketed the key, @everyone"))
MAREN = Card("character", "Maren", ("the miller", "Mimi"), "keeps the *mill*", "she drowned")


def test_a_card_shows_names_facts_and_its_secret_or_that_there_is_one() -> None:
    text = say(EntityShown(MAREN, guarded=False, facts=(FACT,)))
    assert text.startswith("**Maren**\nkeeps the \\*mill\\*\nAlso called the miller and Mimi.\nSecret: she drowned")
    assert "4. Osk has the \\*key\\* — “He pocketed the key" in text
    assert "@everyone" not in text
    hidden = say(EntityShown(replace(MAREN, secret=""), guarded=True, facts=()))
    assert "drowned" not in hidden
    assert "It has a secret" in hidden


def test_lists_say_how_to_begin_when_they_are_empty() -> None:
    assert "/story prop add" in say(EntitiesShown("prop", ()))
    assert "/story fact add" in say(FactsShown(()))
    assert say(EntitiesShown("character", (MAREN,))) == "**Characters**\nMaren: keeps the \\*mill\\*"
    assert say(FactsShown((FACT,))).endswith("(scene 12)")


def held(number: int, value: str, scene: int, slot: Slot = "look", standing: Standing = "true") -> Held:
    said = Assertion("Maren", slot, value, f"Her *hair* was {value}, @everyone", "hair" if slot == "look" else "")
    return Held(AssertionId(uuid4()), number, scene, scene, 1, said, standing)


def test_what_was_found_by_reading_is_marked_so_and_proved() -> None:
    red = held(7, "red", 3)
    card = replace(MAREN, secret="", voice="slow")
    text = say(EntityShown(card, guarded=False, facts=(), seen=3, held=(red,), disputes=(held(9, "black", 4),)))
    assert "Voice: slow" in text
    assert "Found by reading, in scene 3." in text
    assert "Looks: hair: red — “Her \\*hair\\* was red" in text
    assert "/story fact settle 9" in text
    assert "@everyone" not in text
    listed = say(EntitiesShown("character", (), (Entity(EntityId(uuid4()), card, 3),)))
    assert listed.endswith("(found by reading, scene 3)")
    facts = seen(FactsShown((FACT,), (red,), older=True))
    assert "7. Maren: look hair: red" in facts
    assert "(scene 3, found by reading)" in facts


def test_how_things_stand_what_was_promised_and_what_is_in_dispute_can_be_read() -> None:
    state = seen(StateShown((OfOne("Maren", (held(7, "the mill", 3, "where"), held(8, "a lamp", 4, "has"))),), None, 1))
    assert state == (
        "**How things stand**\n\n**Maren**\nWhere: the mill (scene 3)\nHas: a lamp (scene 4)\n\n"
        "1 value in dispute: /story fact disputed"
    )
    assert "Nothing was found yet" in say(StateShown(()))
    kept = Promise(PromiseId(uuid4()), 2, 3, "Osk comes back", "I will", "kept", 9, "There he was")
    promises = seen(PromisesShown((replace(kept, number=4, outcome="open", ended=0, proof=""), kept)))
    assert "**Open**\n4. Osk comes back — “I will” (scene 3)" in promises
    assert "**Kept**\n2. Osk comes back — “There he was” (scene 3, kept in scene 9)" in promises
    assert "promised nothing yet" in say(PromisesShown(()))
    dispute = Dispute(9, (held(7, "red", 3), held(9, "black", 4, standing="disputed")))
    shown = seen(DisputesShown((dispute,)))
    assert shown.startswith("**9. Maren: looks hair**\n1) red")
    assert "2) black" in shown
    assert shown.endswith("Decide: /story fact settle 9 1")
    assert "No scenes contradict" in say(DisputesShown(()))
