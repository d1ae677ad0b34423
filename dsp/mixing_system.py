"""One strip for scripts: samples in, samples out, without rooms, arenas or rows."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsp.compressor import CompressorSettings
from dsp.engine import Engine
from dsp.gate import GateSettings
from dsp.high_pass import HighPassSettings
from dsp.limiter import LimiterSettings
from dsp.presets import PRESETS
from dsp.strip import LATENCY_SAMPLES, StripBank, StripSettings
from dsp.strip_values import strip_of
from dsp.units import SAMPLE_RATE_HZ, SettingsError

AUTOMATIC: Final = StripSettings(
    high_pass=HighPassSettings(70),
    gate=GateSettings(-55),
    compressor=CompressorSettings(-22, 2.5, auto_makeup=True, sidechain_high_pass_hz=100),
    limiter=LimiterSettings(-1),
)
"""What suits a voice or an instrument of which nothing is known."""


class MixingSystem:
    """A strip with settings that suit most sounds, block by block.

    The output is that of one stream: it does not depend on the lengths of the blocks, and comes
    `latency_samples` late.
    """

    latency_samples = LATENCY_SAMPLES

    def __init__(
        self,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
        settings: StripSettings | str = AUTOMATIC,
        engine: Engine | None = None,
    ) -> None:
        """Make a strip at rest.

        Args:
            sample_rate_hz: Of all blocks; 48 000 is what there is.
            settings: The strip's, or the name of a preset (see `presets.py`).
            engine: Who computes; the best that there is by default.

        Raises:
            SettingsError: another sample rate, or no such preset.
        """
        if sample_rate_hz != SAMPLE_RATE_HZ:
            raise SettingsError(f"sample_rate_hz must be {SAMPLE_RATE_HZ}, not {sample_rate_hz}")
        self._bank = StripBank(engine)
        self._bank.take(0)
        self._bank.set(0, _settings_of(settings))
        self._row = np.zeros(1, np.int32)

    def set(self, settings: StripSettings | str) -> None:
        """Change the settings from the next block on, without a click.

        Raises:
            SettingsError: no such preset.
        """
        self._bank.set(0, _settings_of(settings))

    def reset(self) -> None:
        """Forget all sound: the next block begins a new stream."""
        self._bank.rest(0)

    def finish(self) -> npt.NDArray[np.float32]:
        """Return what is still inside, float32 (n, 2), and forget it: the end of the stream.

        These are the last samples, late as all are, and what effects ring on with.
        """
        latency = 0 if self._bank.is_flat(0) else self.latency_samples
        parts = [self.process(np.zeros((latency, 2), np.float32))]
        while self._bank.rings(0):
            parts.append(self.process(np.zeros((SAMPLE_RATE_HZ // 10, 2), np.float32)))
        self.reset()
        return np.concatenate(parts)

    def process(self, block: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return a block's sound through the strip.

        Args:
            block: Samples (n,) or (n, 1) in mono, or (n, 2); floats of full scale 1, or int16.

        Returns:
            float32 of the block's shape.

        Raises:
            ValueError: a block of another shape.
        """
        if block.ndim not in (1, 2) or (block.ndim == 2 and block.shape[1] not in (1, 2)):
            raise ValueError(f"a block is (n,), (n, 1) or (n, 2), not {block.shape}")
        scale = np.float32(1 / 32768 if block.dtype == np.int16 else 1)
        channels = (block[:, None] if block.ndim == 1 else block) * scale
        arena = np.empty((1, len(block), 2), np.float32)
        arena[0] = channels
        self._bank.process(arena, self._row, 0, len(block))
        return arena[0, :, : channels.shape[1]].reshape(block.shape)


def _settings_of(settings: StripSettings | str) -> StripSettings:
    if not isinstance(settings, str):
        return settings
    if settings not in PRESETS:
        raise SettingsError(f"settings must be one of {', '.join(PRESETS)}, not {settings!r}")
    return strip_of(PRESETS[settings])
