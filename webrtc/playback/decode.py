"""A file to samples, in a process of its own that may do nothing else.

::

    python -m webrtc.playback.decode --fd 5 --start 12.5 --longest 10800 --parent PID

The file is an open descriptor, so that no path reaches a demuxer, which may neither open anything
else: playlists and other formats that name files or addresses are not among `FORMATS`, and no
protocol is permitted. The kernel bounds memory and CPU time.

Standard output: one line of JSON, `{"duration_s": 3.5}` (null where that is not known) or
`{"error": "…"}`; then samples, float32 little-endian, stereo, 48 kHz. It waits while nobody reads.
"""

import argparse
import contextlib
import json
import os
import resource
import sys
from collections.abc import Iterator
from typing import Any, Final

import av
import numpy as np

from webrtc.supervisor_bond import bind_to_parent

FORMATS: Final = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,matroska,webm,mov,mp4,mp3,mpc,mpc8,"
    "mpeg,mpegts,ogg,tak,tta,voc,w64,wav,wv"
)
"""What is read, by FFmpeg's names; none of these names other files."""

RATE_HZ: Final = 48_000
_MOST_CPU_S: Final = 180
_MOST_MEMORY_BYTES: Final = 2 << 30  # addresses, of which libraries reserve far more than they use
_NO_PROTOCOL: Final = "none"
_PROBE: Final = {"probesize": "5000000", "analyzeduration": "10000000"}


class UnplayableError(Exception):
    """The file cannot be played; the text says why, in words for its owner."""


def decoded(file: Any, start_s: float, longest_s: float) -> Iterator[Any]:
    """Yield the duration in seconds or None, then blocks of samples (n, 2).

    Args:
        file: open for reading, at its beginning.
        start_s: where to begin.
        longest_s: longest sound that is played.

    Raises:
        UnplayableError: it holds no sound that can be read, or too much.
    """
    options = {"format_whitelist": FORMATS, "protocol_whitelist": _NO_PROTOCOL, **_PROBE}
    try:
        container = av.open(file, "r", options=options)
    except (av.FFmpegError, ValueError) as error:
        raise UnplayableError("this is no sound file that can be read") from error
    with container:
        if not container.streams.audio:
            raise UnplayableError("there is no sound in this file")
        stream = container.streams.audio[0]
        stream.codec_context.thread_count = 1
        duration_s = _duration_s(container, stream)
        if duration_s is not None and duration_s > longest_s:
            raise UnplayableError(f"this is longer than {longest_s / 60:.0f} minutes")
        yield duration_s
        if start_s > 0 and stream.time_base is not None:
            first = stream.start_time or 0
            target = first + int(start_s / stream.time_base)
            container.seek(target, stream=stream, backward=True)
        yield from _samples(container, stream, start_s, longest_s)


def _duration_s(container: Any, stream: Any) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / 1_000_000


def _samples(container: Any, stream: Any, start_s: float, longest_s: float) -> Iterator[Any]:
    """Yield samples from `start_s` on; what is damaged is left out."""
    # One channel goes to both sides as loud as it is: FFmpeg would share it out between them.
    channels = 1 if stream.codec_context.channels == 1 else 2
    layout = "mono" if channels == 1 else "stereo"
    resampler = av.AudioResampler(format="flt", layout=layout, rate=RATE_HZ)
    left = round((longest_s - start_s) * RATE_HZ)
    offset_s = float((stream.start_time or 0) * stream.time_base) if stream.time_base else 0.0
    skip: int | None = None if start_s > 0 else 0
    for frame in _frames(container, stream):
        if skip is None:  # a seek ends at or before the place
            at_s = 0.0 if frame is None or frame.time is None else frame.time - offset_s
            skip = max(0, round((start_s - at_s) * RATE_HZ))
        if frame is not None:
            frame.pts = None  # holes and jumps of time stamps are no sound
        for converted in resampler.resample(frame):
            block = np.repeat(converted.to_ndarray().reshape(-1, channels), 2 // channels, 1)
            cut = min(skip, len(block))
            skip -= cut
            block = block[cut : cut + left]
            left -= len(block)
            if len(block):
                yield np.clip(np.nan_to_num(block), -1.0, 1.0)
            if left <= 0:
                return


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Yield what can be decoded, then None, which empties the resampler."""
    for packet in container.demux(stream):
        with contextlib.suppress(av.FFmpegError):
            yield from packet.decode()
    yield None


def main() -> int:
    """Decode what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m webrtc.playback.decode", description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--start", type=float, required=True)
    parser.add_argument("--longest", type=float, required=True)
    parser.add_argument("--parent", type=int, required=True)
    given = parser.parse_args()
    bind_to_parent(given.parent)
    _confine()
    os.lseek(given.fd, 0, os.SEEK_SET)
    sound = decoded(os.fdopen(given.fd, "rb"), given.start, given.longest)
    try:
        _say({"duration_s": next(sound)})
        for block in sound:
            sys.stdout.buffer.write(np.ascontiguousarray(block, "<f4").tobytes())
    except BrokenPipeError:
        os._exit(0)  # nobody listens any more
    except UnplayableError as error:
        _say({"error": str(error)})
        return 1
    except (av.FFmpegError, MemoryError):
        return 1
    return 0


def _confine() -> None:
    """Bound what the process may use; it writes no files."""
    av.logging.set_level(None)
    for kind, most in (
        (resource.RLIMIT_CPU, _MOST_CPU_S),
        (resource.RLIMIT_AS, _MOST_MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    os.nice(5)


def _say(line: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(line).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
