"""What pictures cost beside the painting: one brought into the room, many that wait, one made to fit, looks found."""

import asyncio
import io
import statistics
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from functools import partial
from uuid import uuid4

from PIL import Image, ImageChops, ImageFilter

from bot.compose import House, alongside, furnish
from bot.illustrator import studio
from bot.presenter.presenter import Presenter
from bot.surface import File
from storyforge_core.domain.bible import EntityId
from storyforge_core.domain.changes import LookSet, SceneAdded
from storyforge_core.domain.commands import Command, Incoming, NewStory
from storyforge_core.domain.looks import MOST_LOOKS, Look, LookId
from storyforge_core.domain.picturing import Paint
from storyforge_core.domain.story import Playthrough, RoomKey, SceneId
from storyforge_core.providers.offline import OfflineEmbedder, OfflineStoryteller
from storyforge_core.settings import Settings
from storyforge_core.store.imaging import fitting
from tests.bench.figures import Figure, Scale
from tests.bench.ground import ground, scratch
from tests.bench.timing import measure
from tests.fakes import Chat, chat_limits
from tests.game import ANN
from tests.peers.comfyui.peer import ComfyPeer
from tests.world import World, open_world

HUNG_MS, WAITING_PERCENT, FIT_MS, LOOKS_MS = 150.0, 2.0, 1000.0, 5.0
ROOMS, EACH = 10, 10
LINE, SITTERS = 1000, 30


class Wall(Chat):
    """A chat that notes when a file is hung."""

    def __init__(self) -> None:
        super().__init__(chat_limits())
        self.hung: asyncio.Queue[float] = asyncio.Queue()

    async def attach(self, room: RoomKey, message: str, file: File) -> str:
        self.hung.put_nowait(asyncio.get_running_loop().time())
        return await super().attach(room, message, file)


def bench(scale: Scale) -> list[Figure]:
    """Measure all four."""
    hung, waiting = asyncio.run(_served(scale))
    looks = asyncio.run(_looked_up(scale))
    large = photo((3840, 2160))
    fits = statistics.median(_fit(large) for _ in range(min(scale.starts, 3)))
    return [
        Figure("a picture: from done in ComfyUI to hung, 95th percentile", hung, "ms", HUNG_MS),
        Figure(f"{ROOMS * EACH} pictures wait: processor", waiting, "%", WAITING_PERCENT),
        Figure(f"looks of a scene after {LINE:,} others, {MOST_LOOKS} given", looks, "ms", LOOKS_MS),
        Figure("a picture of 4K made to fit into 8 MB, in a thread", fits, "ms", FIT_MS),
    ]


async def _served(scale: Scale) -> tuple[float, float]:
    async with ComfyPeer() as peer, _house(peer) as (house, wall):
        peer.machine.photo = await asyncio.to_thread(photo, (1152, 768))
        await _ask(house, "room 0", NewStory("A door in the sea"))
        late = [await _one(house, peer, wall) for _ in range(max(scale.tellings, 3))]
        peer.script.seconds = 3600
        for room in range(ROOMS):
            if room:
                await _ask(house, f"room {room}", NewStory("A door in the sea"))
                await asyncio.sleep(0.5)
            for _ in range(EACH):
                await _ask(house, f"room {room}", Paint())
        began, used = time.monotonic(), time.process_time()
        await asyncio.sleep(scale.seconds)
        waiting = (time.process_time() - used) / (time.monotonic() - began) * 100
    return statistics.quantiles(late, n=20)[-1], waiting


async def _looked_up(scale: Scale) -> float:
    """Find the looks that hold at the end of a long path, with as many given along it as a story has room for."""
    async with ground() as database:
        world = open_world(database)
        story = await world.begin()
        sitters = [EntityId(world.clock.new_id()) for _ in range(SITTERS)]
        line: list[SceneAdded] = []
        for _ in range(LINE):
            line.append(SceneAdded(world.new_scene(story.story, line[-1].scene.id if line else None), ()))
        looks = [_look(world, story, sitters[n % SITTERS], line[n * 3].scene.id) for n in range(MOST_LOOKS)]
        async with world.store.resume(story.id) as desk:
            await desk.apply((*line, *(LookSet(look.id, None, look) for look in looks)), "bench")
            found = await measure(scale.times, partial(desk.looks, line[-1].scene.id))
            assert len(await desk.looks(line[-1].scene.id)) == SITTERS
    return found.median


def _look(world: World, story: Playthrough, entity: EntityId, scene: SceneId) -> Look:
    return Look(
        id=LookId(world.clock.new_id()), story=story.story, kind="character", entity=entity, scene=scene, file="",
        sha256="0" * 64, bytes=0, source="given", by=None,
    )  # fmt: skip


async def _one(house: House, peer: ComfyPeer, wall: Wall) -> float:
    """Have a picture painted; answers the milliseconds from when it was done."""
    if wall.hung.empty() and peer.machine.ended:
        await _ask(house, "room 0", Paint())
    hung = await wall.hung.get()
    return (hung - max(peer.machine.ended.values())) * 1000


@asynccontextmanager
async def _house(peer: ComfyPeer) -> AsyncGenerator[tuple[House, Wall], None]:
    with scratch() as directory:
        settings = Settings(data_dir=directory, storyteller="offline", comfyui_host=peer.url)
        painting = await studio(settings)
        wall = Wall()
        async with ground() as database:
            house = furnish(settings, database, OfflineStoryteller(), OfflineEmbedder(), painting)
            async with (
                aclosing(Presenter(house.store, house.ledger, house.bus, house.gallery)) as presenter,
                alongside(house.bus.listen(), house.worker.work()),
            ):
                house.bus.on_events(presenter.wake)
                await house.store.room(RoomKey("chat", "room 0"))
                attending = asyncio.create_task(_attend(presenter, wall))
                yield house, wall
                attending.cancel()
        if painting is not None:
            await painting.aclose()


async def _attend(presenter: Presenter, wall: Wall) -> None:
    """Watch the first room, as soon as it shows a story."""
    while True:
        await presenter.attend(wall, RoomKey("chat", "room 0"))
        await asyncio.sleep(0.2)


async def _ask(house: House, room: str, command: Command) -> None:
    at = house.clock.now() + timedelta(minutes=1)
    await house.door.handle(Incoming(uuid4().hex, RoomKey("chat", room), ANN, command, at))


def photo(size: tuple[int, int]) -> bytes:
    """A picture as hard to pack as a painted one."""
    soft = [Image.effect_noise(size, 60).filter(ImageFilter.GaussianBlur(3)) for _ in range(3)]
    grain = Image.effect_noise(size, 4)
    out = io.BytesIO()
    ImageChops.add(Image.merge("RGB", soft), Image.merge("RGB", [grain] * 3), 2).save(out, "PNG", compress_level=4)
    return out.getvalue()


def _fit(data: bytes) -> float:
    began = time.perf_counter()
    fitting(data, "image/png", 8_000_000)
    return (time.perf_counter() - began) * 1000
