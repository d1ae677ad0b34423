"""What a participant says: a loop of speech-like sound with pulses, encoded once for everybody."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from benchmarks.load.pulses import PULSE_SAMPLES, SAMPLE_RATE_HZ, find_pulses, make_pulse
from webrtc.media.opus import Application, Decoder, Encoder, EncoderSettings

_SECONDS = 12
_PULSE_AMPLITUDE = 0.5
_VOICE_LEVEL = 0.05
_VOICE_FLAG = 0x80

Stereo = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Clip:
    """A loop of Opus packets.

    Attributes:
        ptime_ms: duration of each packet.
        packets: Opus payloads, one loop.
        levels: RFC 6464 byte of each packet: voice flag and −dBov.
        pulses: where pulses begin in the *decoded* loop, in samples; the encoder's look-ahead is
            thereby on the sender's side of a latency.
    """

    ptime_ms: int
    packets: tuple[bytes, ...]
    levels: tuple[int, ...]
    pulses: tuple[int, ...]

    @property
    def packet_samples(self) -> int:
        """Return the duration of a packet in samples."""
        return self.ptime_ms * SAMPLE_RATE_HZ // 1000

    @property
    def samples(self) -> int:
        """Return the duration of the loop in samples."""
        return len(self.packets) * self.packet_samples

    def pulse_packets(self, begin: int, end: int) -> list[int]:
        """Return the numbers in [begin, end) of those packets in which a pulse begins."""
        per_loop = [position // self.packet_samples for position in self.pulses]
        length = len(self.packets)
        loops = range(begin // length, end // length + 1)
        numbers = (loop * length + packet for loop in loops for packet in per_loop)
        return [number for number in numbers if begin <= number < end]


@cache
def make_clip(ptime_ms: int, *, pulses: bool = True, bitrate_bps: int = 96_000) -> Clip:
    """Return the loop, stereo, as Chromium's settings for music would encode it."""
    sound = make_sound(pulses=pulses)
    packet_samples = ptime_ms * SAMPLE_RATE_HZ // 1000
    encoder = Encoder(
        EncoderSettings(Application.AUDIO, bitrate_bps, complexity=9, inband_fec=True)
    )
    blocks = [sound[at : at + packet_samples] for at in range(0, len(sound), packet_samples)]
    # The first loop only brings the encoder to where it will be at every later one.
    for block in blocks:
        encoder.encode(block)
    packets = tuple(encoder.encode(block) for block in blocks)
    found = find_pulses(decode_all(packets * 2)[:, 0]) if pulses else np.zeros(0, np.int64)
    second = found[found >= len(sound)] - len(sound)
    return Clip(ptime_ms, packets, tuple(map(level_byte, blocks)), tuple(map(int, second)))


def make_sound(*, pulses: bool) -> Stereo:
    """Return the loop uncompressed, (samples, 2); its end fits its beginning."""
    random = np.random.default_rng(6)
    samples = _SECONDS * SAMPLE_RATE_HZ
    time = np.arange(samples) / SAMPLE_RATE_HZ
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * time)
    pitch = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 12))
    breath = _periodic_noise(random, samples)
    voice = syllables * (0.6 * pitch + 0.8 * breath)
    left = voice * (_VOICE_LEVEL / np.std(voice))
    sound = np.stack([left, np.roll(left, 24)], axis=1).astype(np.float32)
    if pulses:
        for start in _pulse_starts(random, samples):
            sound[start : start + PULSE_SAMPLES] += _PULSE_AMPLITUDE * make_pulse()[:, None]
    return np.ascontiguousarray(sound)


def decode_all(packets: tuple[bytes, ...]) -> Stereo:
    """Return the sound of consecutive packets."""
    decoder = Decoder()
    room = np.zeros((5760, 2), np.float32)
    return np.concatenate([room[: decoder.decode(packet, room)].copy() for packet in packets])


def level_byte(block: Stereo) -> int:
    """Return the block's RFC 6464 byte, flagged as voice."""
    rms = float(np.sqrt(np.mean(np.square(block))))
    dbov = -127.0 if rms <= 0 else max(-127.0, 20 * np.log10(rms))
    return _VOICE_FLAG | round(-dbov)


def _periodic_noise(random: np.random.Generator, samples: int) -> npt.NDArray[np.float64]:
    """Return noise of unit variance that falls by 6 dB per octave and repeats seamlessly."""
    spectrum = np.fft.rfft(random.standard_normal(samples))
    frequency = np.arange(spectrum.size) / _SECONDS
    noise = np.fft.irfft(spectrum / np.maximum(frequency, 300.0), samples)
    return np.asarray(noise / np.std(noise), np.float64)


def _pulse_starts(random: np.random.Generator, samples: int) -> list[int]:
    """Return irregular starts 0.4 to 0.6 s apart, so that no two pulses are mistaken."""
    starts = []
    at = 0.25 * SAMPLE_RATE_HZ
    while at < samples - 0.3 * SAMPLE_RATE_HZ:
        starts.append(int(at))
        at += random.uniform(0.4, 0.6) * SAMPLE_RATE_HZ
    return starts
