"""What is heard: speech, rock, jazz, electronic or classical music.

`classify(samples, sample_rate_hz)` says it of a sound as a whole; `dsp.genre.stream.Stream` of one
that goes on; `python -m dsp.genre FILE…` of files.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from dsp.genre.whole import Classification


def classify(samples: "npt.NDArray[np.floating]", sample_rate_hz: int) -> "Classification":
    """Say what a sound is; see `dsp.genre.whole.classify`."""
    from dsp.genre import whole  # only whoever classifies needs numpy, filters and weights

    return whole.classify(samples, sample_rate_hz)
