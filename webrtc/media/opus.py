"""Opus encoder and decoder.

Every call releases the GIL. One object belongs to one thread at a time.

References: RFC 6716, opus_defines.h.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from webrtc.media.opus_library import INVALID_PACKET, MalformedPacketError, OpusError, library
from webrtc.media.opus_packets import Bandwidth, packet_carries_fec, packet_is_dtx, packet_samples

SAMPLE_RATE_HZ = 48_000
MAX_PACKET_BYTES = 1_275 * 3 + 7  # opus.h's bound for the longest packet that we encode, 60 ms
_RESET_STATE = 4028
_GET_LOOKAHEAD = 4027


class Application(IntEnum):
    """OPUS_APPLICATION_*: what the encoder optimises for. Fixed once encoding has begun."""

    VOIP = 2048
    AUDIO = 2049
    RESTRICTED_LOWDELAY = 2051


class Signal(IntEnum):
    """OPUS_SIGNAL_*: a hint that biases the choice between SILK and CELT."""

    AUTO = -1000
    VOICE = 3001
    MUSIC = 3002


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """Everything an encoder can be told; ranges are those of opus_defines.h.

    Raises:
        ValueError: a field is out of range.
    """

    application: Application = Application.AUDIO
    bitrate_bps: int = 96_000
    complexity: int = 5
    inband_fec: bool = False
    packet_loss_percent: int = 0
    dtx: bool = False
    signal: Signal = Signal.AUTO
    max_bandwidth: Bandwidth = Bandwidth.FULL
    force_channels: int | None = None
    prediction_disabled: bool = False
    """Code every frame so that a decoder may start with it (OPUS_SET_PREDICTION_DISABLED)."""

    def __post_init__(self) -> None:
        _check("bitrate_bps", self.bitrate_bps, 500, 512_000)
        _check("complexity", self.complexity, 0, 10)
        _check("packet_loss_percent", self.packet_loss_percent, 0, 100)
        if self.force_channels is not None:
            _check("force_channels", self.force_channels, 1, 2)

    def _controls(self) -> dict[int, int]:
        """Return the ctl requests, opus_defines.h's number to value, that express the settings."""
        return {
            4002: self.bitrate_bps,
            4010: self.complexity,
            4012: int(self.inband_fec),
            4014: self.packet_loss_percent,
            4016: int(self.dtx),
            4024: int(self.signal),
            4004: int(self.max_bandwidth),
            4022: -1000 if self.force_channels is None else self.force_channels,
            4042: int(self.prediction_disabled),
        }


def _check(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}, must be {low} to {high}")


def encode_address() -> int:
    """Return the address of `opus_encode_float`, for compiled code."""
    opus = library()
    return int(opus.ffi.cast("uintptr_t", opus.lib.opus_encode_float))


def decode_address() -> int:
    """Return the address of `opus_decode_float`, for compiled code."""
    opus = library()
    return int(opus.ffi.cast("uintptr_t", opus.lib.opus_decode_float))


class Encoder:
    """Opus encoder at 48 kHz."""

    def __init__(self, settings: EncoderSettings, channels: int = 2) -> None:
        """Create an encoder of `channels` (1 or 2) interleaved channels.

        Raises:
            OpusError: libopus refused the parameters.
        """
        opus = library()
        self._ffi = opus.ffi
        self._lib = opus.lib
        self._channels = channels
        error = self._ffi.new("int *")
        state = self._lib.opus_encoder_create(
            SAMPLE_RATE_HZ, channels, int(settings.application), error
        )
        if error[0]:
            raise OpusError(error[0])
        self._state = self._ffi.gc(state, self._lib.opus_encoder_destroy)
        self._packet = self._ffi.new("unsigned char[]", MAX_PACKET_BYTES)
        self._packet_bytes = self._ffi.buffer(self._packet)
        self._encode = self._lib.opus_encode_float
        self._from_buffer = self._ffi.from_buffer
        self._settings = settings
        self._applied: dict[int, int] = {}
        self.apply(settings)

    @property
    def settings(self) -> EncoderSettings:
        """The settings in force."""
        return self._settings

    @property
    def pointer(self) -> int:
        """Address of the encoder's state, for compiled code; good while this object lives."""
        return int(self._ffi.cast("uintptr_t", self._state))

    @property
    def lookahead_samples(self) -> int:
        """Delay of encoder and decoder together, in samples."""
        value = self._ffi.new("int32_t *")
        self._control(_GET_LOOKAHEAD, value)
        samples: int = value[0]
        return samples

    def apply(self, settings: EncoderSettings) -> None:
        """Put `settings` in force from the next packet on; only what differs reaches libopus.

        Raises:
            ValueError: `settings.application` differs; that needs a new encoder.
            OpusError: libopus refused a value.
        """
        if settings is self._settings and self._applied:
            return
        if settings.application != self._settings.application:
            raise ValueError("the application of an encoder cannot change")
        for request, value in settings._controls().items():
            if self._applied.get(request) != value:
                self._control(request, self._ffi.cast("int32_t", value))
                self._applied[request] = value
        self._settings = settings

    def encode(self, pcm: NDArray[np.float32]) -> bytes:
        """Return one packet of `pcm`, float32 (n, channels), C-contiguous, 2.5 to 60 ms.

        Raises:
            OpusError: n is no Opus frame size.
        """
        length = self._encode(
            self._state,
            self._from_buffer("float[]", pcm),
            len(pcm),
            self._packet,
            MAX_PACKET_BYTES,
        )
        if length < 0:
            raise OpusError(length)
        packet: bytes = self._packet_bytes[:length]
        return packet

    def reset(self) -> None:
        """Forget the signal so far; settings stay."""
        self._control(_RESET_STATE)

    def _control(self, request: int, *argument: object) -> None:
        code = self._lib.opus_encoder_ctl(self._state, request, *argument)
        if code:
            raise OpusError(code)


