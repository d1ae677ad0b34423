"""What a player finds in the folder of a broadcast."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.hls import RATE_HZ, Playlist, level, played
from webrtc.broadcast.segments import MOST_FILES, PLAYLIST, SEGMENT_S, Segments

PITCH_HZ = 440


def tone(seconds: float) -> np.ndarray:
    turns = PITCH_HZ * np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    line = (0.3 * np.sin(2 * np.pi * turns)).astype(np.float32)
    return np.repeat(line[:, None], 2, axis=1)


def said(folder: Path) -> Playlist:
    return Playlist.parse((folder / PLAYLIST).read_text())


def test_a_player_hears_what_was_written_and_that_it_has_ended(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    sound = tone(4.5)
    for at in range(0, len(sound), 480):
        segments.write(sound[at : at + 480])
    assert not said(tmp_path).has_ended
    segments.close()
    assert said(tmp_path).has_ended
    heard = played(str(tmp_path / PLAYLIST), 1.2)
    assert level(heard[4800:], PITCH_HZ) == pytest.approx(0.3, rel=0.05)
    assert level(heard[4800:], 1000) < 0.003


def test_the_folder_does_not_grow_and_every_listed_segment_is_there(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    names: dict[str, int] = {}
    second = tone(1.0)
    for count in range(60):
        segments.write(second)
        if count < 3:
            continue
        files = {one.name for one in tmp_path.iterdir()}
        assert len(files) <= MOST_FILES
        now = said(tmp_path)
        assert set(now.segments) <= files
        assert max(now.lengths_s) < SEGMENT_S + 0.5
        assert max(round(one) for one in now.lengths_s) <= now.target_s
        for number, name in enumerate(now.segments, now.first):
            assert names.setdefault(name, number) == number, "a name never means something else"
    segments.close()
    assert len(names) > 50


def test_too_loud_is_cut_and_odd_lengths_are_no_trouble(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    for count in (1, 7, 48_000, 1_023, 48_000):
        segments.write(np.full((count, 2), 3.0, np.float32))
    segments.close()
    assert np.abs(played(str(tmp_path / PLAYLIST), 0.5)).max() < 2.0
