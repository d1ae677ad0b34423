"""A short run over every parser; `python -m tests.fuzz` runs as long as one likes."""

import contextlib
import random

import pytest

from tests.fuzz.__main__ import CORPUS, corpus_of, fuzz
from tests.fuzz.parsers import TARGETS, Target

SAYING_NONE = {"stun", "rtp", "rtcp", "udp_opus", "containers"}
"""Parsers that return None for what they do not understand."""


@pytest.mark.parametrize("name", TARGETS)
def test_no_parser_raises_what_its_contract_does_not_name(name: str) -> None:
    for data in corpus_of(name):
        TARGETS[name].run(data)
    assert fuzz(name, random.Random(name), 1000) is None


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
