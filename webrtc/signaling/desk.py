"""The front desk: the one object that Socket.IO events, REST requests and workers come to."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from rooms.models import Room
from rooms.shared_store import SharedRoomStore
from rooms.store import RoomStore
from webrtc.access import Access
from webrtc.control.memory import Memory
from webrtc.control.messages import (
    Content,
    Levels,
    Meters,
    PeerStats,
    PlainClient,
    ServerOffer,
    TracksAssigned,
)
from webrtc.front_limits import FrontLimits
from webrtc.front_workers import WorkerPool
from webrtc.recording.figures import RecordingLedger
from webrtc.sessions.desk import SessionDesk, SessionParts
from webrtc.signaling.changes import Changes
from webrtc.signaling.conference import Conference
from webrtc.signaling.entrance import Entrance
from webrtc.signaling.events import ServerDraining
from webrtc.signaling.hosting import Hosting
from webrtc.signaling.mirror import Mirror, degraded
from webrtc.signaling.negotiation import Negotiation
from webrtc.signaling.networks import Networks
from webrtc.signaling.presence import Presence, Seat
from webrtc.signaling.recovery import Recovery
from webrtc.signaling.scenes import Scenes
from webrtc.turn import IceServers

_LOOK_EVERY_S: Final = 0.1


class FrontDesk:
    """Builds the parts of the front process's logic and passes on what the workers say.

    Args:
        store: where rooms are kept.
        worker_sockets: the control socket of each media worker.
        limits: bounds.
        ice_servers: what clients are told to use.
        clock: seconds since the epoch.
        access: who may come in; everybody by default.
        replica: number of this server among all that share rooms.
        archive: what the operator decided about sessions; the defaults by default.
        simulated_network: what sound goes through that nobody decided otherwise, "clean" for
            nothing; "" where no network is to be simulated.
    """

    def __init__(
        self,
        store: RoomStore,
        worker_sockets: list[Path],
        limits: FrontLimits,
        ice_servers: IceServers,
        clock: Callable[[], float] = time.time,
        access: Access | None = None,
        replica: int = 0,
        archive: SessionParts | None = None,
        simulated_network: str = "",
    ) -> None:
        self.access = access or Access()
        self.workers = WorkerPool(worker_sockets, self, limits.room_share, replica)
        self.presence = Presence(limits.resume_window_s, limits.lost_after_s, self)
        self.conference = Conference(store, self.workers, self.presence, limits)
        self.entrance = Entrance(self.conference, self.access, ice_servers, clock)
        self.changes = Changes(self.conference)
        self.hosting = Hosting(self.conference, self.entrance)
        self.scenes = Scenes(self.conference, clock)
        self.networks = Networks(self.conference, simulated_network)
        self.negotiation = Negotiation(self.conference)
        self.recordings = RecordingLedger()
        self.sessions = SessionDesk(store, self.workers, self.presence, self.access, archive, clock)
        self._recovery = Recovery(self.conference, self.entrance)
        self.shared = store if isinstance(store, SharedRoomStore) else None
        self.on_plain_client: Callable[[int, PlainClient], None] = lambda _, __: None
        """See `PoolOwner`; replaced by whoever lets them in."""
        self._mirror: Mirror | None = None
        if self.shared is not None:
            self._mirror = Mirror(self.shared, self.conference, self.entrance)
            self.entrance.degraded = partial(degraded, self.shared)

    async def start(self) -> None:
        """Connect to Redis and to the workers, and take over what they remember.

        Neither is waited for that does not come in time.
        """
        if self.shared is not None:
            await self.shared.start()
        self.workers.start()
        await self.workers.wait_for_all(self.conference.limits.workers_at_start_s)

    def drain(self, over_s: float = 0.0) -> None:
        """Let nobody in any more and tell everyone to come back to another process.

        One after the other within `over_s`, so that they do not all come at once to wherever.
        """
        self.entrance.draining = True
        seats = [seat for seat in self.presence.all_seats() if seat.connection is not None]
        first_s = self.conference.limits.drain_retry_after_s
        for number, seat in enumerate(seats):
            wait_s = round(number * over_s / len(seats), 1) if over_s else first_s
            if seat.connection is not None:
                seat.connection.emit("server_draining", ServerDraining(wait_s))

    async def drained(self, within_s: float) -> None:
        """Wait until nobody is connected any more, or for so long."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while loop.time() < until_s and self._is_attended():  # noqa: ASYNC110 — lost in many ways
            await asyncio.sleep(_LOOK_EVERY_S)

    def _is_attended(self) -> bool:
        return any(seat.connection is not None for seat in self.presence.all_seats())

    async def leave_replicas(self) -> None:
        """Let the other replicas know at once that this one is no more."""
        if self.shared is not None:
            await self.shared.leave()

    async def close(self) -> None:
        """Stop; the workers and what they remember go on."""
        self.conference.close()
        await self.entrance.close()
        await self.access.close()
        await self.workers.close()
        if self._mirror is not None:
            await self._mirror.close()
        if self.shared is not None:
            await self.shared.close()

    async def revoke(self, token_id: str, until: float) -> int:
        """Take a join token back and put out whoever came in with it; return how many.

        Those whom other replicas serve are put out there.

        Args:
            token_id: its `jti`.
            until: its `exp`, seconds since the epoch.

        Raises:
            ClientError: `server_full`.
        """
        store, put_out = self.conference.store, 0
        for room in await store.rooms():
            for one in await store.participants(room.room_id):
                is_elsewhere = self.presence.seat(one.participant_id) is None
                put_out += is_elsewhere and not one.put_out and one.token_id == token_id
        await self.access.revoke(token_id, until)
        for seat in self.presence.all_seats():
            participant = await store.participant(seat.participant_id)
            if participant is not None and participant.token_id == token_id:
                await self.entrance.put_out(seat, "revoked")
                put_out += 1
        return put_out

    async def close_room(self, room: Room) -> None:
        """Close a room because its host says so."""
        await self.entrance.close_room(room, "deleted")

    # ---- what workers say (PoolOwner) ----

    async def on_welcome(self, worker: int, memory: Memory) -> None:
        """See `PoolOwner`."""
        await self._recovery.on_welcome(worker, memory)
        self.conference.meters.tell_again(worker)

    def on_levels(self, message: Levels) -> None:
        """See `PoolOwner`."""
        self.conference.levels.handle(message.room_id, message.levels)

    def on_meters(self, message: Meters) -> None:
        """See `PoolOwner`."""
        self.conference.meters.handle(message)

    def on_peer_stats(self, figures: list[PeerStats]) -> None:
        """See `PoolOwner`."""
        self.conference.qualities.handle(figures)

    def on_server_offer(self, message: ServerOffer) -> None:
        """See `PoolOwner`."""
        self.negotiation.server_offer(message)

    def on_tracks_assigned(self, message: TracksAssigned) -> None:
        """See `PoolOwner`."""
        self.conference.assignments.handle(message)

    def on_content(self, message: Content) -> None:
        """See `PoolOwner`."""
        self.conference.contents.handle(message)

    # ---- what becomes of seats (PresenceOwner) ----

    def has_media(self, seat: Seat) -> bool | None:
        """See `PresenceOwner`."""
        return self.workers.has_media(seat.worker, seat.participant_id)

    def on_lost(self, seat: Seat) -> None:
        """See `PresenceOwner`."""
        self.conference.hide(seat)

    def on_returned(self, seat: Seat) -> None:
        """See `PresenceOwner`."""
        self.conference.show_again(seat)

    def on_expired(self, seat: Seat) -> None:
        """See `PresenceOwner`."""
        self.entrance.expire(seat)
