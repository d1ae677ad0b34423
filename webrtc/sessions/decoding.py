"""Files of unknown origin to samples: of a recognised container only, and no more than a bound.

The container is named to FFmpeg, not guessed by it, and read from memory: a blob can open no file,
no playlist and no address.
"""

import io
from typing import Final

import av
import numpy as np

from archive.containers import Container
from archive.encodings import ENCODINGS, SampleFormat
from archive.wav import WavError, read_wav
from webrtc.sessions.clips import SampleClip

MAX_DECODED_BYTES: Final = 192 << 20
_FORMATS: Final = {"flac": "flac", "ogg": "ogg", "opus": "ogg", "mp3": "mp3", "wav": "wav"}


class UndecodableError(Exception):
    """The blob cannot be read."""


def clip_of_file(blob: bytes, container: Container) -> SampleClip:
    """Return the sound of a file, cut off at `MAX_DECODED_BYTES`; may take a while.

    Raises:
        UndecodableError: it is damaged.
    """
    if container == "wav":
        try:
            found = read_wav(blob)
        except WavError:
            pass  # FFmpeg knows more codings
        else:
            begin, end = found.samples_in(len(blob))
            return SampleClip(blob[begin:end], found.format)
    parts: list[bytes] = []
    size, rate_hz = 0, 0
    try:
        with av.open(io.BytesIO(blob), "r", format=_FORMATS[container]) as file:
            if not file.streams.audio:
                raise UndecodableError("there is no sound in this file")
            resampler = None
            for frame in file.decode(audio=0):
                if resampler is None:
                    rate_hz = frame.sample_rate
                    resampler = av.AudioResampler("s16", "stereo", rate_hz)
                for each in resampler.resample(frame):
                    data = np.ascontiguousarray(each.to_ndarray()).astype("<i2").tobytes()
                    parts.append(data)
                    size += len(data)
                if size >= MAX_DECODED_BYTES:
                    break
    except (av.FFmpegError, ValueError) as error:
        if not parts:
            raise UndecodableError("the file is damaged") from error
    if not parts:
        raise UndecodableError("there is no sound in this file")
    return SampleClip(b"".join(parts), SampleFormat(ENCODINGS["s16le"], rate_hz, 2))
