"""From settings to the parts of the archive."""

from archive.encodings import ENCODINGS, SampleFormat
from archive.foreign import ForeignFields, ForeignSessions
from archive.redis_store import RedisSessionStore
from rooms.redis_connection import connect
from webrtc.sessions.desk import SessionParts
from webrtc.settings import Settings

_PATIENCE_S = 2.0


def session_parts(settings: Settings) -> SessionParts:
    """Return the archive that the operator asked for; nothing is connected yet."""
    store = foreign = None
    if settings.redis is not None:
        redis = connect(settings.redis, timeout_s=_PATIENCE_S, patient=True)
        store = RedisSessionStore(redis)
        if settings.foreign_sessions:
            audio, name, started = settings.foreign_fields
            fields = ForeignFields(settings.foreign_sessions, audio, name, started)
            foreign = ForeignSessions(redis, fields)
    return SessionParts(
        window_s=settings.archive_window_s,
        retention_s=settings.archive_retention_s,
        bitrate_bps=settings.archive_bitrate_bps,
        playbacks=settings.archive_playbacks,
        store=store,
        foreign=foreign,
        hint=_hint(settings),
    )


def _hint(settings: Settings) -> SampleFormat | None:
    """Return the first guess; what is not said of it is as usual."""
    rate_hz, channels = settings.audio_rate_hz, settings.audio_channels
    if rate_hz is None and channels is None and settings.audio_format is None:
        return None
    encoding = ENCODINGS[settings.audio_format or "s16le"]
    return SampleFormat(encoding, rate_hz or 44_100, channels or 1)
