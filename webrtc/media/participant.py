"""A participant as its media worker knows it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixer.listener import PersonalGain
from mixer.playout import Playout
from webrtc.control.messages import PutParticipant
from webrtc.media.peer import Peer

if TYPE_CHECKING:
    from webrtc.media.hall import Room


@dataclass(slots=True)
class Participant:
    """One participant; the front process's last word about it, and its connection.

    Attributes:
        put: What the front process said.
        room: The room it is in.
        peer: Its connection, None before the first offer.
        playout: Where its packets go, None while it sends nothing.
    """

    put: PutParticipant
    room: "Room"
    peer: Peer | None = None
    playout: Playout | None = None

    def personal_gains(self) -> dict[str, PersonalGain]:
        """Return its listener mix in the mixer's terms."""
        return {
            source_id: PersonalGain(mix.gain_db, mix.pan, mix.muted)
            for source_id, mix in self.put.mix.items()
        }
