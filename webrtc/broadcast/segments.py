"""An endless stream of sound as HLS: a playlist and fMP4 segments in a folder (RFC 8216).

FFmpeg's muxer writes them, each under another name first, and removes the oldest, so that a reader
never sees half a file and the folder holds a dozen files however long it goes on.
"""

from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np

from mixer.arena import SAMPLE_RATE_HZ
from webrtc.broadcast.timeline import Samples

PLAYLIST: Final = "index.m3u8"
HEAD: Final = "init.mp4"
SEGMENT_S: Final = 1
_LISTED: Final = 8
_KEPT_BEHIND: Final = 8  # a player, or a cache, may ask for what a former playlist named
MOST_FILES: Final = _LISTED + _KEPT_BEHIND + 8
_BITRATE: Final = 128_000


class Segments:
    """Writes a stream into a folder."""

    def __init__(self, folder: Path) -> None:
        """Begin.

        Raises:
            OSError: the folder cannot be written.
        """
        options = {
            "hls_time": str(SEGMENT_S),
            "hls_list_size": str(_LISTED),
            "hls_delete_threshold": str(_KEPT_BEHIND),
            "hls_segment_type": "fmp4",
            "hls_fmp4_init_filename": HEAD,
            "hls_segment_filename": str(folder / "%d.m4s"),
            "hls_flags": "delete_segments+independent_segments+program_date_time+temp_file",
        }
        self._file = av.open(str(folder / PLAYLIST), "w", format="hls", options=options)
        self._stream = self._file.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="stereo")
        self._stream.bit_rate = _BITRATE
        self._time = 0

    def write(self, sound: Samples) -> None:
        """Add samples: (n, 2).

        Raises:
            OSError: the folder does not take them.
        """
        planes = np.ascontiguousarray(np.clip(sound, -1.0, 1.0).T)
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
        frame.pts = self._time
        self._time += len(sound)
        self._file.mux(self._stream.encode(frame))

    def close(self) -> None:
        """End the stream: players are told that nothing follows.

        Raises:
            OSError: the folder does not take it.
        """
        self._file.mux(self._stream.encode(None))
        self._file.close()
