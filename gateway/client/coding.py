"""From the microphone's blocks to payloads, and from payloads to the loudspeaker's blocks.

All sound of the client runs in blocks of 10 ms at 48 kHz. What comes in is kept in the same
playouts that the server uses, which follow the server's clock by resampling (`pcm`) or stretching
(`opus`); so the loudspeaker may keep its own.
"""

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from gateway.wire.datagrams import CHUNK_BYTES, SILENT_CHUNK, PayloadKind, read_opus, write_opus
from gateway.wire.incoming import ChunkPlayout
from gateway.wire.outgoing import ChunkStream
from mixer.arena import BLOCK_10MS
from mixer.playout import Playout
from mixer.playout_packet import MediaPacket, Pull
from webrtc.media.opus import Application, Decoder, Encoder, EncoderSettings, Signal

Mono = npt.NDArray[np.float32]

BLOCK: Final = BLOCK_10MS

_SETTINGS: Final = EncoderSettings(
    application=Application.VOIP,
    signal=Signal.VOICE,
    bitrate_bps=40_000,  # with headers and id, a tenth of the samples' bandwidth
    complexity=5,
    inband_fec=True,
    packet_loss_percent=5,
)


class Speech(Protocol):
    """Makes payloads of the microphone's blocks."""

    def add(self, block: Mono) -> bytes | None:
        """Take 10 ms, float32 (480,); return a payload once there is enough for one."""

    def skip(self) -> None:
        """Leave 10 ms out: nobody speaks."""

    def silence(self) -> bytes:
        """Return a payload of silence, out of turn."""


class PcmSpeech:
    """Chunks of samples."""

    def __init__(self) -> None:
        """Begin after silence."""
        self._stream = ChunkStream()

    def add(self, block: Mono) -> bytes | None:
        """See `Speech`."""
        return self._stream.add(np.broadcast_to(block[:, None], (len(block), 2)))

    def skip(self) -> None:
        """See `Speech`; chunks have no time."""

    def silence(self) -> bytes:
        """See `Speech`."""
        return SILENT_CHUNK


class OpusSpeech:
    """Opus packets of 10 ms."""

    def __init__(self) -> None:
        """Begin at time 0."""
        self._encoder = Encoder(_SETTINGS, channels=1)
        self._sequence = 0
        self._time = 0

    def add(self, block: Mono) -> bytes | None:
        """See `Speech`: each block makes a payload."""
        packet = self._encoder.encode(block[:, None])
        payload = write_opus(self._sequence, self._time, packet)
        self._sequence += 1
        self._time += BLOCK
        return payload

    def skip(self) -> None:
        """See `Speech`: time goes on, numbers do not, so that nothing seems lost."""
        self._time += BLOCK

    def silence(self) -> bytes:
        """See `Speech`."""
        payload = self.add(np.zeros(BLOCK, np.float32))
        assert payload is not None, "each block makes one"
        return payload


def speech(kind: PayloadKind) -> Speech:
    """Return what makes payloads of that kind."""
    return PcmSpeech() if kind == "pcm" else OpusSpeech()


class Hearing:
    """What comes from the server, block by block for the loudspeaker."""

    def __init__(self, kind: PayloadKind) -> None:
        """Begin in silence."""
        self._chunks = ChunkPlayout() if kind == "pcm" else None
        self._packets = Playout(Decoder()) if kind == "opus" else None
        self._block = np.zeros((BLOCK, 2), np.float32)

    def push(self, payload: bytes, now_s: float) -> None:
        """Take a payload of the server's; what is none is ignored."""
        if self._chunks is not None:
            if len(payload) == CHUNK_BYTES:
                self._chunks.push(payload, now_s)
        elif self._packets is not None and (packet := read_opus(payload)) is not None:
            self._packets.push(MediaPacket(*packet, now_s))

    def close(self) -> None:
        """Let go what libraries miss at the end of the process; nothing may be pushed any more."""
        if self._chunks is not None:
            self._chunks.close()

    def pull(self, now_s: float) -> Mono:
        """Return the next 10 ms, float32 (480,)."""
        playout = self._chunks or self._packets
        assert playout is not None, "there is one for each kind"
        if playout.pull(self._block, now_s) is Pull.SILENT:
            self._block[:] = 0.0
        mono: Mono = self._block.mean(axis=1)
        return mono
