"""The environment, read once, as one frozen `Settings`.

This is the only place that reads the environment. Every variable stands in `VARIABLES` with its
meaning and its parser; what a later version will understand stands in `NOT_YET`, and setting one of
those stops the start, because ignoring it would promise something that does not happen.

An empty variable counts as unset. `load` reports everything that is wrong in one message.
"""

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from rooms.redis_connection import RedisAddress
from rooms.replicas import new_name, number_of
from webrtc import hosts
from webrtc.settings_texts import (
    IceServer,
    address,
    announced,
    audience,
    choice,
    gateway_port,
    ice_servers,
    integer,
    jwks_url,
    origins,
    ptime,
    realtime,
    redis_url,
    secret,
    simulated_network,
    word,
)

MAX_MEDIA_WORKERS: Final = 128
_LOOPBACK: Final = "127.0.0.1"
_ANY: Final = "0.0.0.0"  # noqa: S104 — listening everywhere is what a conference server is for
_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


class StartError(Exception):
    """The server cannot start, and the operator can change that; the text is one clear sentence."""


class SettingsError(StartError):
    """One or more variables of the environment are unknown, malformed or not supported yet."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decided; the same object in every process of one server.

    Raises:
        ValueError: a value that no environment could have given.
    """

    host: str = _ANY
    """IPv4 address that all sockets are bound to."""
    signaling_port: int = 8080
    """TCP; Socket.IO and REST."""
    static_port: int = 8081
    """TCP; the page, and the same as the signaling port."""
    media_port: int = 40000
    """UDP; worker i listens on `media_port + i`."""
    announced_ips: tuple[str, ...] = (_LOOPBACK,)
    """IPv4 addresses in our ICE candidates, the preferred one first."""
    media_workers: int = 1
    room_share: int = 400
    """Most people of a room in one worker while others can serve it, too."""
    ptime_ms: int | None = None
    """Packet length towards listeners: 10, 20, or None to let each listener's role decide."""
    opus_complexity: int = 5
    """0 (cheapest) to 10."""
    realtime: bool = True
    """Whether workers ask for real-time priority (SCHED_RR)."""
    ice: Literal["lite", "full"] = "lite"
    ice_servers: tuple[IceServer, ...] = ()
    """Handed to clients as they are."""
    cors_origins: tuple[str, ...] = ()
    """Web origins besides our own that may call the API; `*` means any."""
    simulated_network: str = ""
    """What publishers' packets go through, as `mixer.netsim_settings` reads it; "" is off."""
    redis_url: str = field(default="", repr=False)
    """Where rooms are that several replicas share, as `rooms.redis_connection` reads it; "" keeps
    them in memory."""
    redis_host: str = ""
    """In place of `redis_url`, with the three below."""
    redis_port: int = 6379
    redis_password: str = field(default="", repr=False)
    redis_db: int = 0
    replica: str = ""
    """Name of this server among those that share rooms; "" while it shares none."""
    drain_s: int = 0
    """How long a server that is stopped waits for its clients to move to others."""
    udp_gateway_port: int | None = None
    """TCP and UDP; worker i listens on UDP port `udp_gateway_port + i`. None opens no gateway."""
    auth_secret: str | None = field(default=None, repr=False)
    """Join tokens are signed with it (HS256); None wants none so signed."""
    auth_jwks_url: str | None = None
    """Where the public keys of join tokens' signers are; None wants none so signed."""
    auth_audience: str = "ag06-mixer"
    """The `aud` of join tokens."""
    operator_token: str | None = field(default=None, repr=False)
    """Opens the server's own figures and lists."""
    upload_max_mb: int = 100
    """Longest file that may be played into a room."""
    log_level: str = "INFO"

    def __post_init__(self) -> None:
        # A value is good exactly when it survives the way through its text: one definition checks
        # the environment and the constructor alike.
        for variable in VARIABLES:
            value = getattr(self, variable.field)
            try:
                same = variable.parse(variable.text(value)) == value
            except ValueError as error:
                raise ValueError(f"{variable.field} must be {error}") from None
            if not same:
                raise ValueError(f"{variable.field} cannot be {value!r}")
        problem = _clash(self)
        if problem is not None:
            raise ValueError(problem)

    @property
    def wants_tokens(self) -> bool:
        """Whether every door wants a join token."""
        return self.auth_secret is not None or self.auth_jwks_url is not None

    @property
    def redis(self) -> RedisAddress | None:
        """Where Redis is; None without."""
        if self.redis_url:
            return RedisAddress.parse(self.redis_url)
        if not self.redis_host:
            return None
        password = self.redis_password or None
        node = (self.redis_host, self.redis_port)
        return RedisAddress(nodes=(node,), password=password, db=self.redis_db)

    @property
    def replica_number(self) -> int:
        """This server's number among those that share rooms, 0 if it shares none."""
        return number_of(self.replica)

    def media_port_of(self, worker: int) -> int:
        """Return the UDP port of the worker with this index, from 0 on."""
        return self.media_port + worker

    def to_environment(self) -> dict[str, str]:
        """Return the variables from which `load` makes an equal object, on any host."""
        texts = {item.name: item.text(getattr(self, item.field)) for item in VARIABLES}
        # An empty text is the field's own empty default; the host's defaults are never empty.
        return {name: text for name, text in texts.items() if text}


