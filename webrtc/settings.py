"""The environment, read once, as one frozen `Settings`.

This is the only place that reads the environment. Every variable stands in `settings_table` with
its meaning and its parser.

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
from webrtc.settings_table import ANY, MAX_MEDIA_WORKERS, VARIABLES
from webrtc.settings_texts import IceServer

_LOOPBACK: Final = "127.0.0.1"


class StartError(Exception):
    """The server cannot start, and the operator can change that; the text is one clear sentence."""


class SettingsError(StartError):
    """One or more variables of the environment are unknown or malformed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decided; the same object in every process of one server.

    Raises:
        ValueError: a value that no environment could have given.
    """

    host: str = ANY
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
    udp_plain_room: str = ""
    """Into which clients of the gateway's old kind come; "" lets none in."""
    auth_secret: str | None = field(default=None, repr=False)
    """Join tokens are signed with it (HS256); None wants none so signed."""
    auth_jwks_url: str | None = None
    """Where the public keys of join tokens' signers are; None wants none so signed."""
    auth_audience: str = "ag06-mixer"
    """The `aud` of join tokens."""
    operator_token: str | None = field(default=None, repr=False)
    """Opens the server's own figures and lists."""
    tls_cert: str = ""
    """Certificate chain of HTTPS, a PEM file; "" serves HTTP."""
    tls_key: str = ""
    """Its private key, a PEM file."""
    turn_urls: tuple[str, ...] = ()
    """TURN servers that take credentials of ours."""
    turn_secret: str | None = field(default=None, repr=False)
    """Shared with them."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks whose `X-Forwarded-For` is believed."""
    max_rooms: int = 10_000
    max_participants: int = 20_000
    """Of this server, in all its rooms."""
    max_rooms_per_tenant: int = 1_000_000
    max_participants_per_tenant: int = 1_000_000
    """Both on all replicas together."""
    max_room_participants: int = 2_000
    max_room_publishers: int = 500
    max_publisher_bitrate_bps: int = 128_000
    """Of a publisher's Opus, as it is told."""
    recordings_dir: str | None = None
    """Folder that recordings are written to; None records nothing."""
    recordings_max_mb: int = 20_000
    """What all recordings together may take."""
    recordings_min_free_mb: int = 1_000
    """What is left free of the disk."""
    hls_broadcasts: int = 0
    """So many rooms may be broadcast at the same time; 0 lets nobody broadcast."""
    upload_max_mb: int = 100
    """Longest file that may be played into a room."""
    archive_window_s: int = 300
    """Seconds of somebody's latest sound that are kept while the room's archive is on."""
    archive_retention_s: int = 3600
    """Seconds for which a session is kept after its end."""
    archive_bitrate_bps: int = 48_000
    archive_playbacks: int = 8
    """Most sessions that are listened to at the same time."""
    foreign_sessions: str = ""
    """Pattern of Redis keys under which other programs keep sessions; "" is off."""
    foreign_fields: tuple[str, str, str] = ("audio_buffer", "name", "created_at")
    """Fields of those: sound, name and start."""
    audio_rate_hz: int | None = None
    """Of foreign raw samples, as the first guess; likewise the next two."""
    audio_channels: int | None = None
    audio_format: str | None = None
    log_level: str = "INFO"
    log_format: str = "text"

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
    if bool(settings.tls_cert) != bool(settings.tls_key):
        return "WEBRTC_TLS_CERT and WEBRTC_TLS_KEY go together: set both, or none"
    if bool(settings.turn_urls) != bool(settings.turn_secret):
        return "WEBRTC_TURN_URLS and WEBRTC_TURN_SECRET go together: set both, or none"
    if settings.foreign_sessions and not (settings.redis and settings.operator_token):
        return "WEBRTC_FOREIGN_SESSIONS takes REDIS_URL (or REDIS_HOST) and WEBRTC_OPERATOR_TOKEN"
    if settings.udp_plain_room and settings.udp_gateway_port is None:
        return "WEBRTC_UDP_PLAIN_ROOM takes WEBRTC_UDP_GATEWAY_PORT"
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
        SettingsError: names every unknown or malformed variable.
    """
    given = {name: text.strip() for name, text in environ.items() if text.strip()}
    problems = list(_unknown(given))
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
        values["announced_ips"] = _default_addresses(values.get("host", ANY), own_addresses)
    if "replica" not in values and (values.get("redis_url") or values.get("redis_host")):
        values["replica"] = replica_name()
    try:
        return Settings(**values)
    except ValueError as error:
        raise SettingsError(_sentence([str(error)])) from None


def _default_addresses(host: str, own_addresses: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    """Own addresses first: Firefox never uses loopback, Chromium offline has nothing else."""
    if host != ANY:
        return (host,)
    return tuple(dict.fromkeys([*own_addresses(), _LOOPBACK]))


def _unknown(given: Mapping[str, str]) -> Iterator[str]:
    known = [variable.name for variable in VARIABLES]
    for name in sorted(given):
        if not name.startswith("WEBRTC_") or name in known:
            continue
        if given[name].startswith("tcp://") or name.endswith(("_SERVICE_HOST", "_SERVICE_PORT")):
            hint = "; Kubernetes sets it unless the pod says enableServiceLinks: false"
        else:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
            hint = f" (did you mean {close[0]}?)" if close else ""
        yield f"{name} is not a setting{hint}"


def _short(text: str) -> str:
    return json.dumps(text if len(text) <= 60 else text[:57] + "...")


def _sentence(problems: list[str]) -> str:
    joined = "; ".join(problems)
    return f"The settings are not usable: {joined}."
