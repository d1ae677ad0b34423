"""Settings of the archive: rooms' sessions, and those of other programs."""

import re
from collections.abc import Callable
from typing import Final

from archive.encodings import ENCODINGS
from webrtc.settings_texts import integer
from webrtc.settings_variable import Variable

_PYAUDIO: Final = {
    "paInt8": "s8",
    "paUInt8": "u8",
    "paInt16": "s16le",
    "paInt24": "s24le",
    "paInt32": "s32le",
    "paFloat32": "f32le",
}


def _pattern(text: str) -> str:
    if text == "off":
        return ""
    if not re.fullmatch(r"[\x21-\x7e]{1,128}", text) or not text.strip("*?"):
        raise ValueError("off or a pattern of Redis keys such as session:*")
    return text


def _fields(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(","))
    if len(names) != 3 or not all(re.fullmatch(r"[\x21-\x2b\x2d-\x7e]{1,64}", n) for n in names):
        raise ValueError("three names of fields, separated by commas: sound, name, start")
    return names


def _audio_format(text: str) -> str | None:
    if text == "auto":
        return None
    name = text.removeprefix("pyaudio.")
    name = _PYAUDIO.get(name, name)
    if name not in ENCODINGS:
        raise ValueError(f"auto, one of {', '.join(ENCODINGS)}, or a name of PyAudio")
    return name


def _or_auto(parse: Callable[[str], int]) -> Callable[[str], int | None]:
    def parsed(text: str) -> int | None:
        return None if text == "auto" else parse(text)

    return parsed


def _text_or(word: str) -> Callable[[object], str]:
    return lambda value: word if value in (None, "") else str(value)


ARCHIVE_VARIABLES: Final = (
    Variable(
        "WEBRTC_ARCHIVE_WINDOW_S",
        "archive_window_s",
        "300",
        "Seconds of everybody's latest sound that a room keeps while its host has the archive on.",
        integer(10, 14_400, "a number of seconds"),
    ),
    Variable(
        "WEBRTC_ARCHIVE_RETENTION_S",
        "archive_retention_s",
        "3600",
        "Seconds after which a session that has ended is gone.",
        integer(60, 604_800, "a number of seconds"),
    ),
    Variable(
        "WEBRTC_ARCHIVE_BITRATE",
        "archive_bitrate_bps",
        "48000",
        "Bits per second of the Opus that sessions are kept in.",
        integer(16_000, 96_000, "a number of bits per second"),
    ),
    Variable(
        "WEBRTC_ARCHIVE_PLAYBACKS",
        "archive_playbacks",
        "8",
        "Most sessions that are listened to at the same time.",
        integer(1, 1000, "a number"),
    ),
    Variable(
        "WEBRTC_FOREIGN_SESSIONS",
        "foreign_sessions",
        "off",
        "Pattern of Redis keys (hashes) in which other programs keep sessions, to be shown to "
        "the operator. Takes Redis and WEBRTC_OPERATOR_TOKEN.",
        _pattern,
        _text_or("off"),
        example_value="session:*",
    ),
    Variable(
        "WEBRTC_FOREIGN_FIELDS",
        "foreign_fields",
        "audio_buffer,name,created_at",
        "Fields of these hashes: sound in base64, name, and start in seconds since the epoch.",
        _fields,
        ",".join,
    ),
    Variable(
        "AUDIO_RATE",
        "audio_rate_hz",
        "auto",
        "Sample rate of raw samples in sessions of other programs; the first guess.",
        _or_auto(integer(1000, 384_000, "auto or a sample rate in Hz")),
        _text_or("auto"),
        example_value="44100",
    ),
    Variable(
        "AUDIO_CHANNELS",
        "audio_channels",
        "auto",
        "Channels of these, likewise: 1 or 2.",
        _or_auto(integer(1, 2, "auto or a number of channels")),
        _text_or("auto"),
        example_value="1",
    ),
    Variable(
        "AUDIO_FORMAT",
        "audio_format",
        "auto",
        "Encoding of these, likewise: s16le, f32be, u8, mulaw or others; paInt16 is s16le.",
        _audio_format,
        _text_or("auto"),
        example_value="s16le",
    ),
)
"""The archive's part of `webrtc.settings.VARIABLES`."""
