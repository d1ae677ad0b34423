"""The worker's side of the UDP gateway: datagrams of samples in, chunks of everyone's mix out.

Sound takes the way of everybody's: a client's chunks are a source of its room, and each distinct
mix that clients hear is cut into chunks once. All mixes of a room are cut at the same samples.
"""

import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from gateway.wire.datagrams import read_opus, write_opus
from gateway.wire.guard import Client, Guard
from gateway.wire.incoming import ChunkPlayout
from gateway.wire.outgoing import ChunkStream
from gateway.wire.plain import Knocks
from mixer.arena import BLOCK_10MS, Block
from mixer.outputs import SAMPLES, Output
from mixer.playout import Playout
from mixer.playout_packet import MediaPacket
from mixer.room import RoomMixer
from webrtc.control.messages import PeerStateName, UdpClient
from webrtc.media.opus import Application, Decoder, Encoder, EncoderSettings, Signal
from webrtc.media.participant import Participant
from webrtc.media.udp import UdpPort, unpack_address

if TYPE_CHECKING:
    from webrtc.media.hall import Room

Stream = TypeVar("Stream", ChunkStream, "_OpusStream")

_READ_BATCHES = 32
_DATAGRAM_BYTES = 4096  # more than any that is let in, so that what is too long is seen to be
_OPUS = EncoderSettings(
    application=Application.VOIP, signal=Signal.VOICE, bitrate_bps=56_000, complexity=3
)
_FRESH = replace(_OPUS, prediction_disabled=True)


class DoorHost(Protocol):
    """Who keeps the rooms."""

    def udp_changed(self, participant_id: str) -> None:
        """A client sent its first datagram, or has gone silent."""

    def udp_media(self, participant_id: str) -> None:
        """A client sent sound."""

    def udp_knock(self, client_id: str, host: int) -> None:
        """A client of the old kind, whom nobody knows, wants in."""

    def udp_late(
        self, participant_id: str, size: int, now_s: float, deliver: Callable[[float], None]
    ) -> bool:
        """Return whether `size` bytes take a simulated path; `deliver` is called at its end."""

    def udp_strip(self, participant: Participant) -> None:
        """A source is new in its room and has no strip yet."""


@dataclass(slots=True, eq=False)
class UdpSeat:
    """A client of the gateway in this worker.

    Attributes:
        told: What the front process said about it.
        client: What the guard keeps.
        playout: Where its sound goes.
        handle: Names it among the listeners; no row of the fan-out.
        output: What it heard last.
        sequence: Of its next Opus payload.
    """

    told: UdpClient
    client: Client
    playout: ChunkPlayout | Playout
    handle: int
    output: Output | None = None
    sequence: int = 0
    address: tuple[str, int] = ("", 0)

    def close(self) -> None:
        """Take nothing more."""
        if isinstance(self.playout, ChunkPlayout):
            self.playout.close()

    @property
    def state(self) -> PeerStateName:
        """How a peer in its place would be."""
        return "disconnected" if self.client.address is None else "connected"


class _OpusStream:
    """One mix in Opus packets as long as the room's blocks: nothing waits for a second one."""

    def __init__(self, time: int) -> None:
        self.fresh = True  # the next packet must decode without what was before it
        self._encoder = Encoder(_OPUS)
        self._last = np.zeros((BLOCK_10MS, 2), np.float32)
        self._time = time

    def fork(self) -> "_OpusStream":
        other = _OpusStream(self._time)
        other._encoder.encode(self._last)
        return other

    def add(self, block: Block) -> tuple[int, bytes]:
        """Take a block; return time and packet."""
        if self.fresh:
            self._encoder.apply(_FRESH)
        packet = self._encoder.encode(np.ascontiguousarray(block))
        if self.fresh:
            self._encoder.apply(_OPUS)
            self.fresh = False
        self._last = block.copy()
        time, self._time = self._time, self._time + len(block)
        return time, packet


@dataclass(slots=True)
class _RoomStreams:
    seats: dict[str, UdpSeat] = field(default_factory=dict)
    chunks: dict[Output, ChunkStream] = field(default_factory=dict)
    packets: dict[Output, _OpusStream] = field(default_factory=dict)


