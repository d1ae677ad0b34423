"""Log-mel spectrogram, as musicnn listens to it.

Power spectrum of 512 samples at 16 kHz (von Hann, centred, mirrored at both ends), 96 triangular
bands on Slaney's mel scale, each of unit area; then log10(10000 x + 1). Source: musicnn 0.1.0,
which computes it with librosa and rounds the bands to half precision; so does this.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

RATE_HZ: Final = 16_000
HOP: Final = 256
BANDS: Final = 96

_WINDOW: Final = 512
_HANN: Final = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)

Samples = npt.NDArray[np.float32]
Spectrogram = npt.NDArray[np.float32]


def mel_filters(
    rate_hz: int, window: int, bands: int, low_hz: float, high_hz: float
) -> npt.NDArray[np.float32]:
    """Return the weights of each bin in each band, (window // 2 + 1, bands), each of unit area.

    Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above.
    """
    edges = _hz(np.linspace(_mel(low_hz), _mel(high_hz), bands + 2))
    bins = np.arange(window // 2 + 1) * rate_hz / window
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (edges[2:] - edges[:-2])
    return weights.astype(np.float32)


def _mel(hz: float) -> float:
    return hz * 3.0 / 200.0 if hz < 1000.0 else 15.0 + 27.0 * np.log(hz / 1000.0) / np.log(6.4)


def _hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(mel >= 15.0, 1000.0 * 6.4 ** ((mel - 15.0) / 27.0), mel * 200.0 / 3.0)


_FILTERS: Final = mel_filters(RATE_HZ, _WINDOW, BANDS, 0.0, RATE_HZ / 2)


def log_mel(samples: Samples) -> Spectrogram:
    """Return the spectrogram of mono sound at 16 kHz, (len(samples) // 256 + 1, 96).

    Raises:
        ValueError: fewer than 257 samples: there is nothing to mirror.
    """
    if len(samples) <= _WINDOW // 2:
        raise ValueError(f"{len(samples)} samples are too short for a spectrogram")
    padded = np.pad(samples.astype(np.float32, copy=False), _WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP]
    lines = np.fft.rfft(frames * _HANN)
    power = (lines.real**2 + lines.imag**2).astype(np.float32)
    # Half precision, as when the network was trained.
    bands = (power @ _FILTERS).astype(np.float16).astype(np.float32)
    return np.asarray(np.log10(10000.0 * bands + 1.0), np.float32)
