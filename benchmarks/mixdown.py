"""`python -m mixer mix` of 100 ten-minute files, on one core.

    python -m benchmarks.mixdown [--quick] [--files N]

WAV files of 16 bits, of noise, mono and stereo, at 44.1 and 48 kHz; ten different ones, each under
ten names. Figures are lengths of the mix by CPU time of the process, one thread, reading and
writing included.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.harness.report import print_result, print_table

TARGET = 30.0
DIFFERENT = 10
_CASES = ((44_100, 1), (44_100, 2), (48_000, 1), (48_000, 2))


def make(folder: Path, rate_hz: int, channels: int, count: int, seconds: float) -> list[str]:
    """Write files and return their names."""
    names = []
    for number in range(count):
        path = folder / f"{number}.wav"
        if number >= DIFFERENT:
            path.hardlink_to(folder / f"{number % DIFFERENT}.wav")
        else:
            random = np.random.default_rng(number)
            with soundfile.SoundFile(path, "w", rate_hz, channels, "PCM_16") as file:
                for _ in range(round(seconds)):
                    noise = random.standard_normal((rate_hz, channels), np.float32)
                    file.write(noise * np.float32(0.02))
        names.append(str(path))
    return names


def mix(names: list[str], output: Path, *settings: str) -> tuple[float, float, float]:
    """Mix files in a process of its own; return seconds of sound, of its CPU, and of the clock."""
    command = [sys.executable, "-m", "mixer", "mix", *names, "-o", str(output), "--json", *settings]
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        command, check=True, capture_output=True, env={**os.environ, **one_thread}
    )
    took_s = time.monotonic() - began_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout)["seconds"], cpu_s, took_s


def main() -> None:
    """Measure and tell the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="files of one minute")
    parser.add_argument("--files", type=int, default=100)
    given = parser.parse_args()
    seconds = 60.0 if given.quick else 600.0
    rows, figures = [], {}
    for rate_hz, channels in _CASES:
        with tempfile.TemporaryDirectory() as folder:
            names = make(Path(folder), rate_hz, channels, given.files, seconds)
            length_s, cpu_s, took_s = mix(names, Path(folder) / "out.wav")
        kind = f"{rate_hz / 1000:g} kHz, {'mono' if channels == 1 else 'stereo'}"
        rows.append([kind, given.files, cpu_s, length_s / cpu_s, length_s / took_s, TARGET])
        figures[f"{rate_hz}x{channels}"] = round(length_s / cpu_s, 1)
    print_table(
        f"offline mix, {seconds:g} s each",
        ["files", "count", "CPU s", "times real time by CPU", "by the clock", "target"],
        rows,
    )
    print_result("mixdown", {"files": given.files, "seconds": seconds, "times_real_time": figures})


if __name__ == "__main__":
    main()
