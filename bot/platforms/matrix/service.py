"""Matrix as a part of the program: connected for ever, and again after whatever went wrong."""

import asyncio
from typing import NoReturn

import structlog

from bot.platforms.matrix.answers import Answers
from bot.platforms.matrix.askers import Askers
from bot.platforms.matrix.board import Board
from bot.platforms.matrix.budget import Budget
from bot.platforms.matrix.connection import Connection
from bot.platforms.matrix.direct import Direct
from bot.platforms.matrix.invites import Invites
from bot.platforms.matrix.link import Link
from bot.platforms.matrix.options import Options
from bot.platforms.matrix.picture_signs import PictureSigns
from bot.platforms.matrix.places import PLATFORM
from bot.platforms.matrix.polls import Polls
from bot.platforms.matrix.reception import Hearing
from bot.platforms.matrix.surface import MatrixSurface
from bot.platforms.matrix.threads import Threads
from bot.platforms.matrix.withdrawals import Withdrawals
from bot.reception import Reception
from bot.serving import Backing, counted, returning
from bot.surface import SurfaceError
from bot.wording.voice import voice_of
from storyforge_core.domain.story import PlaythroughId, RoomKey, SceneId
from storyforge_core.errors import ServiceDown, SetupError
from storyforge_core.mailbox import Mailbox

log = structlog.stdlib.get_logger()


class Service:
    """Keeps a client connected; the stories in its rooms are presented through whichever is there."""

    def __init__(self, options: Options, mailbox: Mailbox, backing: Backing) -> None:
        self._options = options
        self._backing = backing
        self._mailbox = mailbox
        budget = Budget()
        if options.unlimited:
            budget.lift()
        self._link = link = Link(budget)
        self._askers = askers = Askers(link)
        self._board = Board(link, Polls(link) if options.polls else None)
        self._withdrawals = Withdrawals(link)
        self._direct = Direct(link, askers, options.encryption)
        self._signs = PictureSigns(link, backing.rooms.picture_in, backing.presenter.mention)
        self._surface = MatrixSurface(
            link, budget, self._board, self._withdrawals, backing.clock.now, direct=self._direct, signs=self._signs
        )
        voice = voice_of(self._surface)
        self._answers = Answers(link, voice, backing.clock)
        self._threads = Threads(link, backing.rooms, voice, options.stories)
        self._invites = Invites(
            link=link,
            askers=askers,
            direct=self._direct,
            register=backing.rooms,
            clock=backing.clock,
            options=options,
        )
        self._reception = Reception(backing.door, backing.peephole, backing.clock, self._attend, backing.rooms)
        self._board.open(self._reception, askers, backing.presenter.mention)
        self._welcomed = False

    async def run(self) -> NoReturn:
        """Be connected for ever.

        Raises:
            SetupError: the owner has to change something first.
        """
        await returning(self._session)

    async def last_call(self, playthrough: PlaythroughId, scene: SceneId) -> None:
        """Count the votes under a question before it is decided; how long that may take is up to the caller.

        Raises:
            ServiceDown: the store is away.
        """
        await counted(PLATFORM, self._backing.rooms, self._board.count, playthrough, scene)

    async def _session(self) -> None:
        """Be connected once, until that ends."""
        held = asyncio.ensure_future(self._connection().hold())
        try:
            await asyncio.wait({held})
            _judge(held.exception())
        except asyncio.CancelledError:
            await self._backing.presenter.aclose()  # the newest words, while there is still a connection
            raise
        finally:
            held.cancel()
            await asyncio.wait({held})
            self._board.close()
            self._signs.close()
            self._invites.close()
            self._answers.close()
            self._withdrawals.close()

    def _connection(self) -> Connection:
        hearing = Hearing(
            link=self._link,
            reception=self._reception,
            askers=self._askers,
            threads=self._threads,
            board=self._board,
            signs=self._signs,
            answers=self._answers,
            invites=self._invites,
            direct=self._direct,
            withdrawn=self._surface.withdrawn,
            reopened=self._reopened,
        )
        return Connection(
            options=self._options,
            link=self._link,
            mailbox=self._mailbox,
            clock=self._backing.clock,
            recipient=hearing,
            ready=self._ready,
        )

    async def _ready(self) -> None:
        """Go on where stories are told."""
        self._greet()
        await self._link.recall()
        await self._withdrawals.resume()
        await self._invites.look_round()
        for room in await self._backing.rooms.rooms(PLATFORM):
            await self._attend(room.key)
        self._board.look_again()

    async def _reopened(self, room: str) -> None:
        """Go on with the stories of a room that could not be shown anything for a while."""
        for known in await self._backing.rooms.rooms(PLATFORM):
            if known.key.realm == room:
                await self._attend(known.key)

    async def _attend(self, room: RoomKey) -> None:
        await self._backing.presenter.attend(self._surface, room)

    def _greet(self) -> None:
        if not self._welcomed:
            self._welcomed = True
            self._backing.welcome(self._link.me)


def _judge(error: BaseException | None) -> None:
    """Say whether it is worth coming back after a session that ended so.

    Raises:
        SetupError: it is not.
    """
    match error:
        case SetupError():
            raise error
        case None | SurfaceError() | ServiceDown() | OSError():
            log.warning("Matrix is away", reason=str(error or "the connection was closed"))
        case _:  # nio or we ourselves have stumbled over something; the next session begins behind it
            log.error("the connection to Matrix broke", exc_info=error)
