"""Sender reports of what a peer is sent: its mix and its tracks (RFC 3550 section 6.4)."""

from collections.abc import Iterable
from typing import Protocol

from webrtc.media import rtcp
from webrtc.media.fanout import SendTable
from webrtc.media.forward_table import ForwardTable
from webrtc.media.tracks import Track

SR_EVERY_S = 4.5


class Clock(Protocol):
    """What tells the time of a peer's streams."""

    table: SendTable
    forward_table: ForwardTable

    def ntp_now(self, now_s: float) -> int:
        """Return the NTP time of an instant on the worker's clock; never jumps."""


class SenderReports:
    """Knows when reports are due, and of which streams: those on which something was sent."""

    def __init__(self, ssrc: int, cname: str, now_s: float) -> None:
        """Report on a peer's mix of this SSRC, and on its tracks, from `now_s` on."""
        self._ssrc = ssrc
        self._cname = cname
        self._next_s = now_s
        self._reported = 0  # packets of the mix sent when it was last reported on

    def due(
        self, clock: Clock, row: int | None, tracks: Iterable[Track], media_time: int, now_s: float
    ) -> list[bytes]:
        """Return the reports that are due, and who the tracks belong to.

        Args:
            clock: The worker.
            row: The peer's of the fan-out table, None while it may not be sent to.
            tracks: Its further tracks.
            media_time: Of its mix, in samples.
            now_s: The present.
        """
        if row is None or now_s < self._next_s:
            return []
        self._next_s = now_s + SR_EVERY_S
        ntp = clock.ntp_now(now_s)
        parts = []
        packets, octets, _ = clock.table.counters(row)
        if packets != self._reported:
            self._reported = packets
            timestamp = clock.table.timestamp(row, media_time)
            parts.append(rtcp.sender_report(self._ssrc, ntp, timestamp, packets, octets))
        for track in tracks:
            if track.row is None:
                continue
            packets, octets, timestamp = clock.forward_table.report(track.row, now_s)
            if packets != track.reported:
                track.reported = packets
                parts.append(rtcp.sender_report(track.ssrc, ntp, timestamp, packets, octets))
                parts.append(rtcp.source_description(track.ssrc, self._cname))
        return parts
