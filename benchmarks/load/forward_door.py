"""The door into rooms that forward: whoever enters takes the tracks that the server offers."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from benchmarks.load.doors import Entry, SocketIoConnection, check
from benchmarks.load.sdp import Direction


@dataclass(slots=True)
class ForwardDoor:
    """Our own server's door into a room of mode `forward`.

    Attributes:
        base_url: Where the server's signaling is.
        max_speakers: Of the rooms that it makes.
        answered: How many offers of the server were answered.
    """

    base_url: str
    max_speakers: int
    answered: int = 0
    _answers: set[asyncio.Task[None]] = field(default_factory=set)

    async def enter(self, room: str, direction: Direction, offer: str) -> Entry:
        """Join `room` and go on answering what the server offers."""
        role = {"sendrecv": "both", "sendonly": "publisher", "recvonly": "subscriber"}[direction]
        connection = await SocketIoConnection.connect(self.base_url)

        def handle(name: str, payload: Any) -> None:
            if name == "offer":
                task = asyncio.create_task(self._answer(connection, offer, payload["sdp"]))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)

        connection.on_event = handle
        wanted: dict[str, Any] = {
            "room_id": room,
            "role": role,
            "capabilities": ["tracks"],
            "mode": "forward",
            "max_speakers": self.max_speakers,
        }
        check(await connection.call("join_room", wanted))
        answer = await connection.call("offer", {"type": "offer", "sdp": offer})
        check(answer)
        return Entry(answer["sdp"], connection)

    async def _answer(self, connection: SocketIoConnection, ours: str, theirs: str) -> None:
        answer = {"type": "answer", "sdp": make_answer(ours, theirs)}
        check(await connection.call("answer", answer))
        self.answered += 1


def make_answer(ours: str, theirs: str) -> str:
    """Return the answer of a client to an offer of more tracks.

    Args:
        ours: Its own first offer, of one section.
        theirs: What the server offers.
    """
    session, _, first = ours.partition("m=audio")
    direction = next(
        line for line in first.splitlines() if line in ("a=sendrecv", "a=sendonly", "a=recvonly")
    )
    credentials = [
        line
        for line in first.splitlines()
        if line.startswith(("a=ice-ufrag", "a=ice-pwd", "a=fingerprint"))
    ]
    sections = theirs.split("\r\nm=")[1:]
    group = next(line for line in theirs.splitlines() if line.startswith("a=group:BUNDLE"))
    lines = [*session.splitlines()[:4], group]
    for number, section in enumerate(sections):
        kept = [line for line in section.splitlines() if line.startswith(("a=mid", "a=rtpmap"))]
        sends = "a=sendonly" in section.splitlines()
        lines += [
            f"m={section.splitlines()[0]}",
            "c=IN IP4 0.0.0.0",
            *credentials,
            "a=setup:active",
            "a=rtcp-mux",
            *kept,
            direction if number == 0 else "a=recvonly" if sends else "a=inactive",
        ]
    return "\r\n".join(lines) + "\r\n"
