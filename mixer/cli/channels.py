"""From one to eight channels to two, and from two to one.

Centre and surround come to both sides 3 dB down, and the low-frequency effects are left out, as
ITU-R BS.775-3 (annex 4, table 2) has it. Speakers stand in the order of WAV and FLAC files.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

_HALF: Final = 0.5**0.5
_L, _R, _C, _NONE = (1.0, 0.0), (0.0, 1.0), (_HALF, _HALF), (0.0, 0.0)
_LS, _RS = (_HALF, 0.0), (0.0, _HALF)
_CS: Final = (0.5, 0.5)  # a surround from behind, shared by both sides

_LAYOUTS: Final = {
    3: (_L, _R, _C),
    4: (_L, _R, _LS, _RS),
    5: (_L, _R, _C, _LS, _RS),
    6: (_L, _R, _C, _NONE, _LS, _RS),
    7: (_L, _R, _C, _NONE, _CS, _LS, _RS),
    8: (_L, _R, _C, _NONE, _LS, _RS, _LS, _RS),
}

MOST_CHANNELS: Final = max(_LAYOUTS)

Samples = npt.NDArray[np.float32]


def to_stereo(samples: Samples) -> Samples:
    """Return samples (n, 1 to 8) as (n, 2); a mono sound is the same on both sides."""
    channels = samples.shape[1]
    if channels == 1:
        return np.broadcast_to(samples, (len(samples), 2))
    if channels == 2:
        return samples
    return samples @ np.array(_LAYOUTS[channels], np.float32)


def to_mono(samples: Samples) -> Samples:
    """Return samples (n, 2) as (n, 1): the mean of both sides, so that nothing can clip."""
    mean: Samples = samples.mean(axis=1, keepdims=True)
    return mean
