"""What ties the compiled files together."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from dsp import engine, kernels, lanes
from dsp.numpy_engine import NumpyEngine


def test_the_kernels_know_the_lanes_they_were_compiled_with():
    # numba's cache does not see that an imported file changed: the digest is what changes the file.
    digest = hashlib.sha256(Path(lanes.__file__).read_bytes()).hexdigest()[:12]
    assert digest == kernels.LANES, "set kernels.LANES to the digest of lanes.py"


def test_without_numba_the_other_engine_runs(monkeypatch):
    def missing():
        raise ImportError("no numba")

    monkeypatch.setattr(engine, "_load_numba", missing)
    assert isinstance(engine.load_engine(), NumpyEngine)
    with pytest.raises(ImportError):
        engine.load_engine("numba")


def test_logarithm_and_power_are_close_and_exact_where_it_matters():
    from numba import njit

    @njit
    def both(values, logs, powers):
        x = lanes.load(values, 0)
        lanes.store(logs, 0, kernels._log2(x))
        lanes.store(powers, 0, kernels._exp2(kernels._log2(x)))

    for values in np.geomspace(1e-6, 1e4, 800, dtype=np.float32).reshape(-1, 8):
        logs, powers = np.empty(8, np.float32), np.empty(8, np.float32)
        both(values, logs, powers)
        assert np.abs(logs - np.log2(values.astype(np.float64))).max() < 5e-6
        assert np.abs(powers / values - 1).max() < 1e-5
    exact = np.array([1, 2, 0.5, 4, 0.25, 8, 0.125, 16], np.float32)
    both(exact, logs, powers)
    assert np.array_equal(logs, np.log2(exact))
    assert np.array_equal(powers, exact)
