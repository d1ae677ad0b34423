"""Who listens to which session just now: by a secret address, or in a room.

| state   | event                                     | next    |
|---------|-------------------------------------------|---------|
| (none)  | `start`, below the limit                  | playing |
| playing | `start` again                             | refused |
| playing | `stop`                                    | (none)  |
| playing | nobody reads, and its length and a moment | (none)  |
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from webrtc.errors import ClientError

if TYPE_CHECKING:
    from webrtc.playback.players import Player

_GRACE_S: Final = 30.0


@dataclass(slots=True)
class Playback:
    """Somebody listens to a session in a player of their own.

    Attributes:
        session_id: Of what.
        vault: Whose session.
        token: Names it in its address; a secret, as players send no other.
        choice: Format that was chosen by hand for raw samples, -1 for the likeliest.
        first_ms: Where in the session's time the file begins.
        end_ms: Where it ends.
        readers: How many requests read it now.
        player: Of a playback into a room; lasts as long as it says itself.
        expires_at: When it is over unless somebody reads it.
    """

    session_id: str
    vault: str
    token: str
    choice: int
    first_ms: int
    end_ms: int
    readers: int = 0
    player: "Player | None" = None
    expires_at: float = field(default=0.0)


class Playbacks:
    """All that are under way."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        """Begin with none.

        Args:
            most: So many at the same time.
            clock: Seconds, from anywhere.
        """
        self._most = most
        self._clock = clock
        self._playing: dict[str, Playback] = {}

    def is_playing(self, session_id: str) -> bool:
        """Return whether a session is listened to."""
        self._expire()
        return session_id in self._playing

    def start(
        self, session_id: str, vault: str, choice: int, first_ms: int, end_ms: int
    ) -> Playback:
        """Begin one.

        Raises:
            ClientError: `already_playing`, `too_many_playbacks`.
        """
        self._expire()
        if session_id in self._playing:
            raise ClientError("already_playing", "the session is played already; stop it first")
        if len(self._playing) >= self._most:
            detail = f"at most {self._most} sessions are played at the same time"
            raise ClientError("too_many_playbacks", detail, 10.0)
        token = secrets.token_urlsafe(24)
        playback = Playback(session_id, vault, token, choice, first_ms, end_ms)
        self._playing[session_id] = playback
        self.touch(playback)
        return playback

    def stop(self, session_id: str) -> Playback | None:
        """End one and return it, None if there was none; a player is the caller's to stop."""
        return self._playing.pop(session_id, None)

    def ended(self, playback: Playback) -> None:
        """Take note that a player has ended."""
        if self._playing.get(playback.session_id) is playback:
            del self._playing[playback.session_id]

    def find(self, session_id: str, token: str) -> Playback:
        """Return the one with this address.

        Raises:
            ClientError: `not_found`.
        """
        self._expire()
        playback = self._playing.get(session_id)
        if (
            playback is None
            or playback.player is not None
            or not secrets.compare_digest(
                playback.token.encode(), token.encode(errors="surrogatepass")
            )
        ):
            raise ClientError("not_found", "this playback is over")
        return playback

    def touch(self, playback: Playback) -> None:
        """Take note that it was read a moment ago: what was read is played for its length."""
        length_s = (playback.end_ms - playback.first_ms) / 1000
        playback.expires_at = self._clock() + length_s + _GRACE_S

    def _expire(self) -> None:
        now = self._clock()
        for session_id, one in list(self._playing.items()):
            if one.player is None and not one.readers and one.expires_at <= now:
                del self._playing[session_id]
