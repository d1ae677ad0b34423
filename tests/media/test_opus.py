"""The libopus binding: what goes in comes out, headers are read right, rubbish is a typed error."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.playout_packet import DecodeError
from webrtc.media.opus import Application, Decoder, Encoder, EncoderSettings, Signal
from webrtc.media.opus_library import (
    MalformedPacketError,
    OpusError,
)
from webrtc.media.opus_packets import (
    Bandwidth,
    Mode,
    inspect,
    packet_carries_fec,
    packet_is_dtx,
    packet_samples,
)

VOICE = EncoderSettings(
    application=Application.VOIP,
    bitrate_bps=32_000,
    inband_fec=True,
    packet_loss_percent=20,
    signal=Signal.VOICE,
)


def tone(samples: int, channels: int = 2, hertz: float = 220.0, start: int = 0) -> np.ndarray:
    """Vowel-like syllables, four a second: a harmonic series, float32 (samples, channels)."""
    time_s = (np.arange(samples) + start) / 48_000
    wave = (0.55 - 0.45 * np.cos(2 * np.pi * 4 * time_s)) * sum(
        0.3 / k * np.sin(2 * np.pi * hertz * k * time_s) for k in range(1, 9)
    )
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def packets_of(
    settings: EncoderSettings, count: int, samples: int = 960, channels: int = 2
) -> list[bytes]:
    encoder = Encoder(settings, channels)
    return [encoder.encode(tone(samples, channels, start=i * samples)) for i in range(count)]


@pytest.mark.parametrize("samples", [120, 240, 480, 960, 1920, 2880])
def test_a_sound_comes_back_after_the_declared_delay(samples: int) -> None:
    encoder = Encoder(EncoderSettings(bitrate_bps=128_000))
    decoder = Decoder()
    blocks = 48_000 // samples
    played = np.zeros((blocks * samples, 2), np.float32)
    for start in range(0, len(played), samples):
        packet = encoder.encode(tone(samples, start=start))
        assert decoder.decode(packet, played[start : start + samples]) == samples
    delay = encoder.lookahead_samples
    heard = played[24_000:46_000, 0]
    said = tone(46_000)[24_000 - delay : 46_000 - delay, 0]
    assert np.corrcoef(heard, said)[0, 1] > 0.98


def test_mono_packets_decode_to_two_equal_channels() -> None:
    decoder = Decoder()
    out = np.zeros((960, 2), np.float32)
    for packet in packets_of(VOICE, 10, channels=1):
        assert inspect(packet).channels == 1
        decoder.decode(packet, out)
    assert np.abs(out).max() > 0.05
    assert np.array_equal(out[:, 0], out[:, 1])


@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        (EncoderSettings(Application.VOIP, 24_000, max_bandwidth=Bandwidth.WIDE), Mode.SILK),
        (EncoderSettings(Application.VOIP, 48_000, signal=Signal.VOICE), Mode.HYBRID),
        (EncoderSettings(Application.AUDIO, 96_000, signal=Signal.MUSIC), Mode.CELT),
        (EncoderSettings(Application.RESTRICTED_LOWDELAY, 32_000), Mode.CELT),
    ],
)
def test_the_header_names_the_coder(settings: EncoderSettings, mode: Mode) -> None:
    assert inspect(packets_of(settings, 20, channels=1)[-1]).mode is mode


def test_the_header_names_bandwidth_channels_and_length() -> None:
    settings = EncoderSettings(max_bandwidth=Bandwidth.WIDE, force_channels=1)
    info = inspect(packets_of(settings, 5, samples=480)[-1])
    assert info.bandwidth is Bandwidth.WIDE
    assert (info.channels, info.frames, info.samples) == (1, 1, 480)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("samples", [480, 960, 1920])
def test_fec_is_announced_and_brings_the_lost_sound_back(samples: int, channels: int) -> None:
    settings = EncoderSettings(
        Application.VOIP,
        40_000 * channels,
        inband_fec=True,
        packet_loss_percent=25,
        signal=Signal.VOICE,
        max_bandwidth=Bandwidth.WIDE,
    )
    packets = packets_of(settings, -(-66_000 // samples), samples, channels)  # up to a syllable
    assert packet_carries_fec(packets[-1])
    whole, repaired = Decoder(), Decoder()
    truth = np.zeros((samples, 2), np.float32)
    repair = np.zeros((samples, 2), np.float32)
    for packet in packets[:-2]:
        whole.decode(packet, truth)
        repaired.decode(packet, repair)
    whole.decode(packets[-2], truth)
    assert repaired.decode_fec(packets[-1], repair) == samples
    assert np.corrcoef(truth[:, 0], repair[:, 0])[0, 1] > 0.7


@pytest.mark.parametrize("channels", [1, 2])
def test_fec_of_long_packets_is_announced(channels: int) -> None:
    packets = packets_of(VOICE, 30, 2880, channels)
    assert sum(packet_carries_fec(packet) for packet in packets) > 15
    assert not packet_carries_fec(packets[0])


def test_packets_without_fec_do_not_announce_it() -> None:
    for settings in (EncoderSettings(), EncoderSettings(Application.VOIP, 32_000)):
        assert not any(packet_carries_fec(packet) for packet in packets_of(settings, 20))


def test_silence_becomes_dtx_packets() -> None:
    encoder = Encoder(EncoderSettings(Application.VOIP, 24_000, dtx=True), channels=1)
    silence = np.zeros((960, 1), np.float32)
    packets = [encoder.encode(silence) for _ in range(50)]
    assert packet_is_dtx(packets[-1]) or any(packet_is_dtx(packet) for packet in packets)
    assert not packet_is_dtx(packets_of(VOICE, 1)[0])


def test_concealment_goes_on_like_the_sound_before() -> None:
    decoder = Decoder()
    out = np.zeros((960, 2), np.float32)
    packets = packets_of(EncoderSettings(), 20)
    for packet in packets[:-1]:
        decoder.decode(packet, out)
    assert decoder.conceal(out) == 960
    truth = np.zeros((960, 2), np.float32)
    whole = Decoder()
    for packet in packets:
        whole.decode(packet, truth)
    assert np.corrcoef(out[:, 0], truth[:, 0])[0, 1] > 0.7


def test_a_frame_without_prediction_does_not_need_what_was_before() -> None:
    errors = []
    for disabled in (False, True):
        settings = EncoderSettings(prediction_disabled=disabled)
        packets = packets_of(settings, 22)
        whole, joined = Decoder(), Decoder()
        truth = np.zeros((960, 2), np.float32)
        late = np.zeros((960, 2), np.float32)
        for packet in packets[:20]:
            whole.decode(packet, truth)
        for packet in packets[20:]:
            whole.decode(packet, truth)
            joined.decode(packet, late)
        errors.append(float(np.abs(truth - late).max()))
    assert errors[0] > 0.05
    assert errors[1] < 0.001


def test_reset_equals_a_new_decoder() -> None:
    packets = packets_of(EncoderSettings(), 10)
    used, fresh = Decoder(), Decoder()
    a = np.zeros((960, 2), np.float32)
    b = np.zeros((960, 2), np.float32)
    for packet in packets:
        used.decode(packet, a)
    used.reset()
    used.decode(packets[0], a)
    fresh.decode(packets[0], b)
    assert np.array_equal(a, b)


def test_an_encoder_reset_equals_a_new_encoder() -> None:
    used = Encoder(EncoderSettings())
    for start in range(0, 9600, 960):
        used.encode(tone(960, start=start))
    used.reset()
    assert used.encode(tone(960)) == Encoder(EncoderSettings()).encode(tone(960))


def test_settings_change_on_the_way_but_not_the_application() -> None:
    encoder = Encoder(EncoderSettings(bitrate_bps=128_000))
    before = [len(encoder.encode(tone(960, start=i * 960))) for i in range(20)][-1]
    lower = EncoderSettings(bitrate_bps=24_000)
    encoder.apply(lower)
    after = [len(encoder.encode(tone(960, start=i * 960))) for i in range(20, 40)][-1]
    assert encoder.settings == lower
    assert after < before / 2
    with pytest.raises(ValueError, match="application"):
        encoder.apply(EncoderSettings(application=Application.VOIP))


@pytest.mark.parametrize(
    "field",
    [
        {"bitrate_bps": 499},
        {"bitrate_bps": 512_001},
        {"complexity": 11},
        {"packet_loss_percent": 101},
        {"force_channels": 3},
    ],
)
def test_settings_out_of_range_are_refused(field: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(field))):
        EncoderSettings(**field)  # type: ignore[arg-type]


def test_a_block_of_no_opus_length_is_refused() -> None:
    with pytest.raises(OpusError):
        Encoder(EncoderSettings()).encode(np.zeros((481, 2), np.float32))
    with pytest.raises(OpusError):
        Decoder().conceal(np.zeros((100, 2), np.float32))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        bytes([0xFF]),  # code 3 without its count
        bytes([0xFF, 0x00]),  # no frames
        bytes([0x1B, 0x03, 0x00]),  # three frames of 60 ms: beyond 120 ms
    ],
)
def test_malformed_headers_are_errors(payload: bytes) -> None:
    for read in (packet_samples, inspect):
        with pytest.raises(MalformedPacketError):
            read(payload)
    out = np.zeros((5760, 2), np.float32)
    with pytest.raises(DecodeError):
        Decoder().decode(payload, out)


def test_a_packet_longer_than_its_room_is_an_error() -> None:
    packet = packets_of(EncoderSettings(), 1)[0]
    with pytest.raises(MalformedPacketError):
        Decoder().decode(packet, np.zeros((480, 2), np.float32))


_fuzzed = Decoder()


@given(st.binary(max_size=64))
def test_rubbish_decodes_to_its_announced_length_or_raises(payload: bytes) -> None:
    out = np.zeros((5760, 2), np.float32)
    packet_carries_fec(payload)
    try:
        info = inspect(payload)
    except MalformedPacketError:
        with pytest.raises(MalformedPacketError):
            _fuzzed.decode(payload, out)
        return
    try:
        decoded = _fuzzed.decode(payload, out)
    except MalformedPacketError:
        return
    assert decoded == info.samples == packet_samples(payload)


@given(st.data())
def test_a_damaged_packet_never_breaks_the_next_one(data: st.DataObject) -> None:
    packets = packets_of(VOICE, 3)
    damaged = bytearray(packets[1])
    at = data.draw(st.integers(0, len(damaged) - 1))
    damaged[at] = data.draw(st.integers(0, 255))
    decoder = Decoder()
    out = np.zeros((5760, 2), np.float32)
    decoder.decode(packets[0], out)
    cut = data.draw(st.integers(0, len(damaged)))
    with contextlib.suppress(MalformedPacketError):
        decoder.decode(bytes(damaged[:cut]), out)
    assert decoder.decode(packets[2], out) == 960
    assert np.isfinite(out[:960]).all()
