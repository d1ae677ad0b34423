"""What people's sound is recognised as: told to their rooms, and followed by their strips."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec

from dsp.genre.labels import CLASSES
from dsp.genre.profiles import CROSSFADE_MS, Profile
from rooms.models import Participant
from rooms.profiles import follows, with_profile
from webrtc.control.messages import Content
from webrtc.errors import ClientError
from webrtc.signaling.events import GenreDetected
from webrtc.signaling.presence import Presence


class Owner(Protocol):
    """Who knows the participants."""

    def latest(self, participant_id: str) -> Participant | None:
        """Return how a participant is now, None for strangers."""
        ...

    async def change(
        self,
        participant_id: str,
        change: Callable[[Participant], Participant],
        ramp_ms: int = 0,
    ) -> Participant:
        """Change a participant; the strip takes `ramp_ms` to follow."""
        ...

    def announce(self, participant_id: str) -> None:
        """Let the room know that a participant has changed."""
        ...


class Contents:
    """Keeps the latest word about everybody's sound.

    Args:
        presence: who is where.
        owner: who knows the participants.
    """

    def __init__(self, presence: Presence, owner: Owner) -> None:
        self._presence = presence
        self._owner = owner
        self._latest: dict[str, Content] = {}
        self._following: dict[str, asyncio.Task[None]] = {}

    def of(self, participant_id: str) -> Content | None:
        """Return what somebody's sound is recognised as; None before anything was."""
        return self._latest.get(participant_id)

    def profile_of(self, participant_id: str) -> Profile:
        """Return the mixing profile that suits somebody's sound."""
        known = self._latest.get(participant_id)
        return "neutral" if known is None else known.profile

    def handle(self, message: Content) -> None:
        """Take what a media worker says, tell the room, and let the strip follow."""
        name = message.participant_id
        seat = self._presence.seat(name)
        if seat is None:
            return
        self._latest[name] = message
        self._presence.broadcast(seat.room_id, "genre_detected", _event(message))
        participant = self._owner.latest(name)
        if participant is not None and self._is_behind(participant) and name not in self._following:
            task = asyncio.create_task(self._follow(name), name=f"follow {name}")
            self._following[name] = task
            task.add_done_callback(lambda _: self._following.pop(name, None))

    def forget(self, participant_id: str) -> None:
        """Remember nothing of somebody any more."""
        self._latest.pop(participant_id, None)

    def close(self) -> None:
        """Follow no more."""
        for task in self._following.values():
            task.cancel()

    def _is_behind(self, participant: Participant) -> bool:
        """Whether a strip that follows has another profile than what is heard."""
        strip = participant.strip
        return follows(strip) and strip.profile != self.profile_of(participant.participant_id)

    async def _follow(self, participant_id: str) -> None:
        """Bring a strip to the profile of what is heard, by a slow crossfade."""

        def apply(participant: Participant) -> Participant:
            if not self._is_behind(participant):  # meanwhile somebody chose by hand
                return participant
            strip = with_profile(participant.strip, self.profile_of(participant_id))
            return msgspec.structs.replace(participant, strip=strip)

        try:
            await self._owner.change(participant_id, apply, CROSSFADE_MS)
        except ClientError:
            return  # gone meanwhile
        self._owner.announce(participant_id)


def _event(content: Content) -> GenreDetected:
    return GenreDetected(
        participant_id=content.participant_id,
        genre=content.genre,
        confidence=content.confidence,
        firm=content.firm,
        speech=content.speech,
        probabilities=dict(zip(CLASSES, content.probabilities, strict=True)),
        profile=content.profile,
    )
