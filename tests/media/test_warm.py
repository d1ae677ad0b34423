"""After warming up nothing is left to compile, for the first sound or for anything else."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def test_after_warming_up_mixing_sending_and_receiving_compile_nothing() -> None:
    program = [sys.executable, "-m", "tests.media.warm_program"]
    subprocess.run(program, cwd=ROOT, check=True, timeout=120)


def test_the_installation_is_told_which_engine_there_is() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "webrtc.media.warm"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "fan-out: compiled\n"
