"""What channel strips cost, in turn with pedalboard (C++) doing the same work in this process.

Gate, compressor, five bands of equaliser and limiter for 1, 8 and 64 publishers, then the same with
chorus, delay, reverb and width; blocks of 20 ms, 16-bit integers in and out on both sides.
pedalboard's limiter looks at samples only and is no ceiling; ours looks at true peaks. Width,
which it does not have, is done in numpy there. What counts is the CPU time of the thread.
"""

import argparse
import importlib
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from benchmarks.harness.report import print_result, print_table
from dsp.chorus import ChorusSettings
from dsp.compressor import CompressorSettings
from dsp.delay import DelaySettings
from dsp.engine import EngineName, load_engine
from dsp.equaliser import BandSettings, EqualiserSettings
from dsp.gate import GateSettings
from dsp.limiter import LimiterSettings
from dsp.reverb import ReverbSettings
from dsp.stereo import StereoSettings
from dsp.strip import StripBank, StripSettings

RATE_HZ = 48_000
BLOCK = 960
TURN = 10
PUBLISHERS = (1, 8, 64)
TARGETS = {
    "dynamics": {1: 1.3, 8: 5.0, 64: 8.0},
    "effects": {1: 1.8, 8: 4.0, 64: 5.0},
}
TITLES = {
    "dynamics": "gate, compressor, equaliser, limiter",
    "effects": "these with chorus, delay, reverb and width",
}
TARGETS_64_MS = {"dynamics": 0.8, "effects": 3.0}

BANDS = (
    BandSettings("low_shelf", 120.0, 3.0, 0.7),
    BandSettings("peak", 300.0, -2.0, 1.0),
    BandSettings("peak", 1000.0, 3.0, 1.0),
    BandSettings("peak", 3000.0, 2.0, 1.0),
    BandSettings("high_shelf", 8000.0, 3.0, 0.7),
)
DYNAMICS = StripSettings(
    gate=GateSettings(-40.0, attack_ms=2.5, release_ms=100.0),
    compressor=CompressorSettings(-20.0, 4.0, attack_ms=5.0, release_ms=100.0),
    equaliser=EqualiserSettings(BANDS),
    limiter=LimiterSettings(-3.0, release_ms=100.0),
)
STRIPS = {
    "dynamics": DYNAMICS,
    "effects": replace(
        DYNAMICS,
        chorus=ChorusSettings(1.0, 25.0, 50.0),
        delay=DelaySettings(250.0, 30.0, 30.0, 30.0),
        reverb=ReverbSettings(50.0, 1.5, 50.0, 10.0, 30.0),
        stereo=StereoSettings(150.0),
    ),
}

Blocks = npt.NDArray[np.int16]
Work = Callable[[int], object]


def programme(seconds: float = 2.0) -> Blocks:
    """Return noise and a tone in syllables, peaks near full scale: int16 (blocks, 960, 2)."""
    random = np.random.default_rng(7)
    count = int(seconds * RATE_HZ) // BLOCK * BLOCK
    t = np.arange(count) / RATE_HZ
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * t) + 0.3, 0, None) * 0.7 + 0.003
    tone = 0.3 * np.sin(2 * np.pi * 220 * t)[:, None]
    sound = syllables[:, None] * (0.2 * random.standard_normal((count, 2)) + tone)
    samples = np.clip(sound * 32768, -32768, 32767).astype(np.int16)
    return samples.reshape(-1, BLOCK, 2)


def to_int16(sound: npt.NDArray[np.float32]) -> Blocks:
    """Return samples rounded to 16 bits."""
    scaled = sound * np.float32(32767)
    np.clip(scaled, -32768, 32767, out=scaled)
    np.rint(scaled, out=scaled)
    samples: Blocks = scaled.astype(np.int16)
    return samples


def our_strips(
    engine: EngineName, settings: StripSettings, publishers: int, blocks: Blocks
) -> Work:
    """Return a call that does one block of so many publishers."""
    bank = StripBank(load_engine(engine))
    for row in range(publishers):
        bank.take(row)
        bank.set(row, settings)
    rows = np.arange(publishers, dtype=np.int32)
    arena = np.empty((publishers, BLOCK, 2), np.float32)
    inputs = [np.repeat(block[None], publishers, axis=0) for block in blocks]

    def work(number: int) -> Blocks:
        np.multiply(inputs[number % len(inputs)], np.float32(1 / 32768), out=arena)
        bank.process(arena, rows, 0, BLOCK)
        return to_int16(arena)

    return work


