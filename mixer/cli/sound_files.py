"""Sound files: read as a feed of the studio, written from its blocks."""

from pathlib import Path
from typing import Final, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from mixer.arena import SAMPLE_RATE_HZ
from mixer.cli.channels import MOST_CHANNELS, to_mono, to_stereo
from mixer.cli.errors import InputError, OutputError

Samples = npt.NDArray[np.float32]
Bits = Literal["8", "16", "24", "32", "float"]
BITS: Final[tuple[Bits, ...]] = ("8", "16", "24", "32", "float")

_CHUNK_S: Final = 1.0
_SUBTYPES: Final[dict[str, dict[Bits, str]]] = {
    "WAV": {"8": "PCM_U8", "16": "PCM_16", "24": "PCM_24", "32": "PCM_32", "float": "FLOAT"},
    "AIFF": {"8": "PCM_S8", "16": "PCM_16", "24": "PCM_24", "32": "PCM_32", "float": "FLOAT"},
    "FLAC": {"8": "PCM_S8", "16": "PCM_16", "24": "PCM_24"},
}
_FORMATS: Final = {".wav": "WAV", ".aif": "AIFF", ".aiff": "AIFF", ".flac": "FLAC"}


class Raw(Protocol):
    """Sound at a rate of its own.

    Attributes:
        rate_hz: That.
        channels: 1 or 2.
        ended: Whether `load` has given all.
    """

    rate_hz: int
    channels: int
    ended: bool

    def load(self) -> Samples:
        """Return the next second or less, (n, channels)."""


class RawFile:
    """A file as it is, but in floats and two channels at most; see `Raw`."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            InputError: It is not there, or no sound that can be read.
        """
        self._path = path
        try:
            self._file = soundfile.SoundFile(path)
        except (soundfile.LibsndfileError, OSError) as error:
            raise InputError(f"{path}: {_reason(path, error)}") from error
        if self._file.channels > MOST_CHANNELS:
            raise InputError(f"{path}: {self._file.channels} channels; at most {MOST_CHANNELS}")
        self.rate_hz = self._file.samplerate
        self.channels = min(self._file.channels, 2)
        self.frames = self._file.frames
        self.ended = False
        self._chunk = max(1, round(self.rate_hz * _CHUNK_S))
        # 16 bits are fetched as they are: libsndfile's conversion takes longer than ours.
        self._short = self._file.subtype == "PCM_16"

    def load(self) -> Samples:
        """Return the next second; less at the end.

        Raises:
            InputError: The file is damaged.
        """
        try:
            if self._short:
                raw = self._file.read(self._chunk, dtype="int16", always_2d=True)
                samples: Samples = raw.astype(np.float32)
                samples *= np.float32(1 / 32768)
            else:
                samples = self._file.read(self._chunk, dtype="float32", always_2d=True)
                samples = np.nan_to_num(samples, copy=False, posinf=0.0, neginf=0.0)
        except soundfile.LibsndfileError as error:
            raise InputError(f"{self._path}: {error.error_string}") from error
        self.ended = len(samples) < self._chunk
        return to_stereo(samples) if samples.shape[1] > 2 else samples

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class RawFeed:
    """Any sound as a feed: resampled, and cut as it is asked for."""

    def __init__(self, raw: Raw) -> None:
        """Begin at its beginning."""
        self._raw = raw
        self._resampler = None
        if raw.rate_hz != SAMPLE_RATE_HZ:
            self._resampler = soxr.ResampleStream(
                raw.rate_hz, SAMPLE_RATE_HZ, raw.channels, quality="HQ"
            )
        self._waiting = np.zeros((0, 1), np.float32)  # mono stays mono: less to move about
        self._next = 0

    def read(self, count: int) -> Samples:
        """Return the next samples; see `Feed`.

        Raises:
            InputError: A file is damaged.
        """
        have = len(self._waiting) - self._next
        while have < count and not self._raw.ended:
            fresh = self._load()
            rest = self._waiting[self._next :]
            self._waiting = np.concatenate([rest, fresh]) if len(rest) else fresh
            self._next = 0
            have = len(self._waiting)
        begin = self._next
        self._next = min(begin + count, len(self._waiting))
        return self._waiting[begin : self._next]

    def _load(self) -> Samples:
        samples = self._raw.load()
        if self._resampler is None:
            return samples
        resampled = self._resampler.resample_chunk(np.ascontiguousarray(samples), self._raw.ended)
        shaped: Samples = resampled.reshape(-1, self._raw.channels)
        return shaped


