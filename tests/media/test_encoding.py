"""What leaves an output's encoder, and what it sounds like at the other end."""

import numpy as np
import pytest

from mixer.outputs import MixKey, Output, OutputKey
from mixer.room import QUIET_PACKETS
from webrtc.media import opus, opus_packets
from webrtc.media.encoding import (
    DTX_EVERY_MS,
    FLUSH_MS,
    TAIL_MS,
    OutputEncoder,
    silence,
    tier_settings,
)

SILENT = 10 ** (-54 / 20)
PTIMES = pytest.mark.parametrize("ptime_ms", [10, 20])


def tone(pitch_hz, packets, ptime_ms, amplitude=0.3):
    count = packets * ptime_ms * 48
    wave = amplitude * np.sin(2 * np.pi * pitch_hz * np.arange(count) / 48_000)
    sound = np.repeat(wave[:, None], 2, axis=1).astype(np.float32)
    return sound.reshape(packets, ptime_ms * 48, 2)


class Desk:
    """An output with its encoder."""

    def __init__(self, ptime_ms=20, tier=0, *, complexity=5):
        self.ptime_ms = ptime_ms
        self.output = Output(OutputKey(MixKey(), ptime_ms, tier), 0)
        self.encoder = OutputEncoder(tier_settings(complexity)[tier], ptime_ms)
        self.output.add(1, 0)

    def play(self, sounds):
        """Return the packets of sounds, None where nothing was sent."""
        packets = []
        for sound in sounds:
            self.output.quiet_packets = 0 if sound.any() else self.output.quiet_packets + 1
            packets.append(self.encoder.packet(self.output, np.ascontiguousarray(sound)))
        return packets

    def silence(self, packets):
        return np.zeros((packets, self.ptime_ms * 48, 2), np.float32)


def decode(decoder, packets, ptime_ms):
    out = np.zeros((len(packets), ptime_ms * 48, 2), np.float32)
    for block, packet in zip(out, packets, strict=True):
        decoder.decode(packet.payload, block)
    return out.reshape(-1, 2)


# ---- silence -------------------------------------------------------------------------------


@PTIMES
def test_silence_is_flushed_then_hinted_every_400_ms_then_left_unsaid(ptime_ms):
    desk = Desk(ptime_ms)
    desk.play(tone(440, 10, ptime_ms))
    packets = desk.play(desk.silence(3 * QUIET_PACKETS))
    sent = [i for i, packet in enumerate(packets) if packet is not None]
    every = DTX_EVERY_MS // ptime_ms
    flush = FLUSH_MS // ptime_ms
    assert sent == [*range(flush), *range(flush, QUIET_PACKETS, every)]
    for i in sent[flush:]:
        info = opus_packets.inspect(packets[i].payload)
        assert info.is_dtx
        assert info.samples == ptime_ms * 48
        assert not packets[i].marker


@PTIMES
@pytest.mark.parametrize("tier", [0, 1, 2])
def test_after_the_flush_a_decoder_holds_nothing_but_silence(ptime_ms, tier):
    desk = Desk(ptime_ms, tier)
    decoder = opus.Decoder()
    packets = desk.play(tone(440, 20, ptime_ms))
    decode(decoder, packets, ptime_ms)
    flush = [p for p in desk.play(desk.silence(60)) if p is not None]
    tail = decode(decoder, flush, ptime_ms)[FLUSH_MS * 48 :]
    assert len(tail)
    assert np.abs(tail).max() < SILENT


