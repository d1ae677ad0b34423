"""A client's further tracks, on which a forward room forwards: from wish to agreement.

| a track is | event                                      | becomes  |
|------------|--------------------------------------------|----------|
| (none)     | more are wanted than there are             | wanted   |
| wanted     | the client's answer receives it            | agreed   |
| wanted     | the client's answer does not               | refused  |
| agreed     | fewer are wanted                           | unwanted |
| agreed     | the client's own offer does not receive it | wanted   |
| unwanted   | the client answers that                    | idle     |
| idle       | more are wanted                            | wanted   |

A refused track is not offered again. Packets flow while a track is agreed. Its section, its SSRC
and its numbers stay for as long as the connection: SRTP refuses a sequence that goes back.
"""

import enum
import math
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from webrtc.media.sdp import LocalTrack
from webrtc.media.sdp_offer import AnsweredSection


class TrackState(enum.Enum):
    """See the table."""

    WANTED = enum.auto()
    AGREED = enum.auto()
    REFUSED = enum.auto()
    UNWANTED = enum.auto()
    IDLE = enum.auto()


_OFFERED = (TrackState.WANTED, TrackState.AGREED)


@dataclass(slots=True)
class Track:
    """One further track.

    Attributes:
        mid: Its identification tag.
        ssrc: SSRC of what we send.
        state: See the table.
        row: Of the forward table, once packets may flow.
        reported: Packets sent when the last SR was.
    """

    mid: str
    ssrc: int = field(default_factory=lambda: secrets.randbits(32) or 1)
    state: TrackState = TrackState.WANTED
    row: int | None = None
    reported: int = 0


class PeerTracks:
    """The further tracks of one connection.

    Attributes:
        all: Them, in the order of their sections.
        offered_s: When our open offer was made; −∞ when none is open.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self.all: list[Track] = []
        self.offered_s = -math.inf
        self._sent: frozenset[str] = frozenset()  # what our open offer sends

    @property
    def flowing(self) -> list[Track]:
        """Those on which packets may leave."""
        return [track for track in self.all if track.state is TrackState.AGREED]

    @property
    def rows(self) -> list[int]:
        """Rows of the forward table of those on which packets may leave."""
        return [track.row for track in self.flowing if track.row is not None]

    @property
    def is_unsettled(self) -> bool:
        """Whether the client has to be offered anything."""
        return any(t.state in (TrackState.WANTED, TrackState.UNWANTED) for t in self.all)

    @property
    def is_refused(self) -> bool:
        """Whether the client takes none although some were offered."""
        states = {track.state for track in self.all}
        return TrackState.REFUSED in states and not states & {*_OFFERED, TrackState.UNWANTED}

    def want(self, count: int, taken: Collection[str]) -> None:
        """Want so many tracks.

        Args:
            count: How many.
            taken: Identification tags that are the client's.
        """
        while len(self.all) < count:
            mid = f"track{len(self.all) + 1}"
            if mid in taken:  # of a client that names its own like ours: it gets the mix
                return
            self.all.append(Track(mid))
        for number, track in enumerate(self.all):
            if track.state is TrackState.REFUSED:
                continue
            if number < count:
                known = track.state in (TrackState.AGREED, TrackState.UNWANTED)
                track.state = TrackState.AGREED if known else TrackState.WANTED
            elif track.state in (TrackState.AGREED, TrackState.UNWANTED):
                track.state = TrackState.UNWANTED
            else:
                track.state = TrackState.IDLE

    def local(self) -> list[LocalTrack]:
        """Return how we describe them."""
        return [LocalTrack(t.mid, t.ssrc, t.state in _OFFERED) for t in self.all]

    def offer(self, now_s: float) -> list[LocalTrack]:
        """Return how we describe them in an offer that is made now."""
        described = self.local()
        self.offered_s = now_s
        self._sent = frozenset(track.mid for track in described if track.sends)
        return described

    @property
    def is_answer_due(self) -> bool:
        """Whether the client has not answered our last offer."""
        return self.offered_s > -math.inf

    def answered(self, sections: Iterable[AnsweredSection]) -> None:
        """Take the client's answer to our open offer; more or less may be wanted meanwhile."""
        sent = self._sent
        self.offered_s = -math.inf
        receives = {section.mid for section in sections if section.receives}
        for track in self.all:
            if track.mid in sent and track.state in _OFFERED:
                taken = track.mid in receives
                track.state = TrackState.AGREED if taken else TrackState.REFUSED
            elif track.mid not in sent and track.state is TrackState.UNWANTED:
                track.state = TrackState.IDLE

    def offered(self, receiving: Collection[str], mids: Collection[str]) -> None:
        """Take an offer of the client's; one of ours that is open will not be answered.

        Args:
            receiving: Identification tags of the sections in which it receives.
            mids: Those of all its sections.
        """
        self.offered_s = -math.inf
        for track in self.all:
            if track.state is TrackState.AGREED and track.mid not in receiving:
                track.state = TrackState.WANTED
            elif track.state is TrackState.UNWANTED and track.mid not in mids:
                track.state = TrackState.IDLE
