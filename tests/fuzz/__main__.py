"""Fuzz every parser for a while: `python -m tests.fuzz --seconds 60 [--target stun …] [--seed 1]`.

Inputs are mutations of the seeds and of the kept corpus, `tests/fuzz/corpus/TARGET-*`: what was
once a find, and what leads where the seeds do not. A new find is written there and ends the run
with status 1. An input that takes more CPU than `SLOW_S` or more memory than `MOST_MB` is a find,
too, and so is it if the process has grown by more than that in the end.

With `--grow` inputs are looked for that lead further than the corpus, and are put into it.
"""

import argparse
import functools
import hashlib
import math
import random
import resource
import sys
import time
import traceback
from pathlib import Path

from tests.fuzz.mutation import mutated
from tests.fuzz.parsers import TARGETS
from tests.fuzz.reach import reached

CORPUS = Path(__file__).with_name("corpus")
SLOW_S = 1.0
MOST_MB = 32.0
_BATCH = 200


def corpus_of(name: str) -> list[bytes]:
    """Return where the fuzzing of a target starts."""
    kept = [path.read_bytes() for path in sorted(CORPUS.glob(f"{name}-*"))]
    return [*TARGETS[name].seeds, *kept]


def fuzz(name: str, rng: random.Random, rounds: int) -> bytes | None:
    """Run a target so often; return the input of a find."""
    target, corpus = TARGETS[name], corpus_of(name)
    _warm(name)
    for _ in range(rounds):
        data = mutated(rng.choice(corpus), corpus, rng)
        begun, peak_mb = time.thread_time(), _peak_mb()
        try:
            target.run(data)
        except Exception:
            traceback.print_exc()
            return data
        if time.thread_time() - begun > SLOW_S:
            sys.stderr.write(f"{name}: too slow\n")
            return data
        if _peak_mb() - peak_mb > MOST_MB:
            sys.stderr.write(f"{name}: too much memory\n")
            return data
    return None


@functools.cache
def _warm(name: str) -> None:
    """Let a target load and compile what it needs, lest that be taken for an input's doing."""
    for data in corpus_of(name):
        TARGETS[name].run(data)


def grow(name: str, rng: random.Random, rounds: int) -> None:
    """Keep inputs of a target that lead where nothing in its corpus does."""
    target, corpus = TARGETS[name], corpus_of(name)
    known = set().union(*(reached(target, data) for data in corpus))
    for _ in range(rounds):
        data = mutated(rng.choice(corpus), corpus, rng)
        if not (lines := reached(target, data)) <= known:
            known |= lines
            corpus.append(data)
            keep(name, data)


def keep(name: str, data: bytes) -> str:
    """Write an input into the corpus; return the name of its file."""
    path = CORPUS / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    return path.name


def _peak_mb() -> float:
    """Return the most memory that this process has ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _held_mb() -> float:
    """Return the memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> int:
    """Fuzz until the time is up; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--target", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--grow", action="store_true", help="make the corpus reach further")
    given = parser.parse_args()
    rng = random.Random(given.seed)
    counts = dict.fromkeys(given.target, 0)
    held_mb = 0.0
    ends = time.monotonic() + given.seconds
    while time.monotonic() < ends:
        for name in given.target:
            rounds = math.ceil(_BATCH * TARGETS[name].share)
            counts[name] += rounds
            if given.grow:
                grow(name, rng, rounds)
            elif (find := fuzz(name, rng, rounds)) is not None:
                sys.stdout.write(
                    f"{name}: a find, kept in {keep(name, find)} (seed {given.seed})\n"
                )
                return 1
        held_mb = held_mb or _held_mb()
    for name, count in counts.items():
        sys.stdout.write(f"{name:20} {count:>12,}\n")
    grown_mb = _held_mb() - held_mb
    if grown_mb > MOST_MB:
        sys.stdout.write(f"grown by {grown_mb:.0f} MB\n")
        return 1
    sys.stdout.write(
        f"{'all':20} {sum(counts.values()):>12,} without a find, seed {given.seed}, "
        f"grown by {grown_mb:.1f} MB\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
