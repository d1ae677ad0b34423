"""Where Redis is, and connections to it: the one place that reads its addresses.

| URL                                                     | what is there                       |
|---------------------------------------------------------|-------------------------------------|
| `redis://[user:password@]host[:port][/db]`              | one server                          |
| `unix://[user:password@]/path[?db=0]`                   | one server, by its Unix socket      |
| `redis+sentinel://[user:password@]host[:port],…/name[/db]` | the master that Sentinels name   |
| `redis+cluster://[user:password@]host[:port],…`         | a cluster; some of its nodes        |

With `rediss` in place of `redis` all connections are encrypted, and the server's certificate must
be good; `?ssl_ca_certs=FILE` names who signs it. Passwords are percent-encoded, as in any URL.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:  # most servers are alone, and redis takes long to import
    from redis.asyncio import Redis
    from redis.asyncio.cluster import RedisCluster
    from redis.asyncio.sentinel import Sentinel

Place = tuple[str, int] | str
"""Host and port, or the path of a Unix socket."""
Kind = Literal["server", "unix", "sentinel", "cluster"]

_PORT: Final = 6379
_SENTINEL_PORT: Final = 26379
_SCHEMES: Final[dict[str, tuple[Kind, bool]]] = {
    "redis": ("server", False),
    "rediss": ("server", True),
    "unix": ("unix", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}
_BAD: Final = (
    "a Redis URL such as redis://host:6379/0, rediss://…, "
    "redis+sentinel://host:26379,host2/mymaster or redis+cluster://host:6379,host2"
)


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is.

    Attributes:
        nodes: host and port of the server, of Sentinels, or of nodes of a cluster.
        path: of the Unix socket.
        service: the master's name among Sentinels.
        ca_certs: file of those who sign the server's certificate; "" for the system's own.
    """

    kind: Kind = "server"
    nodes: tuple[tuple[str, int], ...] = ()
    path: str = ""
    service: str = ""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    db: int = 0
    tls: bool = False
    ca_certs: str = ""

    @classmethod
    def parse(cls, url: str) -> "RedisAddress":
        """Read a URL.

        Raises:
            ValueError: it is none of those above; the text completes "… must be" and repeats
                nothing of the URL, which may hold a password.
        """
        try:
            return _parsed(url)
        except ValueError:
            raise ValueError(_BAD) from None

    def __str__(self) -> str:
        """Return where it is, without secrets: for logs."""
        if self.kind == "unix":
            return f"unix:{self.path}"
        where = ",".join(f"{host}:{port}" for host, port in self.nodes)
        named = f"{where}/{self.service}" if self.service else where
        return f"{self.kind} {named} with TLS" if self.tls else f"{self.kind} {named}"

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return how connections are encrypted, None if they are not."""
        return ssl.create_default_context(cafile=self.ca_certs or None) if self.tls else None


def connect(
    address: RedisAddress, *, timeout_s: float = 1.0, patient: bool = False
) -> "Redis | RedisCluster":
    """Return a client, which connects when it is first asked something; replies are bytes.

    Args:
        address: Where.
        timeout_s: How long to wait for a connection, and for an answer.
        patient: Whether to try again a few times (for some 2 s) before an error is raised, so that
            a restart of Redis is survived; else the first error is raised.
    """
    from redis.asyncio import Redis
    from redis.asyncio.cluster import ClusterNode, RedisCluster
    from redis.asyncio.retry import Retry
    from redis.backoff import ExponentialBackoff, NoBackoff

    retry = Retry(ExponentialBackoff(cap=0.5, base=0.05), 5) if patient else Retry(NoBackoff(), 0)
    options: dict[str, Any] = {
        "username": address.username,
        "password": address.password,
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": retry,
    }
    if address.kind == "unix":
        return Redis(unix_socket_path=address.path, db=address.db, **options)
    if address.tls:
        options |= {"ssl": True, "ssl_ca_certs": address.ca_certs or None}
    if address.kind == "cluster":
        nodes = [ClusterNode(host, port) for host, port in address.nodes]
        return RedisCluster(startup_nodes=nodes, require_full_coverage=False, **options)
    options["db"] = address.db
    if address.kind == "sentinel":
        master: Redis = _sentinel(address, timeout_s).master_for(address.service, **options)
        return master
    [(host, port)] = address.nodes
    return Redis(host=host, port=port, **options)


async def locate(address: RedisAddress, key: bytes = b"", *, timeout_s: float = 1.0) -> Place:
    """Return the server that a key belongs to: the master, of a cluster the one that has the key.

    Raises:
        redis.RedisError: nobody knows.
    """
    if address.kind == "unix":
        return address.path
    if address.kind == "sentinel":
        sentinel = _sentinel(address, timeout_s)
        try:
            host, port = await sentinel.discover_master(address.service)
        finally:
            for one in sentinel.sentinels:
                await one.aclose()
        return str(host), int(port)
    if address.kind == "cluster":
        return (await learn_slots(address, timeout_s=timeout_s))(key)
    return address.nodes[0]


async def learn_slots(
    address: RedisAddress, *, timeout_s: float = 1.0
) -> Callable[[bytes], tuple[str, int]]:
    """Ask a cluster which node has what; return who has a key, as it is now.

    Raises:
        redis.RedisError: nobody answers.
    """
    from redis.asyncio.cluster import RedisCluster
    from redis.crc import key_slot

    cluster = connect(address, timeout_s=timeout_s)
    assert isinstance(cluster, RedisCluster)
    try:
        await cluster.initialize()
    finally:
        await cluster.aclose()

    def node_of(key: bytes) -> tuple[str, int]:
        node = cluster.nodes_manager.get_node_from_slot(key_slot(key))
        return str(node.host), int(node.port)

    return node_of


def _sentinel(address: RedisAddress, timeout_s: float) -> "Sentinel":
    from redis.asyncio.sentinel import Sentinel

    options: dict[str, Any] = {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s}
    if address.tls:
        options |= {"ssl": True, "ssl_ca_certs": address.ca_certs or None}
    return Sentinel(list(address.nodes), sentinel_kwargs=options)  # type: ignore[no-untyped-call]


def _parsed(url: str) -> RedisAddress:
    parts = urlsplit(url)
    kind, tls = _SCHEMES.get(parts.scheme, (None, False))
    if kind is None or parts.fragment:
        raise ValueError
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    username = unquote(user) or None
    secret = unquote(password) or None
    if kind == "unix":
        if not parts.path or hosts or options.keys() - {"db"}:
            raise ValueError
        path, db = unquote(parts.path), _number(options.get("db", "0"))
        return RedisAddress(kind, path=path, username=username, password=secret, db=db)
    if options.keys() - ({"ssl_ca_certs"} if tls else set()):
        raise ValueError
    default = _SENTINEL_PORT if kind == "sentinel" else _PORT
    nodes = tuple(_node(text, default) for text in hosts.split(","))
    if kind == "server" and len(nodes) != 1:
        raise ValueError
    path_parts = [unquote(part) for part in parts.path.split("/")[1:]]
    service = path_parts.pop(0) if kind == "sentinel" and path_parts else ""
    if kind == "sentinel" and not service:
        raise ValueError
    db = _number(path_parts[0] or "0") if path_parts else 0
    if len(path_parts) > 1 or (kind == "cluster" and db):
        raise ValueError
    return RedisAddress(
        kind, nodes, "", service, username, secret, db, tls, options.get("ssl_ca_certs", "")
    )


def _node(text: str, default_port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")  # it knows the brackets of IPv6 addresses
    if not parts.hostname or parts.path or "@" in text:
        raise ValueError
    return parts.hostname, default_port if parts.port is None else parts.port


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5:
        raise ValueError
    return int(text)
