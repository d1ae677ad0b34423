"""What stands in for the socket of a participant that has none."""

from collections.abc import Callable

_HEAD_BYTES = 32


class StandIn:
    """Takes what a participant is told, and heeds the one thing that it cannot survive.

    See `webrtc.signaling.connection.Socket`.
    """

    def __init__(self, on_media_reset: Callable[[], None] = lambda: None) -> None:
        """Call `on_media_reset` when the worker has lost the participant's media."""
        self._on_media_reset = on_media_reset

    def write(self, frame: bytes) -> None:
        """See `Socket`."""
        if b'["media_reset"' in frame[:_HEAD_BYTES]:
            self._on_media_reset()

    def write_lossy(self, frame: bytes) -> None:
        """See `Socket`."""

    def hang_up(self) -> None:
        """See `Socket`."""
