"""Plays broadcasts, from a folder or an address."""

import re
from dataclasses import dataclass

import av
import numpy as np
import numpy.typing as npt

RATE_HZ = 48_000


@dataclass(frozen=True)
class Playlist:
    """What a media playlist says (RFC 8216)."""

    target_s: int
    first: int
    lengths_s: list[float]
    segments: list[str]
    has_ended: bool

    @classmethod
    def parse(cls, text: str) -> "Playlist":
        """Return what a playlist says; it must be one."""
        assert text.startswith("#EXTM3U\n")
        (target,) = re.findall(r"^#EXT-X-TARGETDURATION:(\d+)$", text, re.MULTILINE)
        (first,) = re.findall(r"^#EXT-X-MEDIA-SEQUENCE:(\d+)$", text, re.MULTILINE)
        (head,) = re.findall(r'^#EXT-X-MAP:URI="(.+)"$', text, re.MULTILINE)
        assert head == "init.mp4"
        lengths = [float(one) for one in re.findall(r"^#EXTINF:([\d.]+),", text, re.MULTILINE)]
        segments = re.findall(r"^(\d+\.m4s)$", text, re.MULTILINE)
        assert len(lengths) == len(segments)
        return cls(int(target), int(first), lengths, segments, "#EXT-X-ENDLIST" in text)


def played(address: str, least_s: float) -> npt.NDArray[np.float32]:
    """Return the first so many seconds or more that FFmpeg plays, (n, 2); blocks."""
    parts = []
    count = 0
    with av.open(address, options={"live_start_index": "-2"}, timeout=20.0) as player:
        for frame in player.decode(audio=0):
            parts.append(frame.to_ndarray().T.astype(np.float32))
            count += frame.samples
            if count >= least_s * RATE_HZ:
                break
    return np.concatenate(parts)


def level(sound: npt.NDArray[np.float32], pitch_hz: float) -> float:
    """Return the amplitude of one pitch."""
    window = np.blackman(len(sound))
    turns = np.exp(-2j * np.pi * pitch_hz * np.arange(len(sound)) / RATE_HZ)
    return float(2 * abs((sound[:, 0] * window) @ turns) / window.sum())
