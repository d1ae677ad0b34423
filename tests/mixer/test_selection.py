"""Who is heard when more speak than anybody can hear: cases one by one."""

import random

import pytest

from mixer.selection import LoudestSelector
from mixer.selection_candidate import Standing
from mixer.selection_settings import SelectionSettings
from tests.mixer.crowd import SILENT, STEP_S, Crowd, steady

HOLD_S = SelectionSettings().hold_ms / 1000
ATTACK_S = SelectionSettings().attack_ms / 1000


def talkers(count, level_dbov=25, settle_s=3.0, **settings):
    """Return a crowd in which so many have been speaking for a while."""
    crowd = Crowd(**settings)
    for number in range(count):
        crowd.come(f"talker {number}", steady(level_dbov))
    crowd.run(settle_s)
    return crowd


def between(begin_s, end_s, level_dbov, otherwise=SILENT):
    """Return a voice that sounds for a while only."""
    return lambda now_s: level_dbov if begin_s <= now_s < end_s else otherwise


def syllables(level_dbov):
    """Return a voice in a quiet room: 260 ms of sound, 20 ms of nothing."""
    return lambda now_s: level_dbov if round(now_s / STEP_S) % 14 < 13 else 70


# ---- places --------------------------------------------------------------------------------


def test_as_many_as_there_are_places_are_all_heard_and_nobody_is_in_reserve():
    crowd = talkers(6)
    assert len(crowd.main) == 6
    assert crowd.selector.reserve is None


def test_with_one_more_everybody_hears_six_others():
    crowd = talkers(7)
    for listener in [None, *crowd.main]:
        assert len(crowd.heard_by(listener)) == 6
    assert len(crowd.heard_by(crowd.selector.reserve)) == 6


def test_a_place_that_becomes_free_goes_to_the_reserve_at_once_and_on_to_the_next():
    crowd = talkers(8)
    reserve = crowd.selector.reserve
    [waiting] = crowd.scripts.keys() - crowd.main - {reserve}
    crowd.go("talker 2")
    crowd.step()
    assert reserve in crowd.main
    assert crowd.selector.reserve == waiting


def test_of_equals_the_older_ones_are_heard():
    assert talkers(9, max_speakers=3).main == {"talker 0", "talker 1", "talker 2"}


def test_a_source_twice_is_an_error():
    crowd = talkers(1)
    with pytest.raises(ValueError, match="already"):
        crowd.come("talker 0", steady(20))


# ---- who is louder -------------------------------------------------------------------------


def test_somebody_clearly_louder_takes_a_place_as_soon_as_it_is_no_cough():
    crowd = talkers(4, level_dbov=30, max_speakers=3)
    crowd.come("loud", steady(20))
    assert ATTACK_S <= crowd.wait_s("loud", 1.0) <= ATTACK_S + 2 * STEP_S + 1e-9


def test_nobody_who_was_just_chosen_is_displaced_before_the_hold_is_over():
    crowd = Crowd(max_speakers=1, hold_ms=1000)
    crowd.come("first", steady(30))
    crowd.step()
    crowd.come("loud", steady(15))
    assert crowd.wait_s("loud", 2.0) == pytest.approx(1.0, abs=2 * STEP_S)


def test_louder_by_less_than_the_hysteresis_is_not_louder():
    crowd = talkers(3, level_dbov=30, settle_s=20.0, max_speakers=3)  # floors have settled
    crowd.come("hardly louder", lambda now_s: 50 if now_s < 40 else 24)  # has its noise, too
    crowd.run(60)
    assert crowd.main == {"talker 0", "talker 1", "talker 2"}


def test_the_level_of_who_is_heard_stays_live():
    crowd = Crowd(max_speakers=1)
    crowd.come("fades", lambda now_s: syllables(20 if now_s < 5 else 42)(now_s))
    crowd.come("waits", syllables(30))
    crowd.run(5)
    assert crowd.main == {"fades"}
    crowd.run(8)
    assert crowd.main == {"waits"}


def test_how_loud_somebody_was_long_ago_does_not_count():
    crowd = Crowd(max_speakers=1)
    crowd.come("loud once", lambda now_s: syllables(10 if now_s < 3 else 40)(now_s))
    crowd.run(3)
    crowd.scripts["loud once"] = steady(SILENT)
    crowd.come("speaks", syllables(30))
    crowd.run(3)
    assert crowd.main == {"speaks"}
    crowd.scripts["loud once"] = syllables(40)
    crowd.run(3)
    assert crowd.main == {"speaks"}