@PTIMES
@pytest.mark.parametrize("tier", [0, 1, 2])
def test_silence_itself_is_never_encoded(ptime_ms, tier, monkeypatch):
    encoded = []
    encode = opus.Encoder.encode
    desk, quiet = Desk(ptime_ms, tier), Desk(ptime_ms, tier)
    silence(tier_settings(5)[tier], ptime_ms)  # prepared once
    monkeypatch.setattr(
        opus.Encoder, "encode", lambda self, sound: encoded.append(1) or encode(self, sound)
    )
    said = quiet.play(quiet.silence(2 * QUIET_PACKETS))
    assert (len(encoded), len({packet.payload for packet in said[: FLUSH_MS // ptime_ms]})) == (
        0,
        1,
    )
    for _ in range(2):
        desk.play(tone(440, 10, ptime_ms))
        encoded.clear()
        desk.play(desk.silence(30))
        assert len(encoded) == TAIL_MS // ptime_ms  # the end of the tone
        desk.output.add(2, 0)
        desk.play(desk.silence(2 * QUIET_PACKETS))
        assert len(encoded) == TAIL_MS // ptime_ms


@PTIMES
@pytest.mark.parametrize("tier", [0, 1, 2])
def test_the_prepared_silence_follows_the_end_of_the_sound_without_a_click(ptime_ms, tier):
    desk = Desk(ptime_ms, tier)
    sound = speech(600 // ptime_ms, ptime_ms)
    sound[-1] *= np.linspace(1, 0, ptime_ms * 48)[:, None]  # as the mixer fades
    packets = desk.play([*sound, *desk.silence(FLUSH_MS // ptime_ms)])
    tail = decode(opus.Decoder(), packets, ptime_ms)[-FLUSH_MS * 48 :]
    assert np.abs(tail[TAIL_MS * 48 :]).max() < SILENT
    assert np.abs(np.diff(tail[TAIL_MS * 48 - 480 :], axis=0)).max() < SILENT


@PTIMES
def test_sound_after_silence_begins_a_talk_spurt_that_decodes_alone(ptime_ms):
    desk = Desk(ptime_ms)
    desk.play(tone(440, 10, ptime_ms))
    desk.play(desk.silence(50))
    packets = desk.play(tone(1000, 10, ptime_ms))
    assert [packet.marker for packet in packets] == [True] + [False] * 9
    heard = decode(opus.Decoder(), packets, ptime_ms)
    assert loudest_pitch(heard) == pytest.approx(1000, abs=30)


def test_a_silent_output_says_so_to_whoever_joins():
    desk = Desk()
    desk.play(tone(440, 5, 20))
    desk.play(desk.silence(2 * QUIET_PACKETS))
    desk.output.add(2, 0)
    packets = desk.play(desk.silence(2 * QUIET_PACKETS))
    assert all(packets[: FLUSH_MS // 20])
    assert packets[-1] is None
    other = opus.Decoder()
    decode(other, Desk().play(tone(300, 10, 20)), 20)
    heard = decode(other, packets[: FLUSH_MS // 20], 20)
    assert np.abs(heard[-960:]).max() < SILENT
    rest = np.zeros((960, 2), np.float32)
    other.conceal(rest)  # what a player does when nothing more comes
    assert np.abs(rest).max() < SILENT


def loudest_pitch(sound):
    spectrum = np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound))))
    return float(np.fft.rfftfreq(len(sound), 1 / 48_000)[spectrum.argmax()])


# ---- joining -------------------------------------------------------------------------------


def error_after_joining(ptime_ms, *, prediction):
    """Return how far off a listener's first packets are that came over from another stream.

    Against the sound of one who was there all along; the other stream was loud and of another
    pitch. With `prediction` left on, the packets lean on what the newcomer does not have.
    """
    desk = Desk(ptime_ms)
    regular, newcomer = opus.Decoder(), opus.Decoder()
    sounds = tone(440, 60, ptime_ms)
    decode(regular, desk.play(sounds[:30]), ptime_ms)
    decode(newcomer, Desk(ptime_ms).play(tone(2500, 30, ptime_ms, 0.9)), ptime_ms)
    if not prediction:
        desk.output.add(2, 0)
    packets = desk.play(sounds[30:])
    true, heard = (decode(decoder, packets, ptime_ms) for decoder in (regular, newcomer))
    overlap = 240  # the first 5 ms lie on top of the end of what was before
    return float(np.abs(heard - true)[overlap : 4 * ptime_ms * 48].max())


@PTIMES
def test_who_joins_hears_the_stream_at_once_without_a_click(ptime_ms):
    clean = error_after_joining(ptime_ms, prediction=False)
    dirty = error_after_joining(ptime_ms, prediction=True)
    assert clean < 0.02
    assert dirty > 4 * clean


def error_at_the_seam(ptime_ms, *, history):
    """Return how far off a listener is that moves to an output made for it, same sound."""
    sounds = tone(440, 40, ptime_ms)
    shared, own = Desk(ptime_ms), Desk(ptime_ms)
    regular, mover = opus.Decoder(), opus.Decoder()
    for decoder in (regular, mover):
        decode(decoder, Desk(ptime_ms).play(sounds[:20]), ptime_ms)
    shared.play(sounds[:20])
    if history:
        own.output.history = sounds[:20].reshape(-1, 2)[-960:].copy()
    true = decode(regular, shared.play(sounds[20:]), ptime_ms)
    heard = decode(mover, own.play(sounds[20:]), ptime_ms)
    assert own.output.history is None
    return float(np.abs(heard - true)[: 4 * ptime_ms * 48].max())


@PTIMES
def test_a_new_output_goes_on_where_its_first_listener_was(ptime_ms):
    """A talker's own mix: the same sound from another encoder; the seam must not be heard."""
    assert error_at_the_seam(ptime_ms, history=True) < 0.04
    assert error_at_the_seam(ptime_ms, history=False) > 0.1


@PTIMES
def test_the_first_packet_of_all_is_complete(ptime_ms):
    packets = Desk(ptime_ms).play(tone(440, 10, ptime_ms))
    assert packets[0].marker
    assert not any(packet.marker for packet in packets[1:])


# ---- tiers ---------------------------------------------------------------------------------


def speech(packets, ptime_ms):
    """Return something that libopus takes for speech: a voice-like buzz with pauses."""
    random = np.random.default_rng(5)
    time = np.arange(packets * ptime_ms * 48) / 48_000
    pitch = 120 + 20 * np.sin(2 * np.pi * 2.1 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / 48_000
    buzz = sum(np.sin(k * phase) / k for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 3 * time), 0, 1)
    wave = 0.1 * buzz * syllables + 0.001 * random.standard_normal(len(time))
    sound = np.repeat(wave[:, None], 2, axis=1).astype(np.float32)
    return sound.reshape(packets, ptime_ms * 48, 2)


@PTIMES
def test_the_best_tier_is_full_band_celt(ptime_ms):
    infos = [opus_packets.inspect(p.payload) for p in Desk(ptime_ms, 0).play(speech(50, ptime_ms))]
    assert {info.mode for info in infos} == {opus_packets.Mode.CELT}
    assert {info.samples for info in infos} == {ptime_ms * 48}


@PTIMES
@pytest.mark.parametrize("tier", [1, 2])
def test_the_lower_tiers_carry_forward_error_correction(ptime_ms, tier):
    infos = [
        opus_packets.inspect(p.payload) for p in Desk(ptime_ms, tier).play(speech(100, ptime_ms))
    ]
    carrying = sum(info.carries_fec for info in infos[10:])
    assert carrying > 0.35 * len(infos[10:])  # half of it is pauses
    assert {info.samples for info in infos} == {ptime_ms * 48}


@PTIMES
def test_each_tier_takes_fewer_bits_than_the_one_above(ptime_ms):
    sizes = []
    for tier in range(3):
        packets = Desk(ptime_ms, tier).play(speech(100, ptime_ms))
        sizes.append(sum(len(packet.payload) for packet in packets) * 8 / (0.1 * ptime_ms))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < 40_000
