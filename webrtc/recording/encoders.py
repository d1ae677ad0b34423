"""Files of one track each: FLAC, WAV (RF64 beyond 4 GB) and Opus, playable up to their end.

A process that is killed leaves what has been written: FLAC and Ogg are streams of frames, and the
header of a WAV is renewed every second.
"""

from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from archive.encodings import Encoding, SampleFormat
from archive.wav import wav_header
from mixer.arena import SAMPLE_RATE_HZ

Format = Literal["flac", "wav", "opus"]
Samples = npt.NDArray[np.float32]

SUFFIX: Final[dict[Format, str]] = {"flac": ".flac", "wav": ".wav", "opus": ".opus"}
CONTENT_TYPE: Final = {".flac": "audio/flac", ".wav": "audio/wav", ".opus": "audio/ogg"}
_FLAC_EFFORT: Final = 0.13  # as small as at 0.3 for less; at 0 twice the size for a mono voice
_OPUS_EFFORT: Final = 0.8
_SET_OGG_PAGE_LATENCY_MS: Final = 0x1302  # <sndfile.h>
_OGG_PAGE_MS: Final = 200.0
_FULL_SCALE: Final = 2**23 - 1
_PCM_24: Final = SampleFormat(Encoding("signed", 24, "little"), SAMPLE_RATE_HZ, 2)


class Encoder(Protocol):
    """Writes one file."""

    def write(self, block: Samples) -> None:
        """Add samples: float32 (n, 2), 48 kHz.

        Raises:
            OSError: the disk does not take them.
        """

    def renew(self) -> None:
        """Make what has been written readable; called every second."""

    def close(self) -> None:
        """Finish the file."""


class _SoundFile:
    """Whatever libsndfile writes."""

    def __init__(self, path: Path, kind: str, subtype: str, effort: float) -> None:
        import soundfile  # the workers import this module's neighbours, and have no use for it

        self._errors = soundfile.LibsndfileError
        self._file: Any = soundfile.SoundFile(
            path, "w", SAMPLE_RATE_HZ, 2, subtype, format=kind, compression_level=effort
        )
        if kind == "OGG":  # which has no name in Python; by default a page holds a second
            latency_ms = soundfile._ffi.new("double *", _OGG_PAGE_MS)
            soundfile._snd.sf_command(self._file._file, _SET_OGG_PAGE_LATENCY_MS, latency_ms, 8)

    def write(self, block: Samples) -> None:
        """See `Encoder`."""
        try:
            self._file.write(self._taken(block))
        except self._errors as error:
            raise OSError(str(error)) from error

    def _taken(self, block: Samples) -> npt.NDArray[np.float32] | npt.NDArray[np.int32]:
        return np.clip(block, -1.0, 1.0)

    def renew(self) -> None:
        """See `Encoder`: frames are complete as they are."""

    def close(self) -> None:
        """See `Encoder`."""
        self._file.close()


class _Flac(_SoundFile):
    """FLAC; libsndfile is given whole numbers, as it rounds one sample at a time."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "FLAC", "PCM_24", _FLAC_EFFORT)

    def _taken(self, block: Samples) -> npt.NDArray[np.int32]:
        whole = _whole(block)
        whole <<= 8  # 24 bits stand in the upper ones
        return whole


def _whole(block: Samples) -> npt.NDArray[np.int32]:
    """Return samples as 24-bit numbers."""
    scaled = block * np.float32(_FULL_SCALE)
    np.clip(np.rint(scaled, out=scaled), -_FULL_SCALE, _FULL_SCALE, out=scaled)
    return scaled.astype("<i4")


class WavWriter:
    """24-bit WAV with a header that grows with the file."""

    def __init__(self, path: Path) -> None:
        """Begin a file.

        Raises:
            OSError: it cannot be made.
        """
        self._file = path.open("wb")
        self._bytes = 0
        self._file.write(wav_header(_PCM_24, 0, growing=True))

    def write(self, block: Samples) -> None:
        """See `Encoder`."""
        data = _whole(block).reshape(-1, 1).view(np.uint8)[:, :3].tobytes()
        self._file.write(data)
        self._bytes += len(data)

    def renew(self) -> None:
        """See `Encoder`."""
        self._file.flush()
        self._file.seek(0)
        self._file.write(wav_header(_PCM_24, self._bytes, growing=True))
        self._file.flush()
        self._file.seek(0, 2)

    def close(self) -> None:
        """See `Encoder`."""
        self.renew()
        self._file.close()


def open_encoder(path: Path, form: Format) -> Encoder:
    """Begin a file.

    Raises:
        OSError: it cannot be made.
    """
    if form == "wav":
        return WavWriter(path)
    if form == "opus":
        return _SoundFile(path, "OGG", "OPUS", _OPUS_EFFORT)
    return _Flac(path)
