"""Orchestral pieces that are made up: what a synthesiser can play, and the same every time."""

from itertools import pairwise
from random import Random

import pytest

from training.orchestra import DRUMS, ENSEMBLES, SECONDS, _Section, piece

PIECES = [list(piece(Random(seed))) for seed in range(40)]


@pytest.mark.parametrize("notes", PIECES)
def test_a_piece_can_be_played(notes):
    assert len({note.program for note in notes if note.program != DRUMS}) <= 15  # channels
    for note in notes:
        assert DRUMS <= note.program < 128
        assert 0 <= note.key < 128
        assert 0 < note.velocity < 128
        assert note.start_s >= 0
        assert 0 < note.length_s < 20


@pytest.mark.parametrize("notes", PIECES)
def test_a_piece_goes_on_to_its_end(notes):
    starts = sorted(note.start_s for note in notes)
    assert starts[0] < 3
    assert starts[-1] > SECONDS - 8
    assert max(later - sooner for sooner, later in pairwise(starts)) < 8


def test_the_same_seed_is_the_same_piece():
    assert list(piece(Random(3))) == PIECES[3]
    assert PIECES[3] != PIECES[4]


def test_every_texture_is_one_that_can_be_played():
    lines = {"lead", "second", "cello", "solo"}
    named = {name for each in ENSEMBLES for texture in each.textures for name in texture.split()}
    assert all(hasattr(_Section, f"_play_{name}") for name in named - lines)
    parts = {name.removeprefix("_play_") for name in dir(_Section) if name.startswith("_play_")}
    assert parts <= named
