"""libopus through cffi's ABI mode: encoder, decoder and a reader of packet headers.

No compiler is needed. The system's library is preferred; PyAV's wheel brings a copy for the others.
Every call releases the GIL. One object belongs to one thread at a time.

References: RFC 6716 (packet format in section 3, SILK header bits in 4.2.3), opus_defines.h.
"""

import importlib.util
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import cache
from pathlib import Path
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from mixer.playout_packet import DecodeError

SAMPLE_RATE_HZ = 48_000
MAX_PACKET_SAMPLES = 5_760  # 120 ms, the longest packet of RFC 6716
MAX_PACKET_BYTES = 1_275 * 3 + 7  # opus.h's bound for the longest packet that we encode, 60 ms

_DEFINITIONS = """
typedef struct OpusEncoder OpusEncoder;
typedef struct OpusDecoder OpusDecoder;
OpusEncoder *opus_encoder_create(int32_t fs, int channels, int application, int *error);
int32_t opus_encode_float(OpusEncoder *st, const float *pcm, int frame_size,
                          unsigned char *data, int32_t max_data_bytes);
int opus_encoder_ctl(OpusEncoder *st, int request, ...);
void opus_encoder_destroy(OpusEncoder *st);
OpusDecoder *opus_decoder_create(int32_t fs, int channels, int *error);
int opus_decode_float(OpusDecoder *st, const unsigned char *data, int32_t len,
                      float *pcm, int frame_size, int decode_fec);
int opus_decoder_ctl(OpusDecoder *st, int request, ...);
void opus_decoder_destroy(OpusDecoder *st);
const char *opus_get_version_string(void);
const char *opus_strerror(int error);
"""

_RESET_STATE = 4028
_GET_LOOKAHEAD = 4027


class OpusError(Exception):
    """libopus refused a call; `code` is its negative return value."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"libopus: {library().explain(code)} ({code})")


class MalformedPacketError(OpusError, DecodeError):
    """The payload is no Opus packet, or is longer than the room given for it."""


class OpusLibraryMissingError(RuntimeError):
    """Neither the system nor PyAV's wheel has a libopus."""


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


class Bandwidth(IntEnum):
    """OPUS_BANDWIDTH_*: highest frequency coded."""

    NARROW = 1101  # 4 kHz
    MEDIUM = 1102  # 6 kHz
    WIDE = 1103  # 8 kHz
    SUPERWIDE = 1104  # 12 kHz
    FULL = 1105  # 20 kHz


class Mode(Enum):
    """Coder of a packet's frames; only the first two can carry in-band FEC."""

    SILK = "silk"
    HYBRID = "hybrid"
    CELT = "celt"


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


class Library:
    """A loaded libopus."""

    def __init__(self, path: str) -> None:
        """Load `path`; raises OSError when there is no such library."""
        self.path = path
        self.ffi: Any = cffi.FFI()
        self.ffi.cdef(_DEFINITIONS)
        self.lib: Any = self.ffi.dlopen(path)
        self.version: str = self.ffi.string(self.lib.opus_get_version_string()).decode()

    def explain(self, code: int) -> str:
        """Return libopus's own words for an error code."""
        text: bytes = self.ffi.string(self.lib.opus_strerror(code))
        return text.decode()


def _candidates() -> list[str]:
    paths = ["libopus.so.0", "libopus.0.dylib"]
    spec = importlib.util.find_spec("av")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent.parent / "av.libs"
        paths += sorted(str(path) for path in bundled.glob("libopus*.so*"))
    return paths


@cache
def library() -> Library:
    """Return the process's libopus, loaded at the first call.

    Raises:
        OpusLibraryMissingError: none was found.
    """
    for path in _candidates():
        try:
            return Library(path)
        except OSError:
            continue
    raise OpusLibraryMissingError("no libopus found: install it (Debian: libopus0) or PyAV's wheel")


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
            raise MalformedPacketError(_INVALID_PACKET)
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
            raise MalformedPacketError(_INVALID_PACKET)
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


# ---- packet headers ------------------------------------------------------------------------

_INVALID_PACKET = -4  # OPUS_INVALID_PACKET
_FRAME_SAMPLES = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4
"""Samples of one frame by configuration number, RFC 6716 table 2."""

