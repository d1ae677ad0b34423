"""The playout with real Opus behind it."""

import numpy as np
import pytest

from mixer.netsim_settings import NetworkConditions
from mixer.playout import Playout
from mixer.playout_packet import FrameDecoder, MediaPacket, Pull
from tests.mixer.playout_world import EPOCH_S, World, through
from webrtc.media.opus import Application, Decoder, Encoder, EncoderSettings, Signal

VOICE = EncoderSettings(
    Application.VOIP, 48_000, inband_fec=True, packet_loss_percent=10, signal=Signal.VOICE
)
MUSIC = EncoderSettings()


def syllables(samples: int) -> np.ndarray:
    time_s = np.arange(samples) / 48_000
    wave = sum(0.3 / k * np.sin(2 * np.pi * 150 * k * time_s) for k in range(1, 12))
    envelope = 0.55 - 0.45 * np.cos(2 * np.pi * 4 * time_s)
    return np.repeat((wave * envelope)[:, None], 2, axis=1).astype(np.float32)


def opus_stream(settings: EncoderSettings, packet_samples: int, seconds: int) -> list[MediaPacket]:
    encoder = Encoder(settings)
    sound = syllables(seconds * 48_000)
    return [
        MediaPacket(
            index,
            index * packet_samples,
            encoder.encode(sound[index * packet_samples :][:packet_samples]),
            EPOCH_S + (index + 1) * packet_samples / 48_000 + 0.02,
        )
        for index in range(seconds * 48_000 // packet_samples)
    ]


def opus_world() -> World:
    world = World()
    decoder: FrameDecoder = Decoder()
    world.playout = Playout(decoder)
    return world


def likeness(played: np.ndarray, said: np.ndarray) -> float:
    """Return the mean correlation of pieces of 100 ms, each at its best delay up to 100 ms.

    Delay that is taken out meanwhile makes the later pieces come sooner.
    """
    pieces = range(24_000, 72_000, 4_800)
    return float(np.mean([best_correlation(played, said, start) for start in pieces]))


def best_correlation(played: np.ndarray, said: np.ndarray, start: int) -> float:
    piece = said[start : start + 4_800]
    return max(
        float(np.corrcoef(played[start + delay :][:4_800], piece)[0, 1])
        for delay in range(0, 4_800, 12)
    )


@pytest.mark.parametrize("settings", [VOICE, MUSIC])
@pytest.mark.parametrize("packet_samples", [480, 960, 2880])
def test_what_is_said_is_heard(settings: EncoderSettings, packet_samples: int) -> None:
    world = opus_world()
    world.send(opus_stream(settings, packet_samples, 2))
    played = world.run_until(2.0)
    assert played.count(Pull.CONCEALED) == 0
    assert likeness(played.sound, syllables(96_000)[:, 0]) > 0.75


def test_lost_packets_come_back_from_their_successors() -> None:
    packets = opus_stream(VOICE, 960, 4)
    world = opus_world()
    world.send([*packets[:5], *through(packets[5:], NetworkConditions(loss_percent=10), 3)])
    played = world.run_until(4.0)
    stats = world.playout.stats()
    assert stats.lost > 10
    assert stats.fec_samples > 0.5 * stats.lost * 960
    assert np.isfinite(played.sound).all()
    assert np.abs(played.sound).max() < 1.2


def test_payloads_that_only_look_like_opus_are_concealed() -> None:
    packets = opus_stream(MUSIC, 960, 2)
    # One frame behind more padding than there are bytes (RFC 6716, section 3.2.5).
    broken = bytes([packets[0].payload[0] | 3, 0x41, 255])
    packets[50] = packets[50]._replace(payload=broken)
    short = [packet._replace(payload=packet.payload[:3]) for packet in packets[60:63]]
    world = opus_world()
    world.send([*packets[:60], *short, *packets[63:]])
    played = world.run_until(2.0)
    stats = world.playout.stats()
    assert stats.malformed == 1
    assert stats.lost == stats.resets == 0
    assert played.outcomes[-1] is Pull.SOUND
    assert np.isfinite(played.sound).all()
