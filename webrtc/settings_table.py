"""Every variable of the environment: its meaning, its default and its parser, in one table."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from webrtc.settings_texts import (
    address,
    announced,
    audience,
    choice,
    gateway_port,
    ice_servers,
    integer,
    jwks_url,
    networks,
    origins,
    path,
    ptime,
    realtime,
    redis_url,
    secret,
    simulated_network,
    turn_urls,
    word,
)

MAX_MEDIA_WORKERS: Final = 128
ANY: Final = "0.0.0.0"  # noqa: S104 — listening everywhere is what a conference server is for
_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the environment and the field that it fills.

    Attributes:
        default: what an operator reads as the default.
        example_value: stands in .env.example where the default is no value.
        parse: text to value; its ValueError completes the sentence "NAME must be …".
        text: value to text, the reverse of `parse`.
        secret: whether its value may hold a secret and is never repeated in a message.
    """

    name: str
    field: str
    default: str
    meaning: str
    parse: Callable[[str], Any]
    text: Callable[[Any], str] = str
    secret: bool = False
    example_value: str | None = None

    @property
    def example(self) -> str:
        """A value as it stands in .env.example, quoted for a shell."""
        return self.default if self.example_value is None else self.example_value


def _or_nothing(value: str | None) -> str:
    return value or ""


_port = integer(0, 65535, "a port number")

