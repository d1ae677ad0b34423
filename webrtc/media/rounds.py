"""Looking after the connections of a worker in turns, a few at a time."""

from collections.abc import Mapping
from typing import Final

from webrtc.media.figures import Figures
from webrtc.media.participant import Participant
from webrtc.media.peer import Peer

VISIT_EVERY_S: Final = 1.0


class Rounds:
    """Visits every connection once a second."""

    def __init__(self, participants: Mapping[str, Participant], figures: Figures) -> None:
        """Visit the connections of these participants and note in `figures` how they are."""
        self._participants = participants
        self._figures = figures
        self._visits: list[Peer] = []  # peers that are still to be visited in this round
        self._share = 1
        self._round_s = 0.0

    def visit_some(self, now_s: float) -> None:
        """Visit the share of the peers that is due, so that each is seen once a second."""
        if not self._visits:
            if now_s - self._round_s < VISIT_EVERY_S:
                return
            self._round_s = now_s
            self._visits = [p.peer for p in self._participants.values() if p.peer is not None]
            self._share = max(1, len(self._visits) // 50)
        for _ in range(min(self._share, len(self._visits))):
            peer = self._visits.pop()
            if peer.state not in ("failed", "closed"):
                participant = self._participants.get(peer.participant_id)
                if participant is not None and participant.lane is not None:
                    participant.lane.fold()
                peer.visit(now_s)
                if participant is not None and participant.peer is peer:
                    self._figures.note_peer(participant)