def pedalboards(settings: StripSettings, publishers: int, blocks: Blocks) -> Work | None:
    """Return a call that does the same with pedalboard; None where it is not installed."""
    try:
        pedalboard = importlib.import_module("pedalboard")
    except ImportError:
        return None
    shapes = {
        "low_shelf": pedalboard.LowShelfFilter,
        "peak": pedalboard.PeakFilter,
        "high_shelf": pedalboard.HighShelfFilter,
    }

    def effects() -> list[object]:
        if settings.reverb is None:
            return []
        return [
            pedalboard.Chorus(rate_hz=1.0, depth=0.25, centre_delay_ms=7.0, feedback=0.0, mix=0.5),
            pedalboard.Delay(delay_seconds=0.25, feedback=0.3, mix=0.3),
            pedalboard.Reverb(room_size=0.5, damping=0.5, wet_level=0.33, dry_level=0.4),
        ]

    boards = [
        pedalboard.Pedalboard(
            [
                pedalboard.NoiseGate(-40, 10, 1, 100),
                pedalboard.Compressor(-20, 4, 5, 100),
                *(shapes[b.shape](b.frequency_hz, b.gain_db, b.q) for b in BANDS),
                *effects(),
                pedalboard.Limiter(-3, 100),
            ]
        )
        for _ in range(publishers)
    ]
    inputs = [np.ascontiguousarray(block.T) for block in blocks]

    def work(number: int) -> Blocks:
        block = inputs[number % len(inputs)]
        for board in boards:
            sound = block * np.float32(1 / 32768)
            made = board.process(sound, RATE_HZ, buffer_size=BLOCK, reset=False)
            last = to_int16(made if settings.stereo is None else widened(made, settings.stereo))
        return last

    return work


def widened(sound: npt.NDArray[np.float32], settings: StereoSettings) -> npt.NDArray[np.float32]:
    """Return sound (2, n) with its side signal scaled."""
    middle = np.float32(0.5) * (sound[0] + sound[1])
    side = np.float32(settings.width_percent / 200.0) * (sound[0] - sound[1])
    return np.stack([middle + side, middle - side])


def measure(works: dict[str, Work], rounds: int) -> dict[str, float]:
    """Return the median CPU microseconds of a block; works take turns of ten blocks."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            before = time.thread_time_ns()
            for number in range(TURN * turn, TURN * (turn + 1)):
                work(number)
            if turn:  # the first one warms up
                times[name].append((time.thread_time_ns() - before) / 1000 / TURN)
    return {name: float(np.median(values)) for name, values in times.items()}


def compare(kind: str, blocks: Blocks, rounds: int) -> dict[str, object]:
    """Measure one kind of strip for all numbers of publishers, and print a table."""
    settings = STRIPS[kind]
    figures: dict[str, object] = {}
    table: list[list[float | int | None]] = []
    for publishers in PUBLISHERS:
        works = {"numba": our_strips("numba", settings, publishers, blocks)}
        theirs = pedalboards(settings, publishers, blocks)
        if theirs is not None:
            works["pedalboard"] = theirs
        cost = measure(works, rounds // (4 if publishers == 64 else 1))
        fallback = {"numpy": our_strips("numpy", settings, publishers, blocks[:20])}
        cost |= measure(fallback, 1 + rounds // (10 * publishers))
        ratio = cost["pedalboard"] / cost["numba"] if theirs is not None else None
        each = cost["numba"] / publishers
        target = TARGETS[kind][publishers]
        table.append(
            [
                publishers,
                cost["numba"],
                each,
                cost.get("pedalboard"),
                cost["numpy"],
                ratio,
                target,
            ]
        )
        figures[f"us_{publishers}"] = round(cost["numba"], 1)
        figures[f"times_pedalboard_{publishers}"] = None if ratio is None else round(ratio, 2)
        figures[f"numpy_us_{publishers}"] = round(cost["numpy"], 1)
    print_table(
        f"CPU time of strips for 20 ms of sound, µs: {TITLES[kind]}",
        ["publishers", "ours", "each", "pedalboard", "without numba", "times", "to reach"],
        table,
    )
    return {**figures, "target_ms_64": TARGETS_64_MS[kind]}


def main() -> None:
    """Measure and tell the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 12 if parser.parse_args().quick else 60
    blocks = programme()
    print_result("dsp", {kind: compare(kind, blocks, rounds) for kind in STRIPS})


if __name__ == "__main__":
    main()
