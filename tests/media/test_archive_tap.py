"""What rooms hand over for the archive."""

import socket
from pathlib import Path

import numpy as np
import pytest

from archive.wire import Piece, read_piece
from mixer.arena import Arena, Block, SourceArena
from mixer.playout_packet import Pull
from mixer.room import RoomMixer
from webrtc.media.archive_tap import ArchiveTap


class Tape:
    """A playout of a sound that counts its own samples, in stereo or in mono."""

    is_buffering = True
    packet_samples = 480

    def __init__(self, mono: bool = False) -> None:
        self.mono = mono
        self.at = 0
        self.quiet = False

    def pull(self, out: Block, now_s: float) -> Pull:
        if self.quiet:
            return Pull.SILENT
        line = (0.1 + (self.at + np.arange(len(out))) % 9600 / 19_200).astype(np.float32)
        out[:, 0] = line
        out[:, 1] = line if self.mono else -line
        self.at += len(out)
        return Pull.SOUND

    def safe_time_s(self) -> float | None:
        return None


class World:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "a.sock"
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.listener.setblocking(False)
        self.listener.bind(str(self.path))
        self.tap = ArchiveTap(self.path)
        self.mixer = RoomMixer("r", SourceArena(), Arena())
        self.mixer.add_listener("ear", 0, 0)

    def run(self, blocks: int) -> None:
        for _ in range(blocks):
            self.mixer.advance(1.0)
            self.tap.take(self.mixer)

    def heard(self) -> list[Piece]:
        pieces = []
        while True:
            try:
                piece = read_piece(self.listener.recv(65_536))
            except BlockingIOError:
                return pieces
            assert piece is not None
            pieces.append(piece)

    def close(self) -> None:
        self.tap.close()
        self.listener.close()


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def test_all_that_somebody_says_arrives_with_its_time(world):
    world.mixer.add_source("a", 1, Tape())
    world.run(50)
    pieces = world.heard()
    assert [piece.media_time for piece in pieces] == [4800 * n for n in range(len(pieces))]
    assert len(pieces) >= 4
    sound = np.concatenate([piece.pcm for piece in pieces])
    wanted = 0.1 + np.arange(len(sound)) % 9600 / 19_200
    assert np.abs(sound[480:, 0] / 32767 - wanted[480:]).max() < 1e-3
    assert np.abs(sound[480:, 1] / 32767 + wanted[480:]).max() < 1e-3


def test_mono_is_handed_over_once(world):
    world.mixer.add_source("a", 1, Tape(mono=True))
    world.run(20)
    assert {piece.pcm.shape[1] for piece in world.heard()} == {1}


def test_of_the_muted_nothing_is_handed_over(world):
    world.mixer.add_source("a", 1, Tape())
    world.run(20)
    world.mixer.mute_source("a", True)
    world.run(1)
    world.heard()
    world.run(40)
    assert world.heard() == []


def test_what_is_left_is_handed_over_when_somebody_pauses_or_goes(world):
    tape = Tape()
    world.mixer.add_source("a", 1, tape)
    world.run(13)
    tape.quiet = True
    world.run(40)
    assert sum(len(piece.pcm) for piece in world.heard()) >= 13 * 480
    tape.quiet = False
    world.run(3)
    world.tap.forget(world.mixer)
    assert sum(len(piece.pcm) for piece in world.heard()) == 3 * 480


def test_what_does_not_fit_is_dropped_and_counted(world):
    world.mixer.add_source("a", 1, Tape())
    world.run(10_000)
    counters = world.tap.counters
    assert counters["archive_dropped"] > 0
    assert len(world.heard()) == counters["archive_sent"] > 0


def test_nobody_there_is_no_trouble(world):
    world.listener.close()
    world.path.unlink()
    world.mixer.add_source("a", 1, Tape())
    world.run(100)
    assert world.tap.counters["archive_unheard"] >= 8
