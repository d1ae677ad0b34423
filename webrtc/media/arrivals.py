"""What comes in by the connections of a worker, and what they say of themselves.

The host of peers and of the UDP gateway: packets are queued for the next block of their room, at
once or behind a simulated network, and rooms and front process learn what has changed.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mixer.playout_packet import MediaPacket
from mixer.red import unpack_red
from webrtc.control.messages import PeerState, PeerStateName, PlainClient, ToFront
from webrtc.media import rtcp
from webrtc.media.aiortc_adapter import CertificateSupply
from webrtc.media.console import Console
from webrtc.media.fanout import SendTable
from webrtc.media.figures import Figures
from webrtc.media.forward_table import ForwardTable
from webrtc.media.hall import Hall, Room
from webrtc.media.ice import IceAgent
from webrtc.media.intake import Intake
from webrtc.media.participant import Participant
from webrtc.media.peer import Peer
from webrtc.media.simulation import Deliver, Simulation


class ArrivalsHost(Protocol):
    """What arrivals ask of their worker."""

    def room_time(self, room: Room, instant_s: float) -> int:
        """Return a room's media time at an instant, in samples."""

    def wake(self, room: Room) -> None:
        """Let a room run."""

    def attach(self, participant: Participant) -> None:
        """Make a participant's room agree with its connection."""

    def connection_changed(self, participant: Participant) -> None:
        """A connection was established, broke off or ended."""


@dataclass(slots=True, kw_only=True)
class Arrivals:
    """Everything that connections bring.

    Attributes:
        ice: Introduces addresses.
        counters: What is counted of connections.
        intake: Reads what they send.
        table: Sends mixes to them.
        forward_table: Forwards packets to them.
        certificates: Of their handshakes.
        host: The worker.
        participants: Everybody, by id.
        hall: Has the rooms.
        console: Has the strips.
        simulation: Bad networks that some come by.
        figures: What the worker counts.
        tell: Reaches the front process.
    """

    ice: IceAgent
    counters: Counter[str]
    intake: Intake
    table: SendTable
    forward_table: ForwardTable
    certificates: CertificateSupply
    host: ArrivalsHost
    participants: Mapping[str, Participant]
    hall: Hall
    console: Console
    simulation: Simulation
    figures: Figures
    tell: Callable[[ToFront], None]
    _ntp_offset_s: float = field(default_factory=lambda: time.time() - time.monotonic())

    # ---- what peers say -------------------------------------------------------------------

    def ntp_now(self, now_s: float) -> int:
        """Return the NTP time of an instant; the wall clock is read once, at the start."""
        return rtcp.ntp_time(now_s + self._ntp_offset_s)

    def media_time(self, peer: Peer, now_s: float) -> int:
        """Return the media time of a peer's room at an instant."""
        participant = self.participants.get(peer.participant_id)
        if participant is None:
            return 0
        return self.host.room_time(participant.room, now_s)

    def peer_changed(self, peer: Peer, state: PeerStateName) -> None:
        """Follow a peer's state."""
        participant = self.participants.get(peer.participant_id)
        if participant is None or participant.peer is not peer:
            return
        self.tell(PeerState(peer.participant_id, state))
        self.host.connection_changed(participant)

    def peer_media(self, peer: Peer, packet: MediaPacket) -> None:
        """Queue a packet for the next block and wake the room."""
        if self.simulation.takes(peer.participant_id):
            self._send_on(peer.participant_id, packet, red=False)
            return
        participant = self._queue(peer.participant_id, packet)
        if participant is None or participant.playout is None or not participant.playout.is_calm:
            return
        room = participant.room
        if room.forward is not None:  # a lane would hide the packets from those who hear tracks
            return
        source = room.mixer.sources[participant.put.participant_id]
        participant.lane = lane = peer.lend(participant.playout, source.row, packet)
        if lane is not None:
            self.hall.add_lane(room, lane)

    def peer_red(self, peer: Peer, packet: MediaPacket) -> None:
        """Queue the packets inside a RED packet; a stream of those goes by no lane."""
        if self.simulation.takes(peer.participant_id):
            self._send_on(peer.participant_id, packet, red=True)
            return
        for inner in self._unpack(packet):
            self._queue(peer.participant_id, inner)

    def _unpack(self, packet: MediaPacket) -> list[MediaPacket]:
        inside = unpack_red(packet)
        if not inside:
            self.figures.counters["red_malformed"] += 1
        return inside

    def _send_on(self, participant_id: str, packet: MediaPacket, *, red: bool) -> None:
        """Put a packet on a simulated path, behind which it is queued."""

        def deliver(arrival_s: float) -> None:
            late = packet._replace(arrival_s=arrival_s)
            for inner in self._unpack(late) if red else (late,):
                self._queue(participant_id, inner)

        self.simulation.send(participant_id, len(packet.payload), packet.arrival_s, deliver)

    def _queue(self, participant_id: str, packet: MediaPacket) -> Participant | None:
        participant = self.participants.get(participant_id)
        if participant is None:
            return None
        forward = participant.room.forward
        if forward is not None and not forward.take(participant_id, packet):
            return None
        if participant.playout is None:
            return None
        participant.playout.push(packet)
        participant.room.mixer.stirred = True
        if not participant.room.awake:
            self.host.wake(participant.room)
        return participant

    def peer_stream_changed(self, peer: Peer) -> None:
        """Forget what was queued of the publisher's former stream."""
        participant = self.participants.get(peer.participant_id)
        if participant is None:
            return
        if participant.playout is not None:
            participant.playout.reset()
        if participant.room.forward is not None:
            participant.room.forward.core.begin_stream(peer.participant_id)

    def peer_tier(self, peer: Peer, tier: int) -> None:
        """Move a listener to the tier that its network bears."""
        participant = self.participants.get(peer.participant_id)
        if participant is not None:
            participant.room.mixer.set_tier(peer.participant_id, tier)
            self.figures.counters["tier_changes"] += 1
            self.host.wake(participant.room)

    # ---- what the UDP gateway says ---------------------------------------------------------

    def udp_changed(self, participant_id: str) -> None:
        """Follow a client of the gateway that came or has gone silent."""
        participant = self.participants.get(participant_id)
        if participant is not None:
            self.host.attach(participant)
            if participant.udp is not None:
                self.tell(PeerState(participant_id, participant.udp.state))

    def udp_media(self, participant_id: str) -> None:
        """Let the room of a client of the gateway look at what it sent."""
        participant = self.participants.get(participant_id)
        if participant is not None:
            participant.room.mixer.stirred = True
            if not participant.room.awake:
                self.host.wake(participant.room)

    def udp_knock(self, client_id: str, host: int) -> None:
        """Tell the front process of a client of the old kind that wants in."""
        self.tell(PlainClient(client_id, host))

    def udp_late(self, participant_id: str, size: int, now_s: float, deliver: Deliver) -> bool:
        """Put what a client of the gateway sent on a simulated path, if it has one."""
        if not self.simulation.takes(participant_id):
            return False
        self.simulation.send(participant_id, size, now_s, deliver)
        return True

    def udp_strip(self, participant: Participant) -> None:
        """Give a source that is new in its room the strip that it should have."""
        self.console.set_strip(participant)
