"""Who tells the stories, and who finds their scenes again: models on a server of the owner's, or what is built in."""

from dataclasses import dataclass

import structlog

from storyforge_core.engine.cast import Cast
from storyforge_core.errors import ModelMissing, ServiceDown, SetupError
from storyforge_core.memory_ports import Embedder
from storyforge_core.ports import Writer
from storyforge_core.providers.offline import OfflineEmbedder, OfflineStoryteller
from storyforge_core.providers.ollama import OllamaWriter
from storyforge_core.providers.ollama_embedder import OllamaEmbedder
from storyforge_core.providers.ollama_wire import OllamaOptions, OllamaWire, same_model
from storyforge_core.providers.openai_compatible import OpenAIOptions, OpenAIWriter
from storyforge_core.providers.openai_embedder import OpenAIEmbedder
from storyforge_core.providers.understudy import Understudied
from storyforge_core.settings import Settings

NO_MODEL = "Set OPENAI_MODEL to the model that writes, as its server lists it."
READING_PACE = 30
"""Words per second of the built-in storyteller for a person who watches: lively, and one can see that it is told."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who tells, and what the owner should know about the choice; empty when there is nothing to tell."""

    cast: Cast
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


def openai_options(settings: Settings, model: str) -> OpenAIOptions:
    """How a model on a server with OpenAI's calls is used."""
    return OpenAIOptions(
        host=settings.openai_host,
        model=model,
        api_key=settings.openai_api_key.get_secret_value() if settings.openai_api_key else "",
        window=settings.openai_context,
        num_predict=settings.ollama_num_predict,
        temperature=settings.ollama_temperature,
        first_token_timeout=settings.ollama_first_token_timeout,
        token_timeout=settings.ollama_token_timeout,
    )


def writer_of(settings: Settings, model: str) -> Writer:
    """A model that tells, on the server that the settings name.

    Raises:
        SetupError: it needs a name there and has none.
    """
    if settings.storyteller != "openai":
        return OllamaWriter(ollama_options(settings, model))
    if not model:
        raise SetupError(NO_MODEL)
    return OpenAIWriter(openai_options(settings, model))


def built_in(pace: float = 0) -> Cast:
    """The built-in storyteller, for all jobs but the one it cannot do."""
    teller = OfflineStoryteller(pace)
    return Cast(teller, teller, None)


async def for_workers(settings: Settings) -> Cast:
    """Who tells where nobody watches: never the built-in storyteller unless the settings name it."""
    if settings.storyteller == "offline":
        return built_in()
    model, notice = await writing_model(settings)
    if notice:
        structlog.get_logger().warning("storyteller", detail=notice)
    return cast_around(writer_of(settings, model), settings)


async def for_play(settings: Settings, *, watched: bool) -> Chosen:
    """Who tells in one's own terminal: with `auto` the built-in storyteller where no model is ready."""
    if settings.storyteller == "offline":
        notice = "The built-in storyteller tells the stories, as STORYTELLER=offline says."
        return Chosen(built_in(READING_PACE if watched else 0), notice)
    model, notice = await writing_model(settings)
    writer = writer_of(settings, model)
    problem = next((finding for finding in await writer.check() if finding.status == "fail"), None)
    if problem is None:
        return Chosen(cast_around(writer, settings), notice)
    if settings.storyteller != "auto":
        return Chosen(cast_around(writer, settings), problem.detail)
    await writer.aclose()
    install = f"For a language model install Ollama (ollama.com), then: ollama pull {model}"
    notice = f"The built-in storyteller tells the stories. {problem.detail} {install}"
    return Chosen(built_in(READING_PACE if watched else 0), notice)


async def writing_model(settings: Settings) -> tuple[str, str]:
    """The model that tells, and a sentence where it is not the usual one although the owner has named none.

    Whoever has fetched another model, and set nothing, can play with it at once.
    """
    usual = settings.model_for("writer")
    if settings.writer_is_set or settings.storyteller == "openai":
        return usual, ""
    wire = OllamaWire(ollama_options(settings, usual))
    try:
        there = await wire.tellers()
    except ServiceDown:
        return usual, ""
    finally:
        await wire.aclose()
    if not there or any(same_model(usual, name) for name in there):
        return usual, ""
    return there[0], f"{there[0]} tells the stories, since {usual} is not there. Set OLLAMA_MODEL to have another one."


def cast_around(writer: Writer, settings: Settings) -> Cast:
    """The writer, and for each other job the model named for it; the same model is the same writer."""
    made: list[Writer] = [writer]

    def player_of(model: str) -> Writer:
        known = next((each for each in made if same_model(each.label, model)), None)
        if known is None:
            known = Understudied(writer_of(settings, model), writer)
            made.append(known)
        return known

    return Cast(writer, player_of(settings.model_for("planner")), player_of(settings.model_for("visualizer")))


async def embedder_beside(cast: Cast, settings: Settings) -> Embedder:
    """Who finds scenes again: the model where its server has one, or is away and may have one; else the built-in one.

    Another choice at the next start has all scenes read anew, so a server that is away changes nothing.
    """
    if isinstance(cast.writer, OfflineStoryteller):
        return OfflineEmbedder()
    model = embedder_of(settings)
    if model is None:
        return OfflineEmbedder()
    try:
        await model.model()
    except ModelMissing as missing:
        structlog.get_logger().warning("scenes are found by their words alone", reason=str(missing))
        await model.aclose()
        return OfflineEmbedder()
    except ServiceDown as away:
        structlog.get_logger().warning("the embedder is away", reason=str(away))
    return model


def embedder_of(settings: Settings) -> Embedder | None:
    """The model that finds scenes again; None where no server has one."""
    model = settings.model_for("embedder")
    if settings.storyteller != "openai":
        return OllamaEmbedder(ollama_options(settings, model))
    return OpenAIEmbedder(openai_options(settings, model)) if model else None
