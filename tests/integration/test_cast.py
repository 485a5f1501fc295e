"""Which model does which job: one alone plays at once, all that are there get theirs, a missing one is covered."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import structlog

from bot import model_checkup
from bot.storyteller import built_in, embedder_beside, for_play, for_workers
from storyforge_core.domain.answers import choices_schema
from storyforge_core.domain.writing import Asking, Brief, Finding, Message, Telling, Words
from storyforge_core.errors import ServiceDown, SetupError
from storyforge_core.ports import Writer
from storyforge_core.providers.offline import OfflineEmbedder, OfflineStoryteller
from storyforge_core.settings import Settings
from tests.peers.ollama import OllamaPeer, Script
from tests.peers.openai import OpenAIPeer, OpenAIScript

BRIEF = Brief("A keeper finds a door", "", "", "", (), "", "", "", 100, 3, seed=7)
ASKING = Asking(BRIEF, (Message("user", "Name it."),), "You wait.", choices_schema(3), 200)
USUAL = Script(model="dolphin-mistral:7b")
ALL = Script(model="dolphin-mistral:7b", others=("phi4:latest", "gemma2:9b", "nomic-embed-text:latest"))


@pytest.fixture
async def peer() -> AsyncIterator[OllamaPeer]:
    async with OllamaPeer(USUAL) as server:
        yield server


@pytest.fixture
def settings(peer: OllamaPeer, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, storyteller="ollama", ollama_host=peer.url)


def wished(settings: Settings, **named: str) -> Settings:
    return Settings(**(settings.model_dump(include=settings.model_fields_set) | named))


async def asked_of(writer: Writer | None, peer: OllamaPeer) -> str:
    """Which model a job ends at."""
    assert writer
    await writer.ask(ASKING)
    return str(peer.chats[-1].body["model"])


async def found(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in await model_checkup.examine(settings)}


async def test_who_has_the_four_gets_them(peer: OllamaPeer, settings: Settings) -> None:
    peer.script = ALL
    async with aclosing(await for_workers(settings)) as cast:
        assert cast.reader is cast.writer
        jobs = [await asked_of(each, peer) for each in (cast.planner, cast.writer, cast.visualizer)]
    assert jobs == ["phi4", "dolphin-mistral:7b", "gemma2:9b"]
    shown = await found(settings)
    assert {finding.status for finding in shown.values()} == {"ok"}
    assert shown["planner"].detail.startswith("phi4 is there; 8192 tokens planned")
    assert "OLLAMA_MAX_LOADED_MODELS=4" in shown["swaps"].detail


async def test_one_model_that_is_fetched_does_every_job(peer: OllamaPeer, settings: Settings) -> None:
    with structlog.testing.capture_logs() as logs:
        async with aclosing(await for_workers(settings)) as cast:
            jobs = [await asked_of(each, peer) for each in (cast.planner, cast.planner, cast.visualizer)]
    assert jobs == ["dolphin-mistral:7b"] * 3
    assert peer.swaps == 0
    assert [log["model"] for log in logs if log["event"] == "another model steps in"] == ["phi4", "gemma2:9b"]
    shown = await found(settings)
    assert shown["planner"].status == "ok"
    assert shown["planner"].detail.startswith("dolphin-mistral:7b steps in for phi4. Ollama")
    assert "`ollama pull phi4`" in shown["planner"].detail
    assert "one model does all" in shown["swaps"].detail
    assert (await found(wished(settings, planner_model="phi4")))["planner"].status == "warn", "it was asked for"


async def test_whoever_names_one_model_has_one_writer_for_all_jobs(peer: OllamaPeer, settings: Settings) -> None:
    peer.script = Script(model="mine", others=("phi4", "gemma2:9b"))
    async with aclosing(await for_workers(wished(settings, ollama_model="mine"))) as cast:
        assert cast.planner is cast.visualizer is cast.writer
    async with aclosing(await for_workers(wished(settings, ollama_model="mine", planner_model="phi4"))) as cast:
        assert cast.visualizer is cast.writer
        assert await asked_of(cast.planner, peer) == "phi4"
    async with aclosing(await for_workers(wished(settings, ollama_model="mine", planner_model="mine:latest"))) as cast:
        assert cast.planner is cast.writer


async def test_any_model_that_is_there_tells_where_the_owner_has_named_none(
    peer: OllamaPeer, settings: Settings
) -> None:
    peer.script = Script(model="nomic-embed-text:latest", others=("llama3.2:3b",))
    chosen = await for_play(settings, watched=False)
    async with aclosing(chosen.cast) as cast:
        assert cast.writer.label == "llama3.2:3b"
        assert await asked_of(cast.planner, peer) == "llama3.2:3b"
    assert chosen.notice.startswith("llama3.2:3b tells the stories, since dolphin-mistral:7b is not there.")
    async with aclosing(await for_workers(wished(settings, writer_model="qwen3:8b"))) as cast:
        assert cast.writer.label == "qwen3:8b", "what is named is never exchanged"


async def test_a_model_that_is_fetched_later_takes_its_job_up(peer: OllamaPeer, settings: Settings) -> None:
    async with aclosing(await for_workers(settings)) as cast:
        assert await asked_of(cast.planner, peer) == "dolphin-mistral:7b"
        peer.script = ALL
        assert await asked_of(cast.planner, peer) == "phi4"
        telling = Telling(BRIEF, (Message("user", "Write."),), "", 100)
        peer.script = USUAL
        async with aclosing(cast.planner.tell(telling)) as events:
            assert isinstance(await anext(events), Words)
        peer.script = Script(model=ALL.model, others=ALL.others, fault="busy")
        with pytest.raises(ServiceDown):
            await cast.planner.ask(ASKING)


async def test_the_built_in_storyteller_describes_no_pictures() -> None:
    cast = built_in()
    assert isinstance(cast.planner, OfflineStoryteller)
    assert cast.visualizer is None


async def test_a_server_with_openai_calls_has_one_model_unless_more_are_named(tmp_path: Path) -> None:
    async with OpenAIPeer(OpenAIScript(kind="llamacpp", vector=768)) as server:
        settings = Settings(data_dir=tmp_path, storyteller="openai", openai_host=server.url, openai_model="storyteller")
        chosen = await for_play(settings, watched=False)
        async with aclosing(chosen.cast) as cast:
            assert (chosen.notice, cast.writer.label) == ("", "storyteller")
            assert cast.planner is cast.visualizer is cast.writer
            assert isinstance(await embedder_beside(cast, settings), OfflineEmbedder)
            named = wished(settings, planner_model="phi4", embedding_model="text-embedding-nomic-embed-text-v1.5")
            async with aclosing(await embedder_beside(cast, named)) as embedder:
                assert await embedder.model() == "text-embedding-nomic-embed-text-v1.5@openai"
        shown = await found(named)
        assert {finding.status for finding in shown.values()} == {"ok"}
        assert shown["planner"].detail.startswith("phi4 is there")
        assert "unset" in shown["swaps"].detail
    assert (await found(settings))["storyteller"].status == "fail"
    unnamed = wished(settings, openai_model="")
    assert "OPENAI_MODEL" in (await found(unnamed))["storyteller"].detail
    with pytest.raises(SetupError, match="OPENAI_MODEL"):
        await for_workers(unnamed)
