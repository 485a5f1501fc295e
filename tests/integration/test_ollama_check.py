"""What the Ollama writer finds out about its server for the health report."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from storyforge_core.domain.writing import Brief, Finding, Message, Telling
from storyforge_core.errors import WindowTooSmall
from storyforge_core.providers.ollama import OllamaOptions, OllamaWriter
from tests.peers.ollama import LOAD, Fault, OllamaPeer, Script


@pytest.fixture
async def peer() -> AsyncIterator[OllamaPeer]:
    async with OllamaPeer() as server:
        yield server


def status_of(findings: dict[str, Finding]) -> dict[str, str]:
    return {name: finding.status for name, finding in findings.items()}


async def checked(url: str, model: str = "storyteller") -> dict[str, Finding]:
    async with aclosing(OllamaWriter(OllamaOptions(url, model, 8192, 1024, "30m", 0.8, 5, 5))) as writer:
        return {finding.name: finding for finding in await writer.check()}


async def test_check_names_version_model_and_window(peer: OllamaPeer) -> None:
    peer.script = Script(loaded_window=8192)
    findings = await checked(peer.url)
    assert status_of(findings) == {"Ollama": "ok", "model storyteller": "ok", "context window": "ok"}
    assert "0.33.0" in findings["Ollama"].detail


async def test_check_loads_no_model(peer: OllamaPeer) -> None:
    await checked(peer.url)
    assert peer.chats == []


async def test_check_tells_how_to_get_a_missing_model(peer: OllamaPeer) -> None:
    findings = await checked(peer.url, model="dolphin-mistral:7b")
    assert status_of(findings) == {"Ollama": "ok", "model dolphin-mistral:7b": "fail"}
    assert "`ollama pull dolphin-mistral:7b`" in findings["model dolphin-mistral:7b"].detail
    assert "storyteller:latest" in findings["model dolphin-mistral:7b"].detail


async def test_check_fails_for_a_model_that_cannot_write(peer: OllamaPeer) -> None:
    peer.script = Script(capabilities=("embedding",))
    assert (await checked(peer.url))["model storyteller"].status == "fail"


async def test_check_fails_for_a_window_beyond_the_model(peer: OllamaPeer) -> None:
    peer.script = Script(trained_window=4096)
    window = (await checked(peer.url))["context window"]
    assert window.status == "fail"
    assert "OLLAMA_NUM_CTX=4096" in window.detail


async def test_check_warns_of_a_window_that_the_server_made_smaller(peer: OllamaPeer) -> None:
    peer.script = Script(loaded_window=6144)
    window = (await checked(peer.url))["context window"]
    assert window.status == "warn"
    assert "OLLAMA_NUM_CTX=6144" in window.detail


@pytest.mark.parametrize("fault", ["foreign", "busy"])
async def test_check_does_not_raise_for_a_server_that_refuses(peer: OllamaPeer, fault: Fault) -> None:
    peer.script = Script(fault=fault)
    assert status_of(await checked(peer.url)) == {"Ollama": "fail"}


async def test_check_does_not_raise_for_a_server_that_is_away(unused_tcp_port: int) -> None:
    findings = await checked(f"http://127.0.0.1:{unused_tcp_port}")
    assert status_of(findings) == {"Ollama": "fail"}


async def refused(url: str) -> str:
    """What a story hears that is to be told; nothing of it is."""
    brief = Brief("A keeper finds a door", "", "", "", (), "", "", "", 100, 3, seed=7)
    async with (
        aclosing(OllamaWriter(OllamaOptions(url, "storyteller", 8192, 1024, "30m", 0.8, 5, 5))) as writer,
        aclosing(writer.tell(Telling(brief, (Message("user", "Write."),), "", 100))) as events,
    ):
        with pytest.raises(WindowTooSmall) as refusal:
            await anext(events)
    return str(refusal.value)


async def test_nothing_is_told_by_a_model_that_reads_less_than_is_planned(peer: OllamaPeer) -> None:
    peer.script = Script(trained_window=6144)
    assert "set OLLAMA_NUM_CTX=6144" in await refused(peer.url)
    peer.script = Script(trained_window=2048)
    assert "set another model" in await refused(peer.url)
    assert peer.chats == []


async def test_nothing_is_told_where_the_server_loads_less_than_is_planned(peer: OllamaPeer) -> None:
    peer.script = Script(loaded_window=4096)
    assert await refused(peer.url) == (
        "The server has loaded storyteller with 4096 tokens, 8192 are planned: give it more memory, "
        "or set OLLAMA_NUM_CTX=4096."
    )
    assert peer.chats == []
    assert [call.body["options"] for call in peer.calls if call.path == LOAD] == [{"num_ctx": 8192}]


async def test_a_model_that_somebody_else_has_loaded_smaller_is_loaded_anew(peer: OllamaPeer) -> None:
    peer.windows["storyteller"] = 4096
    async with aclosing(OllamaWriter(OllamaOptions(peer.url, "storyteller", 8192, 1024, "30m", 0.8, 5, 5))) as writer:
        brief = Brief("A keeper finds a door", "", "", "", (), "", "", "", 100, 3, seed=7)
        for _ in range(2):
            async with aclosing(writer.tell(Telling(brief, (Message("user", "Write."),), "", 100))) as events:
                await anext(events)
    assert [call.path for call in peer.calls if "chat" in call.path] == [LOAD, "/api/chat", "/api/chat"]
