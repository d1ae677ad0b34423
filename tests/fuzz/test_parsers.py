"""A short run over every parser; `python -m tests.fuzz` runs as long as one likes."""

import contextlib
import itertools
import random
from pathlib import Path

import pytest

from tests.fuzz import __main__ as fuzzing
from tests.fuzz.__main__ import CORPUS, corpus_of, fuzz, grow
from tests.fuzz.parsers import TARGETS, Target
from tests.fuzz.reach import reached

SAYING_NONE = {
    *("stun", "rtp", "rtp_compiled", "red", "rtcp"),
    *("udp_opus", "udp_samples", "containers"),
}
"""Parsers that return None for what they do not understand."""


@pytest.mark.parametrize("name", TARGETS)
def test_no_parser_raises_what_its_contract_does_not_name(name: str) -> None:
    for data in corpus_of(name):
        TARGETS[name].run(data)
    assert fuzz(name, random.Random(name), round(1000 * TARGETS[name].share)) is None


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_good(name: str) -> None:
    """Else mutation would begin where every parser gives up at once."""
    target, says_none = TARGETS[name], name in SAYING_NONE
    results = []
    for seed in target.seeds:
        with contextlib.suppress(*target.refusals):
            results.append(target.parse(seed))
    assert any(result is not None for result in results) if says_none else results


def test_every_kept_find_belongs_to_a_parser() -> None:
    kept = [path.name for path in CORPUS.iterdir() if not path.name.startswith(".")]
    assert all(any(one.startswith(f"{name}-") for name in TARGETS) for one in kept)


def test_a_find_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(data: bytes) -> None:
        if b"\xff" in data:
            raise KeyError(data)

    monkeypatch.setitem(TARGETS, "broken", Target(breaks, (ValueError,), [b"seed"]))
    find = fuzz("broken", random.Random(1), 10_000)
    assert find is not None
    assert b"\xff" in find


def test_an_input_that_takes_much_memory_is_a_find(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks_mb = itertools.count(0.0, 2 * fuzzing.MOST_MB)
    assert fuzz("red", random.Random(1), 100) is None
    monkeypatch.setattr(fuzzing, "_peak_mb", lambda: next(peaks_mb))
    assert fuzz("red", random.Random(1), 1) is not None


def test_what_leads_further_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fuzzing, "CORPUS", tmp_path)
    monkeypatch.setitem(TARGETS, "rtp", Target(TARGETS["rtp"].parse, (), [b"\x80"]))
    grow("rtp", random.Random(1), 300)
    kept = [path.read_bytes() for path in tmp_path.glob("rtp-*")]
    known = reached(TARGETS["rtp"], b"\x80")
    assert known
    assert len(kept) > 1
    assert all(not reached(TARGETS["rtp"], data) <= known for data in kept)
