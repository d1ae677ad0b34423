"""Whether a server keeps its time while it recognises what many streams are at once.

    python -m benchmarks.genre_streams [--streams 32] [--music 16]

So many people publish in rooms of eight, each with a strip that follows what is heard: some music,
the others speech, from the recordings of `python -m training fetch`; all at the same time, as the
classifier looks longest at music. Told are the ticks late by more than 5 ms, by the server's own
count; the portions of sound that the classifier did not take; its looks that came late; how many
were recognised as what they are, at the end; and the CPU time of all processes of the server.
"""

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from benchmarks.harness.options import add_options, options_from, run
from benchmarks.harness.report import Figure, print_result, print_table
from benchmarks.harness.server import Server
from benchmarks.load.clip import Clip, level_byte
from benchmarks.load.doors import SocketIoConnection, SocketIoDoor, check
from benchmarks.load.rooms import settle
from benchmarks.load.sources import SAMPLE_RATE_HZ, ClipPlan
from benchmarks.load.swarm import Participant, Swarm
from dsp.genre.log_mel import RATE_HZ
from training.clips import Clips, all_clips
from webrtc.media.opus import Application, Encoder, EncoderSettings

ROOM = 8
PTIME_MS = 20
CLIPS = 5  # of 5 s each, before a stream begins again
BITRATE_BPS = 96_000
_TICKS = ("ticks", "late_ticks")
_EACH = ("heard_sent", "heard_dropped")
_SHARED = (  # every worker is told the same of the one classifier
    "classifier_looks",
    "classifier_looks_late",
    "classifier_refused",
    "classifier_cpu_ms",
)

Samples = npt.NDArray[np.float32]


def recordings(label_is_speech: bool) -> Iterator[tuple[str, Samples]]:
    """Yield what recordings are and their sound at 48 kHz, one source after the other, for ever."""
    sources = [
        clips
        for clips in all_clips()
        if clips.label != "noise"
        and (clips.label == "speech") == label_is_speech
        and len(clips.sounds) >= CLIPS
    ]
    if not sources:
        raise SystemExit("no recordings: python -m training fetch")
    place = 0
    while True:
        clips: Clips = sources[place % len(sources)]
        begin = place // len(sources) * CLIPS % (len(clips.sounds) - CLIPS + 1)
        sound = clips.sounds[begin : begin + CLIPS].reshape(-1) / np.float32(32_768)
        yield clips.label, np.asarray(soxr.resample(sound, RATE_HZ, SAMPLE_RATE_HZ), np.float32)
        place += 1


def encoded(sound: Samples) -> ClipPlan:
    """Return a loop of Opus packets of `sound`, mono at 48 kHz."""
    encoder = Encoder(EncoderSettings(Application.AUDIO, BITRATE_BPS, complexity=5))
    length = PTIME_MS * SAMPLE_RATE_HZ // 1000
    stereo = np.ascontiguousarray(np.repeat(sound[:, None], 2, axis=1))
    blocks = [stereo[at : at + length] for at in range(0, len(stereo) - length + 1, length)]
    packets = tuple(encoder.encode(block) for block in blocks)
    return ClipPlan(Clip(PTIME_MS, packets, tuple(map(level_byte, blocks)), ()))


class Recognised:
    """What participants were recognised as last, by their signaling connections."""

    def __init__(self) -> None:
        self.genres: dict[str, str] = {}

    def handle(self, event: str, told: Any) -> None:
        """Take note of an event of the server."""
        if event == "genre_detected":
            self.genres[told["participant_id"]] = told["genre"]


async def follow(participant: Participant, recognised: Recognised) -> str:
    """Let a participant's strip follow what is heard; return the participant's id."""
    connection = participant.signaling
    assert isinstance(connection, SocketIoConnection)
    connection.on_event = recognised.handle
    strip = await connection.call("audio_stream_metadata", {"genre": "auto"})
    check(strip)
    return str(strip["participant_id"])


def counted(stats: list[dict[str, Any]]) -> dict[str, float]:
    """Return the counters of all workers together."""
    return {
        **{name: sum(worker[name] for worker in stats) for name in _TICKS},
        **{name: sum(worker["counters"].get(name, 0) for worker in stats) for name in _EACH},
        **{name: max(worker["counters"].get(name, 0) for worker in stats) for name in _SHARED},
    }


async def measure(
    server: Server, streams: list[tuple[str, ClipPlan]], seconds: float
) -> dict[str, float]:
    """Let all publish for `seconds`, and return what happened."""
    recognised = Recognised()
    labels: dict[str, str] = {}
    async with Swarm(SocketIoDoor(server.base_url)) as swarm:
        for place, (label, plan) in enumerate(streams):
            participant = await swarm.join(f"genres-{place // ROOM}", "sendrecv", speaks=True)
            labels[await follow(participant, recognised)] = label
            offset_s = PTIME_MS / 1000 * place / len(streams)
            swarm.speak(participant, plan, offset_s=offset_s)
        await settle()
        before, cpu_before = counted(await server.worker_stats()), server.usage().cpu_s
        await swarm.measure(seconds)
        after, cpu_after = counted(await server.worker_stats()), server.usage().cpu_s
    right = sum(recognised.genres.get(who) == label for who, label in labels.items())
    return {
        **{name: after[name] - before[name] for name in before},
        "right": right,
        "told": len(recognised.genres),
        "core_share": (cpu_after - cpu_before) / seconds,
    }


async def main() -> None:
    """Measure and tell the result."""
    parser = argparse.ArgumentParser(description="many streams recognised at once")
    add_options(parser)
    parser.add_argument("--streams", type=int, default=32)
    parser.add_argument("--music", type=int, default=16, help="how many of them are music")
    arguments = parser.parse_args()
    options = options_from(arguments, 60, 20)
    music, speech = recordings(False), recordings(True)
    chosen = [
        next(music if place < arguments.music else speech) for place in range(arguments.streams)
    ]
    streams = [(label, encoded(sound)) for label, sound in chosen]
    async with options.server() as server:
        found = await measure(server, streams, options.seconds)
    rows: list[list[Figure]] = [[name, value] for name, value in found.items()]
    print_table(f"{len(streams)} streams, {arguments.music} of music", ["", "figure"], rows)
    print(f"ticks late by more than 5 ms: {found['late_ticks']:.0f}, target 0")
    print_result(
        "genre_streams",
        {"streams": len(streams), "music": arguments.music, "seconds": options.seconds, **found},
    )


if __name__ == "__main__":
    run(main)
