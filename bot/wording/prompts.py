"""What went into a prompt, in words and bars: why a scene is as it is, and what fills the window."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bot.wording.voice import TITLE_CHARS, Voice, counted, lines, paragraphs
from storyforge_core.domain.manifest import SURE, Manifest, Piece, PieceName
from storyforge_core.domain.memory import BUILT_IN_READER
from storyforge_core.domain.replies import ContextShown, WhyShown
from storyforge_core.domain.runs import Order

WISH_CHARS = 120
PLAN_CHARS = 140
BAR = 18
"""Cells; with name and number it fits a phone held upright."""
ROWS: Mapping[str, tuple[PieceName, ...]] = MappingProxyType(
    {
        "rules, task": ("rules", "task"),
        "premise": ("world",),
        "old titles": ("earlier",),
        "old scenes": ("scene",),
        "newest": ("newest", "begun"),
        "lore": ("lore",),
        "wishes": ("chosen", "direction", "wish"),
        "remembered": ("remembered",),
        "known": ("known",),
        "state": ("state",),
        "promises": ("promises",),
        "plan": ("plan",),
    }
)
NAME_CHARS = max(map(len, ROWS))
BY_HAND = "No storyteller was asked for this scene: a player wrote it, or it is older than these notes."
CUT = "The server read far less than it was sent: it cut the prompt. Lower OLLAMA_NUM_CTX, or give it more memory."
SAME = "The same prompt can be made again, byte for byte."
CHANGED = "The prompt cannot be made again: the wording of the program's own part has changed, or words were deleted."


def why(reply: WhyShown, voice: Voice) -> str:
    """What the storyteller was given for a scene."""
    heading = voice.flavour.strong(voice.heading(reply.scene))
    if reply.manifest is None:
        return paragraphs(heading, BY_HAND)
    return paragraphs(
        lines(heading, _model(reply.manifest, reply.order, voice), _wanted(reply.order, voice)),
        voice.flavour.block(_bars(reply.manifest, reply.manifest.window)),
        lines("Planned:", *(f"- {voice.words(line, PLAN_CHARS)}" for line in reply.plan)) if reply.plan else "",
        lines(
            _counted(reply.manifest), *_lore(reply.manifest.pieces, voice), *_remembered(reply.manifest.pieces, voice)
        ),
        lines(CUT if reply.manifest.cut else "", SAME if reply.same else CHANGED),
    )


def context(reply: ContextShown, voice: Voice) -> str:
    """What fills the window before the next scene."""
    manifest = reply.manifest
    whole = sum(piece.name in {"scene", "newest"} for piece in manifest.pieces)
    rest = "" if whole == reply.scenes else ", the older ones by their titles as far as they fit, and when they matter"
    model = f"{voice.words(manifest.profile.model, TITLE_CHARS)} · a window of {counted(reply.window, 'token')}"
    return paragraphs(
        lines(voice.flavour.strong("What the storyteller reads before the next scene"), model),
        voice.flavour.block(_bars(manifest, reply.window)),
        lines(
            f"{whole} of {counted(reply.scenes, 'scene')} word for word{rest}.",
            _measured(reply),
            _reading(reply, voice),
        ),
    )


def _model(manifest: Manifest, order: Order | None, voice: Voice) -> str:
    options = [f"{name} {value:g}" for name, value in manifest.profile.options]
    seed = [f"seed {order.seed}"] if order else []
    return " · ".join((voice.words(manifest.profile.model, TITLE_CHARS), *seed, *options))


def _wanted(order: Order | None, voice: Voice) -> str:
    if order is None:
        return ""
    chosen = f"→ {voice.words(order.chosen, WISH_CHARS)}" if order.chosen else ""
    hint = f"Hint: {voice.words(order.hint, WISH_CHARS)}" if order.hint else ""
    return lines(chosen, hint)


def _bars(manifest: Manifest, window: int) -> str:
    """Rows of name, tokens and bar, and what is left."""
    used = [(name, _tokens(manifest.pieces, kinds)) for name, kinds in ROWS.items()]
    rows = [(name, tokens) for name, tokens in used if tokens]
    left = max(window - manifest.estimated - manifest.max_tokens, 0)
    return "\n".join(_row(*row, window) for row in (*rows, ("answer", manifest.max_tokens), ("free", left)))


def _row(name: str, tokens: int, window: int) -> str:
    cells = min(round(tokens * BAR / max(window, 1)), BAR) or (tokens > 0)
    return f"{name:<{NAME_CHARS}} {tokens:>7,} {'█' * cells}{'░' * (BAR - cells)}"


def _tokens(pieces: Iterable[Piece], kinds: tuple[PieceName, ...]) -> int:
    return sum(piece.tokens for piece in pieces if piece.name in kinds)


def _counted(manifest: Manifest) -> str:
    if manifest.read is None:
        return f"About {manifest.estimated:,} tokens by estimate; the storyteller does not count them."
    written = f", and wrote {manifest.written:,}" if manifest.written is not None else ""
    return f"The server read {manifest.read:,} tokens ({manifest.estimated:,} were estimated){written}."


def _lore(pieces: Iterable[Piece], voice: Voice) -> list[str]:
    """What of the story's lore was told."""
    told = [voice.words(piece.title, TITLE_CHARS) for piece in pieces if piece.name == "lore"]
    return [f"Lore: {', '.join(told)}"] if told else []


def _remembered(pieces: Iterable[Piece], voice: Voice) -> list[str]:
    """The old scenes that were brought back, and what for."""
    return [
        f"Remembered for {piece.why}: {piece.scene} · {voice.words(piece.title, TITLE_CHARS)}"
        for piece in pieces
        if piece.name == "remembered"
    ]


def _measured(reply: ContextShown) -> str:
    if reply.measure.prompts < SURE:
        return ""
    ratio = f"{reply.measure.ratio:.2f} of what is estimated"
    return f"Tokens of this model measure {ratio}, over {counted(reply.measure.prompts, 'prompt')}."


def _reading(reply: ContextShown, voice: Voice) -> str:
    progress = reply.progress
    if not reply.embedder:
        return "Old scenes are found by their words: whoever finds them by their meaning is away."
    done = progress.read == progress.passages
    so_far = f"{progress.read:,} of {counted(progress.passages, 'passage')} so far"
    if reply.embedder.startswith(BUILT_IN_READER):
        return "Old scenes are found by their words." if done else f"Old scenes are being indexed: {so_far}."
    reader = voice.words(reply.embedder.partition("@")[0], TITLE_CHARS)  # behind it is the digest of its files
    return f"Old scenes are found by {reader}." if done else f"{reader} is reading the stories: {so_far}."