VARIABLES: Final[tuple[Variable, ...]] = (
    Variable("WEBRTC_HOST", "host", ANY, "IPv4 address to listen on.", address),
    Variable(
        "WEBRTC_SIGNALING_PORT",
        "signaling_port",
        "8080",
        "TCP port of Socket.IO and REST; 0 takes any free one.",
        _port,
    ),
    Variable(
        "WEBRTC_STATIC_PORT",
        "static_port",
        "8081",
        "TCP port of the page; the API answers there too. 0 takes any free one.",
        _port,
    ),
    Variable(
        "WEBRTC_MEDIA_PORT",
        "media_port",
        "40000",
        "First UDP port; media worker i listens on this port + i. 0 takes free ones.",
        _port,
    ),
    Variable(
        "WEBRTC_ANNOUNCED_IPS",
        "announced_ips",
        "the host's own addresses, then 127.0.0.1",
        "Comma-separated IPv4 addresses that browsers send media to, the preferred one first.",
        announced,
        ",".join,
        example_value="203.0.113.7,192.168.1.20",
    ),
    Variable(
        "WEBRTC_MEDIA_WORKERS",
        "media_workers",
        "usable CPUs - 1, at least 1",
        "Number of media worker processes.",
        integer(1, MAX_MEDIA_WORKERS, "a whole number"),
        example_value="1",
    ),
    Variable(
        "WEBRTC_ROOM_SHARE",
        "room_share",
        "400",
        "Most people of one room in a media worker before other workers serve the room, too.",
        integer(1, 100_000, "a whole number"),
    ),
    Variable(
        "WEBRTC_PTIME_MS",
        "ptime_ms",
        "auto",
        "Packet length to listeners: 10, 20, or auto (a talker's own, 20 ms for listeners).",
        ptime,
        lambda value: "auto" if value is None else str(value),
    ),
    Variable(
        "WEBRTC_OPUS_COMPLEXITY",
        "opus_complexity",
        "5",
        "Opus encoder effort from 0 (least CPU) to 10 (best sound).",
        integer(0, 10, "a whole number"),
    ),
    Variable(
        "WEBRTC_REALTIME",
        "realtime",
        "auto",
        "auto asks for real-time priority for the media workers where permitted; off does not.",
        realtime,
        lambda value: "auto" if value else "off",
    ),
    Variable(
        "WEBRTC_ICE",
        "ice",
        "lite",
        "lite: one UDP port per worker. full: gathered candidates, any UDP port (fallback).",
        choice("lite", "full"),
    ),
    Variable(
        "WEBRTC_ICE_SERVERS",
        "ice_servers",
        "[]",
        "JSON list of STUN and TURN servers handed to the clients.",
        ice_servers,
        lambda value: json.dumps([server.as_json() for server in value]),
        secret=True,
        example_value="'[]'",
    ),
    Variable(
        "WEBRTC_CORS_ORIGINS",
        "cors_origins",
        "none",
        "Comma-separated web origins besides the server's own that may call the API; * for any.",
        origins,
        ",".join,
        example_value="https://studio.example",
    ),
    Variable(
        "WEBRTC_SIMULATED_NETWORK",
        "simulated_network",
        "off",
        "For trials: makes browsers' networks worse, by a quality in percent (50%), a name "
        "(wifi, mobile) or figures (loss=5,jitter=20).",
        simulated_network,
        lambda value: value or "off",
        example_value="off",
    ),
    Variable(
        "WEBRTC_UDP_GATEWAY_PORT",
        "udp_gateway_port",
        "off",
        "Port of the UDP gateway, without encryption: TCP, and UDP of worker 0; worker i listens "
        "on this port + i. 0 takes free ones, off opens none.",
        gateway_port,
        lambda value: "off" if value is None else str(value),
        example_value="5002",
    ),
    Variable(
        "WEBRTC_AUTH_SECRET",
        "auth_secret",
        "none",
        "Secret of signed join tokens (HS256), at least 32 characters; every door then wants one.",
        secret,
        _or_nothing,
        secret=True,
        example_value="put-the-output-of-openssl-rand-base64-32-here",
    ),
    Variable(
        "WEBRTC_AUTH_JWKS_URL",
        "auth_jwks_url",
        "none",
        "Where the public keys are that join tokens are signed with (RS256, ES256), as JWKS.",
        jwks_url,
        _or_nothing,
        example_value="https://id.example/jwks.json",
    ),
    Variable(
        "WEBRTC_AUTH_AUDIENCE",
        "auth_audience",
        "ag06-mixer",
        "The audience (`aud`) that join tokens have to name.",
        audience,
    ),
    Variable(
        "WEBRTC_OPERATOR_TOKEN",
        "operator_token",
        "none",
        "Bearer token, at least 32 characters, that opens figures and lists of the whole server.",
        secret,
        _or_nothing,
        secret=True,
        example_value="put-the-output-of-openssl-rand-base64-32-here-too",
    ),
    Variable(
        "WEBRTC_UPLOAD_MAX_MB",
        "upload_max_mb",
        "100",
        "Longest file in MB that may be uploaded to be played into a room.",
        integer(1, 10_000, "a whole number"),
    ),
    Variable(
        "REDIS_URL",
        "redis_url",
        "none",
        "Redis through which several replicas share rooms: redis://, rediss://, unix://, "
        "redis+sentinel:// or redis+cluster://. Without it rooms are in memory.",
        redis_url,
        secret=True,
        example_value="redis://:password@redis.example:6379/0",
    ),
    Variable(
        "REDIS_HOST",
        "redis_host",
        "none",
        "Redis host; only heeded without REDIS_URL.",
        word,
        example_value="redis.example",
    ),
    Variable("REDIS_PORT", "redis_port", "6379", "Redis port, with REDIS_HOST.", _port),
    Variable(
        "REDIS_PASSWORD",
        "redis_password",
        "none",
        "Redis password, with REDIS_HOST.",
        str,
        secret=True,
        example_value="secret",
    ),
    Variable(
        "REDIS_DB",
        "redis_db",
        "0",
        "Redis database number, with REDIS_HOST.",
        integer(0, 99_999, "a whole number"),
    ),
    Variable(
        "WEBRTC_REPLICA",
        "replica",
        "a random one",
        "Name of this server among those that share rooms; another one after each start.",
        word,
        example_value="replica-0",
    ),
    Variable(
        "WEBRTC_DRAIN_S",
        "drain_s",
        "0",
        "Seconds that a server which is stopped gives its clients to move to other replicas.",
        integer(0, 3600, "a whole number"),
    ),
    Variable(
        "WEBRTC_TLS_CERT",
        "tls_cert",
        "none",
        "Certificate chain (PEM file): both TCP ports then speak HTTPS. Read anew when it changes.",
        path,
        example_value="/etc/ag06/cert.pem",
    ),
    Variable(
        "WEBRTC_TLS_KEY",
        "tls_key",
        "none",
        "Private key (PEM file) of the certificate.",
        path,
        example_value="/etc/ag06/key.pem",
    ),
    Variable(
        "WEBRTC_TURN_URLS",
        "turn_urls",
        "none",
        "Comma-separated TURN servers; clients get credentials for a day when they join.",
        turn_urls,
        ",".join,
        example_value="turn:turn.example.org:3478,turns:turn.example.org:5349?transport=tcp",
    ),
    Variable(
        "WEBRTC_TURN_SECRET",
        "turn_secret",
        "none",
        "Secret shared with the TURN servers (coturn: static-auth-secret), at least 32 characters.",
        secret,
        _or_nothing,
        secret=True,
        example_value="put-the-output-of-openssl-rand-base64-32-here",
    ),
    Variable(
        "WEBRTC_TRUSTED_PROXIES",
        "trusted_proxies",
        "none",
        "Comma-separated addresses or networks of proxies whose X-Forwarded-For is believed.",
        networks,
        ",".join,
        example_value="127.0.0.1,10.0.0.0/8",
    ),
    Variable(
        "WEBRTC_MAX_ROOMS", "max_rooms", "10000", "Most rooms.", integer(1, 1_000_000, "a number")
    ),
    Variable(
        "WEBRTC_MAX_PARTICIPANTS",
        "max_participants",
        "20000",
        "Most participants of this server, in all its rooms.",
        integer(1, 1_000_000, "a number"),
    ),
    Variable(
        "WEBRTC_MAX_ROOM_PARTICIPANTS",
        "max_room_participants",
        "2000",
        "Most participants of a room.",
        integer(1, 1_000_000, "a number"),
    ),
    Variable(
        "WEBRTC_MAX_ROOM_PUBLISHERS",
        "max_room_publishers",
        "500",
        "Most participants of a room who may speak.",
        integer(1, 1_000_000, "a number"),
    ),
    Variable(
        "LOG_LEVEL",
        "log_level",
        "INFO",
        "Least severe log lines to print: DEBUG, INFO, WARNING or ERROR.",
        choice(*_LOG_LEVELS),
    ),
)
"""Every variable that this version understands, in the order of the documentation."""
