"""What a blob is. Figures on real recordings: `python -m benchmarks.pcm_guess`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.encodings import ENCODINGS, RATES_HZ, SampleFormat
from archive.guess import NOISE_CONFIDENCE, guess
from archive.guess_encoding import readings
from archive.rate_features import TONES, features
from archive.samples import encode
from archive.wav import wav_header


def speech_like(rate_hz: int, channels: int = 1, seconds: float = 4.0) -> np.ndarray:
    """Glottal pulses of moving pitch through moving resonances, in syllables."""
    random = np.random.default_rng(rate_hz)
    count = round(rate_hz * seconds)
    time = np.arange(count) / rate_hz
    pitch = 120 + 25 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate_hz
    syllables = np.clip(np.sin(2 * np.pi * 3.5 * time), 0, 1) ** 0.5
    parts = np.zeros(count)
    for number in range(1, 40):
        tone = number * 120
        if tone * 1.3 > rate_hz / 2:
            break
        formants = sum(1 / (1 + ((tone - f) / w) ** 2) for f, w in ((600, 150), (1500, 200)))
        parts += formants * np.sin(number * phase)
    voice = 0.1 * syllables * parts / np.std(parts) + 1e-4 * random.standard_normal(count)
    other = np.roll(voice, 9) * 0.6 + 2e-4 * random.standard_normal(count)
    return np.stack([voice, other][:channels], axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("channels", [1, 2])
def test_encoding_and_channels_are_found(name, channels):
    data = encode(speech_like(16_000, channels), ENCODINGS[name])
    best = guess(data).candidates[0]
    assert (best.format.encoding.name, best.format.channels) == (name, channels)
    assert best.encoding_confidence > NOISE_CONFIDENCE


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [300, 5_000, 200_000])
def test_noise_is_called_garbage(seed, size):
    found = guess(np.random.default_rng(seed).bytes(size))
    assert found.is_garbage
    assert all(one.encoding_confidence <= NOISE_CONFIDENCE for one in found.candidates)
    assert all(one.confidence <= NOISE_CONFIDENCE for one in found.candidates)


@pytest.mark.parametrize("kind", ["text", "zeros", "ramp of bytes", "base64"])
def test_other_things_are_not_taken_for_sound_with_any_certainty(kind):
    blob = {
        "text": b"It was the best of times, it was the worst of times, " * 3000,
        "zeros": bytes(100_000),
        "ramp of bytes": b"\x00" * 255,
        "base64": b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0MTIz" * 2000,
    }[kind]
    found = guess(blob)
    assert not found.candidates or found.candidates[0].confidence <= NOISE_CONFIDENCE


def test_candidates_are_ranked_and_their_confidence_is_a_share():
    found = guess(encode(speech_like(16_000), ENCODINGS["s16le"])).candidates
    confidences = [one.confidence for one in found]
    assert confidences == sorted(confidences, reverse=True)
    assert 0 < sum(confidences) <= 1 + 1e-9
    assert len({one.format for one in found}) == len(found)


def test_encodings_that_are_out_of_the_question_are_not_listened_to(monkeypatch):
    heard = []

    def count(sound, *, thoroughly):
        heard.append(len(sound))
        return np.full(len(RATES_HZ), 1 / len(RATES_HZ))

    monkeypatch.setattr("archive.guess.rate_shares", count)
    sound = speech_like(16_000)
    guess(encode(sound, ENCODINGS["s16le"]))
    assert [length for length in heard if length] == [len(sound)]


@pytest.mark.parametrize(("rate_hz", "stands"), [(48_000, 1), (16_000, 1), (44_100, -1)])
def test_tuning_tells_families_of_rates_apart(rate_hz, stands):
    """Tones on the semitones of 440 Hz stand between them where the rate is taken for another's."""
    draw = np.random.default_rng(3)
    times = np.arange(4 * rate_hz) / rate_hz
    tones = [np.sin(2 * np.pi * 440 * 2 ** (step / 12) * times) for step in (-8, -5, -1, 3, 7, 10)]
    sound = np.sum(tones, axis=0) / 12 + draw.normal(0, 1e-4, len(times))
    tuning = features(sound)[-TONES:].reshape(-1, 3)
    heard = tuning[tuning[:, 2] > 1]
    assert len(heard)
    assert (np.sign(heard[:, 0]) == stands).all()


def test_a_hint_is_believed_where_it_can_be_true():
    data = encode(speech_like(16_000), ENCODINGS["s16le"])
    plain = {one.format.rate_hz: one.confidence for one in guess(data).candidates[:8]}
    hinted = guess(data, SampleFormat(ENCODINGS["s16le"], 24_000, 1)).candidates
    shares = {one.format.rate_hz: one.confidence for one in hinted[:8]}
    assert shares[24_000] > plain.get(24_000, 0.0)
    wrong = guess(data, SampleFormat(ENCODINGS["f32be"], 24_000, 2)).candidates[0]
    assert wrong.format.encoding.name == "s16le"
    odd = guess(data, SampleFormat(ENCODINGS["s16le"], 12_345, 1)).candidates
    assert 12_345 in {one.format.rate_hz for one in odd}


def test_a_file_is_known_by_its_header_and_not_guessed():
    form = SampleFormat(ENCODINGS["s16le"], 8000, 1)
    body = encode(speech_like(8000), form.encoding)
    found = guess(wav_header(form, len(body)) + body)
    assert (found.container, found.candidates, found.is_garbage) == ("wav", (), False)


@given(st.binary(max_size=3000))
@settings(max_examples=30, deadline=None)
def test_anything_can_be_asked(blob):
    found = guess(blob)
    for one in found.candidates:
        assert 0 <= one.confidence <= one.encoding_confidence <= 1
        assert one.format.rate_hz in RATES_HZ


def test_readings_cost_noise_all_of_their_bits():
    costs = [one.cost for one in readings(np.random.default_rng(1).bytes(100_000))]
    assert min(costs) > 0.9
