"""Sounds mixed in virtual time, with and without a network."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.limiter import LimiterSettings
from dsp.loudness import integrated_lufs
from dsp.strip import StripSettings
from mixer.arena import SAMPLE_RATE_HZ
from mixer.listener import PersonalGain
from mixer.netsim_settings import CLEAN, NetworkConditions, quality
from mixer.studio import BLOCK, BLOCK_S, Studio

Sound = npt.NDArray[np.float32]


class Tape:
    """A feed of given samples."""

    def __init__(self, sound: Sound) -> None:
        self._sound = sound

    def read(self, count: int) -> Sound:
        head, self._sound = self._sound[:count], self._sound[count:]
        return head


def noise(seed: int, seconds: float = 0.5, rms: float = 0.05) -> Sound:
    count = round(seconds * SAMPLE_RATE_HZ)
    return np.random.default_rng(seed).normal(0, rms, (count, 2)).astype(np.float32)


def tone(pitch_hz: float, seconds: float = 1.0, amplitude: float = 0.2) -> Sound:
    phase = 2 * np.pi * pitch_hz * np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return np.repeat(amplitude * np.sin(phase)[:, None], 2, axis=1).astype(np.float32)


def run(studio: Studio, seconds: float) -> Sound:
    blocks = [studio.mix().copy() for _ in range(round(seconds / BLOCK_S))]
    return np.concatenate(blocks)


def share_of(part: Sound, mix: Sound) -> float:
    """The gain with which a sound stands in a mix, by least squares."""
    part, mix = part[:, 0].astype(float), mix[: len(part), 0].astype(float)
    return float(part @ mix / (part @ part))


def test_a_mix_is_the_sum_from_the_first_sample_to_the_last() -> None:
    studio = Studio()
    sounds = [noise(seed) for seed in range(20)]
    for number, sound in enumerate(sounds):
        studio.add(str(number), Tape(sound * 0.2))
    expected = np.sum(sounds, axis=0, dtype=np.float64) * 0.2
    assert np.abs(run(studio, 0.5) - expected).max() < 1e-6
    assert studio.is_sounding
    assert not studio.mix().any()
    assert not studio.is_sounding


def test_soft_sounds_are_kept() -> None:
    studio = Studio()
    studio.add("a", Tape(noise(1, 3.0, rms=1e-4)))  # −80 dBFS, where a conference hears nothing
    assert run(studio, 3.0)[-100:].std() == pytest.approx(1e-4, rel=0.3)


def test_gain_and_pan_are_in_the_mix_and_in_everybody_elses() -> None:
    studio = Studio()
    one, other = noise(1), noise(2)
    studio.add("one", Tape(one), PersonalGain(-6.0, 1.0))
    studio.add("other", Tape(other))
    studio.monitor("one")
    studio.monitor("other")
    programme, minus_one, minus_other = [], [], []
    for _ in range(25):
        programme.append(studio.mix().copy())
        minus_one.append(studio.minus("one").copy())
        minus_other.append(studio.minus("other").copy())
    quieter = one * [0.0, 10 ** (-6 / 20)]
    assert np.abs(np.concatenate(programme) - quieter - other).max() < 1e-6
    assert np.abs(np.concatenate(minus_one) - other).max() < 1e-6
    assert np.abs(np.concatenate(minus_other) - quieter).max() < 1e-6


def test_gains_change_without_a_click() -> None:
    studio = Studio()
    studio.add("a", Tape(tone(100, 2.0)))
    before = run(studio, 1.0)
    studio.set_gain("a", PersonalGain(-60.0))
    after = run(studio, 1.0)
    steps = np.abs(np.diff(np.concatenate([before, after])[:, 0]))
    assert steps.max() < 1.05 * np.abs(np.diff(before[:, 0])).max()
    assert not after[BLOCK:].any()


def test_a_removed_sound_fades_and_its_name_is_free() -> None:
    studio = Studio()
    studio.add("a", Tape(tone(100, 2.0)))
    before = run(studio, 0.5)
    studio.remove("a")
    studio.remove("nobody")
    after = run(studio, 0.1)
    assert np.abs(np.diff(np.concatenate([before, after])[:, 0])).max() < 0.005
    assert not after[BLOCK:].any()
    studio.add("a", Tape(noise(1)))
    assert run(studio, 0.1).any()
    with pytest.raises(ValueError, match="'a'"):
        studio.add("a", Tape(noise(1)))


def test_a_strip_comes_late_by_what_the_studio_says() -> None:
    studio = Studio()
    sound = noise(1, rms=0.01)
    studio.add("a", Tape(sound), strip=StripSettings(limiter=LimiterSettings(-1)))
    mixed = run(studio, 0.5)
    late = studio.latency_samples
    assert np.abs(mixed[late:] - sound[:-late]).max() < 1e-4


def test_a_clean_network_changes_nothing_but_the_time() -> None:
    studio = Studio()
    sound = tone(440)
    studio.add("a", Tape(sound), network=CLEAN)
    mixed = run(studio, 1.2)
    start = int(np.argmax(np.abs(mixed[:, 0]) > 0.1)) + BLOCK
    part = mixed[start : start + 24_000, 0].astype(float)
    assert np.abs(np.fft.rfft(part * np.hanning(len(part)))).argmax() * 2 == pytest.approx(440, 2)
    assert part.std() == pytest.approx(0.2 / 2**0.5, rel=0.01)
    assert not studio.is_sounding


def test_lost_packets_leave_no_holes() -> None:
    studio = Studio()
    sound = tone(200, 4.0)
    network = NetworkConditions(loss_percent=10)
    studio.add("a", Tape(sound), network=network, seed=3)
    mixed = run(studio, 4.0)[SAMPLE_RATE_HZ // 2 :]
    frames = mixed[: len(mixed) // 480 * 480, 0].reshape(-1, 480).std(axis=1)
    assert studio.network("a") is not None
    playout = studio.network("a")
    assert playout is not None
    assert playout.network.stats.lost > 10
    assert playout.stats.concealed_samples >= 10 * BLOCK / 2
    assert frames.min() > 0.5 * 0.2 / 2**0.5
    assert np.abs(np.diff(mixed[:, 0])).max() < 0.02  # the tone itself steps by 0.0052


def test_a_poor_network_is_heard_and_a_mended_one_is_not() -> None:
    studio = Studio()
    studio.add("a", Tape(tone(440, 9.0)), network=CLEAN)
    playout = studio.network("a")
    assert playout is not None
    clean = run(studio, 3.0)[-SAMPLE_RATE_HZ:]
    playout.network.conditions = quality(30)
    poor = run(studio, 3.0)[-SAMPLE_RATE_HZ:]
    playout.network.conditions = CLEAN
    mended = run(studio, 3.0)[-SAMPLE_RATE_HZ:]
    assert impurity(clean) < 1e-4
    assert impurity(poor) > 0.01
    assert impurity(mended) < 1e-3


def impurity(sound: Sound) -> float:
    """Share of the power that is not near 440 Hz."""
    power = np.abs(np.fft.rfft(sound[:, 0] * np.blackman(len(sound)))) ** 2
    return float(1 - power[435:446].sum() / power.sum())


def test_four_talkers_stay_as_loud_as_each_alone() -> None:
    """The average of four would leave each 12 dB softer; the sum keeps each, and is no overload."""
    talkers = [talker(seed) for seed in range(4)]
    studio = Studio()
    for number, sound in enumerate(talkers):
        studio.add(str(number), Tape(sound))
    mixed = run(studio, 4.0)
    assert np.abs(mixed).max() < 1.0
    for sound in talkers:
        assert 20 * np.log10(share_of(sound, mixed)) == pytest.approx(0.0, abs=1.0)


def talker(seed: int) -> Sound:
    """Noise in syllables, at −20 LUFS."""
    random = np.random.default_rng(seed)
    count = 4 * SAMPLE_RATE_HZ
    swell = np.repeat(random.choice([0.2, 0.6, 1.0], 40), count // 40)
    sound = random.normal(size=count) * np.convolve(swell, np.hanning(2400) / 1200, "same")
    sound *= 0.1 / sound.std()
    both = np.repeat(sound[:, None], 2, axis=1).astype(np.float32)
    return both * np.float32(10 ** ((-20 - integrated_lufs(both)) / 20))


@given(st.integers(0, 100), st.floats(0, 100))
def test_the_same_seed_gives_the_same_sound(seed: int, percent: float) -> None:
    def mixed() -> Sound:
        studio = Studio()
        studio.add("a", Tape(tone(300, 0.3)), network=quality(percent), seed=seed)
        return run(studio, 0.4)

    assert np.array_equal(mixed(), mixed())
