"""What ties the compiled files together."""

import ast
import hashlib
import importlib
from pathlib import Path

import numpy as np
import pytest

from dsp import engine, kernels_dynamics, lanes
from dsp.numpy_engine import NumpyEngine

DSP = Path(engine.__file__).parent
COMPILED = sorted(path.stem for path in DSP.glob("*.py") if "@njit" in path.read_text())


def imports(name):
    """Return the files of `dsp` that one of them imports from."""
    tree = ast.parse((DSP / f"{name}.py").read_text())
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return sorted({module[4:] for module in modules if module and module.startswith("dsp.")})


@pytest.mark.parametrize("name", COMPILED)
def test_a_compiled_file_knows_the_files_it_was_compiled_with(name):
    # numba's cache does not see that an imported file changed: the digest is what changes the file.
    # Those that import this one know it by theirs, so a change reaches them all.
    if not imports(name):
        return
    sources = b"".join((DSP / f"{one}.py").read_bytes() for one in imports(name))
    digest = hashlib.sha256(sources).hexdigest()[:12]
    assert digest == importlib.import_module(f"dsp.{name}").BUILT_ON


def test_their_imports_are_found():
    assert imports("kernels_limiter") == ["kernels_basics", "lanes"]
    assert "kernels_effects" in COMPILED


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
        lanes.store(logs, 0, kernels_dynamics.log2(x))
        lanes.store(powers, 0, kernels_dynamics.exp2(kernels_dynamics.log2(x)))

    for values in np.geomspace(1e-6, 1e4, 800, dtype=np.float32).reshape(-1, 8):
        logs, powers = np.empty(8, np.float32), np.empty(8, np.float32)
        both(values, logs, powers)
        assert np.abs(logs - np.log2(values.astype(np.float64))).max() < 5e-6
        assert np.abs(powers / values - 1).max() < 1e-5
    exact = np.array([1, 2, 0.5, 4, 0.25, 8, 0.125, 16], np.float32)
    both(exact, logs, powers)
    assert np.array_equal(logs, np.log2(exact))
    assert np.array_equal(powers, exact)
