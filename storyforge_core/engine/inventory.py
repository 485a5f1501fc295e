"""Takes down what is in a prompt, and makes the same prompt again from what was taken down."""

from storyforge_core.domain.context import prompt_tokens
from storyforge_core.domain.manifest import Manifest, digest_of_prompt
from storyforge_core.domain.writing import Brief, Profile
from storyforge_core.engine.prompting import pieces, scene_messages, telling_tokens, template_digests


def take_down(brief: Brief, window: int, profile: Profile) -> Manifest:
    """List what is in the prompt for a scene."""
    tokens = telling_tokens(brief.words, window)
    messages = scene_messages(brief, window, tokens)
    return Manifest(
        profile=profile,
        window=window,
        max_tokens=tokens,
        pieces=pieces(brief, window, tokens),
        templates=template_digests(),
        estimated=prompt_tokens(messages),
        digest=digest_of_prompt(messages),
    )


def can_be_made_again(manifest: Manifest, brief: Brief) -> bool:
    """Whether this program makes the very same prompt from the same brief."""
    return digest_of_prompt(scene_messages(brief, manifest.window, manifest.max_tokens)) == manifest.digest
