"""Who tells the stories, and who finds their scenes again: models on an Ollama server, or what is built in."""

from dataclasses import dataclass

import structlog

from storyforge_core.errors import ModelMissing, ServiceDown
from storyforge_core.memory_ports import Embedder
from storyforge_core.ports import Writer
from storyforge_core.providers.offline import OfflineEmbedder, OfflineStoryteller
from storyforge_core.providers.ollama import OllamaWriter
from storyforge_core.providers.ollama_embedder import OllamaEmbedder
from storyforge_core.providers.ollama_wire import OllamaOptions
from storyforge_core.settings import Settings

READING_PACE = 30
"""Words per second of the built-in storyteller for a person who watches: lively, and one can see that it is told."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A storyteller, and what the owner should know about the choice; empty when there is nothing to tell."""

    writer: Writer
    notice: str = ""


def ollama_options(settings: Settings, model: str) -> OllamaOptions:
    """How a model is used: the same for all who use it."""
    return OllamaOptions(
        host=settings.ollama_host,
        model=model,
        num_ctx=settings.ollama_num_ctx,
        num_predict=settings.ollama_num_predict,
        keep_alive=settings.ollama_keep_alive,
        temperature=settings.ollama_temperature,
        first_token_timeout=settings.ollama_first_token_timeout,
        token_timeout=settings.ollama_token_timeout,
    )


def for_workers(settings: Settings) -> Writer:
    """The storyteller where nobody watches: never the built-in one unless the settings name it."""
    if settings.storyteller == "offline":
        return OfflineStoryteller()
    return OllamaWriter(ollama_options(settings, settings.model_for("writer")))


async def for_play(settings: Settings, *, watched: bool) -> Chosen:
    """The storyteller for one's own terminal: with `auto` the built-in one where no model is ready."""
    built_in = OfflineStoryteller(READING_PACE if watched else 0)
    if settings.storyteller == "offline":
        return Chosen(built_in, "The built-in storyteller tells the stories, as STORYTELLER=offline says.")
    model = OllamaWriter(ollama_options(settings, settings.model_for("writer")))
    problem = next((finding for finding in await model.check() if finding.status == "fail"), None)
    if problem is None:
        return Chosen(model)
    if settings.storyteller == "ollama":
        return Chosen(model, problem.detail)
    await model.aclose()
    install = f"For a language model install Ollama (ollama.com), then: ollama pull {model.label}"
    return Chosen(built_in, f"The built-in storyteller tells the stories. {problem.detail} {install}")


async def embedder_beside(writer: Writer, settings: Settings) -> Embedder:
    """Who finds scenes again: the model where its server has one, or is away and may have one; else the built-in one.

    Another choice at the next start has all scenes read anew, so a server that is away changes nothing.
    """
    if isinstance(writer, OfflineStoryteller):
        return OfflineEmbedder()
    model = OllamaEmbedder(ollama_options(settings, settings.model_for("embedder")))
    try:
        await model.model()
    except ModelMissing as missing:
        structlog.get_logger().warning("scenes are found by their words alone", reason=str(missing))
        await model.aclose()
        return OfflineEmbedder()
    except ServiceDown as away:
        structlog.get_logger().warning("the embedder is away", reason=str(away))
    return model
