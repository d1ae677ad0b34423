"""What the selection benchmark calls right and wrong."""

import numpy as np
import pytest

from benchmarks.selection import Microphone, judge, make_microphone, play

SILENT_DBFS = -120.0
BLOCKS = 500


def microphone(*spoken, level_dbfs=-25.0, noise_dbfs=-70.0, coughs=()):
    """Return one who speaks, and coughs, in these blocks."""
    speech = np.full(BLOCKS, SILENT_DBFS)
    for begin, end in spoken:
        speech[begin:end] = level_dbfs
    coughing = np.zeros(BLOCKS, np.bool_)
    for begin, end in coughs:
        coughing[begin:end] = True
    return Microphone(np.zeros(BLOCKS * 960, np.float32), noise_dbfs, speech, coughing)


def heard(*who):
    """Return who was heard when: a list of (begin, end) for each."""
    flags = np.zeros((len(who), BLOCKS), np.bool_)
    for row, spans in zip(flags, who, strict=True):
        for begin, end in spans:
            row[begin:end] = True
    return flags


def test_everybody_heard_at_once_is_perfect():
    people = [microphone((50, 150)), microphone((100, 300))]
    score = judge(people, heard([(50, 170)], [(100, 320)]), 2)
    assert (score.heard_share, score.wrong, score.filled_share) == (1.0, 0, None)
    assert score.waits_ms.tolist() == [20.0, 20.0]


def test_a_late_start_is_lost_speech_and_a_wait():
    score = judge([microphone((50, 150))], heard([(60, 150)]), 1)
    assert score.heard_share == pytest.approx(0.9)
    assert score.waits_ms.tolist() == [220.0]


def test_a_beginning_counts_from_where_it_is_about_as_loud_as_the_voice():
    begins_soft = microphone((50, 150))
    begins_soft.speech_dbfs[50:54] = -45.0
    assert judge([begins_soft], heard([(56, 150)]), 1).waits_ms.tolist() == [60.0]
    whispers = microphone((50, 150), level_dbfs=-45.0)
    assert judge([whispers], heard([(56, 150)]), 1).waits_ms.tolist() == [140.0]


def test_who_begins_during_a_cough_waits_for_its_end_and_that_is_told_apart():
    people = [microphone((50, 150)), microphone(coughs=[(48, 52)])]
    score = judge(people, heard([(56, 150)], [(48, 56)]), 1)
    assert score.starts_ms.tolist() == [140.0]
    assert score.waits_ms.tolist() == [40.0]  # 60 ms without sound, and it is over
    score = judge(people, heard([(60, 150)], [(48, 60)]), 1)
    assert score.waits_ms.tolist() == [120.0]


def test_who_begins_while_all_places_are_spoken_in_is_owed_nothing():
    people = [microphone((50, 150)), microphone((0, 300))]
    assert judge(people, heard([], [(0, 300)]), 1).waits_ms.tolist() == []


@pytest.mark.parametrize(
    ("winner", "wrong"),
    [
        (microphone(), 1),  # it coughed
        (microphone((100, 400)), 1),  # as loud
        (microphone((100, 400), level_dbfs=-15.0), 0),
        (microphone((100, 400), level_dbfs=-15.0, noise_dbfs=-50.0), 1),  # loud with noise
    ],
)
def test_losing_the_place_in_the_middle_of_a_word_needs_somebody_clearly_louder(winner, wrong):
    people = [microphone((50, 400)), winner]
    score = judge(people, heard([(50, 200)], [(200, 400)]), 1)
    assert score.wrong == wrong


def test_losing_the_place_after_the_last_word_is_right():
    people = [microphone((50, 180)), microphone((190, 300))]
    assert judge(people, heard([(50, 195)], [(195, 300)]), 1).wrong == 0


def test_of_more_speakers_than_places_it_counts_who_holds_them():
    people = [microphone((0, 500)) for _ in range(3)]
    score = judge(people, heard([(0, 500)], [(0, 250)], []), 2)
    assert score.filled_share == pytest.approx(0.75)


def test_a_made_up_conversation_goes_through_the_mixer():
    rng = np.random.default_rng(1)
    phrase = np.asarray(0.1 * rng.standard_normal(48_000), np.float32)
    people = [make_microphone([phrase], 10.0, 0.5, rng) for _ in range(3)]
    assert all(one.speaks.any() and not one.speaks.all() for one in people)
    score = judge(people, play(people, 2), 2)
    assert score.heard_share > 0.9