def test_silence_on_the_line_does_not_make_a_fan_a_voice():
    crowd = Crowd(max_speakers=1)
    crowd.come("fan", steady(44))
    crowd.run(10)
    crowd.come("voice", syllables(30))
    crowd.run(1)
    crowd.scripts |= {"fan": steady(SILENT), "voice": steady(60)}  # a lost packet, and a pause
    crowd.step()
    crowd.scripts["fan"] = steady(44)
    crowd.run(0.5)
    assert crowd.main == {"voice"}


def test_a_loud_fan_is_less_than_a_quiet_voice_in_a_quiet_room():
    crowd = Crowd(max_speakers=1)
    crowd.come("fan", steady(42))
    crowd.run(10)
    assert crowd.main == {"fan"}  # nobody else is there
    crowd.come("voice", steady(46))
    crowd.wait_s("voice", ATTACK_S + 2 * STEP_S)
    crowd.run(1)
    assert crowd.main == {"voice"}


def test_of_two_voices_the_one_without_noise_around_it_is_the_louder():
    crowd = Crowd(max_speakers=1)
    crowd.come("noisy", lambda now_s: min(syllables(30)(now_s), 51))
    crowd.run(6)
    crowd.come("clean", syllables(30))
    crowd.wait_s("clean", 2.0)
    crowd.run(5)
    assert crowd.main == {"clean"}


def test_sound_that_is_no_voice_counts_less():
    crowd = Crowd(max_speakers=1, voice_weight_db=15)
    crowd.voices = {"music": False, "voice": True}
    crowd.come("music", steady(20))
    crowd.run(1)
    crowd.come("voice", steady(25))
    crowd.wait_s("voice", 0.5)


# ---- coughs --------------------------------------------------------------------------------


@pytest.mark.parametrize("length_s", [0.02, 0.06, 0.1])
def test_a_cough_displaces_nobody_who_speaks(length_s):
    crowd = talkers(3, max_speakers=2)
    before = list(crowd.log)
    for count in range(5):
        begin_s = crowd.now_s
        crowd.come(f"cough {count}", between(begin_s, begin_s + length_s, 3))
        crowd.run(1)
    assert crowd.log == before


def test_a_cough_in_a_free_place_does_not_keep_it_from_who_speaks():
    crowd = Crowd(max_speakers=1)
    crowd.come("cough", between(0.0, 0.1, 3))
    crowd.step()
    assert crowd.main == {"cough"}
    crowd.run(0.3)
    crowd.come("voice", steady(30))
    assert crowd.wait_s("voice", 0.1) < 0.05


@pytest.mark.parametrize("cough_s", [0.02, 0.1])
def test_a_cough_keeps_its_place_for_no_longer_than_it_sounds(cough_s):
    crowd = talkers(2, max_speakers=3)
    crowd.come("cough", between(crowd.now_s, crowd.now_s + cough_s, 3))
    crowd.come("voice", steady(SILENT))
    crowd.run(cough_s)
    assert "cough" in crowd.main
    crowd.scripts["voice"] = steady(30)
    assert crowd.wait_s("voice", 0.2) < 0.09


def test_a_cough_in_a_pause_does_not_make_the_pause_any_shorter():
    crowd = talkers(2, max_speakers=2)
    crowd.come("next", steady(SILENT))
    pause_s = crowd.now_s
    crowd.scripts["talker 0"] = between(pause_s + 0.3, pause_s + 0.36, 3, otherwise=60)
    crowd.run(0.6)
    crowd.scripts["next"] = steady(30)
    assert crowd.wait_s("next", 0.1) < 0.05


def test_where_more_talk_than_are_heard_a_short_first_syllable_keeps_its_place():
    crowd = talkers(4, max_speakers=2)
    crowd.go("talker 0")
    begin_s = crowd.now_s
    crowd.come("newcomer", lambda now_s: 60 if begin_s + 0.1 <= now_s < begin_s + 0.24 else 20)
    crowd.selector.set_standing("newcomer", Standing.PRIORITY)
    crowd.step()
    crowd.selector.set_standing("newcomer", Standing.ORDINARY)
    crowd.run(1)
    assert [name for _, name in crowd.log].count("newcomer") == 1
    assert "newcomer" in crowd.main


