"""Statistics of a received RTP stream, for receiver reports (RFC 3550 sections 6.4.1, A.3, A.8)."""

from webrtc.media.rtcp import ReportBlock

RTP_RATE_HZ = 48_000
_MAX_JUMP = 3000  # packets; a larger step is a restart of the sender


class Reception:
    """Counts packets, loss and jitter of one SSRC."""

    def __init__(self, ssrc: int) -> None:
        """Begin to count."""
        self.ssrc = ssrc
        self.packets = 0
        self.jitter = 0.0  # in timestamp units
        self._first = 0
        self._highest = 0  # extended
        self._transit: float | None = None
        self._expected_before = 0
        self._received_before = 0
        self._last_sr = 0
        self._last_sr_s = 0.0

    @property
    def lost(self) -> int:
        """Packets lost since the beginning; negative with duplicates."""
        return self._highest - self._first + 1 - self.packets if self.packets else 0

    def count(self, sequence: int, timestamp: int, arrival_s: float) -> None:
        """Take note of a packet that passed authentication."""
        if self.packets == 0:
            self._first = self._highest = sequence
        else:
            step = (sequence - self._highest) & 0xFFFF
            if step < 0x8000:
                if step > _MAX_JUMP:
                    self._restart(sequence)
                    return
                self._highest += step
        self.packets += 1
        transit = arrival_s * RTP_RATE_HZ - timestamp
        if self._transit is not None:
            change = abs(transit - self._transit)
            if change < RTP_RATE_HZ:  # wrap-around of the timestamp, or a restart
                self.jitter += (change - self.jitter) / 16
        self._transit = transit

    def follow(self, packets: int, jitter: float) -> None:
        """Take note of packets that came in order and were counted elsewhere.

        Args:
            packets: How many.
            jitter: As of the last of them.
        """
        self.packets += packets
        self._highest += packets
        self.jitter = jitter
        self._transit = None

    def sender_report(self, ntp_middle: int, arrival_s: float) -> None:
        """Take note of an SR of this stream."""
        self._last_sr = ntp_middle
        self._last_sr_s = arrival_s

    def block(self, now_s: float) -> ReportBlock:
        """Return what is reported now; the fraction lost covers the time since the last call."""
        expected = self._highest - self._first + 1
        new = expected - self._expected_before
        gone = new - (self.packets - self._received_before)
        self._expected_before, self._received_before = expected, self.packets
        fraction = max(0.0, gone / new) if new > 0 else 0.0
        delay = int((now_s - self._last_sr_s) * 65536) if self._last_sr else 0
        return ReportBlock(
            self.ssrc,
            fraction,
            self.lost,
            self._highest,
            int(self.jitter),
            self._last_sr,
            max(0, delay),
        )

    def _restart(self, sequence: int) -> None:
        self.packets = 1
        self._first = self._highest = sequence
        self._transit = None
        self._expected_before = self._received_before = 0