_BANDWIDTHS = (
    (Bandwidth.NARROW,) * 4
    + (Bandwidth.MEDIUM,) * 4
    + (Bandwidth.WIDE,) * 4
    + (Bandwidth.SUPERWIDE,) * 2
    + (Bandwidth.FULL,) * 2
    + (Bandwidth.NARROW,) * 4
    + (Bandwidth.WIDE,) * 4
    + (Bandwidth.SUPERWIDE,) * 4
    + (Bandwidth.FULL,) * 4
)


@dataclass(frozen=True, slots=True)
class PacketInfo:
    """What the header of a packet says."""

    mode: Mode
    bandwidth: Bandwidth
    channels: int
    frames: int
    samples: int
    carries_fec: bool
    is_dtx: bool


def packet_samples(payload: bytes) -> int:
    """Return the duration of `payload` in samples at 48 kHz, 120 to 5760.

    Raises:
        MalformedPacketError: the header breaks rule R1, R5 or R6 of RFC 6716, section 3.4.
    """
    if not payload:
        raise MalformedPacketError(_INVALID_PACKET)
    toc = payload[0]
    code = toc & 3
    samples = _FRAME_SAMPLES[toc >> 3]
    if code == 0:
        return samples
    if code != 3:
        return 2 * samples
    if len(payload) < 2:
        raise MalformedPacketError(_INVALID_PACKET)
    samples *= payload[1] & 0x3F
    if not 0 < samples <= MAX_PACKET_SAMPLES:
        raise MalformedPacketError(_INVALID_PACKET)
    return samples


def packet_is_dtx(payload: bytes) -> bool:
    """Return whether `payload` is a DTX packet: a header with no or one byte behind it."""
    return len(payload) <= 2


def packet_mode(payload: bytes) -> Mode:
    """Return the coder of the frames of a packet that is not empty."""
    configuration = payload[0] >> 3
    if configuration < 12:
        return Mode.SILK
    return Mode.HYBRID if configuration < 16 else Mode.CELT


def packet_carries_fec(payload: bytes) -> bool:
    """Return whether the SILK layer has a redundant copy (LBRR) of the packet before this one.

    Only the first frame's flags count, as in libopus; False for packets that cannot be read.
    """
    if len(payload) < 2 or payload[0] >> 3 >= 16:
        return False
    start = _first_frame(payload)
    if start is None:
        return False
    flags = payload[start]
    silk_frames = max(1, _FRAME_SAMPLES[payload[0] >> 3] // 960)
    # One voice-activity bit for each 20 ms, then the LBRR bit; the side channel's follow.
    found = flags >> (7 - silk_frames) & 1
    if payload[0] & 0x04:
        found |= flags >> (6 - 2 * silk_frames) & 1
    return bool(found)


def inspect(payload: bytes) -> PacketInfo:
    """Return what the header of `payload` says.

    Raises:
        MalformedPacketError: as `packet_samples`.
    """
    samples = packet_samples(payload)
    configuration = payload[0] >> 3
    return PacketInfo(
        mode=packet_mode(payload),
        bandwidth=_BANDWIDTHS[configuration],
        channels=2 if payload[0] & 0x04 else 1,
        frames=samples // _FRAME_SAMPLES[configuration],
        samples=samples,
        carries_fec=packet_carries_fec(payload),
        is_dtx=packet_is_dtx(payload),
    )


def _first_frame(payload: bytes) -> int | None:
    """Return the offset of the first frame's first byte, or None where the packet has none."""
    code = payload[0] & 3
    if code == 2:
        start = 1 + _length_bytes(payload[1])
    elif code == 3:
        start = _behind_code_3_header(payload)
    else:
        start = 1
    return start if start < len(payload) else None


def _behind_code_3_header(payload: bytes) -> int:
    """Return the offset behind count, padding and frame lengths (RFC 6716, section 3.2.5)."""
    header = payload[1]
    start = 2
    if header & 0x40:
        while start < len(payload) and payload[start] == 255:
            start += 1
        start += 1
    if header & 0x80:
        for _ in range((header & 0x3F) - 1):
            if start >= len(payload):
                break
            start += _length_bytes(payload[start])
    return start


def _length_bytes(first: int) -> int:
    """Return the size of a frame length by its first byte (RFC 6716, section 3.2.1)."""
    return 2 if first >= 252 else 1
