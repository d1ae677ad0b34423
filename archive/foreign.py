"""Sessions that another program has written to Redis: hashes with sound in base64; read only.

What may be read is bounded by a pattern of keys, of the operator's choice. A client names a session
by an id made of its key; whatever does not match the pattern is not there. Nothing larger than
`MAX_BLOB_BYTES` is fetched.
"""

import base64
import binascii
import fnmatch
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import RedisError, ResponseError

from archive.store import SessionStoreError

MAX_BLOB_BYTES: Final = 64 << 20
"""Of the text in Redis."""

_PREFIX: Final = "x-"
_MOST_KEY_BYTES: Final = 256
_SCAN: Final = 200
_MOST_SCANS: Final = 50
_MOST_TEXT_BYTES: Final = 256


@dataclass(frozen=True, slots=True)
class ForeignFields:
    """How another program calls what it writes.

    Attributes:
        pattern: Of its keys, with `*` and `?`.
        audio: Field of the sound, base64.
        name: Field of a name to show.
        started: Field of the start, seconds since the epoch.
    """

    pattern: str
    audio: str = "audio_buffer"
    name: str = "name"
    started: str = "created_at"


@dataclass(frozen=True, slots=True)
class ForeignSession:
    """One of them.

    Attributes:
        session_id: `x-` and its key in URL-safe base64.
        key: Its key, as text.
        name: What it is called, "" for nothing.
        started_at: Seconds since the epoch, None where that is not said.
        blob_bytes: Length of the sound's base64 text.
    """

    session_id: str
    key: str
    name: str
    started_at: float | None
    blob_bytes: int


def is_foreign(session_id: str) -> bool:
    """Return whether an id is one of a foreign session."""
    return session_id.startswith(_PREFIX)


class ForeignSessions:
    """Reads them.

    Args:
        redis: A client of redis-py (asyncio) whose replies are bytes; somebody else's to close.
        fields: What they look like.
    """

    def __init__(self, redis: Any, fields: ForeignFields) -> None:
        self._redis = redis
        self._fields = fields

    async def page(self, cursor: str | None, limit: int) -> tuple[list[ForeignSession], str | None]:
        """Return about `limit` sessions, in Redis's own order, and the next cursor.

        Raises:
            ValueError: the cursor is none.
            SessionStoreError: Redis is away.
        """
        at = 0
        if cursor is not None:
            if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 20:
                raise ValueError("this is no cursor")
            at = int(cursor)
        found: list[ForeignSession] = []
        try:
            for _ in range(_MOST_SCANS):
                at, keys = await self._redis.scan(at, match=self._fields.pattern, count=_SCAN)
                for key in sorted(keys):
                    session = await self._look(key)
                    if session is not None:
                        found.append(session)
                if at == 0 or len(found) >= limit:
                    break
        except (RedisError, OSError) as error:
            raise SessionStoreError(type(error).__name__) from error
        return found, str(at) if at else None

    async def session(self, session_id: str) -> ForeignSession | None:
        """Return a session.

        Raises:
            SessionStoreError: Redis is away.
        """
        key = _key_of(session_id)
        if key is None or not self._is_ours(key):
            return None
        try:
            return await self._look(key)
        except (RedisError, OSError) as error:
            raise SessionStoreError(type(error).__name__) from error

    async def blob(self, session: ForeignSession) -> bytes:
        """Return a session's sound, "" where it cannot be read as base64.

        Raises:
            SessionStoreError: Redis is away.
        """
        if session.blob_bytes > MAX_BLOB_BYTES:
            return b""
        try:
            text = await self._redis.hget(session.key, self._fields.audio)
        except (RedisError, OSError) as error:
            raise SessionStoreError(type(error).__name__) from error
        return _decoded(text or b"")

    async def _look(self, key: bytes) -> ForeignSession | None:
        """Return the session of a key, None for anything but a hash with sound."""
        fields = self._fields
        if not self._is_ours(key):
            return None
        try:
            size = await self._redis.hstrlen(key, fields.audio)
            if not size:
                return None
            name = await self._text(key, fields.name)
            started = await self._text(key, fields.started)
        except ResponseError:  # another type
            return None
        return ForeignSession(_id_of(key), key.decode(), name, _number(started), size)

    async def _text(self, key: bytes, field: str) -> str:
        if not field or await self._redis.hstrlen(key, field) > _MOST_TEXT_BYTES:
            return ""
        value: bytes | None = await self._redis.hget(key, field)
        text = (value or b"").decode(errors="replace")
        return "".join(letter for letter in text if letter.isprintable())

    def _is_ours(self, key: bytes) -> bool:
        try:
            text = key.decode()
        except UnicodeDecodeError:
            return False
        is_long = len(key) > _MOST_KEY_BYTES
        return not is_long and fnmatch.fnmatchcase(text, self._fields.pattern)


def _id_of(key: bytes) -> str:
    return _PREFIX + base64.urlsafe_b64encode(key).decode().rstrip("=")


def _key_of(session_id: str) -> bytes | None:
    text = session_id.removeprefix(_PREFIX)
    if not is_foreign(session_id) or not text.isascii() or len(text) > 2 * _MOST_KEY_BYTES:
        return None
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return key if _id_of(key) == session_id else None


def _decoded(text: bytes) -> bytes:
    """Return what base64 says, also the URL-safe kind and a `data:` URL; "" for anything else."""
    if text.startswith(b"data:"):
        text = text.partition(b",")[2]
    text = b"".join(text.split()).replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e11 else None
