"""The built-in storyteller: stories without a language model, from a grammar and word banks; and its memory."""

from storyforge_core.providers.offline.embedder import OfflineEmbedder
from storyforge_core.providers.offline.storyteller import OfflineStoryteller

__all__ = ["OfflineEmbedder", "OfflineStoryteller"]
