"""Files of one rate as one sound: summed first, resampled then.

Resampling is linear, so the sum is the same and costs one resampler instead of one for each file,
which is most of what mixing such files costs. It holds only where nothing else happens to a file by
itself: no channel strip, no network, no mix without it.
"""

from collections.abc import Sequence

import numpy as np

from mixer.arena import SAMPLE_RATE_HZ
from mixer.cli.inputs import Input
from mixer.cli.sound_files import RawFeed, RawFile, Samples, SoundFile
from mixer.listener import Gains


class SummedFiles:
    """Files of one rate, each with its gains; see `mixer.cli.sound_files.Raw`."""

    def __init__(self, files: Sequence[tuple[RawFile, Gains]]) -> None:
        """Begin all of them together."""
        self.rate_hz = files[0][0].rate_hz
        assert all(file.rate_hz == self.rate_hz for file, _ in files), "they are of one rate"
        is_mono = all(file.channels == 1 and left == right for file, (left, right) in files)
        self.channels = 1 if is_mono else 2
        self.ended = False
        self._files = [
            (file, np.array(gains[: self.channels], np.float32)) for file, gains in files
        ]

    def load(self) -> Samples:
        """Return the next second; less at the end of the longest.

        Raises:
            InputError: A file is damaged.
        """
        loaded = [(file.load(), gains) for file, gains in self._files]
        total = np.zeros((max(len(samples) for samples, _ in loaded), self.channels), np.float32)
        for samples, gains in loaded:
            for channel, gain in enumerate(gains):
                sound = samples[:, min(channel, samples.shape[1] - 1)]
                total[: len(samples), channel] += sound if gain == 1.0 else sound * gain
        self._files = [one for one in self._files if not one[0].ended]
        self.ended = not self._files
        return total


def gathered(
    inputs: Sequence[Input], files: Sequence[SoundFile]
) -> tuple[list[int], list[RawFeed]]:
    """Return which files are sounds of their own, in order, and the others, summed by rate.

    Files at the engine's own rate are left to it.
    """
    alone: list[int] = []
    rates: dict[int, list[int]] = {}
    for number, (one, file) in enumerate(zip(inputs, files, strict=True)):
        joins = one.strip is None and one.network is None and file.raw.rate_hz != SAMPLE_RATE_HZ
        (rates.setdefault(file.raw.rate_hz, []) if joins else alone).append(number)
    sums = []
    for group in rates.values():
        if len(group) == 1:
            alone += group
        else:
            pairs = [(files[number].raw, inputs[number].gain.stereo()) for number in group]
            sums.append(RawFeed(SummedFiles(pairs)))
    return sorted(alone), sums
