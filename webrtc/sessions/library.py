"""Finds sessions for those who may see them, and their sound."""

import asyncio
import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr

from archive.analysis import Analyser, Analysis
from archive.encodings import SampleFormat
from archive.foreign import ForeignSession, ForeignSessions, is_foreign
from archive.guess import Guess, guess
from archive.rolling import SAMPLE_RATE_HZ
from archive.sessions import Extent, Session, is_cursor
from archive.store import SessionStore, SessionStoreError
from webrtc.errors import ClientError
from webrtc.sessions.access import SessionGrant
from webrtc.sessions.clips import Clip, RoomClip, SampleClip
from webrtc.sessions.decoding import UndecodableError, clip_of_file
from webrtc.sessions.shapes import (
    FormatCandidate,
    Guessed,
    SessionInfo,
    SoundFormat,
    session_info,
)

_MOST_REMEMBERED: Final = 64
_STORED: Final = SoundFormat("opus", SAMPLE_RATE_HZ, 2)


@dataclass(frozen=True, slots=True)
class Found:
    """A session that somebody may see: one of a room, or a foreign one."""

    info: SessionInfo
    session: Session | None = None
    foreign: ForeignSession | None = None


@dataclass(frozen=True, slots=True)
class FoundSound:
    """A session's sound.

    Attributes:
        clip: The sound, None where there is none that can be read.
        format: What it is, None for the same reason.
        version: Changes whenever the sound does.
        extent: What is kept, for a session of a room.
        guessed: What was recognised, for a foreign session.
    """

    clip: Clip | None
    format: SoundFormat | None
    version: str
    extent: Extent
    guessed: Guessed | None = None


@contextlib.contextmanager
def store_away_is_told() -> Iterator[None]:
    """Let whoever asks know that the store is away."""
    try:
        yield
    except SessionStoreError:
        raise ClientError("archive_unavailable", "the store of sessions is away", 2.0) from None


