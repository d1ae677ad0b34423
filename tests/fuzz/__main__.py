"""Fuzz every parser for a while: `python -m tests.fuzz --seconds 60 [--target stun …] [--seed 1]`.

Inputs are mutations of the seeds and of `tests/fuzz/corpus/TARGET-*`, which holds what was once a
find. A new find is written there and ends the run with status 1. An input that takes more CPU than
`SLOW_S` is a find, too.
"""

import argparse
import hashlib
import random
import sys
import time
import traceback
from pathlib import Path

from tests.fuzz.mutation import mutated
from tests.fuzz.parsers import TARGETS

CORPUS = Path(__file__).with_name("corpus")
SLOW_S = 1.0
_BATCH = 200


def corpus_of(name: str) -> list[bytes]:
    """Return where the fuzzing of a target starts."""
    kept = [path.read_bytes() for path in sorted(CORPUS.glob(f"{name}-*"))]
    return [*TARGETS[name].seeds, *kept]


def fuzz(name: str, rng: random.Random, rounds: int) -> bytes | None:
    """Run a target so often; return the input of a find."""
    target, corpus = TARGETS[name], corpus_of(name)
    for _ in range(rounds):
        data = mutated(rng.choice(corpus), corpus, rng)
        begun = time.thread_time()
        try:
            target.run(data)
        except Exception:
            traceback.print_exc()
            return data
        if time.thread_time() - begun > SLOW_S:
            sys.stderr.write(f"{name}: too slow\n")
            return data
    return None


def main() -> int:
    """Fuzz until the time is up; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--target", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    counts = dict.fromkeys(given.target, 0)
    ends = time.monotonic() + given.seconds
    while time.monotonic() < ends:
        for name in given.target:
            find = fuzz(name, rng, _BATCH)
            counts[name] += _BATCH
            if find is not None:
                path = CORPUS / f"{name}-{hashlib.sha256(find).hexdigest()[:12]}"
                path.write_bytes(find)
                sys.stdout.write(f"{name}: a find, kept in {path.name} (seed {given.seed})\n")
                return 1
    for name, count in counts.items():
        sys.stdout.write(f"{name:20} {count:>12,}\n")
    sys.stdout.write(f"{'all':20} {sum(counts.values()):>12,} without a find, seed {given.seed}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
