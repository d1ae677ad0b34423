"""libopus through cffi's ABI mode: no compiler is needed.

The system's library is preferred; PyAV's wheel brings a copy for the others.
"""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import cffi

from mixer.playout_packet import DecodeError

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


class OpusError(Exception):
    """libopus refused a call; `code` is its negative return value."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"libopus: {library().explain(code)} ({code})")


class MalformedPacketError(OpusError, DecodeError):
    """The payload is no Opus packet, or is longer than the room given for it."""


class OpusLibraryMissingError(RuntimeError):
    """Neither the system nor PyAV's wheel has a libopus."""


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


INVALID_PACKET = -4  # OPUSINVALID_PACKET
