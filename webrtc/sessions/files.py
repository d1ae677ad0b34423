"""Clips as files, made while they are sent: WAV from any byte on, FLAC and Opus from the beginning.

Memory does not depend on the length. PyAV's encoders run in a thread, a second of sound at a time.
"""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any, Final, Literal

import av
import numpy as np

from archive.encodings import ENCODINGS, SampleFormat
from archive.samples import encode
from archive.wav import wav_header
from webrtc.sessions.clips import Clip, Sound

FileFormat = Literal["wav", "flac", "opus"]
CONTENT_TYPES: Final[dict[str, str]] = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "opus": "audio/ogg; codecs=opus",
}
ENDINGS: Final[dict[str, str]] = {"wav": "wav", "flac": "flac", "opus": "opus"}

_CHANNELS: Final = 2
_OPUS_BITRATE: Final = 96_000


class WavFile:
    """A clip as a WAV file: 16 bits, stereo, at the clip's rate."""

    def __init__(self, clip: Clip) -> None:
        """Prepare; nothing is read yet."""
        self._clip = clip
        self._format = SampleFormat(ENCODINGS["s16le"], clip.rate_hz, _CHANNELS)
        self._header = wav_header(self._format, clip.frames * self._format.frame_size)

    @property
    def size(self) -> int:
        """Return its length in bytes."""
        return len(self._header) + self._clip.frames * self._format.frame_size

    async def read(self, begin: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `begin` up to `end`.

        Raises:
            SessionStoreError: the store is away.
        """
        head = len(self._header)
        if begin < head:
            yield self._header[begin : min(end, head)]
        if end <= head:
            return
        size = self._format.frame_size
        at = max(begin, head) - head
        until = end - head
        first, last = at // size, -(-until // size)
        skip, left = at - first * size, until - at
        async for block in self._clip.blocks(first, last):
            data = encode(block, self._format.encoding)[skip:][:left]
            skip = 0
            left -= len(data)
            if data:
                yield data


async def read_file(clip: Clip, form: FileFormat) -> AsyncIterator[bytes]:
    """Yield a clip as a file from its beginning to its end.

    Raises:
        SessionStoreError: the store is away.
    """
    if form == "wav":
        wav = WavFile(clip)
        async for data in wav.read(0, wav.size):
            yield data
        return
    encoder = _Encoder(form, clip.rate_hz)
    begun = form != "flac"
    try:
        async for block in clip.blocks(0, clip.frames):
            data = await asyncio.to_thread(encoder.take, block)
            if data and not begun:
                data, begun = flac_with_length(data, clip.frames), True
            if data:
                yield data
        yield await asyncio.to_thread(encoder.finish)
    finally:
        encoder.close()


def flac_with_length(head: bytes, frames: int) -> bytes:
    """Return the beginning of a FLAC file with its length in STREAMINFO (RFC 9639, section 8.2).

    An encoder that cannot seek leaves it unknown, and then some players cannot seek either.
    """
    at = 4 + 4 + 10  # "fLaC", block header, block and frame sizes
    if head[:4] != b"fLaC" or len(head) < at + 8:
        return head
    fields = int.from_bytes(head[at : at + 8], "big") & ~((1 << 36) - 1) | frames & (1 << 36) - 1
    return head[:at] + fields.to_bytes(8, "big") + head[at + 8 :]


class _Pipe(io.RawIOBase):
    """What the muxer writes, until it is taken; cannot be read or sought in."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


class _Encoder:
    """PyAV's encoder and muxer, fed with float32 (n, 2)."""

    def __init__(self, form: FileFormat, rate_hz: int) -> None:
        self._pipe = _Pipe()
        container, codec, coded_hz = (
            ("flac", "flac", rate_hz) if form == "flac" else ("ogg", "libopus", 48_000)
        )
        self._file = av.open(self._pipe, "w", format=container)
        stream: Any = self._file.add_stream(codec, rate=coded_hz)
        stream.layout = "stereo"
        if form == "opus":
            stream.bit_rate = _OPUS_BITRATE
        stream.format = "s16" if form == "flac" else "flt"
        stream.codec_context.open()
        self._stream = stream
        self._resampler = av.AudioResampler(
            stream.format.name, "stereo", coded_hz, stream.codec_context.frame_size or None
        )
        self._rate_hz = rate_hz
        self._time = 0
        self._open = True

    def take(self, sound: Sound) -> bytes:
        """Take some sound; return what there is of the file."""
        packed = np.ascontiguousarray(sound).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout="stereo")
        frame.sample_rate = self._rate_hz
        frame.pts = self._time
        self._time += len(sound)
        self._code(self._resampler.resample(frame))
        return self._pipe.take()

    def finish(self) -> bytes:
        """Return the rest of the file."""
        if self._time:
            self._code(self._resampler.resample(None))
        self._file.mux(self._stream.encode(None))
        self.close()
        return self._pipe.take()

    def close(self) -> None:
        """Give everything back; may be called again."""
        if self._open:
            self._open = False
            self._file.close()

    def _code(self, frames: list[Any]) -> None:
        for frame in frames:
            self._file.mux(self._stream.encode(frame))
