"""Where a speaking participant's packets come from."""

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from benchmarks.load.clip import Clip, level_byte
from webrtc.media.opus import Application, Encoder, EncoderSettings
from webrtc.media.opus_packets import packet_is_dtx

SAMPLE_RATE_HZ = 48_000


class PacketSource(Protocol):
    """Gives the packets of one stream, in order, one per packet time."""

    packet_samples: int

    def packet(self, number: int) -> tuple[bytes, int] | None:
        """Return the payload and the RFC 6464 byte of packet `number`, called once for each.

        None means that silence goes unsent.
        """

    def handle_loss(self, fraction_lost: float) -> None:
        """Learn from a receiver report what share of the packets was lost, 0 to 1."""


@dataclass(slots=True)
class ClipSource:
    """Plays a loop of encoded packets from its packet `start` on."""

    clip: Clip
    start: int = 0
    packet_samples: int = field(init=False)

    def __post_init__(self) -> None:
        self.packet_samples = self.clip.packet_samples

    def packet(self, number: int) -> tuple[bytes, int]:
        """Return the loop's next packet."""
        at = (self.start + number) % len(self.clip.packets)
        return self.clip.packets[at], self.clip.levels[at]

    def handle_loss(self, fraction_lost: float) -> None:
        """Ignore it: what is encoded is encoded."""


class LiveSource:
    """Encodes as Chromium does: what the answer asked for, and FEC by the reported loss.

    The loss that the encoder is told rises at once and falls slowly, as in Chromium, whose smoother
    keeps the encoder from forgetting a bad network between two bad moments.
    """

    _FALL = 0.7

    def __init__(
        self,
        pcm: npt.NDArray[np.float32],
        ptime_ms: int,
        bitrate_bps: int,
        *,
        stereo: bool,
        dtx: bool,
    ) -> None:
        """Play `pcm`, (samples, 1), once; beyond its end comes silence.

        Args:
            pcm: 48 kHz.
            ptime_ms: packet time.
            bitrate_bps: of the encoder.
            stereo: two equal channels and OPUS_APPLICATION_AUDIO, else one and VOIP.
            dtx: whether silence goes unsent.
        """
        self.packet_samples = ptime_ms * SAMPLE_RATE_HZ // 1000
        channels = 2 if stereo else 1
        application = Application.AUDIO if stereo else Application.VOIP
        self._settings = EncoderSettings(
            application, bitrate_bps, complexity=9, inband_fec=True, dtx=dtx
        )
        self._silent = False
        self._encoder = Encoder(self._settings, channels)
        self._pcm = np.ascontiguousarray(np.repeat(pcm, channels, axis=1))
        self._silence = np.zeros((self.packet_samples, channels), np.float32)
        self._loss = 0.0

    def packet(self, number: int) -> tuple[bytes, int] | None:
        """Encode the next packet; of a run of DTX packets Chromium sends the first."""
        at = number * self.packet_samples
        block = self._pcm[at : at + self.packet_samples]
        if len(block) < self.packet_samples:
            block = self._silence
        payload = self._encoder.encode(block)
        was_silent, self._silent = self._silent, packet_is_dtx(payload)
        return None if was_silent and self._silent else (payload, level_byte(block))

    def handle_loss(self, fraction_lost: float) -> None:
        """Tell the encoder, which spends bits on FEC accordingly."""
        self._loss = max(fraction_lost, self._loss * self._FALL)
        percent = min(round(100 * self._loss), 100)
        if percent != self._settings.packet_loss_percent:
            self._settings = replace(self._settings, packet_loss_percent=percent)
            self._encoder.apply(self._settings)


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """How to make a `ClipSource` in the media process."""

    clip: Clip
    start: int = 0

    def build(self) -> PacketSource:
        """Return the source."""
        return ClipSource(self.clip, self.start)


@dataclass(frozen=True, slots=True)
class LivePlan:
    """How to make a `LiveSource` in the media process."""

    pcm: npt.NDArray[np.float32]
    ptime_ms: int
    bitrate_bps: int
    stereo: bool
    dtx: bool

    def build(self) -> PacketSource:
        """Return the source."""
        return LiveSource(
            self.pcm, self.ptime_ms, self.bitrate_bps, stereo=self.stereo, dtx=self.dtx
        )


SourcePlan = ClipPlan | LivePlan
