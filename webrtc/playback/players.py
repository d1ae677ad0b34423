"""All playbacks of this front process: participants of their own, with a strip, fed by us.

A playback is a participant without a socket. It ends with its room, and with this process: its
successor sends home whom it finds playing without anybody who feeds them.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from rooms.models import FeedAccess, Participant, ParticipantKind, Room
from rooms.strip import changed
from webrtc.errors import ClientError
from webrtc.playback.playback import Playback
from webrtc.playback.source import PcmSource
from webrtc.signaling.connection import Connection
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.dispatch import Dispatcher
from webrtc.signaling.messages_joining import JoinRoom
from webrtc.signaling.stand_in import StandIn

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
MOST_IN_A_ROOM: Final = 4
MOST: Final = 16


@dataclass(slots=True, eq=False)
class Player:
    """A playback and its participant."""

    participant_id: str
    room_id: str
    name: str
    playback: Playback
    connection: Connection
    on_end: Callable[[], None]


class Players:
    """Starts, steers and ends playbacks.

    Args:
        desk: where rooms and people are.
        dispatcher: counts sockets, of which a playback takes the place of one.
        folder: for the shared memory; only this user may enter it.
    """

    def __init__(self, desk: FrontDesk, dispatcher: Dispatcher, folder: Path) -> None:
        self._desk = desk
        self._dispatcher = dispatcher
        self._folder = folder
        self._players: dict[str, Player] = {}
        self._coming: Counter[str] = Counter()
        self._ended: asyncio.Queue[str] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Look after playbacks from now on."""
        self._tasks = [
            asyncio.create_task(self._look_on(), name="playbacks"),
            asyncio.create_task(self._send_home(), name="playbacks that end"),
        ]

    async def close(self) -> None:
        """End every playback."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for player in list(self._players.values()):
            await self.stop(player)

    # ---- what is asked for ----

    @contextmanager
    def place_in(self, room_id: str) -> Iterator[None]:
        """Keep a place in a room for a playback that is about to begin.

        Raises:
            ClientError: `too_many_playbacks`.
        """
        here = sum(player.room_id == room_id for player in self._players.values())
        everywhere = len(self._players) + self._coming.total()
        if here + self._coming[room_id] >= MOST_IN_A_ROOM or everywhere >= MOST:
            raise ClientError("too_many_playbacks", "stop another playback first")
        self._coming[room_id] += 1
        try:
            yield
        finally:
            self._coming -= Counter({room_id: 1})  # which keeps no room of which none is left

    async def play(
        self,
        room: Room,
        source: PcmSource,
        *,
        name: str,
        is_music: bool = True,
        loops: bool = False,
        fader_db: float = 0.0,
        start_s: float = 0.0,
        on_end: Callable[[], None] = lambda: None,
    ) -> Player:
        """Play `source` into a room; it is closed in the end, and when this raises.

        Args:
            room: where.
            source: what.
            name: of the participant.
            is_music: whether it goes down under speech where the room ducks music.
            loops: whether it begins again at the end.
            fader_db: of its strip, −60 to 12.
            start_s: where in the source to begin.
            on_end: called once, when the playback is over in whatever way.

        Raises:
            ClientError: `too_many_playbacks`, or as joining does.
        """
        playback: Playback | None = None
        connection = self._dispatcher.connected(StandIn())
        try:
            with self.place_in(room.room_id):
                request = JoinRoom(room.room_id, name[:64], "publisher")
                await self._desk.entrance.bring_in(connection, request, room.tenant)
                participant_id = self._desk.conference.seat_of(connection).participant_id
                path = self._folder / f"feed-{secrets.token_hex(8)}"
                playback = Playback(source, path, lambda: self._ended.put_nowait(participant_id))
                playback.loops = loops
                playback.begin_at(start_s)
                strip = {"genre": "electronic" if is_music else "speech", "fader": fader_db}

                def apply(participant: Participant) -> Participant:
                    return msgspec.structs.replace(
                        participant,
                        kind=ParticipantKind.PLAYER,
                        feed=FeedAccess(str(path)),
                        strip=changed(participant.strip, strip),
                    )

                await self._desk.conference.change(participant_id, apply)
        except BaseException:
            if connection.seat is not None:
                await self._desk.entrance.leave(connection.seat, "left")
            self._dispatcher.disconnected(connection)
            await (source.close() if playback is None else playback.close())
            raise
        player = Player(participant_id, room.room_id, name[:64], playback, connection, on_end)
        self._players[participant_id] = player
        playback.start()
        self._desk.conference.announcer.request(participant_id)
        return player

    def player(self, room_id: str, participant_id: str) -> Player:
        """Return a playback of a room.

        Raises:
            ClientError: `playback_not_found`.
        """
        player = self._players.get(participant_id)
        if player is None or player.room_id != room_id:
            raise ClientError("playback_not_found", "there is no such playback in the room")
        return player

    def players_in(self, room_id: str) -> list[Player]:
        """Return the playbacks of a room, in the order of their beginning."""
        return [player for player in self._players.values() if player.room_id == room_id]

    async def set_playing(self, player: Player, plays: bool) -> None:
        """Pause a playback, or let it go on."""
        (player.playback.resume if plays else player.playback.pause)()

        def apply(participant: Participant) -> Participant:
            feed = FeedAccess(str(player.playback.ring.path), plays)
            return msgspec.structs.replace(participant, feed=feed)

        await self._desk.conference.change(player.participant_id, apply)

    async def stop(self, player: Player) -> None:
        """End a playback, and take its participant away."""
        if self._players.pop(player.participant_id, None) is None:
            return
        seat = player.connection.seat
        if seat is not None:
            await self._desk.entrance.leave(seat, "left")
        self._dispatcher.disconnected(player.connection)
        await player.playback.close()
        player.on_end()

    # ---- what becomes of them ----

    async def _send_home(self) -> None:
        while True:
            player = self._players.get(await self._ended.get())
            if player is not None:
                await self._logged_stop(player)

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for player in list(self._players.values()):
                if player.connection.seat is None:  # its room was closed
                    await self._logged_stop(player)
            with suppress(ClientError):
                await self._end_orphans()

    async def _end_orphans(self) -> None:
        """End participants that a former front process fed."""
        for seat in self._desk.presence.all_seats():
            if seat.connection is None:
                participant = await self._desk.conference.store.participant(seat.participant_id)
                if participant is not None and participant.feed is not None:
                    await self._desk.entrance.leave(seat, "lost")

    async def _logged_stop(self, player: Player) -> None:
        try:
            await self.stop(player)
        except Exception:
            logger.exception("a playback could not be ended")
