"""The engine as scripts see it."""

import threading

import numpy as np
import pytest

from mixer.conference import BUFFER_S, OUTPUT_CHUNKS, AudioStream, ConferenceAudioMixer
from mixer.netsim_settings import NetworkConditions


def tone(pitch_hz: float, seconds: float, rate_hz: int = 48_000) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * pitch_hz * np.arange(round(seconds * rate_hz)) / rate_hz)


def strength(sound: np.ndarray, pitch_hz: float) -> float:
    """Amplitude of a pitch in stereo sound."""
    turn = np.exp(-2j * np.pi * pitch_hz * np.arange(len(sound)) / 48_000)
    window = np.hanning(len(sound))
    return float(2 * abs((sound[:, 0] * window) @ turn) / window.sum())


def mixed(mixer: ConferenceAudioMixer, blocks: int) -> np.ndarray:
    return np.concatenate([mixer.mix() for _ in range(blocks)])


def test_people_are_mixed_and_hear_the_others_only() -> None:
    mixer = ConferenceAudioMixer(simulate_network=False)
    mixer.add_participant("a").add_audio(tone(500, 1.0))
    mixer.add_participant("b").add_audio((tone(900, 1.0) * 32767).astype(np.int16))
    programme, heard_by_a = [], []
    for _ in range(50):
        programme.append(mixer.mix())
        heard_by_a.append(mixer.mix_minus("a"))
    both, others = np.concatenate(programme), np.concatenate(heard_by_a)
    assert strength(both, 500) == pytest.approx(0.3, rel=0.02)
    assert strength(both, 900) == pytest.approx(0.3, rel=0.02)
    assert strength(others, 500) < 0.001
    assert strength(others, 900) == pytest.approx(0.3, rel=0.02)
    assert mixer.participants == ["a", "b"]


def test_any_rate_goes_in() -> None:
    mixer = ConferenceAudioMixer(44_100, simulate_network=False)
    stream = mixer.add_participant("a")
    sound = tone(1000, 1.0, 44_100)
    for start in range(0, len(sound), 1024):
        stream.add_audio(sound[start : start + 1024])
    assert strength(mixed(mixer, 50)[4800:43200], 1000) == pytest.approx(0.3, rel=0.02)


def test_volume_is_a_factor() -> None:
    mixer = ConferenceAudioMixer(simulate_network=False)
    stream = mixer.add_participant("a", volume=0.5)
    stream.add_audio(tone(500, 1.0))
    assert strength(mixed(mixer, 25), 500) == pytest.approx(0.15, rel=0.02)
    mixer.set_volume("a", 0.0)
    assert stream.volume == 0.0
    mixer.mix()
    assert not mixed(mixer, 10).any()


@pytest.mark.parametrize("volume", [-0.1, 4.0, float("nan")])
def test_volumes_out_of_range_are_refused(volume: float) -> None:
    mixer = ConferenceAudioMixer()
    mixer.add_participant("a")
    with pytest.raises(ValueError, match="volume"):
        mixer.set_volume("a", volume)
    with pytest.raises(ValueError, match="volume"):
        mixer.add_participant("b", volume)
    assert mixer.participants == ["a"]


def test_buffers_are_bounded_and_keep_what_is_new() -> None:
    stream = AudioStream("a", 48_000, 0.1)
    stream.add_audio(np.arange(6_000) / 10_000)
    assert stream.buffered_s == pytest.approx(0.1)
    assert stream.dropped_samples == 1_200
    assert stream.read(1)[0, 0] == pytest.approx(0.12)
    stream.add_audio(np.zeros(5_000))
    assert stream.buffered_s == pytest.approx(0.1)


@pytest.mark.parametrize("wrong", [np.zeros((5, 3)), np.zeros((1, 1, 1)), np.zeros(5, np.int32)])
def test_what_is_no_sound_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="samples are"):
        AudioStream("a", 48_000, 1.0).add_audio(wrong)


def test_a_poor_network_makes_noise_and_holes() -> None:
    mixer = ConferenceAudioMixer(seed=5)
    for name in ("good", "bad"):
        mixer.add_participant(name).add_audio(np.zeros(48_000))
    mixer.set_network_quality(40, "bad")
    heard_by_good, heard_by_bad = [], []
    for _ in range(40):
        mixer.mix()
        heard_by_good.append(mixer.mix_minus("good"))
        heard_by_bad.append(mixer.mix_minus("bad"))
    assert np.concatenate(heard_by_good).std() > 0.005
    assert not np.concatenate(heard_by_bad).any()


def test_the_network_of_all_is_that_of_those_who_come_later() -> None:
    mixer = ConferenceAudioMixer()
    mixer.set_network_quality(NetworkConditions(loss_percent=100))
    mixer.add_participant("late").add_audio(tone(500, 1.0))
    assert not mixed(mixer, 50).any()
    with pytest.raises(KeyError):
        mixer.set_network_quality(50, "nobody")
    with pytest.raises(ValueError, match="quality"):
        mixer.set_network_quality(101)
    with pytest.raises(ValueError, match="simulate_network"):
        ConferenceAudioMixer(simulate_network=False).set_network_quality(50)


def test_who_left_is_gone() -> None:
    mixer = ConferenceAudioMixer(simulate_network=False)
    mixer.add_participant("a").add_audio(tone(500, 1.0))
    mixer.mix()
    mixer.remove_participant("a")
    mixer.mix()
    assert not mixer.mix().any()
    with pytest.raises(KeyError):
        mixer.remove_participant("a")
    with pytest.raises(KeyError):
        mixer.mix_minus("a")


def test_it_mixes_by_the_clock_until_it_is_stopped() -> None:
    before = threading.active_count()
    with ConferenceAudioMixer(simulate_network=False) as mixer:
        mixer.add_participant("a").add_audio(tone(500, BUFFER_S))
        mixer.start()
        mixer.start()
        assert mixer.is_running
        chunks = [mixer.get_mixed_audio(timeout_s=10.0) for _ in range(5)]
    assert not mixer.is_running
    assert threading.active_count() == before
    sound = np.concatenate([chunk for chunk in chunks if chunk is not None])
    assert len(sound) == 5 * 960
    assert np.abs(sound).max() == pytest.approx(0.3, rel=0.05)
    while mixer.get_mixed_audio(timeout_s=0.0) is not None:
        pass  # at most a second of it
    assert mixer.dropped_chunks <= OUTPUT_CHUNKS
