"""The media worker's process, from priority to the end."""

import asyncio
import socket
from pathlib import Path

from webrtc.media.realtime import ask_for_realtime
from webrtc.media.worker import Worker
from webrtc.settings import Settings
from webrtc.supervisor_pulse import keep_beating


def run_worker(
    settings: Settings,
    index: int,
    sock: socket.socket,
    control_path: Path,
    pulse: Path | None = None,
    gateway: socket.socket | None = None,
) -> None:
    """Run a media worker until SIGTERM.

    Args:
        settings: The settings.
        index: Which of the workers this is, from 0.
        sock: Its bound UDP socket.
        control_path: Where its Unix control socket is to be.
        pulse: Where it shows the supervisor that it lives.
        gateway: The bound UDP socket of its gateway; None for none.
    """
    from webrtc.media.warm import warm_up

    warm_up()
    realtime = settings.realtime and ask_for_realtime()

    async def main() -> None:
        beating = None if pulse is None else asyncio.create_task(keep_beating(pulse), name="pulse")
        await Worker(settings, index, sock, control_path.parent, realtime, gateway).serve(
            control_path
        )
        if beating is not None:
            beating.cancel()

    asyncio.run(main())
