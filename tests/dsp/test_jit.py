"""Compiled loops where numba may not write its cache, where one was built before, or without it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.dsp.signals import RATE, music, speech

pytestmark = pytest.mark.slow  # starts processes

ROOT = Path(__file__).resolve().parents[2]

NO_CACHE = """
from numba.core import caching

caching.CacheImpl._locator_classes = []  # as on a read-only file system
"""
NO_NUMBA = """
import sys

sys.modules["numba"] = None  # as if it were not installed
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
MIX = """
import sys
from mixer.cli.command import main

files = ["one.wav,preset=voice", "two.wav,gain=-3,pan=0.5"]
sys.exit(main(["mix", *files, "-o", "OUT", "--quiet"]))
"""
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 77; shift; exec "$@"'


def run(program: str, *command: str, cache: Path | None = None, folder: Path = Path("/")) -> str:
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
        cwd=folder,
    )
    if ended.returncode == 77 or (command and "unshare" in ended.stderr):
        pytest.skip("nothing may be mounted here")
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_loop_is_compiled_where_it_cannot_be_cached() -> None:
    run(NO_CACHE + MEASURE)


@pytest.mark.parametrize("without", [NO_CACHE, NO_NUMBA])
def test_strips_run_by_the_other_engine_where_nothing_can_be_cached(without: str) -> None:
    assert run(without + STRIP) == "numpy\n"


def test_the_whole_mixer_sounds_the_same_without_numba(tmp_path: Path) -> None:
    """Loops of levels and mixes then run as Python; strips by the other engine, within -80 dB."""
    for name, sound in (("one", speech(1.0)), ("two", music(1.0))):
        soundfile.write(tmp_path / f"{name}.wav", sound, RATE, subtype="FLOAT")
    for name, before in (("with", ""), ("without", NO_NUMBA)):
        run(before + MIX.replace("OUT", f"{name}.wav"), folder=tmp_path)
    compiled, plain = (soundfile.read(tmp_path / f"{one}.wav")[0] for one in ("with", "without"))
    assert np.abs(compiled).max() > 0.05
    assert np.abs(plain - compiled).max() < 1e-4


@pytest.mark.skipif(shutil.which("unshare") is None, reason="util-linux is not installed")
def test_a_cache_that_was_built_before_is_used_on_a_read_only_file_system(tmp_path: Path) -> None:
    image, writable = tmp_path / "image", tmp_path / "writable"
    assert run(MEASURE + COUNT, cache=image) == "0 1\n"
    shutil.copytree(image, writable)  # as deploy/container/start.sh does
    shell = ("unshare", "--mount", "sh", "-c", READ_ONLY, "sh", str(ROOT))
    written = "import pathlib\ntry: pathlib.Path('%s/x').touch()\nexcept OSError: print('ro')\n"
    told = run(written % ROOT + MEASURE + COUNT, *shell, cache=writable)
    assert told == "ro\n1 0\n"
