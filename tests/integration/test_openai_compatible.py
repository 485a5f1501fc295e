"""The writer for servers with OpenAI's calls, against one that fails on cue, and against llama.cpp itself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace

import pytest

from storyforge_core.domain.answers import Choices, choices_schema, read_choices
from storyforge_core.domain.context import as_data
from storyforge_core.domain.writing import Asking, Brief, Finished, Message, Telling, Words, WriterEvent
from storyforge_core.engine.prompting import choices_messages
from storyforge_core.errors import (
    BrokenAnswer,
    ModelMissing,
    ServiceDown,
    ServiceSilent,
    StoryForgeError,
    WindowTooSmall,
)
from storyforge_core.providers.openai_compatible import OpenAIOptions, OpenAIWriter
from tests.peers.llama import llama_server
from tests.peers.ollama import PROSE
from tests.peers.openai import OpenAIFault, OpenAIPeer, OpenAIScript

BRIEF = Brief("A keeper finds a door", "", "", "", (), "", "", "", 100, 3, seed=7)
MESSAGES = (Message("system", "You tell stories."), Message("user", "Write the opening scene."))
TELLING = Telling(BRIEF, MESSAGES, told="", max_tokens=300)
ASKING = Asking(BRIEF, choices_messages(BRIEF, PROSE, 8192, 400), PROSE, choices_schema(3), max_tokens=200)
WriterFor = Callable[..., OpenAIWriter]


@pytest.fixture
async def peer() -> AsyncIterator[OpenAIPeer]:
    async with OpenAIPeer() as server:
        yield server


@pytest.fixture
async def writer_for() -> AsyncIterator[WriterFor]:
    """Make writers that are let go of in the end; options by name."""
    made: list[OpenAIWriter] = []

    def make(url: str, **changes: str | float) -> OpenAIWriter:
        usual = OpenAIOptions(url, "storyteller", "", 8192, 1024, 0.8, first_token_timeout=5, token_timeout=5)
        made.append(OpenAIWriter(replace(usual, **changes)))  # type: ignore[arg-type]  # the tests name real options
        return made[-1]

    yield make
    for writer in made:
        await writer.aclose()


async def heard(writer: OpenAIWriter, telling: Telling = TELLING) -> list[WriterEvent]:
    async with aclosing(writer.tell(telling)) as events:
        return [event async for event in events]


def prose_of(events: list[WriterEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Words))


async def test_prose_arrives_word_for_word_and_is_counted(peer: OpenAIPeer, writer_for: WriterFor) -> None:
    events = await heard(writer_for(peer.url))
    assert prose_of(events) == PROSE
    assert events[-1] == Finished("stop", prompt_tokens=10, output_tokens=len(PROSE.split()))
    (body,) = peer.chats
    assert (body["seed"], body["temperature"], body["max_tokens"]) == (7, 0.8, 300)
    assert body["stream_options"] == {"include_usage": True}


async def test_a_server_that_counts_nothing_is_no_trouble(peer: OpenAIPeer, writer_for: WriterFor) -> None:
    peer.script = OpenAIScript(usage=False, length=20)
    assert (await heard(writer_for(peer.url)))[-1] == Finished("length")


async def test_thoughts_are_not_told_and_get_room_from_then_on(peer: OpenAIPeer, writer_for: WriterFor) -> None:
    peer.script = OpenAIScript(thought="The players want dread.", telling=f"<think>Hm.</think>{PROSE}")
    writer = writer_for(peer.url)
    assert prose_of(await heard(writer)) == PROSE
    await heard(writer)
    assert [body["max_tokens"] for body in peer.chats] == [300, 300 + 2048]


async def test_a_key_is_sent_only_where_there_is_one(peer: OpenAIPeer, writer_for: WriterFor) -> None:
    await heard(writer_for(peer.url))
    await heard(writer_for(peer.url, api_key="hush"))
    assert [body.get("authorization") for body in peer.chats] == [None, "Bearer hush"]


@pytest.mark.parametrize(
    ("fault", "error", "sentence"),
    [
        ("busy", ServiceDown, "is busy"),
        ("failing", ServiceDown, "failed with 500: too much to do"),
        ("locked", ModelMissing, "set OPENAI_API_KEY"),
        ("too long", WindowTooSmall, "8192 tokens are planned.*set OPENAI_CONTEXT lower"),
        ("foreign", BrokenAnswer, "end in /v1"),
        ("silent start", ServiceSilent, "said nothing for 0.3 seconds"),
        ("silent middle", ServiceSilent, "said nothing for 0.2 seconds"),
        ("error part", ServiceDown, "broke off: CUDA out of memory"),
        ("no end", BrokenAnswer, "broke off in the middle"),
        ("nonsense", BrokenAnswer, "cannot be read"),
    ],
)
async def test_each_failure_is_one_of_ours_with_a_sentence(
    peer: OpenAIPeer, writer_for: WriterFor, fault: OpenAIFault, error: type[StoryForgeError], sentence: str
) -> None:
    peer.script = OpenAIScript(fault=fault)
    writer = writer_for(peer.url, first_token_timeout=0.3, token_timeout=0.2)
    with pytest.raises(error, match=sentence):
        await heard(writer)
    peer.script = OpenAIScript()
    assert prose_of(await heard(writer)) == PROSE


async def test_a_server_that_is_away_and_a_model_that_is_not_there_are_named(
    peer: OpenAIPeer, writer_for: WriterFor, unused_tcp_port: int
) -> None:
    with pytest.raises(ServiceDown, match=f"No server answers at http://127.0.0.1:{unused_tcp_port}/v1"):
        await heard(writer_for(f"http://127.0.0.1:{unused_tcp_port}/v1"))
    with pytest.raises(ModelMissing, match="does not have nobody"):
        await heard(writer_for(peer.url, model="nobody"))


async def test_closing_and_cancelling_hang_up(peer: OpenAIPeer, writer_for: WriterFor) -> None:
    peer.script = OpenAIScript(rate=50)
    writer = writer_for(peer.url)
    async with aclosing(writer.tell(TELLING)) as events:
        assert isinstance(await anext(events), Words)
    await asyncio.wait_for(peer.hung_up.wait(), 2)
    peer.hung_up.clear()
    task = asyncio.create_task(heard(writer))
    while len(peer.chats) < 2:  # noqa: ASYNC110  # the peer knows no event for it
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(peer.hung_up.wait(), 2)


@pytest.mark.parametrize("kind", ["llamacpp", "vllm"])
async def test_servers_that_go_on_with_an_answer_are_given_its_beginning(
    peer: OpenAIPeer, writer_for: WriterFor, kind: str
) -> None:
    peer.script = OpenAIScript(kind=kind, telling=" And then the tide turned.")
    events = await heard(writer_for(peer.url), replace(TELLING, told="You set the lamp <down>."))
    assert prose_of(events) == " And then the tide turned."
    (body,) = peer.chats
    assert body["messages"][-1] == {"role": "assistant", "content": as_data("You set the lamp <down>.")}
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert body.get("continue_final_message", False) is (kind == "vllm")


@pytest.mark.parametrize("kind", ["somebody", "llamacpp"])
async def test_other_servers_are_told_what_was_told_and_a_refusal_is_remembered(
    peer: OpenAIPeer, writer_for: WriterFor, kind: str
) -> None:
    told = " ".join(PROSE.split()[:9])
    peer.script = OpenAIScript(kind=kind, refuses=frozenset({"assistant"}))
    writer = writer_for(peer.url)
    for _ in range(2):
        assert told + prose_of(await heard(writer, replace(TELLING, told=told))) == PROSE, "nothing is told twice"
    assert len(peer.chats) == 2
    for body in peer.chats:
        assert [message["role"] for message in body["messages"]] == ["system", "user"]
        assert f"<begun>\n{told}\n</begun>" in body["messages"][-1]["content"]


async def test_choices_are_asked_for_with_a_schema_and_without_where_it_is_refused(
    peer: OpenAIPeer, writer_for: WriterFor
) -> None:
    writer = writer_for(peer.url)
    assert isinstance(read_choices(await writer.ask(ASKING), 3), Choices)
    assert peer.chats[0]["response_format"]["json_schema"]["schema"] == dict(ASKING.schema)
    peer.script = OpenAIScript(refuses=frozenset({"response_format"}))
    for _ in range(2):
        assert isinstance(read_choices(await writer.ask(ASKING), 3), Choices)
    assert ["response_format" in body for body in peer.chats] == [True, False, False]


async def test_nothing_is_told_where_the_server_reads_less_than_is_planned(
    peer: OpenAIPeer, writer_for: WriterFor
) -> None:
    peer.script = OpenAIScript(window=4096, kind="vllm")
    writer = writer_for(peer.url)
    with pytest.raises(WindowTooSmall, match="set OPENAI_CONTEXT=4096"):
        await heard(writer)
    assert peer.chats == []
    assert [finding.status for finding in await writer.check()] == ["ok", "ok", "fail"]


async def test_the_check_names_the_models_that_are_there(peer: OpenAIPeer, writer_for: WriterFor) -> None:
    _, model = await writer_for(peer.url, model="nobody").check()
    assert (model.status, model.detail) == ("fail", "it is not there; set OPENAI_MODEL to one of: storyteller")
    peer.script = OpenAIScript(fault="locked")
    (server,) = await writer_for(peer.url).check()
    assert (server.status, "OPENAI_API_KEY" in server.detail) == ("fail", True)


async def test_llama_cpp_reads_what_is_told_already_as_its_own_words(writer_for: WriterFor) -> None:
    writer = writer_for(f"{llama_server().listening_address}/v1", model="salad")
    *_, whole = await heard(writer)
    *words, rest = await heard(writer, replace(TELLING, told="the sea was like the sea and the"))
    assert words
    assert isinstance(whole, Finished)
    assert isinstance(rest, Finished)
    assert whole.prompt_tokens
    assert rest.prompt_tokens
    assert whole.prompt_tokens < rest.prompt_tokens


async def test_llama_cpp_tells_how_much_it_reads(writer_for: WriterFor) -> None:
    host = f"{llama_server().listening_address}/v1"
    assert "16384" in (await writer_for(host, window=32_768).check())[-1].detail
    with pytest.raises(WindowTooSmall, match="set OPENAI_CONTEXT=16384"):
        await heard(writer_for(host, window=32_768))
