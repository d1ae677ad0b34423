"""What the library of sessions remembers of foreign sound."""

import asyncio
import threading

import numpy as np
import pytest

from archive.encodings import ENCODINGS
from archive.guess import Guess, guess
from archive.memory_store import MemorySessionStore
from archive.samples import encode
from webrtc.sessions import library
from webrtc.sessions.library import Found, Library


class Foreign:
    """A foreign session's sound."""

    def __init__(self) -> None:
        self.sound = b""

    async def blob(self, _session: object) -> bytes:
        return self.sound


def tone(rate_hz: int) -> bytes:
    times = np.arange(rate_hz) / rate_hz
    return encode(0.3 * np.sin(2 * np.pi * 440 * times)[:, None], ENCODINGS["s16le"])


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many guesses were under way whenever one began."""
    under_way, counts, lock = [0], [], threading.Lock()

    def count(blob: bytes, hint: object) -> Guess:
        with lock:
            under_way[0] += 1
            counts.append(under_way[0])
        try:
            return guess(blob, hint)
        finally:
            under_way[0] -= 1

    monkeypatch.setattr(library, "guess", count)
    return counts


async def test_a_blob_is_guessed_once_and_one_at_a_time(counted):
    foreign = Foreign()
    shelf = Library(MemorySessionStore(), foreign, None, lambda _: False, lambda: 0.0)
    session = Found(info=None, foreign=object())
    sounds = []
    for rate_hz in (8000, 16_000):
        foreign.sound = tone(rate_hz)
        sounds += await asyncio.gather(*(shelf.sound(session, choice) for choice in (-1, 0, 1)))
    assert counted == [1, 1]
    assert [one.guessed for one in sounds[:3]] == [sounds[0].guessed] * 3
    assert sounds[0].guessed != sounds[3].guessed
