"""Files of every kind, read and written."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from mixer.cli.errors import InputError, OutputError
from mixer.cli.sound_files import BITS, Bits, SoundFile, SoundWriter


def tone(rate_hz: int, seconds: float = 2.5, channels: int = 1) -> np.ndarray:
    sine = 0.4 * np.sin(2 * np.pi * 1000 * np.arange(round(seconds * rate_hz)) / rate_hz)
    return np.repeat(sine[:, None], channels, axis=1)


def whole(path: Path) -> np.ndarray:
    with SoundFile(path) as file:
        blocks = []
        while len(block := file.read(960)):
            blocks.append(block.copy())
    return np.concatenate(blocks)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_any_rate_becomes_48_khz(rate_hz: int, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(rate_hz), rate_hz, "FLOAT")
    sound = whole(path)
    assert len(sound) == pytest.approx(2.5 * 48_000, abs=2)
    expected = tone(48_000)[: len(sound)]
    middle = slice(2_000, -2_000)
    assert np.abs(sound[middle] - expected[middle]).max() < 0.001


@pytest.mark.parametrize(
    ("subtype", "error"),
    [("PCM_U8", 0.01), ("PCM_16", 1e-4), ("PCM_24", 1e-6), ("PCM_32", 1e-6), ("DOUBLE", 1e-6)],
)
def test_any_width_is_read(subtype: str, error: float, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(48_000, 0.5, 2), 48_000, subtype)
    assert np.abs(whole(path) - tone(48_000, 0.5, 2)).max() < error


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.aiff"])
def test_other_formats_are_read(name: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / name, tone(48_000, 1.0), 48_000)
    assert np.abs(whole(tmp_path / name)[4_800:-4_800]).max() == pytest.approx(0.4, abs=0.01)


def test_six_channels_become_two(tmp_path: Path) -> None:
    six = np.zeros((4_800, 6))
    six[:, 2] = tone(48_000, 0.1)[:, 0]
    soundfile.write(tmp_path / "a.wav", six, 48_000)
    sound = whole(tmp_path / "a.wav")
    assert sound.shape == (4_800, 2)
    assert np.abs(sound).max() == pytest.approx(0.4 * 0.5**0.5, rel=0.001)


def test_numbers_that_are_none_are_silence(tmp_path: Path) -> None:
    samples = np.full(100, np.nan, np.float32)
    samples[50:] = np.inf
    soundfile.write(tmp_path / "a.wav", samples, 48_000, "FLOAT")
    assert not whole(tmp_path / "a.wav").any()


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "no.wav").write_bytes(b"no sound")
    soundfile.write(tmp_path / "wide.wav", np.zeros((10, 9)), 48_000)
    for name in ("missing.wav", "no.wav", "wide.wav", "."):
        with pytest.raises(InputError, match=str(tmp_path / name)):
            SoundFile(tmp_path / name)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_width_is_written(bits: Bits, channels: int, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    writer = SoundWriter(path, bits=bits, channels=channels)
    sound = tone(48_000, 0.5, 2).astype(np.float32)
    writer.write(sound)
    assert not path.exists(), "it has no name before it is complete"
    writer.close()
    read, rate_hz = soundfile.read(path, always_2d=True)
    step = 2.0 ** (1 - int(bits)) if bits != "float" else 1e-6
    assert rate_hz == 48_000
    assert read.shape == (24_000, channels)
    assert np.abs(read - sound[:, :channels]).max() <= max(2 * step, 1e-7)


def test_rounding_is_dithered_but_silence_is_not(tmp_path: Path) -> None:
    """Without dither a tone of less than half a step would vanish."""
    writer = SoundWriter(tmp_path / "a.wav", bits="8")
    writer.write((tone(48_000, 1.0, 2) * 0.008).astype(np.float32))  # 0.4 of a step
    writer.write(np.zeros((4_800, 2), np.float32))
    writer.close()
    read, _ = soundfile.read(tmp_path / "a.wav")
    assert not read[48_000:].any()
    spectrum = np.abs(np.fft.rfft(read[:48_000, 0]))
    assert spectrum[1:].argmax() + 1 == 1000


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000])
def test_any_rate_is_written(rate_hz: int, tmp_path: Path) -> None:
    writer = SoundWriter(tmp_path / "a.wav", bits="float", rate_hz=rate_hz)
    sound = tone(48_000, 1.0, 2).astype(np.float32)
    for start in range(0, len(sound), 960):
        writer.write(sound[start : start + 960])
    writer.close()
    read, got_hz = soundfile.read(tmp_path / "a.wav", always_2d=True)
    assert got_hz == rate_hz
    assert len(read) == pytest.approx(rate_hz, abs=2)
    expected = tone(rate_hz, 1.0, 2)[: len(read)]
    assert np.abs(read - expected)[500:-500].max() < 0.001


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "there.wav").touch()
    for name in ("there.wav", "a.mp3", "no/folder/a.wav"):
        with pytest.raises(OutputError, match=str(tmp_path / name)):
            SoundWriter(tmp_path / name)
    with pytest.raises(OutputError, match="not 32"):
        SoundWriter(tmp_path / "a.flac", bits="32")
    SoundWriter(tmp_path / "there.wav", overwrite=True).close()


def test_what_is_discarded_leaves_nothing(tmp_path: Path) -> None:
    writer = SoundWriter(tmp_path / "a.wav")
    writer.write(np.zeros((100, 2), np.float32))
    writer.discard()
    assert not list(tmp_path.iterdir())
