"""Work that takes too long for the tick is handed to a `Beside`, who does it in order, soon.

Here is the plainest: at once, for scripts and tests in virtual time. The server has a thread
(`webrtc.media.beside`).
"""

from collections.abc import Callable

Beside = Callable[[Callable[[], None]], bool]
"""Takes a piece of work; returns False, and does not do it, when too much of it waits."""


def at_once(work: Callable[[], None]) -> bool:
    """Do a piece of work before returning."""
    work()
    return True
