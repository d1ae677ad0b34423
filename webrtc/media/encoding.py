"""The encoder of an output: what leaves, and what is left unsaid.

A packet to which somebody new listens is coded without prediction, so that it decodes on top of
whatever that listener heard before.

Silence is not encoded. Once the encoder has given away the end of the sound that it holds
(`TAIL_MS`), one packet, prepared once for all outputs of a kind, is sent until `FLUSH_MS` are over
and the decoder holds nothing but silence; then one byte says "go on" (a DTX frame, RFC 6716 section
3.1) every 400 ms for a while, and after that nothing is sent at all.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from mixer.arena import BLOCK_10MS
from mixer.outputs import Output
from mixer.room import QUIET_PACKETS
from webrtc.media.opus import Application, Encoder, EncoderSettings, Signal

TAIL_MS = 20  # more than any mode looks ahead
FLUSH_MS = 100  # then what SILK and its comfort noise still say is below -58 dBFS
DTX_EVERY_MS = 400
_FRAME_CODE = 0x03


def tier_settings(complexity: int) -> tuple[EncoderSettings, ...]:
    """Return the encoder settings of each bitrate tier, the best first.

    Args:
        complexity: 0 to 10, for the best tier; SILK costs more and gets less.
    """
    speech = EncoderSettings(
        application=Application.VOIP,
        signal=Signal.VOICE,  # with FEC and loss this makes libopus choose SILK or hybrid
        inband_fec=True,
        complexity=min(complexity, 3),
    )
    return (
        EncoderSettings(
            application=Application.RESTRICTED_LOWDELAY, bitrate_bps=96_000, complexity=complexity
        ),
        # 56 kb/s costs a quarter of a point of PESQ-WB at 5 % loss, and as much CPU.
        replace(speech, bitrate_bps=80_000, packet_loss_percent=10),
        replace(speech, bitrate_bps=28_000, packet_loss_percent=25, force_channels=1),
    )


@cache
def silence(settings: EncoderSettings, ptime_ms: int) -> bytes:
    """Return a payload of silence that decodes on top of whatever was before."""
    encoder = Encoder(replace(settings, prediction_disabled=True))
    return encoder.encode(np.zeros((ptime_ms * BLOCK_10MS // 10, 2), np.float32))


@dataclass(frozen=True, slots=True)
class EncodedPacket:
    """A payload to send; `marker` begins a talk spurt."""

    payload: bytes
    marker: bool


class OutputEncoder:
    """Encoder of one output."""

    __slots__ = (
        "_encoder",
        "_fresh",
        "_paused",
        "_ptime_ms",
        "_settings",
        "_tail",
        "_toc",
    )

    def __init__(self, settings: EncoderSettings, ptime_ms: int) -> None:
        """Make an encoder; it costs some 20 KB."""
        self._settings = settings
        self._ptime_ms = ptime_ms
        self._encoder = Encoder(settings)
        self._fresh = replace(settings, prediction_disabled=True)
        self._paused = False
        self._tail = 0  # packets until it has given away all that it holds
        self._toc = b"\xfc"

    @property
    def pointer(self) -> int:
        """Address of libopus's state, for compiled code that encodes while `is_flowing`."""
        return self._encoder.pointer

    @property
    def is_flowing(self) -> bool:
        """Whether the next packet goes on from the last one: it is sound, coded as ever."""
        return not self._paused and self._encoder.settings is self._settings

    def note_toc(self, toc: int) -> None:
        """Take note of the first byte of a payload that compiled code encoded."""
        self._toc = bytes([toc & ~_FRAME_CODE])

    @property
    def bitrate_bps(self) -> int:
        """What it is to spend while there is sound."""
        return self._settings.bitrate_bps

    def packet(self, output: Output, sound: npt.NDArray[np.float32]) -> EncodedPacket | None:
        """Return the packet for a due output, or None when nothing needs to be said.

        Args:
            output: Its state; `joined` and `history` are cleared.
            sound: float32 (480 or 960, 2).
        """
        history, output.history = output.history, None
        if history is not None:
            # A frame's beginning overlaps what was before, filtered by pitch: it must be found.
            for half in (history[:BLOCK_10MS], history[BLOCK_10MS:]):
                self._encoder.encode(half)
            self._tail = TAIL_MS // self._ptime_ms
        joined, output.joined = output.joined, False
        if output.quiet_packets and not self._tail:
            return self._silent(output.quiet_packets, joined=joined)
        fresh = joined or self._paused
        if fresh:
            self._encoder.apply(self._fresh)
        payload = self._encoder.encode(sound)
        if fresh:
            self._encoder.apply(self._settings)
            self._paused = False
        self._tail = self._tail - 1 if output.quiet_packets else TAIL_MS // self._ptime_ms
        self._toc = bytes([payload[0] & ~_FRAME_CODE])
        return EncodedPacket(payload, fresh)

    def _silent(self, packets: int, *, joined: bool) -> EncodedPacket | None:
        """Return what is said after so many silent packets in a row, the present one included."""
        self._paused = True
        beyond = packets - FLUSH_MS // self._ptime_ms
        if beyond <= 0 or joined:
            payload = silence(self._settings, self._ptime_ms)
            self._toc = bytes([payload[0] & ~_FRAME_CODE])
            return EncodedPacket(payload, joined)
        if packets > QUIET_PACKETS or (beyond - 1) % (DTX_EVERY_MS // self._ptime_ms):
            return None
        return EncodedPacket(self._toc, False)