def test_a_loud_first_word_does_not_make_a_loud_voice():
    crowd = Crowd(max_speakers=1)
    for name in ("talker 0", "talker 1"):
        crowd.come(name, syllables(26))
    crowd.run(3)
    crowd.come("begins loud", lambda now_s: syllables(13 if now_s < 3.26 else 26)(now_s))
    crowd.run(3)
    assert crowd.main == {"talker 0"}
    assert "begins loud" not in [name for _, name in crowd.log]


def test_a_pause_does_not_make_a_voice_less_of_a_voice():
    crowd = Crowd(max_speakers=1, voice_weight_db=20)
    crowd.come("pauses", lambda now_s: 25 if now_s % 1.0 < 0.7 else 62)
    crowd.come("waits", steady(27))
    for _ in range(300):
        crowd.voices = {name: script(crowd.now_s) < 50 for name, script in crowd.scripts.items()}
        crowd.step()
    assert crowd.main == {"pauses"}


# ---- how soon ------------------------------------------------------------------------------


def test_the_seventh_is_heard_within_40_ms_when_one_of_six_has_paused():
    crowd = talkers(6)
    crowd.come("seventh", steady(SILENT))
    crowd.scripts["talker 3"] = steady(60)
    crowd.run(0.5)
    crowd.scripts["seventh"] = steady(35)
    assert crowd.wait_s("seventh", 0.1) < 0.05
    assert "talker 3" not in crowd.main


def test_a_pause_within_a_sentence_costs_nobody_the_place():
    crowd = talkers(2, max_speakers=1)
    [speaks] = crowd.main
    pause_s = crowd.now_s
    crowd.scripts[speaks] = lambda now_s: 60 if now_s < pause_s + 0.36 else 25
    crowd.run(3)
    assert crowd.main == {speaks}


def test_who_waited_longest_is_next_of_those_about_as_loud():
    crowd = talkers(1, max_speakers=1)
    crowd.come("reserve", steady(25))
    crowd.run(0.5)
    crowd.come("patient", steady(25))
    crowd.run(0.5)
    crowd.come("impatient", steady(23))
    crowd.run(0.5)
    for name in ("talker 0", "reserve"):
        crowd.scripts[name] = steady(SILENT)
    crowd.wait_s("patient", 1.0)


def test_who_waited_longest_comes_behind_somebody_clearly_louder():
    crowd = talkers(1, level_dbov=20, max_speakers=1)
    for name, level in (("reserve", 20), ("patient", 40), ("loud", 28)):
        crowd.come(name, syllables(level))
        crowd.run(0.5)
    for name in ("talker 0", "reserve"):
        crowd.scripts[name] = steady(SILENT)
    crowd.run(0.6)
    assert crowd.main == {"loud"}


def test_a_free_place_goes_to_who_speaks_before_who_is_only_audible():
    crowd = Crowd(max_speakers=2)
    for number in range(3):
        crowd.come(f"noise {number}", steady(60))
    crowd.run(1)
    crowd.come("voice", syllables(35))
    crowd.step()
    crowd.go("noise 0")
    crowd.step()
    assert "voice" in crowd.main


def test_nobody_starves_among_equals_who_pause_as_people_do():
    rng = random.Random(4)
    crowd = Crowd(max_speakers=3)
    ends, speaks = {}, {}

    def person(name):
        def level(now_s):
            while now_s >= ends.get(name, 0.0):
                speaks[name] = not speaks.get(name, False)
                span = (0.8, 3.0) if speaks[name] else (0.4, 1.0)
                ends[name] = ends.get(name, 0.0) + rng.uniform(*span)
            return rng.randint(23, 29) if speaks[name] else rng.randint(60, 70)

        return level

    for number in range(12):
        crowd.come(f"person {number}", person(f"person {number}"))
    unheard_s = dict.fromkeys(crowd.scripts, 0.0)
    longest_s = 0.0
    for _ in range(round(120 / STEP_S)):
        crowd.step()
        for name in unheard_s:
            unheard_s[name] = 0.0 if name in crowd.main else unheard_s[name] + STEP_S
        longest_s = max(longest_s, *unheard_s.values())
    assert longest_s < 20.0


# ---- those who come first ------------------------------------------------------------------


