"""The sockets that outlive every child: two TCP listeners and one UDP socket per worker.

The UDP gateway, if there is one, adds a listener and one more UDP socket per worker.

The supervisor binds them itself. So a busy port is found before anything is started, and a
restarted child goes on with the very same socket: connections wait in the backlog instead of being
refused, and no other program can take the port in between.
"""

import contextlib
import errno
import socket
from dataclasses import dataclass, replace

from webrtc.settings import Settings, StartError

_BACKLOG = 1024
_MEDIA_BUFFER_BYTES = 4 * 1024 * 1024
_SO_SNDBUFFORCE = 32  # <asm-generic/socket.h>: past the system's limit, with CAP_NET_ADMIN
_SO_RCVBUFFORCE = 33
_FREE_RANGE_ATTEMPTS = 50


@dataclass(frozen=True, slots=True)
class ServerSockets:
    """All bound; `media[i]` and `gateway_media[i]` belong to worker i."""

    signaling: socket.socket
    static: socket.socket
    media: tuple[socket.socket, ...]
    gateway: socket.socket | None = None
    gateway_media: tuple[socket.socket, ...] = ()

    def close(self) -> None:
        """Give the ports back."""
        for one in (self.signaling, self.static, *self.media, *self.gateway_media):
            one.close()
        if self.gateway is not None:
            self.gateway.close()


def bind_all(settings: Settings) -> tuple[ServerSockets, Settings]:
    """Bind every socket; return them and the settings with the ports that were really taken.

    Raises:
        StartError: a port is busy, privileged, or the address is not one of this host.
    """
    with contextlib.ExitStack() as on_failure:
        signaling = on_failure.enter_context(
            _listen(settings.host, settings.signaling_port, "WEBRTC_SIGNALING_PORT")
        )
        static = on_failure.enter_context(
            _listen(settings.host, settings.static_port, "WEBRTC_STATIC_PORT")
        )
        media = _media_sockets(settings)
        for one in media:
            on_failure.enter_context(one)
        gateway, gateway_media = _gateway_sockets(settings)
        on_failure.pop_all()
    bound = replace(
        settings,
        signaling_port=signaling.getsockname()[1],
        static_port=static.getsockname()[1],
        media_port=media[0].getsockname()[1],
        udp_gateway_port=None if gateway is None else gateway.getsockname()[1],
    )
    return ServerSockets(signaling, static, media, gateway, gateway_media), bound


def _gateway_sockets(
    settings: Settings,
) -> tuple[socket.socket | None, tuple[socket.socket, ...]]:
    """Bind the gateway's listener and its UDP sockets; with port 0 each to any free one."""
    port, name = settings.udp_gateway_port, "WEBRTC_UDP_GATEWAY_PORT"
    if port is None:
        return None, ()
    with contextlib.ExitStack() as on_failure:
        listener = on_failure.enter_context(_listen(settings.host, port, name))
        media = tuple(
            on_failure.enter_context(_udp(settings.host, port + i if port else 0, name))
            for i in range(settings.media_workers)
        )
        on_failure.pop_all()
    return listener, media


def _listen(host: str, port: int, variable: str) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Connections of the last run in TIME_WAIT must not hold the port.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _bind(listener, host, port, variable, "TCP")
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _media_sockets(settings: Settings) -> tuple[socket.socket, ...]:
    if settings.media_port:
        return _media_range(settings.host, settings.media_port, settings.media_workers)
    for _ in range(_FREE_RANGE_ATTEMPTS):
        with _udp(settings.host, 0) as probe:
            first = probe.getsockname()[1]
        with contextlib.suppress(StartError):
            return _media_range(settings.host, first, settings.media_workers)
    raise StartError(
        f"No {settings.media_workers} free UDP ports in a row were found; "
        "set WEBRTC_MEDIA_PORT to the first of a free range."
    )


def _media_range(host: str, first: int, count: int) -> tuple[socket.socket, ...]:
    with contextlib.ExitStack() as on_failure:
        bound = tuple(on_failure.enter_context(_udp(host, first + i)) for i in range(count))
        on_failure.pop_all()
    return bound


def _udp(host: str, port: int, variable: str = "WEBRTC_MEDIA_PORT") -> socket.socket:
    media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # No SO_REUSEADDR: on UDP it would let two servers share the port unnoticed.
    _bind(media, host, port, variable, "UDP")
    for forced, plain in (
        (_SO_RCVBUFFORCE, socket.SO_RCVBUF),
        (_SO_SNDBUFFORCE, socket.SO_SNDBUF),
    ):
        try:
            media.setsockopt(socket.SOL_SOCKET, forced, _MEDIA_BUFFER_BYTES)
        except OSError:  # not permitted: as much as the system's limit gives
            media.setsockopt(socket.SOL_SOCKET, plain, _MEDIA_BUFFER_BYTES)
    media.setblocking(False)
    return media


def _bind(one: socket.socket, host: str, port: int, variable: str, protocol: str) -> None:
    try:
        one.bind((host, port))
    except (OSError, OverflowError) as error:
        one.close()
        raise StartError(_refusal(error, host, port, variable, protocol)) from None


def _refusal(error: Exception, host: str, port: int, variable: str, protocol: str) -> str:
    code = error.errno if isinstance(error, OSError) else errno.EINVAL
    if code == errno.EADDRINUSE:
        return (
            f"{protocol} port {port} is taken by another program: end that program, "
            f"or set {variable} to a free port."
        )
    if code == errno.EACCES:
        return (
            f"{protocol} port {port} needs root rights: set {variable} to a port of 1024 or above."
        )
    if code == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this host: correct WEBRTC_HOST."
    return f"{protocol} port {port} cannot be bound ({error}): check WEBRTC_HOST and {variable}."
