"""The part of the health report about models: which does which job, whether it is there, what it reads at once."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Final, Literal

from bot.storyteller import cast_around, embedder_of, writer_of, writing_model
from storyforge_core.domain.writing import Finding
from storyforge_core.engine.cast import Cast
from storyforge_core.errors import ModelMissing, ServiceDown, SetupError
from storyforge_core.settings import Settings

Beside = Literal["planner", "visualizer"]
"""Jobs that the storyteller's model does where none of their own is there."""
JOBS: Final[tuple[Beside, ...]] = ("planner", "visualizer")


async def examine(settings: Settings) -> list[Finding]:
    """Look at every model that the settings name, without loading one."""
    if settings.storyteller == "offline":
        return [Finding("storyteller", "ok", "the built-in one, as STORYTELLER=offline says")]
    model, notice = await writing_model(settings)
    try:
        cast = cast_around(writer_of(settings, model), settings)
    except SetupError as error:
        return [Finding("storyteller", "fail", str(error))]
    async with aclosing(cast):
        found = list(await cast.writer.check())
        ready = all(finding.status != "fail" for finding in found)
        if ready:
            found += [*await _beside(cast, settings), await _embedder(settings)]
    chosen = _chosen(settings, model, notice, ready=ready)
    return [*(_bearable(finding, settings) for finding in found), chosen]


async def _beside(cast: Cast, settings: Settings) -> list[Finding]:
    """Look at the jobs beside telling, and at how many models take turns over all of them."""
    found, used = [], [cast.writer.label]
    for job in JOBS:
        by = cast.planner if job == "planner" else cast.visualizer
        if by is None or by is cast.writer:
            found.append(Finding(job, "ok", f"{cast.writer.label}, the same model"))
            continue
        checked = await by.check()
        problem = next((finding.detail for finding in checked if finding.status == "fail"), "")
        if problem:
            wanted = f"{job}_model" in settings.model_fields_set
            detail = f"{cast.writer.label} steps in for {by.label}. {problem}"
            found.append(Finding(job, "warn" if wanted else "ok", detail))
        else:
            found.append(Finding(job, "ok", f"{by.label} is there; {checked[-1].detail}"))
            used.append(by.label)
    return [*found, _turns(settings, tuple(dict.fromkeys(used)))]


def _turns(settings: Settings, models: Sequence[str]) -> Finding:
    """Say what several models cost."""
    if len(models) == 1:
        return Finding("swaps", "ok", "one model does all jobs, so none has to be swapped")
    advice = "if turns are slow, have one model do all (leave the other jobs' models unset)"
    if settings.storyteller != "openai":
        advice = f"start Ollama with OLLAMA_MAX_LOADED_MODELS={len(models) + 1}, or set OLLAMA_MODEL to use one for all"
    return Finding("swaps", "ok", f"{len(models)} models take turns; where the memory holds only one, {advice}")


async def _embedder(settings: Settings) -> Finding:
    """Nothing stops without this model, so its absence is no failure."""
    embedder = embedder_of(settings)
    if embedder is None:
        return Finding("embedder", "ok", "the built-in one, which goes by words; EMBEDDING_MODEL names another")
    name = f"model {settings.model_for('embedder')}"
    async with aclosing(embedder):
        try:
            await embedder.model()
        except (ModelMissing, ServiceDown) as error:
            return Finding(name, "warn", str(error))
    return Finding(name, "ok", "is there, and finds old scenes again")


def _bearable(finding: Finding, settings: Settings) -> Finding:
    """With `auto` one can play without a model."""
    bearable = finding.status == "fail" and settings.storyteller == "auto"
    return replace(finding, status="warn") if bearable else finding


def _chosen(settings: Settings, model: str, notice: str, *, ready: bool) -> Finding:
    if ready:
        return Finding("storyteller", "warn" if notice else "ok", notice or model)
    if settings.storyteller == "auto":
        detail = f"the built-in one, and only in `play`, until the model is there: ollama pull {model}"
        return Finding("storyteller", "warn", detail)
    return Finding("storyteller", "fail", f"{model} is not ready, so nothing can be told: see above")