@pytest.mark.parametrize("places", [1, 2])
@pytest.mark.parametrize("standing", [Standing.PRIORITY, Standing.PINNED])
def test_who_comes_first_is_heard_at_once_however_quiet(standing, places):
    crowd = talkers(4, level_dbov=15, max_speakers=places)
    crowd.come("chair", steady(55), standing)
    assert crowd.wait_s("chair", 0.1) < 0.05
    crowd.run(5)
    assert [name for _, name in crowd.log].count("chair") == 1
    assert "chair" in crowd.main


def test_priority_keeps_no_place_through_silence_but_a_pin_does():
    crowd = talkers(3, max_speakers=2)
    for name in ("talker 0", "talker 1"):
        crowd.scripts[name] = steady(SILENT)
    crowd.selector.set_standing("talker 0", Standing.PRIORITY)
    crowd.selector.set_standing("talker 1", Standing.PINNED)
    crowd.run(3)
    assert crowd.main == {"talker 1", "talker 2"}


def test_the_older_pins_are_kept_when_there_are_more_than_places():
    crowd = talkers(4, max_speakers=2)
    crowd.scripts["talker 0"] = steady(10)
    for name in ("talker 3", "talker 1", "talker 0"):
        crowd.selector.set_standing(name, Standing.PINNED)
        crowd.run(1)
    assert crowd.main == {"talker 3", "talker 1"}
    assert crowd.selector.reserve == "talker 0"


def test_a_pin_taken_away_leaves_the_place_to_whoever_is_louder():
    crowd = talkers(3, level_dbov=20, max_speakers=1)
    crowd.come("chair", steady(45), Standing.PINNED)
    crowd.run(2)
    assert crowd.main == {"chair"}
    crowd.selector.set_standing("chair", Standing.ORDINARY)
    crowd.run(1)
    assert crowd.main == {"talker 0"}


# ---- silence, mutes, other rules -----------------------------------------------------------


def test_who_is_silent_too_long_gives_the_place_up_even_if_nobody_wants_it():
    crowd = talkers(2)
    crowd.scripts["talker 0"] = steady(SILENT)
    crowd.run(1.9)
    assert "talker 0" in crowd.main
    crowd.run(0.2)
    assert "talker 0" not in crowd.main


def test_muting_frees_the_place_and_unmuting_gets_none_while_others_speak():
    crowd = talkers(3, max_speakers=1)
    crowd.selector.set_muted("talker 0", True)
    crowd.step()
    assert crowd.main == {"talker 1"}
    crowd.selector.set_muted("talker 0", False)
    crowd.run(1)
    assert crowd.main == {"talker 1"}


def test_fewer_places_are_left_to_the_loudest_who_move_only_if_they_must():
    crowd = talkers(5, max_speakers=4)
    for name in ("talker 0", "talker 2"):
        crowd.scripts[name] = steady(45)
    crowd.run(5)
    assert crowd.places[1] == "talker 1"
    assert crowd.places[3] == "talker 3"
    crowd.apply(max_speakers=2)
    crowd.step()
    assert crowd.places == {0: "talker 3", 1: "talker 1", 2: "talker 4"}


def test_other_rules_apply_to_those_who_are_here():
    crowd = talkers(1)
    crowd.scripts["talker 0"] = steady(SILENT)
    crowd.apply(timeout_ms=500)
    crowd.run(0.6)
    assert crowd.main == set()


def test_more_places_are_filled_at_once_and_nobody_moves():
    crowd = talkers(5, max_speakers=2)
    before = {slot: name for slot, name in crowd.places.items() if slot < 2}
    crowd.apply(max_speakers=4)
    crowd.step()
    assert len(crowd.main) == 4
    assert before.items() <= crowd.places.items()
    assert crowd.selector.reserve is not None


def test_a_packet_is_told_its_place():
    crowd = talkers(4, max_speakers=2)
    told = {name: crowd.selector.handle_packet(name, 25, crowd.clock_s) for name in crowd.scripts}
    assert told == {"talker 0": 0, "talker 1": 1, "talker 2": 2, "talker 3": None}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("max_speakers", 0),
        ("max_speakers", 16),
        ("hysteresis_db", 0.5),
        ("hold_ms", -1),
        ("attack_ms", 50),
        ("yield_ms", 10),
        ("timeout_ms", float("nan")),
        ("open_db", 100),
        ("voice_weight_db", -1),
    ],
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=setting):
        SelectionSettings(**{setting: value})


def test_an_empty_room_decides_nothing():
    assert LoudestSelector(SelectionSettings()).decide(1.0) == []