class SoundFile(RawFeed):
    """A file as a feed: any format, rate and width that libsndfile reads, 1 to 8 channels.

    Attributes:
        path: Where it is.
        raw: The same at its own rate; whoever reads that leaves the feed alone.
        seconds: How long it is, as its header says.
    """

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            InputError: It is not there, or no sound that can be read.
        """
        self.path = path
        self.raw = RawFile(path)
        self.seconds = self.raw.frames / self.raw.rate_hz
        super().__init__(self.raw)

    def close(self) -> None:
        """Close the file."""
        self.raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if not path.exists():
        return "no such file"
    if path.is_dir():
        return "is a folder"
    assert isinstance(error, soundfile.LibsndfileError)
    return f"not a sound file that can be read ({error.error_string.rstrip('.')})"


class SoundWriter:
    """Writes a file under a name of its own, which becomes the right one when it is complete."""

    def __init__(
        self,
        path: Path,
        *,
        bits: Bits = "16",
        rate_hz: int = SAMPLE_RATE_HZ,
        channels: int = 2,
        overwrite: bool = False,
    ) -> None:
        """Open a file for writing.

        Args:
            path: Its ending says the format: .wav, .aiff or .flac.
            bits: Width of the samples.
            rate_hz: Sample rate.
            channels: 1 or 2.
            overwrite: Whether a file of that name may be replaced.

        Raises:
            OutputError: There is such a file; or the format, its width or its place is not to be
                had.
        """
        self.path = path
        self._part = path.with_name(path.name + ".part")
        form = _FORMATS.get(path.suffix.lower())
        if form is None:
            raise OutputError(f"{path}: the name must end in {', '.join(_FORMATS)}")
        subtype = _SUBTYPES[form].get(bits)
        if subtype is None:
            raise OutputError(f"{path}: {form} has {', '.join(_SUBTYPES[form])} bits, not {bits}")
        if path.exists() and not overwrite:
            raise OutputError(f"{path}: exists already; --force replaces it")
        try:
            self._file = soundfile.SoundFile(
                self._part, "w", rate_hz, channels, subtype, format=form
            )
        except (soundfile.LibsndfileError, OSError) as error:
            raise OutputError(f"{path}: cannot be written ({error})") from error
        self._mono = channels == 1
        self._dither = _Dither(int(bits)) if bits in ("8", "16") else None
        self._resampler = None
        if rate_hz != SAMPLE_RATE_HZ:
            self._resampler = soxr.ResampleStream(SAMPLE_RATE_HZ, rate_hz, 2, quality="HQ")

    def write(self, block: Samples) -> None:
        """Append samples (n, 2).

        Raises:
            OutputError: There is no room, for example.
        """
        if self._resampler is not None:
            block = self._resampler.resample_chunk(np.ascontiguousarray(block))
        self._put(block)

    def close(self) -> None:
        """Write what is left, and give the file its name.

        Raises:
            OutputError: There is no room, for example.
        """
        if self._resampler is not None:
            self._put(self._resampler.resample_chunk(np.zeros((0, 2), np.float32), last=True))
        try:
            self._file.close()
            self._part.replace(self.path)
        except OSError as error:
            raise OutputError(f"{self.path}: {error.strerror}") from error

    def discard(self) -> None:
        """Remove what was written so far."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def _put(self, block: Samples) -> None:
        if self._mono:
            block = to_mono(block)
        if self._dither is not None:
            block = self._dither.add(block)
        try:
            self._file.write(block)
        except soundfile.LibsndfileError as error:
            raise OutputError(f"{self.path}: {error.error_string}") from error


class _Dither:
    """Triangular noise of two steps' width: what is rounded then is no distortion but hiss.

    Silence stays silence.
    """

    def __init__(self, bits: int) -> None:
        self._random = np.random.default_rng(bits)
        self._step = np.float32(2.0 ** (1 - bits))

    def add(self, block: Samples) -> Samples:
        if not block.any():
            return block
        noise = self._random.random((2, *block.shape), np.float32)
        dithered: Samples = block + (noise[0] - noise[1]) * self._step
        return dithered
