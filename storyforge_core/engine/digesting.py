"""Asking a model to put scenes, or summaries of them, into fewer words."""

import json
from collections.abc import Sequence

from storyforge_core.domain.context import Part, as_data, prompt_tokens, squeeze
from storyforge_core.domain.writing import Message, ToldScene
from storyforge_core.engine.prompting import REPAIR_TOKENS, render

WORDS = 130
"""Of a summary; a little less than it may have."""
DIGEST_TOKENS = 448
"""For a title and a summary."""
GIST_TOKENS = 72
"""For a sentence about one scene."""
ANSWER_SHARE, ANSWER_MOST = 3, 1600
"""Of the window one part in so many goes to the answer at the most, and never more tokens than many a server allows."""
EACH = '- "scenes": for each of the $count scenes, in order, one sentence of at most 25 words on what happened.\n'


def gists_wanted(scenes: int, window: int) -> int:
    """For how many scenes a sentence is asked for: all, or none where the answer would be too long."""
    return scenes if DIGEST_TOKENS + scenes * GIST_TOKENS <= min(window // ANSWER_SHARE, ANSWER_MOST) else 0


def digest_tokens(gists: int) -> int:
    """Tokens to allow for an answer."""
    return DIGEST_TOKENS + gists * GIST_TOKENS


def chapter_messages(scenes: Sequence[ToldScene], gists: int, window: int) -> tuple[Message, ...]:
    """Ask for scenes in fewer words; where they are too long together, the longest are shortened."""
    heads = [_head(scene) for scene in scenes]
    example = {"title": "…", "summary": "…"} | ({"scenes": ["…"] * gists} if gists else {})
    words = {"words": str(WORDS), "example": json.dumps(example, ensure_ascii=False)}
    each = EACH.replace("$count", str(gists)) if gists else ""
    return _messages(
        "chapter", heads, [scene.prose for scene in scenes], window, digest_tokens(gists), each=each, **words
    )


def so_far_messages(parts: Sequence[tuple[str, str]], window: int) -> tuple[Message, ...]:
    """Ask for summaries, given as titles and texts, as one."""
    titles, texts = [title for title, _ in parts], [text for _, text in parts]
    return _messages("so_far", titles, texts, window, digest_tokens(0), words=str(WORDS))


def _messages(
    name: str, heads: Sequence[str], texts: Sequence[str], window: int, answer: int, **values: str
) -> tuple[Message, ...]:
    empty = "".join(_part(head, "x") for head in heads)
    frame = prompt_tokens((Message("user", render(name, parts=empty, **values)),)) + REPAIR_TOKENS
    fitting = squeeze([Part(as_data(text)) for text in texts], window - answer - frame)
    parts = "".join(_part(head, text) for head, text in zip(heads, fitting, strict=True))
    return (Message("user", render(name, parts=parts, **values)),)


def _head(scene: ToldScene) -> str:
    chosen = f" (after: {scene.choice})" if scene.choice else ""
    return f"{scene.number}. {scene.title}{chosen}"


def _part(head: str, text: str) -> str:
    return f"<part>\n{as_data(head)}\n{text.strip()}\n</part>\n\n"
