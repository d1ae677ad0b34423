"""A feed's way through shared memory into blocks: no click, no jump, whatever happens."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixer.playout_packet import Pull
from webrtc.playback.feed_playout import FeedPlayout
from webrtc.playback.ring import FRAMES, FeedReader, FeedWriter

STEP = 0.02
"""More than neighbouring samples of the tone, or of a fade, differ by."""


@pytest.fixture
def writer(tmp_path: Path) -> FeedWriter:
    return FeedWriter(tmp_path / "feed")


def tone(number: int) -> np.ndarray:
    turns = (number * 480 + np.arange(480)) * 100 / 48000
    return np.repeat(np.sin(2 * np.pi * turns)[:, None] * 0.5, 2, 1).astype(np.float32)


def pulled(playout: FeedPlayout, count: int = 480) -> tuple[Pull, np.ndarray]:
    out = np.full((count, 2), 9.0, np.float32)
    outcome = playout.pull(out, 0.0)
    return outcome, out if outcome == Pull.SOUND else np.zeros((count, 2), np.float32)


def test_frames_come_out_as_they_went_in(writer: FeedWriter) -> None:
    playout = FeedPlayout(FeedReader(writer.path), plays=True)
    assert pulled(playout)[0] == Pull.SILENT
    for number in range(6):
        writer.write(tone(number), number / 100)
    assert writer.position_s == 0.0
    _, first = pulled(playout, 960)
    assert np.array_equal(first[240:480], tone(0)[240:])
    assert abs(first[0, 0]) < STEP
    assert np.array_equal(first[480:], tone(1))
    assert writer.position_s == 0.02
    assert np.array_equal(pulled(playout)[1], tone(2))


def test_the_memory_holds_so_much_and_no_more(writer: FeedWriter) -> None:
    for number in range(FRAMES):
        assert writer.has_room
        writer.write(tone(number), 0.0)
    assert not writer.has_room
    FeedReader(writer.path).take()
    assert writer.has_room


def test_a_pause_fades_and_goes_on_behind_it(writer: FeedWriter) -> None:
    playout = FeedPlayout(FeedReader(writer.path), plays=True)
    for number in range(8):
        writer.write(tone(number), number / 100)
    pulled(playout)
    playout.plays = False
    outcome, fading = pulled(playout)
    assert (outcome, np.abs(fading[240:]).max()) == (Pull.SOUND, 0.0)
    assert pulled(playout)[0] == Pull.SILENT
    assert not playout.is_buffering, "the room may sleep"
    assert writer.ahead == 6
    playout.plays = True
    assert playout.is_buffering
    assert np.array_equal(pulled(playout)[1][240:], tone(2)[240:])


def test_nothing_of_the_former_course_is_played_after_a_seek(writer: FeedWriter) -> None:
    playout = FeedPlayout(FeedReader(writer.path), plays=True)
    for number in range(100):
        writer.write(tone(number), number / 100)
    pulled(playout)
    writer.begin_course()
    writer.write(tone(7), 60.0)
    writer.write(tone(8), 60.01)
    assert np.array_equal(pulled(playout)[1][240:], tone(7)[240:])
    assert writer.position_s == 60.01
    assert np.array_equal(pulled(playout)[1], tone(8))
    assert playout.underruns == 0


def test_the_end_is_no_underrun(writer: FeedWriter) -> None:
    playout = FeedPlayout(FeedReader(writer.path), plays=True)
    writer.write(tone(0), 0.0)
    pulled(playout)
    assert pulled(playout)[0] == Pull.SOUND
    assert playout.underruns == 1
    writer.write(tone(1), 0.01)
    writer.end()
    pulled(playout)
    pulled(playout)
    assert writer.is_over
    assert (playout.underruns, playout.is_buffering) == (1, False)


def test_a_restarted_worker_goes_on_where_the_former_was(writer: FeedWriter) -> None:
    for number in range(4):
        writer.write(tone(number), number / 100)
    pulled(FeedPlayout(FeedReader(writer.path), plays=True))
    _, second = pulled(FeedPlayout(FeedReader(writer.path), plays=True))
    assert np.array_equal(second[240:], tone(1)[240:])


def test_what_is_no_feed_is_not_mapped(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"x")
    with pytest.raises(ValueError, match="no feed"):
        FeedReader(tmp_path / "other")
    with pytest.raises(FileNotFoundError):
        FeedReader(tmp_path / "nothing")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["write", "pull", "pull", "long", "pause", "play", "seek", "end"])))
def test_there_is_never_a_click(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str]
) -> None:
    writer = FeedWriter(tmp_path_factory.mktemp("feed") / "feed")
    playout = FeedPlayout(FeedReader(writer.path), plays=True)
    heard, number = [np.zeros((2, 2), np.float32)], 0
    for action in actions:
        match action:
            case "write":
                writer.write(tone(number), 0.0)
                number += 1
            case "pull":
                heard.append(pulled(playout)[1])
            case "long":
                heard.append(pulled(playout, 960)[1])
            case "pause":
                playout.plays = False
            case "play":
                playout.plays = True
            case "seek":
                writer.begin_course()
                number = 50 * (number % 7)  # at a zero crossing, as the tone goes
            case "end":
                writer.end()
    assert np.abs(np.diff(np.concatenate(heard)[:, 0])).max() < STEP
