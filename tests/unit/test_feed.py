import asyncio

import pytest

from storyforge_core.engine.bus import Feed
from storyforge_core.errors import ServiceDown
from storyforge_core.ports import Chunk


class Shelf:
    """Keeps chunks, or says that it cannot."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.away = False

    async def keep(self, chunk: Chunk) -> None:
        await asyncio.sleep(0)
        if self.away:
            msg = "away"
            raise ServiceDown(msg)
        self.chunks.append(chunk)

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def feed(shelf: Shelf) -> Feed:
    growing = Feed()
    growing.write_with(shelf.keep)
    return growing


async def test_what_is_saved_is_what_was_asked_for_or_more(feed: Feed, shelf: Shelf) -> None:
    feed.append("one two")
    await feed.save(3)
    assert shelf.text == "one two"
    await feed.save(7)
    assert len(shelf.chunks) == 1


async def test_many_who_save_at_once_save_every_word_once(feed: Feed, shelf: Shelf) -> None:
    async def grow() -> None:
        for word in range(50):
            feed.append(f"{word} ")
            await asyncio.sleep(0)

    async def watch() -> None:
        for _ in range(50):
            await feed.save(len(feed.text))
            await asyncio.sleep(0)

    await asyncio.gather(grow(), watch(), watch(), watch())
    await feed.save(len(feed.text))
    assert shelf.text == feed.text
    assert [chunk.seq for chunk in shelf.chunks] == list(range(len(shelf.chunks)))


async def test_a_save_that_failed_is_made_good_by_the_next(feed: Feed, shelf: Shelf) -> None:
    feed.append("one ")
    shelf.away = True
    with pytest.raises(ServiceDown):
        await feed.save(4)
    shelf.away = False
    feed.append("two")
    await feed.save(7)
    assert shelf.chunks == [Chunk(0, "one two")]


async def test_a_listener_is_woken_by_words_and_by_the_end(feed: Feed) -> None:
    waiting = asyncio.create_task(feed.changed(0))
    await asyncio.sleep(0)
    feed.append("x")
    assert await waiting
    ending = asyncio.create_task(feed.changed(1))
    await asyncio.sleep(0)
    feed.end()
    assert not await ending


async def test_that_the_words_are_complete_is_known_before_the_run_ends(feed: Feed) -> None:
    complete = asyncio.create_task(feed.complete())
    feed.append("The end.")
    await asyncio.sleep(0)
    assert not complete.done()
    feed.conclude()
    await complete


async def test_a_run_that_is_over_has_no_more_words() -> None:
    feed = Feed()
    feed.end()
    await feed.complete()


def test_stretches_saved_elsewhere_are_taken_once_and_in_order() -> None:
    feed = Feed()
    feed.take_over((Chunk(0, "a"), Chunk(1, "b")))
    feed.take_over((Chunk(1, "b"), Chunk(2, "c"), Chunk(4, "e")))
    assert feed.text == "abc"
    assert feed.last_saved == 2


async def test_a_run_taken_up_here_goes_on_behind_what_was_saved_elsewhere(shelf: Shelf) -> None:
    feed = Feed()
    feed.take_over((Chunk(0, "a "),))
    feed.write_with(shelf.keep)
    feed.append("b")
    await feed.save(len(feed.text))
    assert shelf.chunks == [Chunk(1, "b")]
