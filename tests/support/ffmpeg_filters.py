"""FFmpeg's audio filters, as far as the copy in PyAV's wheel has them."""

import av
import av.filter
import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.float32]

RATE_HZ = 48_000
_BLOCK = 4800


def are_there(*names: str) -> bool:
    """Whether all of these filters are built in."""
    return set(names) <= av.filter.filters_available


def filtered(sound: Sound, name: str, arguments: str) -> Sound:
    """Return float32 (n, 2) of 48 kHz through one filter."""
    frames = _frames(sound, name, arguments)
    return np.ascontiguousarray(np.concatenate([frame.to_ndarray().T for frame in frames]))


def last_metadata(sound: Sound, name: str, arguments: str) -> dict[str, str]:
    """Return what a filter that measures says at the end."""
    told: dict[str, str] = {}
    for frame in _frames(sound, name, arguments):  # the last one may be too short for it
        told.update(frame.metadata)
    return told


def _frames(sound: Sound, name: str, arguments: str) -> list[av.AudioFrame]:
    graph = av.filter.Graph()  # a name keeps it alive: its filters do not
    graph.threads = 1
    source = graph.add_abuffer(sample_rate=RATE_HZ, format="fltp", layout="stereo")
    between = graph.add(name, arguments)
    shape = graph.add("aformat", "sample_fmts=fltp:sample_rates=48000:channel_layouts=stereo")
    sink = graph.add("abuffersink")
    source.link_to(between)
    between.link_to(shape)
    shape.link_to(sink)
    graph.configure()
    for first in range(0, len(sound), _BLOCK):
        block = np.ascontiguousarray(sound[first : first + _BLOCK].T)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = RATE_HZ, first
        graph.push(frame)
    graph.push(None)
    frames: list[av.AudioFrame] = []
    while True:
        try:
            pulled = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return frames
        assert isinstance(pulled, av.AudioFrame)
        frames.append(pulled)
