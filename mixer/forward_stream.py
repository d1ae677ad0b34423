"""One output track of a forward room: packets of changing sources as one unbroken RTP stream.

A *stretch* is what one source sends to the track without a break. Within it the distances between
the source's sequence numbers and timestamps stay as they are, so that what got lost on the way to
us is a loss to the browser too, and what was never sent (DTX) is none.

| packet                                       | what leaves                                       |
|----------------------------------------------|---------------------------------------------------|
| the first of all                             | the numbers that the stream was made with         |
| the first of a stretch                       | the next sequence number; as much later as it is  |
|                                              | in reality, at least the length of the last one   |
| newer, by a step that a sender makes         | the same step                                     |
| newer, by an implausible one                 | as the first of a stretch                         |
| older, of this stretch                       | its own place                                     |
| older than the stretch, or than `MAX_BEHIND` | nothing                                           |

So timestamps never fall behind the clock, and run ahead of it by one packet at most: switching
adds up to no delay. The first packet of a stretch carries the marker (RFC 3551, section 4.1).
"""

from typing import Final, NamedTuple

from mixer.arena import SAMPLE_RATE_HZ

MAX_AHEAD: Final = 100
"""Packets; a larger step is no loss but another numbering."""
MAX_BEHIND: Final = 64
"""Packets; SRTP's replay window reaches no further back (RFC 3711, section 3.3.2)."""
MAX_PAUSE: Final = 2 * SAMPLE_RATE_HZ
"""Samples from one packet to the next; DTX says something twice a second at least."""
MAX_ELAPSED: Final = 3600 * SAMPLE_RATE_HZ
"""Samples by which a stream goes on after a pause, so that no receiver takes it for a step back."""


class Rewritten(NamedTuple):
    """The header fields of a packet that leaves."""

    sequence: int
    timestamp: int
    marker: bool


class OutputStream:
    """Numbers of one output, as `webrtc.media.forward_table` keeps them in a record.

    Attributes:
        sequence: Of the newest packet that left.
        timestamp: Of the same.
        sent_s: When it came.
    """

    __slots__ = (
        "_begun",
        "_first",
        "_fresh",
        "_samples",
        "_sequence_in",
        "_sequence_offset",
        "_timestamp_in",
        "_timestamp_offset",
        "sent_s",
        "sequence",
        "timestamp",
    )

    def __init__(self, sequence: int, timestamp: int) -> None:
        """Make a stream whose first packet has these numbers (16 and 32 bits)."""
        self.sequence = sequence
        self.timestamp = timestamp
        self.sent_s = 0.0
        self._begun = False
        self._fresh = True
        self._samples = 0
        self._first = 0  # sequence number in the source's own count with which the stretch began
        self._sequence_in = 0
        self._timestamp_in = 0
        self._sequence_offset = 0
        self._timestamp_offset = 0

    def break_off(self) -> None:
        """Take note that the next packet begins a stretch: it comes from another source."""
        self._fresh = True

    def rewrite(
        self, sequence: int, timestamp: int, samples: int, marker: bool, arrival_s: float
    ) -> Rewritten | None:
        """Return what leaves for a source's packet; None if it comes too late to.

        Args:
            sequence: As the source counts.
            timestamp: As the source counts.
            samples: Length of the packet at 48 kHz.
            marker: As the source set it.
            arrival_s: When it came.
        """
        step = (sequence - self._sequence_in + 0x8000 & 0xFFFF) - 0x8000
        pause = (timestamp - self._timestamp_in + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        if not self._fresh and step <= 0:
            since_first = (sequence - self._first + 0x8000 & 0xFFFF) - 0x8000
            if -step > MAX_BEHIND or since_first < 0:
                return None
            return Rewritten(
                sequence + self._sequence_offset & 0xFFFF,
                timestamp + self._timestamp_offset & 0xFFFFFFFF,
                marker,
            )
        if self._fresh or step > MAX_AHEAD or not 0 < pause <= MAX_PAUSE:
            if self._begun:
                elapsed = int((arrival_s - self.sent_s) * SAMPLE_RATE_HZ + 0.5)
                later = min(max(elapsed, self._samples), MAX_ELAPSED)
                self.sequence = self.sequence + 1 & 0xFFFF
                self.timestamp = self.timestamp + later & 0xFFFFFFFF
            self._begun = True
            self._fresh = False
            self._first = sequence
            self._sequence_offset = self.sequence - sequence & 0xFFFF
            self._timestamp_offset = self.timestamp - timestamp & 0xFFFFFFFF
            marker = True
        else:
            self.sequence = self.sequence + step & 0xFFFF
            self.timestamp = self.timestamp + pause & 0xFFFFFFFF
            if (sequence - self._first & 0xFFFF) > 0x4000:
                self._first = sequence - 0x4000 & 0xFFFF  # it must not come round again
        self._sequence_in, self._timestamp_in = sequence, timestamp
        self._samples = samples
        self.sent_s = arrival_s
        return Rewritten(self.sequence, self.timestamp, marker)
