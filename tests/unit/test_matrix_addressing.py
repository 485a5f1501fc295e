"""What is meant for the bot in a room where people also talk to each other."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalog.row import HelpAsked, Problem
from bot.platforms.matrix.addressing import Hint, Me, meant
from storyforge_core.domain.book import EntityLook
from storyforge_core.domain.commands import GoTo, NewStory, ShowStatus, Vote, WriteIn

ME = Me("@keeper:example.org", "The Keeper")
VOTE = Vote(2)


def said(body: str, **more: Any) -> dict[str, Any]:
    return {"msgtype": "m.text", "body": body, **more}


def mentioning(*users: str) -> dict[str, Any]:
    return {"m.mentions": {"user_ids": list(users)}}


def pill(address: str, shown: str, rest: str) -> dict[str, Any]:
    return {
        "format": "org.matrix.custom.html",
        "formatted_body": f'<a href="https://matrix.to/#/{address}">{shown}</a>{rest}',
    }


@pytest.mark.parametrize(
    "content",
    [
        said("!story vote 2"),
        said("/story vote 2"),
        said("!Story  vote #2"),
        said("!storyhost vote 2"),
        said("keeper: vote 2"),
        said("Keeper, vote 2"),
        said("keeper vote 2"),
        said("@keeper vote 2"),
        said("@keeper:example.org vote 2"),
        said("@keeper:example.org: vote 2"),
        said("The Keeper: vote 2"),
        said("the keeper vote 2"),
        said("The Keeper !story vote 2"),
        said("The Keeper: /story vote 2"),
        said("Old Name: vote 2", **pill("@keeper:example.org", "Old Name", ": vote 2")),
        said("Old Name vote 2", **pill("%40keeper%3Aexample.org?via=x", "<b>Old Name</b>", " vote 2")),
        said(
            "[Old Name](https://matrix.to/#/@keeper:example.org) vote 2", **pill("@keeper:example.org", "Old Name", "")
        ),
    ],
    ids=lambda content: content["body"],
)
def test_a_command_is_understood_however_the_bot_is_called(content: dict[str, Any]) -> None:
    assert meant(content, ME) == VOTE


@pytest.mark.parametrize("words", ["!story character look Maren", "keeper: character look Maren"])
def test_what_is_written_to_a_picture_is_understood_but_not_its_file_name(words: str) -> None:
    shown = said(words, filename="maren.png") | {"msgtype": "m.image"}
    assert meant(shown, ME) == EntityLook("character", "Maren")
    assert meant(shown | {"filename": words}, ME) is None
    assert meant({key: value for key, value in shown.items() if key != "filename"}, ME) is None
    assert meant(shown | {"body": "How lovely"}, ME) is None


@pytest.mark.parametrize(
    "content",
    [
        said("vote 2"),
        said("I asked the keeper: vote 2"),
        said("keepers vote 2"),
        said("keeper was kind to her"),
        said("The Keeper is my favourite"),
        said("somebody else: vote 2", **pill("@other:example.org", "somebody else", ": vote 2")),
        said("!stories vote 2"),
        said("* !story vote 2", **{"m.relates_to": {"rel_type": "m.replace", "event_id": "$x"}}),
        {"msgtype": "m.notice", "body": "!story vote 2"},
        {"msgtype": "m.emote", "body": "!story vote 2"},
        {"msgtype": "m.image", "body": "!story vote 2"},
        {"body": "!story vote 2"},
        {},
    ],
    ids=str,
)
def test_what_people_say_to_each_other_is_left_alone(content: dict[str, Any]) -> None:
    assert meant(content, ME) is None


@pytest.mark.parametrize("body", ["!story vot 2", "The Keeper: vot 2", "@keeper vot 2"])
def test_who_is_addressed_with_an_unknown_word_says_what_may_be_meant(body: str) -> None:
    problem = meant(said(body), ME)
    assert isinstance(problem, Problem)
    assert "Did you mean “vote”?" in problem.sentence


def test_a_mention_without_more_asks_how_things_stand() -> None:
    assert meant(said("The Keeper"), ME) is None
    assert meant(said("The Keeper", **mentioning(ME.user)), ME) == ShowStatus()


def test_the_premise_may_take_several_lines() -> None:
    assert meant(said("!story new A fox\nkeeps a bell"), ME) == NewStory("A fox\nkeeps a bell")


def test_a_form_is_worth_more_than_the_words_beside_it() -> None:
    form = {"command": "story", "arguments": {"command": "write", "words": "Knock"}}
    content = said("whatever", **{"org.matrix.msc4391.command": form}, **mentioning(ME.user))
    assert meant(content, ME) == WriteIn("Knock")


def test_a_form_for_another_bot_is_left_alone() -> None:
    form = {"command": "story", "arguments": {"command": "write", "words": "Knock"}}
    content = said("!story write Knock", **{"org.matrix.msc4391.command": form}, **mentioning("@other:example.org"))
    assert meant(content, ME) is None


def reply(body: str, **more: Any) -> dict[str, Any]:
    return said(body, **{"m.relates_to": {"m.in_reply_to": {"event_id": "$scene"}}}, **more)


def test_a_reply_is_a_hint() -> None:
    assert meant(reply("the light goes out"), ME) == Hint("$scene", "the light goes out")


def test_a_reply_with_a_quotation_is_what_stands_below_it() -> None:
    quoting = "> <@keeper:example.org> There was a door.\n> It was open.\n\nthe light goes out"
    assert meant(reply(quoting), ME) == Hint("$scene", "the light goes out")


def test_a_reply_that_leaves_the_bot_out_is_talk() -> None:
    assert meant(reply("I love that", **mentioning("@ann:example.org")), ME) is None
    assert meant(reply("on", **mentioning(ME.user)), ME) == Hint("$scene", "on")


def test_a_command_in_a_reply_is_a_command() -> None:
    assert meant(reply("!story go 4"), ME) == GoTo("4")


def test_what_only_looks_like_a_reply_inside_a_thread_is_none() -> None:
    inside = {"rel_type": "m.thread", "event_id": "$root", "m.in_reply_to": {"event_id": "$scene"}}
    assert meant(said("hello", **{"m.relates_to": {**inside, "is_falling_back": True}}), ME) is None
    assert meant(said("on", **{"m.relates_to": {**inside, "is_falling_back": False}}), ME) == Hint("$scene", "on")


def test_help_is_asked_for_by_name() -> None:
    assert meant(said("The Keeper: help vote"), ME) == HelpAsked("vote")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("msgtype", "body", "formatted_body", "m.mentions", "m.relates_to", "org.matrix.msc4391.command")


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(FIELDS, ANYTHING | st.sampled_from(["m.text", "!story", "keeper: x"]))
    )
)
def test_no_message_is_so_odd_that_it_cannot_be_read(content: dict[str, Any]) -> None:
    meant(content, ME)
