"""What happens to sound on its way into a conference: codec, room, noise, band limits, level.

Everything takes and gives mono float32 at 16 kHz, of the same length.
"""

import numpy as np
import numpy.typing as npt
import scipy.signal
import soxr

from dsp.genre.log_mel import RATE_HZ
from webrtc.media.opus import Application, Decoder, Encoder, EncoderSettings

Samples = npt.NDArray[np.float32]
Chance = np.random.Generator

_OPUS_RATE_HZ = 48_000
_FRAME = 960


def opus(samples: Samples, bitrate_bps: int, *, voip: bool = False) -> Samples:
    """Return what comes through mono Opus, coded in packets of 20 ms."""
    application = Application.VOIP if voip else Application.AUDIO
    settings = EncoderSettings(application=application, bitrate_bps=bitrate_bps)
    encoder, decoder = Encoder(settings, channels=1), Decoder()
    sound = soxr.resample(samples, RATE_HZ, _OPUS_RATE_HZ).astype(np.float32)
    delay = encoder.lookahead_samples
    sound = np.pad(sound, (0, _FRAME + delay + (-len(sound)) % _FRAME))
    heard = np.zeros((len(sound), 2), np.float32)
    for start in range(0, len(sound) - _FRAME + 1, _FRAME):
        block = np.ascontiguousarray(sound[start : start + _FRAME, None])
        decoder.decode(encoder.encode(block), heard[start : start + _FRAME])
    back = soxr.resample(heard[delay:].mean(axis=1), _OPUS_RATE_HZ, RATE_HZ)
    return np.asarray(back[: len(samples)], np.float32)


def room(samples: Samples, chance: Chance) -> Samples:
    """Put the sound into a room: direct sound, then noise that dies away in 0.15 to 1.2 s."""
    decay_s = chance.uniform(0.15, 1.2)
    length = int(decay_s * RATE_HZ)
    tail = chance.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    tail = scipy.signal.lfilter([1], [1, -chance.uniform(0.2, 0.7)], tail)
    tail *= chance.uniform(0.2, 1.0) / np.sqrt((tail**2).sum())
    tail[0] += 1.0
    wet = scipy.signal.fftconvolve(samples, tail)[: len(samples)]
    return np.asarray(wet, np.float32)


def coloured_noise(count: int, chance: Chance) -> Samples:
    """Return noise between white and brown, at times with hum, of RMS 1."""
    lines = np.fft.rfft(chance.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    noise = np.fft.irfft(lines / np.maximum(hertz, 40.0) ** chance.uniform(0.0, 1.0), count)
    noise /= noise.std() + 1e-9
    if chance.random() < 0.3:
        time = np.arange(count) / RATE_HZ
        mains = chance.choice([50.0, 60.0])
        for order in (1, 2, 3, 5):
            noise += chance.uniform(0, 1.0) * np.sin(2 * np.pi * mains * order * time)
    return np.asarray((noise / (noise.std() + 1e-9)), np.float32)


def noisy(samples: Samples, chance: Chance) -> Samples:
    """Add noise 8 to 40 dB below."""
    ratio = 10 ** (-chance.uniform(8, 40) / 20)
    return samples + coloured_noise(len(samples), chance) * np.float32(_rms(samples) * ratio)


def band_limited(samples: Samples, chance: Chance) -> Samples:
    """Cut lows and highs, as small microphones, telephones and old records do."""
    low, high = chance.uniform(40, 300), chance.uniform(3200, 7500)
    order = int(chance.integers(1, 5))
    sections = scipy.signal.butter(order, [low, high], "bandpass", fs=RATE_HZ, output="sos")
    return np.asarray(scipy.signal.sosfilt(sections, samples), np.float32)


def tilted(samples: Samples, chance: Chance) -> Samples:
    """Make the sound brighter or duller by up to 6 dB."""
    shelf = chance.uniform(-0.45, 0.45)
    return np.asarray(scipy.signal.lfilter([1, -shelf], [1.0], samples), np.float32)


def squeezed(samples: Samples, chance: Chance) -> Samples:
    """Compress or clip the sound, as a loud microphone input does."""
    drive = chance.uniform(1.0, 6.0) / (np.abs(samples).max() + 1e-6)
    return np.asarray(np.tanh(samples * drive), np.float32)


def at_level(samples: Samples, dbfs: float) -> Samples:
    """Bring the sound to a level; what would be above full scale is clipped."""
    gain = 10 ** (dbfs / 20) / (_rms(samples) + 1e-9)
    return np.asarray(np.clip(samples * gain, -1, 1), np.float32)


def spoiled(samples: Samples, chance: Chance) -> Samples:
    """Let a random part of all that happen."""
    for likely, effect in (
        (0.25, tilted),
        (0.2, squeezed),
        (0.35, room),
        (0.35, noisy),
        (0.3, band_limited),
    ):
        if chance.random() < likely:
            samples = effect(samples, chance)
    samples = at_level(samples, chance.uniform(-42, -12))
    if chance.random() < 0.6:
        rate = int(np.exp(chance.uniform(np.log(16_000), np.log(128_000))))
        samples = opus(samples, rate, voip=chance.random() < 0.3)
    return samples


def over(speech: Samples, music: Samples, ratio_db: float) -> Samples:
    """Lay speech over music, so many dB louder."""
    speech, music = at_level(speech, -24), at_level(music, -24 - ratio_db)
    return at_level(speech + music, -22)


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