class Decoder:
    """Opus decoder at 48 kHz, always two channels out; fits `mixer.playout_packet.FrameDecoder`.

    Blocks are float32 (n, 2), C-contiguous, and are written in place.
    """

    def __init__(self) -> None:
        opus = library()
        self._ffi = opus.ffi
        self._lib = opus.lib
        error = self._ffi.new("int *")
        state = self._lib.opus_decoder_create(SAMPLE_RATE_HZ, 2, error)
        if error[0]:
            raise OpusError(error[0])
        self._state = self._ffi.gc(state, self._lib.opus_decoder_destroy)
        self._decode = self._lib.opus_decode_float
        self._from_buffer = self._ffi.from_buffer
        self._null = self._ffi.NULL

    @property
    def pointer(self) -> int:
        """Address of the decoder's state, for compiled code; good while this object lives."""
        return int(self._ffi.cast("uintptr_t", self._state))

    def decode(self, payload: bytes, out: NDArray[np.float32]) -> int:
        """Decode `payload` into the start of `out`; return the samples written.

        Raises:
            MalformedPacketError: `payload` is no Opus packet or does not fit `out`.
        """
        if not payload:  # libopus would read an empty payload as a lost packet
            raise MalformedPacketError(INVALID_PACKET)
        samples: int = self._decode(
            self._state, payload, len(payload), self._from_buffer("float[]", out), len(out), 0
        )
        if samples < 0:
            raise MalformedPacketError(samples)
        return samples

    def decode_fec(self, payload: bytes, out: NDArray[np.float32]) -> int:
        """Fill `out` with the sound that ends where `payload` begins; return its length.

        The last packet's worth comes from the copy inside `payload`, where it carries one; all
        else is concealed. The length of `out` is a multiple of 120 samples.

        Raises:
            MalformedPacketError: `payload` is no Opus packet, or the length of `out` is wrong.
        """
        if not payload:
            raise MalformedPacketError(INVALID_PACKET)
        samples: int = self._decode(
            self._state, payload, len(payload), self._from_buffer("float[]", out), len(out), 1
        )
        if samples < 0:
            raise MalformedPacketError(samples)
        return samples

    def conceal(self, out: NDArray[np.float32]) -> int:
        """Fill `out`, a multiple of 120 samples, as if its packet were lost; return its length.

        Raises:
            OpusError: the length of `out` is wrong.
        """
        samples: int = self._decode(
            self._state, self._null, 0, self._from_buffer("float[]", out), len(out), 0
        )
        if samples < 0:
            raise OpusError(samples)
        return samples

    def reset(self) -> None:
        """Forget everything decoded so far."""
        code = self._lib.opus_decoder_ctl(self._state, _RESET_STATE)
        if code:
            raise OpusError(code)

    def samples(self, payload: bytes) -> int:
        """Return the duration of `payload`; see `packet_samples`."""
        return packet_samples(payload)

    def is_dtx(self, payload: bytes) -> bool:
        """Return whether `payload` says silence; see `packet_is_dtx`."""
        return packet_is_dtx(payload)

    def carries_fec(self, payload: bytes) -> bool:
        """Return whether `payload` holds a copy of its predecessor; see `packet_carries_fec`."""
        return packet_carries_fec(payload)
