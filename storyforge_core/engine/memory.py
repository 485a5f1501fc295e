"""What a story remembers: scenes are read in the background, and found again by words and by meaning."""

import asyncio
from dataclasses import dataclass, replace

import structlog

from storyforge_core.domain.manifest import Manifest, planned_window
from storyforge_core.domain.memory import Cue, Found, Progress, one_per_scene, passages, sought
from storyforge_core.domain.story import RoomKey, SceneId
from storyforge_core.errors import ModelMissing, ServiceDown
from storyforge_core.memory_ports import Archive, Embedder

AT_ONCE = 16
"""Passages read at a time: about two seconds of a processor's work for a small model."""
REPORT = AT_ONCE * 20
"""Passages after which the log says how far a long reading has come."""
LONG_ENOUGH = 512
"""Estimated tokens from which a prompt tells how long tokens are, rather than what the server puts around it."""
PATIENCE = 10.0
"""Seconds that whoever asks waits for the embedder; then words alone have to do."""
PASSAGES_PER_SCENE = 4
"""Asked for that many times as often as scenes are wanted: several passages of one scene count once."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Makes scenes findable, and finds them."""

    store: Archive
    embedder: Embedder

    async def remember(self, wanted: SceneId) -> None:
        """Make a scene findable: by its words at once, by its meaning when the embedder has read it.

        Raises:
            ServiceDown: store or embedder is away; try again.
        """
        scene = await self.store.scene(wanted)
        if scene is None:
            return
        await self.store.keep_passages(wanted, passages(scene.prose))
        try:
            await self._read(wanted)
        except ModelMissing as missing:
            structlog.get_logger().warning("scene not read", scene=scene.number, reason=str(missing))

    async def reread(self) -> None:
        """Read whatever the embedder in use has not read: all of it after a change of the model.

        Raises:
            ServiceDown: store or embedder is away; try again.
        """
        while scenes := await self.store.uncut(AT_ONCE):
            for scene in scenes:
                await self.store.keep_passages(scene.id, passages(scene.prose))
        try:
            await self._read(None)
        except ModelMissing as missing:
            structlog.get_logger().warning("stories not read", reason=str(missing))

    async def recall(self, end: SceneId, skip: int, words: str, limit: int) -> tuple[Found, ...]:
        """Find earlier scenes on the path that ends at a scene, without its newest `skip`; best first."""
        cue = await self._cue(words)
        found = await self.store.recall(end, skip, cue, limit * PASSAGES_PER_SCENE)
        return one_per_scene(found, limit)

    async def search(self, realm: RoomKey, words: str, limit: int) -> tuple[Found, ...]:
        """Find scenes on the paths that are read in the realm of a room; best first."""
        cue = await self._cue(words)
        return one_per_scene(await self.store.search(realm, cue, limit * PASSAGES_PER_SCENE), limit)

    async def progress(self) -> tuple[str, Progress]:
        """Tell who reads scenes, and how far it has come; no name while it is away."""
        try:
            async with asyncio.timeout(PATIENCE):
                model = await self.embedder.model()
        except (ServiceDown, ModelMissing, TimeoutError):
            model = ""
        return model, await self.store.progress(model)

    async def window(self, window: int, answer: int, model: str) -> int:
        """How much may be planned for a model with this window, by what is known of its tokens."""
        return planned_window(window, answer, await self.store.measure(model))

    async def learn(self, manifest: Manifest) -> None:
        """Learn from what the server has counted; a prompt that it cut, or hardly any, teaches nothing."""
        if manifest.read is not None and not manifest.cut and manifest.estimated >= LONG_ENOUGH:
            await self.store.learn(manifest.profile.model, manifest.estimated, manifest.read)

    async def _read(self, scene: SceneId | None) -> None:
        model = await self.embedder.model()
        done = 0
        while unread := await self.store.unread(model, AT_ONCE, scene):
            vectors = await self.embedder.embed([each.text for each in unread], "document")
            await self.store.keep_reading(model, unread, vectors)
            if scene is None and done % REPORT == 0:
                progress = await self.store.progress(model)
                structlog.get_logger().info("reading stories", model=model, read=progress.read, of=progress.passages)
            done += len(unread)

    async def _cue(self, words: str) -> Cue:
        cue = Cue(sought(words))
        try:
            async with asyncio.timeout(PATIENCE):
                (vector,) = await self.embedder.embed([words], "query")
                return replace(cue, vector=vector, model=await self.embedder.model())
        except (ServiceDown, ModelMissing, TimeoutError) as error:
            structlog.get_logger().info("looked for by words alone", reason=str(error))
            return cue