def _clash(settings: Settings) -> str | None:
    """Return what two settings, each good by itself, do wrong together."""
    if settings.signaling_port == settings.static_port != 0:
        return (
            "WEBRTC_SIGNALING_PORT and WEBRTC_STATIC_PORT must differ: "
            f"both are {settings.static_port}"
        )
    ranges = {"WEBRTC_MEDIA_PORT": settings.media_port}
    if settings.udp_gateway_port is not None:
        ranges["WEBRTC_UDP_GATEWAY_PORT"] = settings.udp_gateway_port
    for name, first in ranges.items():
        last = first + settings.media_workers - 1
        if last > 65535:
            return (
                f"{name} is too high: {settings.media_workers} workers need the ports "
                f"{first} to {last}, and the highest is 65535"
            )
    return None


# ---- the table -------------------------------------------------------------------------------


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
    Variable("WEBRTC_HOST", "host", _ANY, "IPv4 address to listen on.", address),
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
        "LOG_LEVEL",
        "log_level",
        "INFO",
        "Least severe log lines to print: DEBUG, INFO, WARNING or ERROR.",
        choice(*_LOG_LEVELS),
    ),
)
"""Every variable that this version understands, in the order of the documentation."""


@dataclass(frozen=True, slots=True)
class LaterVariable:
    """A variable whose feature this version lacks; setting it stops the start."""

    name: str
    meaning: str
    refusal: str


NOT_YET: Final[tuple[LaterVariable, ...]] = (
    LaterVariable(
        "WEBRTC_TLS_CERT",
        "Certificate chain (PEM file) for HTTPS.",
        "this version cannot serve HTTPS by itself, put a TLS proxy in front of it",
    ),
    LaterVariable(
        "WEBRTC_TLS_KEY",
        "Private key (PEM file) of the certificate.",
        "this version cannot serve HTTPS by itself, put a TLS proxy in front of it",
    ),
)


# ---- reading ---------------------------------------------------------------------------------


def load(
    environ: Mapping[str, str],
    *,
    own_addresses: Callable[[], tuple[str, ...]] = hosts.own_ipv4_addresses,
    usable_cpus: Callable[[], int] = hosts.usable_cpus,
    replica_name: Callable[[], str] = new_name,
) -> Settings:
    """Return the settings of an environment.

    Args:
        environ: variables by name; names that concern others are ignored.
        own_addresses: asked when WEBRTC_ANNOUNCED_IPS is unset and all addresses are bound.
        usable_cpus: asked when WEBRTC_MEDIA_WORKERS is unset.
        replica_name: asked when WEBRTC_REPLICA is unset and rooms are shared.

    Raises:
        SettingsError: names every unknown, malformed or unsupported variable.
    """
    given = {name: text.strip() for name, text in environ.items() if text.strip()}
    problems = [*_unknown(given), *_unsupported(given)]
    values: dict[str, Any] = {}
    for variable in VARIABLES:
        if variable.name not in given:
            continue
        text = given[variable.name]
        try:
            values[variable.field] = variable.parse(text)
        except ValueError as error:
            shown = "" if variable.secret else f", not {_short(text)}"
            problems.append(f"{variable.name} must be {error}{shown}")
    if problems:
        raise SettingsError(_sentence(problems))
    if "media_workers" not in values:
        values["media_workers"] = min(max(1, usable_cpus() - 1), MAX_MEDIA_WORKERS)
    if "announced_ips" not in values:
        values["announced_ips"] = _default_addresses(values.get("host", _ANY), own_addresses)
    if "replica" not in values and (values.get("redis_url") or values.get("redis_host")):
        values["replica"] = replica_name()
    try:
        return Settings(**values)
    except ValueError as error:
        raise SettingsError(_sentence([str(error)])) from None


def _default_addresses(host: str, own_addresses: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    """Own addresses first: Firefox never uses loopback, Chromium offline has nothing else."""
    if host != _ANY:
        return (host,)
    return tuple(dict.fromkeys([*own_addresses(), _LOOPBACK]))


def _unknown(given: Mapping[str, str]) -> Iterator[str]:
    known = [variable.name for variable in VARIABLES] + [later.name for later in NOT_YET]
    for name in sorted(given):
        if not name.startswith("WEBRTC_") or name in known:
            continue
        if given[name].startswith("tcp://") or name.endswith(("_SERVICE_HOST", "_SERVICE_PORT")):
            hint = "; Kubernetes sets it unless the pod says enableServiceLinks: false"
        else:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
            hint = f" (did you mean {close[0]}?)" if close else ""
        yield f"{name} is not a setting{hint}"


def _unsupported(given: Mapping[str, str]) -> Iterator[str]:
    for later in NOT_YET:
        if later.name in given:
            yield f"{later.name} is set, but {later.refusal}"


def _short(text: str) -> str:
    return json.dumps(text if len(text) <= 60 else text[:57] + "...")


def _sentence(problems: list[str]) -> str:
    joined = "; ".join(problems)
    return f"The settings are not usable: {joined}."
