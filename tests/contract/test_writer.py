"""What every writer has to do, whoever it is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from storyforge_core.domain.answers import Choices, choices_schema, read_choices
from storyforge_core.domain.plans import ScenePlan, plan_schema, read_plan
from storyforge_core.domain.writing import Asking, Brief, Finished, Telling, ToldScene, Words, WriterEvent
from storyforge_core.engine.prompting import (
    SMALLEST_WINDOW,
    choices_messages,
    choices_tokens,
    scene_messages,
    telling_tokens,
)
from storyforge_core.engine.steps.outline import PLAN_ANSWER_TOKENS, plan_messages
from storyforge_core.ports import Writer
from storyforge_core.providers.offline import OfflineStoryteller
from storyforge_core.providers.ollama import OllamaOptions, OllamaWriter
from storyforge_core.providers.openai_compatible import OpenAIOptions, OpenAIWriter
from tests.peers.llama import LlamaPeer, llama_server
from tests.peers.ollama import OllamaPeer
from tests.peers.openai import OpenAIPeer

OPENING = Brief(
    premise="A lighthouse keeper finds a door in the sea",
    title="The Door in the Sea",
    genre="mystery",
    tone="quiet",
    path=(),
    chosen="",
    hint="",
    note="",
    words=60,
    choices=3,
    seed=7,
)
SECOND = replace(
    OPENING,
    path=(ToldScene(1, "Low Water", "", "The tide had gone out and it did not come back. Maren stood at the rail."),),
    chosen="Knock back three times",
    hint="Maren has been here before",
)


def options(host: str, model: str) -> OllamaOptions:
    return OllamaOptions(host, model, 8192, 1024, "5m", 0.8, 20, 10)


def openai_options(host: str, model: str) -> OpenAIOptions:
    return OpenAIOptions(host, model, "", 8192, 1024, 0.8, 20, 10)


WRITERS = (
    "ollama on a scripted peer",
    "ollama on llama.cpp",
    "openai on a scripted peer",
    "openai on llama.cpp",
    "built-in storyteller",
)


@pytest.fixture(params=WRITERS)
async def writer(request: pytest.FixtureRequest) -> AsyncIterator[Writer]:
    match request.param:
        case "ollama on a scripted peer":
            async with OllamaPeer() as scripted:
                made: Writer = OllamaWriter(options(scripted.url, "storyteller"))
                yield made
                await made.aclose()
        case "ollama on llama.cpp":
            async with LlamaPeer(llama_server()) as llama:
                made = OllamaWriter(options(llama.url, "salad"))
                yield made
                await made.aclose()
        case "openai on a scripted peer":
            async with OpenAIPeer() as speaking:
                made = OpenAIWriter(openai_options(speaking.url, "storyteller"))
                yield made
                await made.aclose()
        case "openai on llama.cpp":
            made = OpenAIWriter(openai_options(f"{llama_server().listening_address}/v1", "salad"))
            yield made
            await made.aclose()
        case _:
            made = OfflineStoryteller()
            yield made
            await made.aclose()


def telling(writer: Writer, brief: Brief, told: str = "") -> Telling:
    tokens = telling_tokens(brief.words, writer.window)
    return Telling(brief, scene_messages(brief, writer.window, tokens), told, tokens)


async def heard(writer: Writer, brief: Brief, told: str = "") -> list[WriterEvent]:
    async with aclosing(writer.tell(telling(writer, brief, told))) as events:
        return [event async for event in events]


def prose_of(events: list[WriterEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Words))


@pytest.mark.parametrize("brief", [OPENING, SECOND], ids=["opening", "second scene"])
async def test_a_telling_is_words_and_then_one_end(writer: Writer, brief: Brief) -> None:
    *words, end = await heard(writer, brief)
    assert isinstance(end, Finished)
    assert words
    assert all(isinstance(event, Words) and event.text for event in words)


async def test_prose_does_not_begin_with_blank_space(writer: Writer) -> None:
    assert not prose_of(await heard(writer, OPENING))[0].isspace()


async def test_a_half_told_scene_goes_on_without_saying_it_again(writer: Writer) -> None:
    whole = prose_of(await heard(writer, OPENING))
    told = whole[: len(whole) // 2]
    rest = prose_of(await heard(writer, OPENING, told))
    assert rest
    assert (told + rest).count(told) == 1


async def test_a_telling_that_is_closed_early_leaves_the_writer_ready(writer: Writer) -> None:
    async with aclosing(writer.tell(telling(writer, OPENING))) as events:
        assert isinstance(await anext(events), Words)
    assert isinstance((await heard(writer, SECOND))[-1], Finished)


async def test_a_telling_that_is_cancelled_leaves_the_writer_ready(writer: Writer) -> None:
    task = asyncio.create_task(heard(writer, OPENING))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert isinstance((await heard(writer, SECOND))[-1], Finished)


async def test_two_tellings_at_once_do_not_mix(writer: Writer) -> None:
    first, second = await asyncio.gather(heard(writer, OPENING), heard(writer, SECOND))
    assert isinstance(first[-1], Finished)
    assert isinstance(second[-1], Finished)


@pytest.mark.parametrize("count", [2, 3, 6])
async def test_choices_are_as_many_as_were_asked_for(writer: Writer, count: int) -> None:
    brief = replace(SECOND, choices=count)
    prose = "The door opens inward. Behind it a stair leads down, and somebody has left a lamp burning for Maren."
    tokens = choices_tokens(count, writer.window)
    messages = choices_messages(brief, prose, writer.window, tokens)
    answer = await writer.ask(Asking(brief, messages, prose, choices_schema(count), tokens))
    choices = read_choices(answer, count)
    assert isinstance(choices, Choices)
    assert len(choices.options) == count


async def test_a_plan_can_be_read(writer: Writer) -> None:
    brief = replace(SECOND, promises=("Maren will open the door",), planned=True)
    window = min(writer.window, 8192)
    messages = plan_messages(brief, window, telling_tokens(brief.words, window))
    prose, schema = brief.path[-1].prose, plan_schema(brief.promises)
    answer = await writer.ask(Asking(brief, messages, prose, schema, PLAN_ANSWER_TOKENS, "plan"))
    plan = read_plan(answer, brief.promises)
    assert isinstance(plan, ScenePlan)
    assert plan.beats


async def test_a_writer_that_is_well_says_so(writer: Writer) -> None:
    findings = await writer.check()
    assert findings
    assert {finding.status for finding in findings} == {"ok"}
    assert all(finding.name and finding.detail for finding in findings)


async def test_a_writer_has_a_name_and_room_for_a_scene(writer: Writer) -> None:
    assert writer.label
    assert writer.window >= SMALLEST_WINDOW


async def test_a_writer_says_which_model_it_is(writer: Writer) -> None:
    profile = await writer.profile()
    assert profile.model.startswith(writer.label)
    assert profile == await writer.profile()


async def test_letting_go_twice_is_once(writer: Writer) -> None:
    await heard(writer, OPENING)
    await writer.aclose()
    await writer.aclose()
