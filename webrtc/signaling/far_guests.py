"""Guests at the doors of other replicas: hosts here see them, and let them in.

Who waits where stands in the room, as every replica writes it of its own guests; a host's answer is
written beside the guest, and the replica that has the guest's socket follows.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from rooms.models import Room, Waiter
from rooms.replicas import worker_number
from rooms.shared_store import SharedRoomStore
from rooms.store import RoomMissingError
from webrtc.errors import ClientError
from webrtc.signaling.events import Guest
from webrtc.signaling.waiting_room import WaitingRoom


class FarGuests:
    """Brings a replica's waiting room and those of the others together.

    Args:
        store: where all rooms are.
        waiting: the guests here.
        run: begins a task that somebody owns.
    """

    def __init__(
        self,
        store: SharedRoomStore,
        waiting: WaitingRoom,
        run: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._store = store
        self._waiting = waiting
        self._run = run
        self._writing = asyncio.Lock()
        waiting.on_change = lambda room_id: run(self._write(room_id))
        waiting.elsewhere = self._elsewhere
        waiting.answer_elsewhere = self._answer

    def close(self) -> None:
        """Write nothing more."""
        self._waiting.on_change = lambda _: None

    def follow(self, before: Room | None, after: Room) -> None:
        """Do what hosts elsewhere have answered, and tell the hosts here who waits elsewhere."""
        room_id = after.room_id
        ours = [one for one in after.guests if one.replica == self._store.number]
        for waiter in ours:
            if waiter.admitted is not None:
                with contextlib.suppress(ClientError):  # it is gone
                    self._waiting.answer_here(room_id, waiter.guest_id, admit=waiter.admitted)
        if [one.guest_id for one in ours] != [one.guest_id for one in self._waiting.here(room_id)]:
            self._run(self._write(room_id))  # it was written over, or is of a former process
        if before is None or before.guests != after.guests:
            self._waiting.tell(room_id)

    async def tell_anew(self) -> None:
        """Write who waits here after an outage or a restart, and tell hosts here who does where."""
        for room in await self._store.rooms():
            if room.guests or self._waiting.here(room.room_id):
                await self._write(room.room_id)
                self._waiting.tell(room.room_id)

    def _elsewhere(self, room_id: str) -> list[Guest]:
        room = self._store.known(room_id) if self._store.is_there else None
        waiters = () if room is None else room.guests
        return [
            Guest(one.guest_id, one.name)
            for one in waiters
            if one.admitted is None and one.replica != self._store.number
        ]

    def _is_lost(self, waiter: Waiter) -> bool:
        return self._store.leases.is_lost(worker_number(waiter.replica, 0))

    async def _write(self, room_id: str) -> None:
        """Write who waits here for a room, once Redis is there; and none at dead replicas."""
        if not self._store.is_there:
            return

        def apply(room: Room) -> Room:
            mine = self._store.number
            others = [one for one in room.guests if one.replica != mine and not self._is_lost(one)]
            ours = [
                Waiter(guest.guest_id, guest.name, mine) for guest in self._waiting.here(room_id)
            ]
            return msgspec.structs.replace(room, guests=(*others, *ours))

        async with self._writing:
            with contextlib.suppress(RoomMissingError):
                await self._store.update_room(room_id, apply)

    async def _answer(self, room_id: str, guest_id: str, admit: bool) -> bool:
        """Write an answer for a guest elsewhere; return whether there is one of this id."""
        if all(one.guest_id != guest_id for one in self._elsewhere(room_id)):
            return False

        def apply(room: Room) -> Room:
            guests = tuple(
                msgspec.structs.replace(one, admitted=admit) if one.guest_id == guest_id else one
                for one in room.guests
            )
            return msgspec.structs.replace(room, guests=guests)

        with contextlib.suppress(RoomMissingError):
            await self._store.update_room(room_id, apply)
        self._waiting.tell(room_id)
        return True
