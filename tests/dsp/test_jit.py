"""Compiled loops where numba may not write its cache, and where a cache was built before."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # starts processes

ROOT = Path(__file__).resolve().parents[2]

NO_CACHE = """
from numba.core import caching

caching.CacheImpl._locator_classes = []  # as on a read-only file system
"""
MEASURE = """
import numpy as np
from mixer import kernels

peaks, powers = np.zeros(1, np.float32), np.zeros(1, np.float32)
kernels.measure(np.full((1, 960, 2), 0.5, np.float32), np.zeros(1, np.int32), 0, 480, peaks, powers)
assert (float(peaks[0]), float(powers[0])) == (0.5, 0.25)
"""
COUNT = """
stats = kernels.measure.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""
STRIP = """
import numpy as np
from dsp.limiter import LimiterSettings
from dsp.mixing_system import MixingSystem
from dsp.strip import StripBank, StripSettings

print(StripBank().engine.name)
strip = MixingSystem(settings=StripSettings(limiter=LimiterSettings(-6)))
assert 0.3 < np.abs(strip.process(np.ones((480, 2), np.float32))).max() <= 0.5012
"""
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 77; shift; exec "$@"'


def run(program: str, *command: str, cache: Path | None = None) -> str:
    """Run a program of Python and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = str(cache)
    ended = subprocess.run(
        [*command, sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        cwd="/",
    )
    if ended.returncode == 77 or (command and "unshare" in ended.stderr):
        pytest.skip("nothing may be mounted here")
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_loop_is_compiled_where_it_cannot_be_cached() -> None:
    run(NO_CACHE + MEASURE)


def test_strips_run_by_the_other_engine_where_nothing_can_be_cached() -> None:
    assert run(NO_CACHE + STRIP) == "numpy\n"


@pytest.mark.skipif(shutil.which("unshare") is None, reason="util-linux is not installed")
def test_a_cache_that_was_built_before_is_used_on_a_read_only_file_system(tmp_path: Path) -> None:
    image, writable = tmp_path / "image", tmp_path / "writable"
    assert run(MEASURE + COUNT, cache=image) == "0 1\n"
    shutil.copytree(image, writable)  # as deploy/container/start.sh does
    shell = ("unshare", "--mount", "sh", "-c", READ_ONLY, "sh", str(ROOT))
    written = "import pathlib\ntry: pathlib.Path('%s/x').touch()\nexcept OSError: print('ro')\n"
    told = run(written % ROOT + MEASURE + COUNT, *shell, cache=writable)
    assert told == "ro\n1 0\n"
