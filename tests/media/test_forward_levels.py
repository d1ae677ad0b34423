"""Levels that publishers claim against what libopus makes of their packets."""

import numpy as np
import pytest

from mixer.forward_levels import CHECK_EVERY_S, LevelMeter, Trust
from webrtc.media.encoding import tier_settings
from webrtc.media.opus import Decoder, Encoder

RATE_HZ = 48_000


def packets(settings, samples, level_dbov, seconds, *, noisy):
    """Return (payload, level) of a voice-like sound of this level, packet by packet."""
    rng = np.random.default_rng(3)
    encoder = Encoder(settings)
    count = int(seconds * RATE_HZ / samples)
    time = np.arange(count * samples) / RATE_HZ
    sound = np.sin(2 * np.pi * 220 * time) * (1 + 0.5 * np.sin(2 * np.pi * 4 * time))
    if noisy:
        sound = rng.standard_normal(len(time))
    sound *= 10 ** (-level_dbov / 20) / np.sqrt((sound**2).mean())
    blocks = np.repeat(sound.astype(np.float32)[:, None], 2, axis=1).reshape(count, samples, 2)
    return [
        (encoder.encode(np.ascontiguousarray(block)), -10 * np.log10(float((block**2).mean())))
        for block in blocks
    ]


def trust_after(sent, claim, *, skip=0):
    """Return the meter's trust, and the levels that it gave, after such claims."""
    meter = LevelMeter(Decoder)
    levels = [
        meter.level(payload, claim(level), 0.02 * number)
        for number, (payload, level) in enumerate(sent[skip:])
    ]
    return meter, levels


@pytest.mark.parametrize("tier", [0, 1, 2])
@pytest.mark.parametrize("samples", [480, 960])
@pytest.mark.parametrize("level", [15, 30, 50])
@pytest.mark.parametrize("noisy", [False, True], ids=["voice", "noise"])
def test_an_honest_publisher_is_believed_whatever_the_coder(tier, samples, level, noisy):
    sent = packets(tier_settings(5)[tier], samples, level, 3.0, noisy=noisy)
    meter, _ = trust_after(sent, round, skip=20)  # in the middle of its stream
    assert meter.trust is Trust.TRUSTING
    assert 0 < meter.decoded <= 20


@pytest.mark.parametrize("tier", [0, 1, 2])
@pytest.mark.parametrize("lie_db", [-25, 25])
def test_a_liar_is_measured_and_the_measure_is_right(tier, lie_db):
    sent = packets(tier_settings(5)[tier], 960, 40, 3.0, noisy=False)
    meter, levels = trust_after(sent, lambda level: round(level + lie_db))
    assert meter.trust is Trust.MEASURING
    measured = -10 * np.log10(np.mean([10 ** (-level / 10) for level in levels[-40:]]))
    assert measured == pytest.approx(40, abs=2)


def test_a_check_takes_sixteen_packets_in_ten_seconds():
    sent = packets(tier_settings(5)[0], 960, 30, 3 * CHECK_EVERY_S, noisy=False)
    meter, _ = trust_after(sent, round)
    assert meter.decoded == 3 * 16