class UdpDoor:
    """All clients of the gateway in this worker.

    Attributes:
        seats: By participant id.
        counters: What was let in; what was dropped is in `figures`.
    """

    def __init__(self, sock: socket.socket, host: DoorHost, *, plain: bool = False) -> None:
        """Take over a bound UDP socket; `plain`: clients of the old kind may knock."""
        self.seats: dict[str, UdpSeat] = {}
        self.counters: Counter[str] = Counter()
        self._port = UdpPort(sock, _DATAGRAM_BYTES)
        self._host = host
        self._guard = Guard()
        self._rooms: dict[RoomMixer, _RoomStreams] = {}
        self._handles = 0
        self._knocks = Knocks() if plain else None

    @property
    def port(self) -> int:
        """Its UDP port."""
        return self._port.port

    def fileno(self) -> int:
        """Return the socket's descriptor, for the event loop."""
        return self._port.fileno()

    def close(self) -> None:
        """Close the socket, and let the clients' resamplers go."""
        self._port.close()
        for seat in self.seats.values():
            seat.close()

    def figures(self) -> Counter[str]:
        """Return all counters; their names begin with `udp_`."""
        counted = {f"udp_dropped_{name}": count for name, count in self._guard.dropped.items()}
        return self.counters + Counter(counted)

    # ---- who is there ----------------------------------------------------------------------

    def put(self, participant: Participant) -> bool:
        """Give a participant the seat that it should have; return whether that is another one."""
        told, seat = participant.put.udp, participant.udp
        if told == (None if seat is None else seat.told):
            return False
        self.drop(participant)
        if told is None:
            return True
        name = participant.put.participant_id
        self._handles -= 1  # rows of the fan-out are not negative
        client = Client(name, told.payload, told.host)
        playout = ChunkPlayout() if told.payload == "pcm" else Playout(Decoder())
        seat = UdpSeat(told, client, playout, self._handles)
        participant.udp = self.seats[name] = seat
        self._guard.add(told.client_id, client)
        return True

    def drop(self, participant: Participant) -> None:
        """Take a participant's seat away, if it has one, and with it its place in the room."""
        seat = participant.udp
        if seat is not None:
            self._guard.remove(seat.told.client_id)
            seat.client.address = None
            self.attach(participant)
            seat.close()
            del self.seats[participant.put.participant_id]
            participant.udp = None

    def attach(self, participant: Participant) -> None:
        """Make the room's sources and listeners agree with a participant's seat."""
        put, seat, mixer = participant.put, participant.udp, participant.room.mixer
        name = put.participant_id
        if seat is None:
            return
        live = seat.client.address is not None
        source = mixer.sources.get(name)
        if not (live and put.publishes):
            mixer.remove_source(name)
        elif source is None or source.playout is not seat.playout or source.leaving:
            mixer.add_source(name, put.csrc, seat.playout)
            mixer.mute_source(name, put.muted)
            self._host.udp_strip(participant)
            mixer.set_standing(name, participant.standing)
        listener = mixer.listeners.get(name)
        if not (live and put.subscribes):
            mixer.remove_listener(name)
            self._unlisten(participant.room, name)
        elif listener is None or listener.handle != seat.handle:
            mixer.add_listener(name, seat.handle, 0)
            mixer.set_tier(name, SAMPLES)
            mixer.set_deafened(name, put.deafened)
            mixer.set_gains(name, participant.personal_gains())
            self._rooms.setdefault(mixer, _RoomStreams()).seats[name] = seat
            participant.room.tap = self.say

    def states(self) -> dict[str, PeerStateName]:
        """Return the state of every client."""
        return {name: seat.state for name, seat in self.seats.items()}

    def _unlisten(self, room: "Room", name: str) -> None:
        streams = self._rooms.get(room.mixer)
        if streams is not None:
            seat = streams.seats.pop(name, None)
            if seat is not None:
                seat.output = None
            if not streams.seats:
                del self._rooms[room.mixer]
                room.tap = None

    def look_after(self, now_s: float) -> None:
        """Unbind who has gone silent; to be called every second or so."""
        for client in self._guard.stale(now_s):
            self.counters["udp_stale"] += 1
            self._host.udp_changed(client.key)

    # ---- sound -----------------------------------------------------------------------------

    def read(self) -> None:
        """Take what has arrived."""
        for _ in range(_READ_BATCHES):
            batch = self._port.receive()
            for data, address, arrival_s in batch:
                self._take(data, address, arrival_s)
            if not batch:
                return

    def _take(self, data: bytes, address: int, arrival_s: float) -> None:
        admitted = self._guard.admit(data, address, arrival_s)
        if admitted is None:
            if self._knocks is not None and not self._guard.knows(data):
                name = self._knocks.hear(data, address, arrival_s)
                if name is not None:
                    self._host.udp_knock(name, address >> 16)
            return
        client, body = admitted
        seat = self.seats[client.key]
        if seat.address[1] == 0 or unpack_address(address) != seat.address:
            seat.address = unpack_address(address)
            self._host.udp_changed(client.key)
        self.counters["udp_received"] += 1
        deliver = partial(self._play, seat, body)
        if not self._host.udp_late(client.key, len(data), arrival_s, deliver):
            deliver(arrival_s)

    def _play(self, seat: UdpSeat, body: bytes, arrival_s: float) -> None:
        playout = seat.playout
        if isinstance(playout, ChunkPlayout):
            playout.push(body, arrival_s)
        else:
            packet = read_opus(body)
            if packet is not None:
                playout.push(MediaPacket(*packet, arrival_s))
        self._host.udp_media(seat.client.key)

    def say(self, mixer: RoomMixer) -> None:
        """Send what a room's clients hear of the block that was mixed just now."""
        room = self._rooms.get(mixer)
        if room is None:
            return
        first = 0 if mixer.is_even else BLOCK_10MS
        chunks: dict[Output, list[UdpSeat]] = {}
        packets: dict[Output, list[UdpSeat]] = {}
        for name, seat in room.seats.items():
            listener = mixer.listeners.get(name)
            output = None if listener is None else listener.output
            if output is None:
                continue
            if output is not seat.output:
                self._move(room, seat, output, mixer.block_time)
            (chunks if seat.told.payload == "pcm" else packets).setdefault(output, []).append(seat)
        mixes, count = mixer.mix_sounds, mixer.block
        for output, seats in chunks.items():
            chunk = room.chunks[output].add(mixes[output.row, first : first + count])
            if chunk is not None:
                for seat in seats:
                    self._send(chunk, seat)
        for output, seats in packets.items():
            made = room.packets[output].add(mixes[output.row, first : first + count])
            for seat in seats:
                self._send(write_opus(seat.sequence, *made), seat)
                seat.sequence += 1
        if len(room.chunks) > len(chunks):
            room.chunks = {output: room.chunks[output] for output in chunks}
        if len(room.packets) > len(packets):
            room.packets = {output: room.packets[output] for output in packets}

    def _move(self, room: _RoomStreams, seat: UdpSeat, output: Output, time: int) -> None:
        """Let a seat hear another mix, without a gap."""
        before, seat.output = seat.output, output
        if seat.told.payload == "pcm":
            if output not in room.chunks:
                room.chunks[output] = _fork_of(room.chunks, before) or ChunkStream()
        else:
            if output not in room.packets:
                room.packets[output] = _fork_of(room.packets, before) or _OpusStream(time)
            room.packets[output].fresh = True

    def _send(self, datagram: bytes, seat: UdpSeat) -> None:
        try:
            self._port.sock.sendto(datagram, seat.address)
        except OSError:
            self.counters["udp_send_errors"] += 1
        else:
            self.counters["udp_sent"] += 1


def _fork_of(streams: dict[Output, Stream], before: Output | None) -> Stream | None:
    """Return a stream that goes on from the mix heard before, or at least in step with others."""
    origin = streams.get(before) if before is not None else None
    origin = origin or next(iter(streams.values()), None)
    return None if origin is None else origin.fork()
