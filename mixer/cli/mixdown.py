"""Files in, one file out, and a mix-minus for each file where wanted."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mixer.arena import SAMPLE_RATE_HZ
from mixer.cli.errors import OutputError
from mixer.cli.inputs import Input
from mixer.cli.sound_files import Bits, RawFeed, Samples, SoundFile, SoundWriter
from mixer.cli.together import gathered
from mixer.studio import BLOCK, BLOCK_S, Studio

_LONGEST_TAIL_S = 30.0  # beyond the longest file: no network holds anything back for longer


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """How files are written; see `SoundWriter`."""

    bits: Bits = "16"
    rate_hz: int = SAMPLE_RATE_HZ
    channels: int = 2
    overwrite: bool = False

    def open(self, path: Path) -> SoundWriter:
        """Open a file for writing; see `SoundWriter`."""
        return SoundWriter(
            path,
            bits=self.bits,
            rate_hz=self.rate_hz,
            channels=self.channels,
            overwrite=self.overwrite,
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """What came out.

    Attributes:
        seconds: Length of the mix.
        peak: Largest sample, 1 is full scale.
        files: What was written, the mix first.
    """

    seconds: float
    peak: float
    files: list[Path]


class _Aligned:
    """A feed between silences, so that sounds with and without a strip come at the same time.

    Attributes:
        samples: How many the file has given.
    """

    def __init__(self, feed: RawFeed, before: int, after: int) -> None:
        self.samples = 0
        self._feed = feed
        self._before = before
        self._after = after

    def read(self, count: int) -> Samples:
        """Return the next samples; see `Feed`."""
        before = min(self._before, count)
        self._before -= before
        sound = self._feed.read(count - before)
        self.samples += len(sound)
        after = min(self._after, count - before - len(sound))
        self._after -= after
        if not before and not after:
            return sound
        silence = np.zeros((before + after, sound.shape[1]), np.float32)
        return np.concatenate([silence[:before], sound, silence[before:]])


def mixdown(
    inputs: Sequence[Input],
    output: Path,
    form: OutputFormat,
    *,
    seed: int = 0,
    stems: Path | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Summary:
    """Mix files into one.

    Args:
        inputs: The files; each may be there several times.
        output: The file to write.
        form: How.
        seed: Of all simulated networks.
        stems: Folder for each file's mix-minus, the mix without it; None for none.
        progress: Is told how many seconds are mixed.

    Raises:
        CliError: A file cannot be read or written; nothing is left of what was begun.
    """
    files = [SoundFile(one.path) for one in inputs]
    try:
        return _mix(inputs, files, output, form, seed, stems, progress)
    finally:
        for file in files:
            file.close()


def _mix(
    inputs: Sequence[Input],
    files: list[SoundFile],
    output: Path,
    form: OutputFormat,
    seed: int,
    stems: Path | None,
    progress: Callable[[float], None],
) -> Summary:
    studio = Studio()
    latency = studio.latency_samples if any(one.strip for one in inputs) else 0
    names = [f"{number:02d}-{one.path.stem}" for number, one in enumerate(inputs, 1)]
    alone, sums = gathered(inputs, files) if stems is None else (list(range(len(files))), [])
    feeds = []
    for number in alone:
        one, name = inputs[number], names[number]
        feed = _Aligned(files[number], 0 if one.strip else latency, latency if one.strip else 0)
        studio.add(name, feed, one.gain, one.strip, one.network, seed + number)
        if stems is not None:
            studio.monitor(name)
        feeds.append(feed)
    for number, summed in enumerate(sums):
        feeds.append(feed := _Aligned(summed, latency, 0))
        studio.add(f"sum {number}", feed)
    exact = all(one.network is None for one in inputs)
    longest_s = max(file.seconds for file in files)
    targets = [output]
    if stems is not None:
        _make_folder(stems)
        targets += [stems / f"{name}-minus{output.suffix}" for name in names]
    with _writing(targets, form) as writers:
        cut = _Cut(writers, latency)
        peak = 0.0
        while True:
            programme = studio.mix()
            if not studio.is_sounding or studio.blocks * BLOCK_S > longest_s + _LONGEST_TAIL_S:
                break
            peak = max(peak, float(np.abs(programme).max()))
            # A feed may have ended within the block: what is behind it belongs to no file.
            end = max(feed.samples for feed in feeds) + latency if exact else None
            cut.write([programme, *(studio.minus(name) for name in names[: len(targets) - 1])], end)
            progress(studio.blocks * BLOCK_S)
    return Summary(cut.samples / SAMPLE_RATE_HZ, peak, targets)


class _Cut:
    """Writes what lies between the latency and the end.

    Attributes:
        samples: How many were written.
    """

    def __init__(self, writers: list[SoundWriter], latency: int) -> None:
        self.samples = 0
        self._writers = writers
        self._begin = latency
        self._position = 0

    def write(self, blocks: list[Samples], end: int | None) -> None:
        first = max(0, self._begin - self._position)
        last = BLOCK if end is None else min(BLOCK, end - self._position)
        self._position += BLOCK
        if last > first:
            self.samples += last - first
            for writer, block in zip(self._writers, blocks, strict=True):
                writer.write(block[first:last])


@contextmanager
def _writing(targets: list[Path], form: OutputFormat) -> Iterator[list[SoundWriter]]:
    """Open files; they get their names when all went well, and are removed otherwise."""
    writers: list[SoundWriter] = []
    try:
        writers.extend(form.open(target) for target in targets)  # keeps those before an error
        yield writers
        for writer in writers:
            writer.close()
    except BaseException:
        for writer in writers:
            writer.discard()
        raise


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror}") from error
