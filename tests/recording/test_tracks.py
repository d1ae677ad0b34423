"""From slots to files: everything at its place, whatever order and holes it comes in."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from archive.wav import read_wav
from webrtc.recording.archive import chapters_text
from webrtc.recording.encoders import Encoder, WavWriter, open_encoder
from webrtc.recording.files import Chapter
from webrtc.recording.ring import SLOT, Kind
from webrtc.recording.tracks import Tracks


class Tape:
    """An encoder that keeps what it is given."""

    def __init__(self) -> None:
        self.blocks: list[np.ndarray] = []
        self.closed = False

    def write(self, block: np.ndarray) -> None:
        assert not self.closed
        self.blocks.append(block.copy())

    def renew(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    @property
    def sound(self) -> np.ndarray:
        return np.concatenate(self.blocks)[:, 0] if self.blocks else np.zeros(0)


class Desk:
    def __init__(self) -> None:
        self.tapes: dict[str, Tape] = {}
        self.tracks = Tracks(Path("nowhere"), "flac", self._open)

    def _open(self, path: Path, form: str) -> Encoder:
        tape = self.tapes[path.name] = Tape()
        return tape


def slots(*given: tuple[int, int, Kind]) -> np.ndarray:
    """Return slots (position, track, kind) whose samples tell their position, from 1 on."""
    made = np.zeros(len(given), SLOT)
    for slot, (position, track, kind) in zip(made, given, strict=True):
        slot["position"], slot["track"], slot["kind"] = position, track, kind
        slot["sound"] = np.arange(position + 1, position + 481)[:, None]
    return made


def is_in_place(sound: np.ndarray, offset: int) -> bool:
    """Return whether every sample is silent, or where it belongs."""
    wanted = np.arange(offset + 1, offset + 1 + len(sound))
    return bool(((sound == 0) | (sound == wanted)).all())


def test_tracks_are_told_apart_and_begin_where_they_begin() -> None:
    desk = Desk()
    desk.tracks.take(slots((0, 0, Kind.MIX), (0, 7, Kind.DRY), (480, 0, Kind.MIX)))
    desk.tracks.take(slots((960, 0, Kind.MIX), (960, 9, Kind.DRY), (960, 9, Kind.PROCESSED)))
    desk.tracks.close()
    told = {
        one.file: (one.kind, one.track, one.offset_samples, one.samples) for one in desk.tracks.all
    }
    assert told == {
        "mix.flac": ("mix", 0, 0, 1440),
        "track-001-dry.flac": ("dry", 7, 0, 1440),
        "track-002-dry.flac": ("dry", 9, 960, 480),
        "track-002-processed.flac": ("processed", 9, 960, 480),
    }
    assert np.array_equal(desk.tapes["mix.flac"].sound, np.arange(1, 1441))
    assert all(tape.closed for tape in desk.tapes.values())
    assert desk.tracks.samples == 1440


@given(st.lists(st.integers(-2, 40), max_size=30), st.integers(0, 479))
def test_every_sample_is_at_its_place(numbers: list[int], shift: int) -> None:
    desk = Desk()
    for number in numbers:
        desk.tracks.take(slots((number * 480 + shift, 0, Kind.MIX)))
    desk.tracks.close()
    if desk.tapes:
        sound = desk.tapes["mix.flac"].sound
        assert is_in_place(sound, 0)
        assert len(sound) == desk.tracks.samples == max(numbers) * 480 + 480 + shift


def test_a_file_that_cannot_be_finished_keeps_none_of_the_others_open() -> None:
    desk = Desk()
    desk.tracks.take(slots((0, 0, Kind.MIX), (0, 7, Kind.DRY), (480, 7, Kind.DRY)))

    def full(_: np.ndarray) -> None:
        raise OSError("no space left on device")

    desk.tapes["mix.flac"].write = full  # type: ignore[method-assign]
    with pytest.raises(OSError, match="no space"):
        desk.tracks.close()
    assert all(tape.closed for tape in desk.tapes.values())


def test_silent_tracks_keep_step_and_end_after_a_minute() -> None:
    desk = Desk()
    desk.tracks.take(slots((0, 0, Kind.MIX), (0, 7, Kind.DRY)))
    for second in range(1, 70):
        desk.tracks.take(slots((second * 48_000, 0, Kind.MIX)))
        desk.tracks.keep_step()
        if second == 30:
            assert len(desk.tapes["track-001-dry.flac"].sound) == 29 * 48_000 + 480
    assert desk.tapes["track-001-dry.flac"].closed
    desk.tracks.take(slots((70 * 48_000, 7, Kind.DRY)))
    desk.tracks.close()
    again = desk.tracks.all[-1]
    assert (again.file, again.offset_samples) == ("track-001-dry-2.flac", 70 * 48_000)


@pytest.mark.parametrize("form", ["flac", "wav", "opus"])
def test_files_hold_what_was_written(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"x.{form}"
    encoder = open_encoder(path, form)  # type: ignore[arg-type]
    turns = np.arange(96_000) / 48_000
    sound = np.stack([np.sin(2 * np.pi * 440 * turns), np.sin(2 * np.pi * 900 * turns)], 1) * 0.4
    for first in range(0, len(sound), 4_800):
        encoder.write(sound[first : first + 4_800].astype(np.float32))
        encoder.renew()
    encoder.close()
    read, rate_hz = soundfile.read(path)
    assert rate_hz == 48_000
    if form == "opus":
        assert np.abs(read[24_000:72_000]).max() == pytest.approx(0.4, abs=0.02)
    else:
        assert len(read) == len(sound)
        assert np.abs(read - sound).max() < 1e-6


def test_too_loud_is_cut_and_does_not_turn_over(tmp_path: Path) -> None:
    for form in ("flac", "wav"):
        encoder = open_encoder(tmp_path / f"x.{form}", form)  # type: ignore[arg-type]
        encoder.write(np.full((480, 2), 1.5, np.float32))
        encoder.close()
        assert soundfile.read(tmp_path / f"x.{form}")[0].min() > 0.999


def test_a_wav_that_is_never_closed_is_readable(tmp_path: Path) -> None:
    writer = WavWriter(tmp_path / "x.wav")
    writer.write(np.full((4_800, 2), 0.5, np.float32))
    writer.renew()
    writer.write(np.full((4_800, 2), 0.5, np.float32))
    data = (tmp_path / "x.wav").read_bytes()
    assert read_wav(data[:4096]).data_bytes == 4_800 * 6
    with av.open(str(tmp_path / "x.wav")) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) >= 4_800


def test_a_wav_becomes_rf64_while_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.wav.MOST_WAV_BYTES", 100_000)
    path = tmp_path / "x.wav"
    writer = WavWriter(path)
    sound = np.random.default_rng(1).uniform(-0.9, 0.9, (48_000, 2)).astype(np.float32)
    marks = set()
    for first in range(0, len(sound), 4_800):
        writer.write(sound[first : first + 4_800])
        writer.renew()
        marks.add(path.read_bytes()[:4])
        assert soundfile.info(path).frames == first + 4_800
    writer.close()
    assert marks == {b"RIFF", b"RF64"}
    assert np.abs(soundfile.read(path)[0] - sound).max() < 1e-6


def test_a_wav_goes_on_beyond_4_gb(tmp_path: Path) -> None:
    path, hole = tmp_path / "x.wav", 6 * 750_000_000
    writer = WavWriter(path)
    writer.renew()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + hole)  # samples that take no place
    writer._bytes = hole
    writer.renew()
    writer.write(np.full((480, 2), 0.5, np.float32))
    writer.close()
    with soundfile.SoundFile(path) as file:
        assert (file.format, file.frames) == ("RF64", 750_000_480)
        file.seek(750_000_000 - 10)
        read = file.read()
    assert not read[:10].any()
    assert read[10:] == pytest.approx(0.5, abs=1e-6)


def test_chapters_are_told_as_ffmpeg_reads_them() -> None:
    assert chapters_text([], 9.0) == ";FFMETADATA1\n"
    text = chapters_text([Chapter(0.5, "A=b"), Chapter(2.0, "C")], 9.0)
    assert "START=500\nEND=2000\ntitle=A\\=b" in text
    assert "START=2000\nEND=9000\ntitle=C" in text
