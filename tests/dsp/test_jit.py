"""Loops that the server cannot do without, where numba may not write its cache."""

import subprocess
import sys

PROGRAM = """
import sys
from numba.core import caching

caching.CacheImpl._locator_classes = []  # as on a read-only file system

import numpy as np
from mixer import kernels

peaks, powers = np.zeros(1, np.float32), np.zeros(1, np.float32)
kernels.measure(np.full((1, 960, 2), 0.5, np.float32), np.zeros(1, np.int32), 0, 480, peaks, powers)
sys.exit((float(peaks[0]), float(powers[0])) != (0.5, 0.25))
"""


def test_a_loop_is_compiled_where_it_cannot_be_cached() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], check=False, capture_output=True)
    assert ended.returncode == 0, ended.stderr.decode()
