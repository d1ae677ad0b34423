"""A participant as its media worker knows it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixer.listener import PersonalGain
from mixer.playout import Playout
from mixer.selection_candidate import Standing
from webrtc.control.messages import PutParticipant
from webrtc.media.lanes import Lane
from webrtc.media.peer import Peer

if TYPE_CHECKING:
    from webrtc.media.feeds import FedPlayout
    from webrtc.media.hall import Room
    from webrtc.media.udp_door import UdpSeat


@dataclass(slots=True)
class Participant:
    """One participant; the front process's last word about it, and its connection.

    Attributes:
        put: What the front process said.
        room: The room it is in.
        peer: Its connection, None before the first offer.
        playout: Where its packets go, None while it sends nothing.
        lane: Where its packets went last without Python; it may have been left.
        is_offering: Whether an offer of tracks is being made.
        udp: Its seat at the UDP gateway, if it comes that way.
        feed: What the front process feeds it with, if it does.
    """

    put: PutParticipant
    room: "Room"
    peer: Peer | None = None
    playout: Playout | None = None
    lane: Lane | None = None
    is_offering: bool = False
    udp: "UdpSeat | None" = None
    feed: "FedPlayout | None" = None

    def leave_lane(self) -> None:
        """Let the playout have its stream back, if it is lent."""
        lane, self.lane = self.lane, None
        if lane is not None:
            lane.leave()

    @property
    def standing(self) -> Standing:
        """Whether its sound comes before that of others."""
        if self.put.pinned:
            return Standing.PINNED
        return Standing.PRIORITY if self.put.priority else Standing.ORDINARY

    @property
    def wanted_tracks(self) -> int:
        """How many tracks it is to have besides its first section."""
        forward, peer, put = self.room.forward, self.peer, self.put
        if forward is None or peer is None or peer.session.audio is None or not put.subscribes:
            return 0
        return forward.max_speakers if peer.session.audio.receives else 0

    @property
    def hears_mix(self) -> bool:
        """Whether it is sent a mix, once it is connected.

        While tracks are under way it is as before: who heard the mix goes on to hear it, and who
        comes into a forward room needs none for the moment.
        """
        if self.room.forward is None or not self.put.takes_tracks or self.peer is None:
            return True
        if self.peer.outputs:
            return False
        return (
            self.peer.session.tracks.is_refused
            or self.put.participant_id in self.room.mixer.listeners
        )

    def personal_gains(self) -> dict[str, PersonalGain]:
        """Return its listener mix in the mixer's terms."""
        return {
            source_id: PersonalGain(mix.gain_db, mix.pan, mix.muted, mix.solo)
            for source_id, mix in self.put.mix.items()
        }