class Library:
    """Sessions of rooms, and foreign ones.

    Args:
        store: Where sessions of rooms are.
        foreign: Reads the others, None for none.
        hint: What raw samples of foreign sessions are likely to be.
        is_playing: Tells whether a session is listened to.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        store: SessionStore,
        foreign: ForeignSessions | None,
        hint: SampleFormat | None,
        is_playing: Callable[[str], bool],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._foreign = foreign
        self._hint = hint
        self._is_playing = is_playing
        self._clock = clock
        self._analyses: OrderedDict[tuple[str, str], Analysis] = OrderedDict()
        self._analysing = asyncio.Semaphore(2)
        self._guesses: OrderedDict[bytes, Guess] = OrderedDict()
        self._guessing = asyncio.Semaphore(1)

    async def page(
        self, grant: SessionGrant, cursor: str | None, limit: int
    ) -> tuple[list[SessionInfo], str | None]:
        """Return some sessions and the next cursor.

        Raises:
            ClientError: `bad_message` for what is no cursor, `archive_unavailable`.
        """
        with store_away_is_told():
            if grant.is_operator:
                if self._foreign is None:
                    return [], None
                try:
                    found, after = await self._foreign.page(cursor, limit)
                except ValueError as error:
                    raise ClientError("bad_message", str(error)) from None
                return [self._foreign_info(one) for one in found], after
            if cursor is not None and not is_cursor(cursor):
                raise ClientError("bad_message", "this is no cursor")
            page = await self._store.page(grant.vault, cursor, limit)
            return [self.info(one) for one in page.sessions], page.cursor

    async def find(self, grant: SessionGrant, session_id: str) -> Found:
        """Return a session.

        Raises:
            ClientError: `session_not_found`, `archive_unavailable`.
        """
        with store_away_is_told():
            if grant.is_operator and self._foreign is not None and is_foreign(session_id):
                foreign = await self._foreign.session(session_id)
                if foreign is not None:
                    return Found(self._foreign_info(foreign), foreign=foreign)
            elif not grant.is_operator and session_id.isalnum() and session_id.isascii():
                session = await self._store.session(session_id)
                if session is not None and session.vault == grant.vault:
                    return Found(self.info(session), session=session)
        raise ClientError("session_not_found", "there is no such session")

    async def sound(self, found: Found, choice: int = -1) -> FoundSound:
        """Return a session's sound as it is now.

        Args:
            found: The session.
            choice: Number of the candidate of raw samples, -1 for the likeliest.

        Raises:
            ClientError: `bad_message` for a choice that is none, `archive_unavailable`.
        """
        with store_away_is_told():
            if found.session is not None:
                return await self._room_sound(found.session)
            assert found.foreign is not None
            assert self._foreign is not None
            blob = await self._foreign.blob(found.foreign)
        guessed = await self._guess(blob)
        return await asyncio.to_thread(_foreign_sound, blob, guessed, choice)

    async def analysis(self, found: Found, sound: FoundSound) -> Analysis | None:
        """Return what a sound is like; None where there is none.

        Raises:
            ClientError: `archive_unavailable`.
        """
        clip = sound.clip
        if clip is None or clip.frames == 0:
            return None
        key = (found.info.session_id, sound.version)
        known = self._analyses.get(key)
        if known is None:
            async with self._analysing:
                with store_away_is_told():
                    known = await _analysed(clip)
            self._analyses[key] = known
            if len(self._analyses) > _MOST_REMEMBERED:
                self._analyses.popitem(last=False)
        return known

    def info(self, session: Session) -> SessionInfo:
        """Return what is shown of a session of a room."""
        return session_info(session, self._clock(), self._is_playing(session.session_id))

    def clip(self, session_id: str, first_ms: int, end_ms: int) -> Clip:
        """Return a part of a session of a room."""
        return RoomClip(self._store, session_id, first_ms, end_ms)

    async def _room_sound(self, session: Session) -> FoundSound:
        extent = await self._store.extent(session.session_id)
        version = f"{extent.first_ms}-{extent.end_ms}"
        if not extent.chunks:
            return FoundSound(None, None, version, extent)
        clip = self.clip(session.session_id, extent.first_ms, extent.end_ms)
        return FoundSound(clip, _STORED, version, extent)

    async def _guess(self, blob: bytes) -> Guess:
        """Return what a blob is: seconds of work, so one at a time and once."""
        key = await asyncio.to_thread(_digest, blob)
        if key not in self._guesses:
            async with self._guessing:
                if key not in self._guesses:  # nobody who waited before found it out
                    self._guesses[key] = await asyncio.to_thread(guess, blob, self._hint)
                    while len(self._guesses) > _MOST_REMEMBERED:
                        self._guesses.popitem(last=False)
        self._guesses.move_to_end(key)
        return self._guesses[key]

    def _foreign_info(self, session: ForeignSession) -> SessionInfo:
        return SessionInfo(
            session_id=session.session_id,
            kind="foreign",
            state="ended",
            name=session.name or session.key,
            room_id=None,
            participant_id=None,
            started_at=session.started_at,
            ended_at=None,
            duration_s=None,
            playing=self._is_playing(session.session_id),
        )


def _digest(blob: bytes) -> bytes:
    return hashlib.blake2b(blob, digest_size=16).digest()


def _foreign_sound(blob: bytes, found: Guess, choice: int) -> FoundSound:
    guessed = _guessed(found)
    version = f"{len(blob)}-{choice}"
    try:
        clip = _clip_of(blob, found, choice)
    except UndecodableError:
        clip = None
    if clip is None:
        return FoundSound(None, None, version, Extent(), guessed)
    end_ms = clip.frames * 1000 // clip.rate_hz
    extent = Extent(0, end_ms, 1)
    return FoundSound(clip, _shown(clip.format), version, extent, guessed)


def _clip_of(blob: bytes, found: Guess, choice: int) -> SampleClip | None:
    """Return the sound of a blob; garbage has none unless a format is chosen by hand."""
    if found.container is not None:
        return clip_of_file(blob, found.container)
    if choice >= len(found.candidates):
        raise ClientError("bad_message", "there is no such candidate")
    if choice < 0 and found.is_garbage:
        return None
    return SampleClip(blob, found.candidates[max(0, choice)].format)


def _guessed(found: Guess) -> Guessed:
    return Guessed(
        found.container,
        found.is_garbage,
        [
            FormatCandidate(
                number,
                _shown(one.format),
                round(one.confidence, 4),
                round(one.encoding_confidence, 4),
            )
            for number, one in enumerate(found.candidates)
        ],
    )


def _shown(form: SampleFormat) -> SoundFormat:
    return SoundFormat(form.encoding.name, form.rate_hz, form.channels)


async def _analysed(clip: Clip) -> Analysis:
    resampler = None
    frames = clip.frames * SAMPLE_RATE_HZ // clip.rate_hz
    if clip.rate_hz != SAMPLE_RATE_HZ:
        resampler = soxr.ResampleStream(clip.rate_hz, SAMPLE_RATE_HZ, 2, quality="HQ")
    analyser = Analyser(frames)

    def take(block: np.ndarray, last: bool) -> None:
        if resampler is not None:
            block = resampler.resample_chunk(np.ascontiguousarray(block), last)
        if len(block):
            analyser.feed(block)

    async for block in clip.blocks(0, clip.frames):
        await asyncio.to_thread(take, block, False)
    if resampler is not None:
        await asyncio.to_thread(take, np.zeros((0, 2), np.float32), True)
    return analyser.result()
