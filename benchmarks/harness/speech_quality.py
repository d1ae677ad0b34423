"""How alike speech sounds before and after, as listeners would judge it."""

import numpy as np
import numpy.typing as npt

from benchmarks.harness.packages import MissingPackageError

RATE_HZ = 16_000


def pesq_wb(before: npt.NDArray[np.int16], after: npt.NDArray[np.int16]) -> float:
    """Return PESQ-WB (ITU-T P.862.2), about 1 (bad) to 4.64 (the same).

    Args:
        before: int16 (n,) at `RATE_HZ`.
        after: int16 (n,), the same speech as it arrived.

    Raises:
        MissingPackageError: `pesq` is not installed. It comes as source only, so that those who
            just run the tests of a benchmark do without it.
    """
    try:
        from pesq import pesq
    except ImportError:
        raise MissingPackageError("pesq is not installed: make install-bench") from None
    return float(pesq(RATE_HZ, before, after, "wb"))
