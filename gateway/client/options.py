"""What the client was asked for."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.wire.datagrams import PayloadKind

DEFAULT_PORT: Final = 5002


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that the command line says.

    Attributes:
        host: The server.
        port: Its control port.
        room_id: The room; empty makes one.
        name: What the others are shown.
        payload: What datagrams carry.
        token: Where the server asks for one.
        microphone: Device, by number or a part of its name; None for the default one.
        speaker: Likewise.
        muted: Begin with the microphone off.
        always: Send also while nobody speaks.
        record: WAV file for what is heard; None for none.
    """

    host: str
    port: int = DEFAULT_PORT
    room_id: str = ""
    name: str = ""
    payload: PayloadKind = "opus"
    token: str | None = None
    microphone: str | None = None
    speaker: str | None = None
    muted: bool = False
    always: bool = False
    record: Path | None = None


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    made = argparse.ArgumentParser(
        prog="python -m gateway.client", description="Speak in a room through its UDP gateway."
    )
    made.add_argument("server", nargs="?", default="127.0.0.1", help="HOST or HOST:PORT (5002)")
    made.add_argument("--room", default="", help="id of the room; none makes a new one")
    made.add_argument("--name", default="", help="what the others are shown")
    made.add_argument("--payload", choices=["opus", "pcm"], default="opus")
    made.add_argument("--token", help="a join token, where the server asks for one")
    made.add_argument("--microphone", help="a device's number or a part of its name")
    made.add_argument("--speaker", help="a device's number or a part of its name")
    made.add_argument("--muted", action="store_true", help="begin with the microphone off")
    made.add_argument("--always", action="store_true", help="send also while nobody speaks")
    made.add_argument("--record", type=Path, metavar="FILE.wav", help="write what is heard")
    made.add_argument("--devices", action="store_true", help="list the devices and end")
    made.add_argument("--gui", action="store_true", help="open a window")
    return made


def options(given: argparse.Namespace) -> Options:
    """Return what a parsed command line says.

    Raises:
        ValueError: The server's port is no number.
    """
    host, colon, port = given.server.rpartition(":")
    if not colon:
        host, port = given.server, str(DEFAULT_PORT)
    return Options(
        host=host,
        port=int(port),
        room_id=given.room,
        name=given.name,
        payload=given.payload,
        token=given.token,
        microphone=given.microphone,
        speaker=given.speaker,
        muted=given.muted,
        always=given.always,
        record=given.record,
    )


def parse(arguments: Sequence[str] | None = None) -> tuple[argparse.Namespace, Options]:
    """Parse a command line; ends the program with status 2 where it is wrong."""
    made = parser()
    given = made.parse_args(arguments)
    try:
        return given, options(given)
    except ValueError:
        made.error(f"the server is HOST or HOST:PORT, not {given.server}")
