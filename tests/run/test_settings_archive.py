"""Settings of the archive."""

import pytest

from webrtc.settings import SettingsError, load


def settings(**values: str):
    return load({"WEBRTC_MEDIA_WORKERS": "1", "WEBRTC_HOST": "127.0.0.1", **values})


def test_nothing_is_shared_with_other_programs_by_default():
    given = settings()
    assert given.foreign_sessions == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [("pyaudio.paInt16", "s16le"), ("paFloat32", "f32le"), ("s24be", "s24be"), ("auto", None)],
)
def test_formats_may_be_named_as_pyaudio_does(text, expected):
    assert settings(AUDIO_FORMAT=text).audio_format == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("AUDIO_RATE", "0"),
        ("AUDIO_CHANNELS", "3"),
        ("AUDIO_FORMAT", "mp3"),
        ("WEBRTC_FOREIGN_SESSIONS", "*"),
        ("WEBRTC_FOREIGN_FIELDS", "a,b"),
        ("WEBRTC_ARCHIVE_WINDOW_S", "1"),
    ],
)
def test_what_cannot_be_is_refused(name, text):
    with pytest.raises(SettingsError, match=name):
        settings(**{name: text})


def test_foreign_sessions_take_a_redis_and_an_operator():
    with pytest.raises(SettingsError, match="WEBRTC_OPERATOR_TOKEN"):
        settings(WEBRTC_FOREIGN_SESSIONS="session:*")
    given = settings(
        WEBRTC_FOREIGN_SESSIONS="session:*",
        REDIS_URL="redis://localhost",
        WEBRTC_OPERATOR_TOKEN="k" * 32,
    )
    assert given.foreign_sessions == "session:*"
    assert settings(**given.to_environment()) == given
