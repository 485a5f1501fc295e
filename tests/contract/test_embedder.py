"""What every embedder has to do, whoever it is."""

from collections.abc import AsyncIterator

import pytest

from storyforge_core.domain.memory import EMBEDDING_SIZE
from storyforge_core.errors import ModelMissing, ServiceDown
from storyforge_core.memory_ports import Embedder
from storyforge_core.providers.offline import OfflineEmbedder
from storyforge_core.providers.ollama_embedder import OllamaEmbedder
from storyforge_core.providers.ollama_wire import OllamaOptions
from storyforge_core.providers.openai_embedder import OpenAIEmbedder
from storyforge_core.providers.openai_wire import OpenAIOptions
from tests.peers.llama import llama_server
from tests.peers.ollama import OllamaPeer, Script
from tests.peers.openai import OpenAIPeer, OpenAIScript

NOMIC = Script(model="nomic-embed-text:latest", capabilities=("embedding",))


def options(host: str, model: str = "nomic-embed-text") -> OllamaOptions:
    return OllamaOptions(host, model, 8192, 1024, "5m", 0.8, 5, 5)


def openai_options(host: str, model: str = "nomic-embed-text") -> OpenAIOptions:
    return OpenAIOptions(host, model, "", 8192, 1024, 0.8, 5, 5)


@pytest.fixture
async def peer() -> AsyncIterator[OllamaPeer]:
    async with OllamaPeer(NOMIC) as opened:
        yield opened


@pytest.fixture
async def model(peer: OllamaPeer) -> AsyncIterator[OllamaEmbedder]:
    made = OllamaEmbedder(options(peer.url))
    yield made
    await made.aclose()


@pytest.fixture
async def speaking() -> AsyncIterator[OpenAIPeer]:
    async with OpenAIPeer(OpenAIScript(model="nomic-embed-text")) as opened:
        yield opened


@pytest.fixture
async def openai(speaking: OpenAIPeer) -> AsyncIterator[OpenAIEmbedder]:
    made = OpenAIEmbedder(openai_options(speaking.url))
    yield made
    await made.aclose()


@pytest.fixture(params=["ollama", "openai", "built-in"])
async def embedder(request: pytest.FixtureRequest, model: OllamaEmbedder, openai: OpenAIEmbedder) -> Embedder:
    return {"ollama": model, "openai": openai}.get(request.param) or OfflineEmbedder()


async def test_each_text_has_a_vector_of_length_one(embedder: Embedder) -> None:
    vectors = await embedder.embed(["The sea rose.", "潮が満ちた。", "Maren stood at the rail."], "document")
    for vector in vectors:
        assert vector is not None
        assert len(vector) == EMBEDDING_SIZE
        assert abs(sum(number * number for number in vector) - 1) < 1e-6


async def test_the_same_text_has_the_same_vector_and_the_same_model_its_name(embedder: Embedder) -> None:
    assert await embedder.embed(["The sea rose."], "query") == await embedder.embed(["The sea rose."], "query")
    assert await embedder.model() == await embedder.model()


async def test_a_model_is_named_with_its_digest(model: OllamaEmbedder) -> None:
    assert await model.model() == "nomic-embed-text@5ea5a1d05ea5"


async def test_nomic_is_told_what_a_text_is_for(peer: OllamaPeer, model: OllamaEmbedder) -> None:
    await model.embed(["The sea rose."], "document")
    await model.embed(["Who has the key?"], "query")
    assert [call.body["input"] for call in peer.calls] == [
        ["search_document: The sea rose."], ["search_query: Who has the key?"]
    ]  # fmt: skip


async def test_other_models_get_the_text_as_it_is(peer: OllamaPeer) -> None:
    peer.script = Script(model="other:latest")
    other = OllamaEmbedder(options(peer.url, "other"))
    await other.embed(["The sea rose."], "document")
    assert peer.calls[-1].body["input"] == ["The sea rose."]
    await other.aclose()


async def test_a_text_that_cannot_be_read_takes_no_other_with_it(peer: OllamaPeer, model: OllamaEmbedder) -> None:
    peer.script = Script(model=NOMIC.model, unreadable="zalgo")
    good, bad, fine = await model.embed(["The sea rose.", "zalgo", "It fell."], "document")
    assert (good is None, bad is None, fine is None) == (False, True, False)
    assert await model.embed(["zalgo"], "document") == (None,)


async def test_a_server_that_reads_nothing_is_at_fault_itself(peer: OllamaPeer, model: OllamaEmbedder) -> None:
    peer.script = Script(model=NOMIC.model, fault="failing")
    with pytest.raises(ServiceDown, match="context length"):
        await model.embed(["The sea rose."], "document")


async def test_a_model_of_another_size_is_named_with_what_to_do(peer: OllamaPeer, model: OllamaEmbedder) -> None:
    peer.script = Script(model=NOMIC.model, vector=1024)
    with pytest.raises(ModelMissing, match=r"gives 1024 numbers.*set EMBEDDING_MODEL"):
        await model.embed(["The sea rose."], "document")


async def test_a_model_that_is_not_there_is_named_with_what_to_do(peer: OllamaPeer) -> None:
    missing = OllamaEmbedder(options(peer.url, "nobody"))
    for call in (missing.model(), missing.embed(["The sea rose."], "document")):
        with pytest.raises(ModelMissing, match="ollama pull nobody"):
            await call
    await missing.aclose()


async def test_a_server_that_is_away_is_away() -> None:
    away = OllamaEmbedder(options("http://127.0.0.1:9"))
    with pytest.raises(ServiceDown):
        await away.model()
    await away.aclose()


async def test_with_openai_calls_texts_are_read_alike(speaking: OpenAIPeer, openai: OpenAIEmbedder) -> None:
    speaking.script = OpenAIScript(model="nomic-embed-text", unreadable="zalgo")
    good, bad = await openai.embed(["The sea rose.", "zalgo"], "document")
    assert (good is None, bad is None) == (False, True)
    assert speaking.embeddings[0]["input"] == ["search_document: The sea rose.", "search_document: zalgo"]
    assert await openai.model() == "nomic-embed-text@openai"


async def test_a_server_with_openai_calls_that_makes_no_vectors_says_so_at_once(speaking: OpenAIPeer) -> None:
    speaking.script = OpenAIScript(embeds=False)
    for model, sentence in (("storyteller", "makes no vectors"), ("nobody", "EMBEDDING_MODEL to one of: storyteller")):
        embedder = OpenAIEmbedder(openai_options(speaking.url, model))
        with pytest.raises(ModelMissing, match=sentence):
            await embedder.model()
        await embedder.aclose()


async def test_llama_cpp_that_was_not_started_for_it_says_so_at_once() -> None:
    embedder = OpenAIEmbedder(openai_options(f"{llama_server().listening_address}/v1"))
    with pytest.raises(ModelMissing, match="--embeddings"):
        await embedder.model()
    await embedder.aclose()
