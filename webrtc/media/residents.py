"""Rooms and people of a worker as the front process says: who is there, with which rights.

What it says is state, so repeating it is harmless; the last word about everything is kept and given
back to a front process that has lost its memory.
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec

from webrtc.control.messages import KeptRoom, PeerStateName, PutParticipant, PutRoom
from webrtc.media import feeds
from webrtc.media.archive_tap import ArchiveTap
from webrtc.media.attachment import follow_listeners
from webrtc.media.console import Console
from webrtc.media.forward import Forwarder
from webrtc.media.hall import Hall, Room
from webrtc.media.hearing import Hearing
from webrtc.media.negotiator import Negotiator
from webrtc.media.participant import Participant
from webrtc.media.recordings import RecordingTaps
from webrtc.media.sharing import Sharing
from webrtc.media.simulation import Simulation

if TYPE_CHECKING:
    from webrtc.media.udp_door import UdpDoor


class ResidentsHost(Protocol):
    """What residents ask of their worker."""

    def wake(self, room: Room) -> None:
        """Let a room run."""

    def attach(self, participant: Participant) -> None:
        """Make a participant's room agree with its connection."""

    def close_peer(self, participant: Participant) -> None:
        """Take a participant's connection away."""


@dataclass(slots=True, kw_only=True)
class Residents:
    """Puts and drops rooms and participants, and tells everybody in the worker whom it concerns.

    Attributes:
        host: The worker.
        participants: Everybody, by id.
        hall: Has the rooms.
        console: Has their strips and meters.
        forwarder: Forwards in rooms of mode forward.
        sharing: Shares rooms with other workers.
        negotiator: Offers tracks.
        archive: Is given what rooms keep.
        recordings: Records rooms.
        broadcasts: Broadcasts rooms.
        hearing: Has the sound classified.
        simulation: Bad networks that some come by.
        door: The UDP gateway, in the worker that has it.
    """

    host: ResidentsHost
    participants: dict[str, Participant]
    hall: Hall
    console: Console
    forwarder: Forwarder
    sharing: Sharing
    negotiator: Negotiator
    archive: ArchiveTap
    recordings: RecordingTaps
    broadcasts: RecordingTaps
    hearing: Hearing
    simulation: Simulation
    door: "UdpDoor | None"

    def kept(self) -> list[KeptRoom | PutParticipant]:
        """Return what we remember for the front process."""
        rooms = [
            KeptRoom(room.room_id, room.state, self.sharing.workers_of(room))
            for room in self.hall.rooms.values()
        ]
        return [*rooms, *(participant.put for participant in self.participants.values())]

    def states(self) -> dict[str, PeerStateName]:
        """Return how the connections are, by participant."""
        states: dict[str, PeerStateName] = {
            name: participant.peer.state
            for name, participant in self.participants.items()
            if participant.peer is not None
        }
        return states | (self.door.states() if self.door is not None else {})

    def put_room(self, put: PutRoom) -> None:
        """Let a room be as the front process says, made if need be."""
        room = self.hall.put_room(put.room_id, put.state)
        self.console.set_room(room, put)
        before = None if room.forward is None else room.forward.max_speakers
        if put.mode == "forward":
            room.forward = self.forwarder.put_room(put.room_id, put.selection, time.monotonic())
        else:
            room.forward = None
            self.forwarder.drop_room(put.room_id)
        self.sharing.set_workers(room, put.workers)
        after = None if room.forward is None else room.forward.max_speakers
        if before != after:  # scenes and sound are nothing to connections, and it may be a crowd
            for participant in room.participants.values():
                self.host.attach(participant)
                self.negotiator.settle(participant)
        self._set_archive(room, put.archive)
        if room.participants or put.recording is not None or put.broadcast is not None:
            self.host.wake(room)
        self.recordings.put(room, put.recording)
        self.broadcasts.put(room, put.broadcast)
        follow_listeners(room, self.console, time.monotonic())
        self.simulation.put_room(room, put.network)

    def _set_archive(self, room: Room, is_on: bool) -> None:
        if is_on != (room.archive is not None):
            room.archive = self.archive.take if is_on else None
            if not is_on:
                self.archive.forget(room.mixer)
            follow_listeners(room, self.console, time.monotonic())

    def drop_room(self, room_id: str) -> None:
        """Remove a room and everybody in it; unknown ids are ignored."""
        room = self.hall.rooms.get(room_id)
        if room is not None:
            for participant_id in list(room.participants):
                self.drop_participant(participant_id)
            self.recordings.forget(room)
            self.broadcasts.forget(room)
            self.sharing.forget(room)
            self.archive.forget(room.mixer)
            self.hall.drop_room(room_id)
            self.console.forget_room(room)
            self.simulation.forget_room(room_id)
            self.forwarder.drop_room(room_id)

    def put_participant(self, put: PutParticipant) -> None:
        """Let a participant be as the front process says, in the room where it says."""
        participant = self.participants.get(put.participant_id)
        if participant is not None and participant.room.room_id != put.room_id:
            self.drop_participant(put.participant_id)
            participant = None
        if participant is None:
            room = self.hall.rooms.get(put.room_id) or self.hall.put_room(put.room_id, b"")
            participant = Participant(put, room)
            self.participants[put.participant_id] = participant
            room.participants[put.participant_id] = participant
        former, ramp_ms = participant.put.strip, put.ramp_ms
        participant.put = put = msgspec.structs.replace(put, ramp_ms=0)
        if self.door is not None and self.door.put(participant):
            self.host.attach(participant)
        if put.feed is not None and feeds.put(participant, put.feed, self.console):
            self.host.wake(participant.room)
        if participant.peer is not None:
            participant.peer.allow(publishes=put.publishes, subscribes=put.subscribes)
            self.host.attach(participant)
            self.negotiator.settle(participant)
        self.simulation.follow(participant)
        mixer = participant.room.mixer
        mixer.mute_source(put.participant_id, put.muted)
        mixer.set_standing(put.participant_id, participant.standing)
        if former != put.strip:
            now_s = time.monotonic()
            self.console.change_strip(participant, former, ramp_ms / 1000, now_s)
        mixer.set_deafened(put.participant_id, put.deafened)
        mixer.set_gains(put.participant_id, participant.personal_gains())
        if put.participant_id in mixer.listeners or put.participant_id in mixer.sources:
            self.host.wake(participant.room)

    def drop_participant(self, participant_id: str) -> None:
        """Remove a participant; unknown ids are ignored."""
        participant = self.participants.pop(participant_id, None)
        self.console.forget(participant_id)
        self.hearing.forget(participant_id)
        if participant is not None:
            participant.room.participants.pop(participant_id, None)
            if self.door is not None:
                self.door.drop(participant)
            feeds.drop(participant)
            self.simulation.forget(participant_id)
            self.host.close_peer(participant)
            self.host.wake(participant.room)
