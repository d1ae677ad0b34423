"""Rooms as the benchmarks fill them: some who speak all the time, many who listen."""

import asyncio

from benchmarks.load.clip import make_clip
from benchmarks.load.sources import ClipPlan
from benchmarks.load.swarm import Participant, Swarm

_DEFAULT_PTIME_MS = 20  # Chromium's, when the answer does not ask for another


async def fill_room(swarm: Swarm, room: str, size: int, speakers: int) -> list[Participant]:
    """Bring `size` participants into a room, the first `speakers` of them to speak."""
    talking = await swarm.join_all(room, "sendrecv", speakers, speaks=True)
    return talking + await swarm.join_all(room, "recvonly", size - speakers)


def let_speak(swarm: Swarm, participants: list[Participant], ptime_ms: int | None = None) -> None:
    """Let all who may speak do so, in packets as long as the server asked for, or of `ptime_ms`.

    Their packets are spread evenly over the packet time, and they are at different places of the
    same loop of sound.
    """
    speaking = [participant for participant in participants if participant.speaks]
    for place, participant in enumerate(speaking):
        length_ms = ptime_ms or participant.remote.ptime_ms or _DEFAULT_PTIME_MS
        clip = make_clip(length_ms)
        start = place * len(clip.packets) // max(len(speaking), 1)
        offset_s = length_ms / 1000 * place / len(speaking)
        swarm.speak(participant, ClipPlan(clip, start), offset_s=offset_s)


async def settle(seconds: float = 4.0) -> None:
    """Let start-up backlogs pass and jitter buffers find their depth."""
    await asyncio.sleep(seconds)
