"""Sounds that are plainly one thing, made of nothing but arithmetic; mono at 16 kHz."""

import numpy as np
import scipy.signal

RATE = 16_000


def noise(seconds, level=0.1, seed=0):
    samples = np.random.default_rng(seed).standard_normal(int(seconds * RATE))
    return (level * samples).astype(np.float32)


def voice(seconds, seed=0):
    """Return something like a voice: a pitch that glides, formants that change four times a second,
    hisses between, pauses."""
    random = np.random.default_rng(seed)
    parts = []
    while sum(map(len, parts)) < seconds * RATE:
        count = int(random.uniform(0.12, 0.28) * RATE)
        time = np.arange(count) / RATE
        hertz = random.uniform(95, 150) * (
            1 + 0.15 * np.sin(2 * np.pi * random.uniform(1, 3) * time)
        )
        pulses = scipy.signal.sawtooth(2 * np.pi * np.cumsum(hertz) / RATE)
        for centre, width in zip(
            random.uniform([300, 900, 2300], [800, 2000, 3000]), (80, 120, 200), strict=True
        ):
            pulses = pulses + 3 * scipy.signal.lfilter(
                *scipy.signal.iirpeak(centre, centre / width, RATE), pulses
            )
        syllable = pulses * np.hanning(count)
        if random.random() < 0.4:
            hiss = random.standard_normal(int(0.08 * RATE))
            syllable = np.concatenate([0.6 * np.diff(hiss, prepend=0), syllable])
        parts.append(0.06 * syllable)
        if random.random() < 0.25:
            parts.append(np.zeros(int(random.uniform(0.15, 0.5) * RATE)))
    sound = np.concatenate(parts)[: int(seconds * RATE)]
    return (sound + 0.0005 * random.standard_normal(len(sound))).astype(np.float32)


def beats(seconds, seed=0):
    """Return something like dance music: four drums a bar at 128 beats a minute, a bass, chords."""
    random = np.random.default_rng(seed)
    count = int(seconds * RATE)
    time = np.arange(count) / RATE
    sound = np.zeros(count)
    beat = 60 / 128
    for number in range(int(seconds / beat)):
        at = int(number * beat * RATE)
        drum = np.exp(-np.arange(3200) / 700) * np.sin(2 * np.pi * 55 * np.arange(3200) / RATE)
        hat = np.exp(-np.arange(900) / 200) * random.standard_normal(900)
        sound[at : at + 3200] += 0.5 * drum[: count - at]
        late = at + int(beat / 2 * RATE)
        sound[late : late + 900] += 0.12 * hat[: max(0, count - late)]
        if number % 2:
            sound[at : at + 900] += 0.25 * hat[: count - at]
    for root in (110, 165, 220, 277, 330):
        chord = scipy.signal.sawtooth(2 * np.pi * root * time) + scipy.signal.sawtooth(
            2 * np.pi * root * 1.006 * time
        )
        gate = (scipy.signal.square(2 * np.pi * time / beat * 2, 0.6) + 1) / 2
        sound += 0.03 * chord * gate
    return (0.6 * sound).astype(np.float32)
