"""The built-in storyteller: stories without a language model, from a grammar and word banks."""

from storyforge_core.providers.offline.storyteller import OfflineStoryteller

__all__ = ["OfflineStoryteller"]
