"""What recording costs: 20 who all speak, first without and then with a recording.

Everybody sends stereo in packets of 20 ms all the time, which is the worst that a room can do. The
cost of the recording is what the workers spend more than before, and the recorder's own process.
All 20 are recorded dry; at most 15 are heard at a time, and so have a processed track.
Sound is lost when the mix is late or the recorder is: both are counted. A room in which 3 of the 20
speak is measured, too.
"""

import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from benchmarks.harness.cost import Cost, measure_cost
from benchmarks.harness.options import Options, parse_options, run
from benchmarks.harness.report import Figure, print_result, print_table
from benchmarks.harness.server import Server
from benchmarks.load.doors import SocketIoDoor
from benchmarks.load.rooms import let_speak, settle
from benchmarks.load.swarm import Swarm
from webrtc.recording import files
from webrtc.recording.files import Manifest

PEOPLE = 20
PTIME_MS = 20
TARGET_CORE = 0.10
ROOM = "studio"
SCENES = ((PEOPLE, ["dry"]), (PEOPLE, ["dry", "processed"]), (3, ["dry", "processed"]))


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a room showed, without and with a recording; cores are shares of one."""

    without: Cost
    recorder_core: float
    server: Cost
    manifest: Manifest

    @property
    def core(self) -> float:
        """What the recording costs, its own process included."""
        return self.server.share_of_a_core - self.without.share_of_a_core


async def measure(options: Options, speaking: int, tracks: list[str], root: Path) -> Recorded:
    """Return what recording a room costs in which so many speak."""
    environment = {"WEBRTC_RECORDINGS_DIR": str(root), "WEBRTC_RECORDINGS_MIN_FREE_MB": "0"}
    async with options.server(environment) as server:
        async with (
            aiohttp.ClientSession(server.base_url) as http,
            http.post("/api/rooms", json={"room_id": ROOM, "max_speakers": 15}) as response,
        ):
            key = {"Authorization": f"Bearer {(await response.json())['host_key']}"}
        async with Swarm(SocketIoDoor(server.base_url)) as swarm:
            talking = await swarm.join_all(ROOM, "sendrecv", speaking, speaks=True)
            await swarm.join_all(ROOM, "sendrecv", PEOPLE - speaking)
            let_speak(swarm, talking, PTIME_MS)
            await settle()
            without = await measure_cost(server, swarm, options.seconds)
            await _put(server, key, "recording", tracks)
            await settle()
            manifest = _manifest(root)
            before = _cpu_s(manifest.pid)
            cost = await measure_cost(server, swarm, options.seconds)
            recorder = (_cpu_s(manifest.pid) - before) / cost.duration_s
            manifest = _manifest(root)
            await _put(server, key, "stopped", tracks)
            async with asyncio.timeout(20):
                while _manifest(root).state == "recording":
                    await asyncio.sleep(0.1)
    return Recorded(without, recorder, cost, manifest)


async def _put(server: Server, key: dict[str, str], state: str, tracks: list[str]) -> None:
    wanted = {"state": state, "tracks": tracks}
    async with (
        aiohttp.ClientSession(server.base_url) as http,
        http.put(f"/api/rooms/{ROOM}/recording", json=wanted, headers=key) as response,
    ):
        response.raise_for_status()


def _manifest(root: Path) -> Manifest:
    (folder,) = root.glob(f"{ROOM}/*")
    manifest = files.read(folder, files.MANIFEST, Manifest)
    assert manifest is not None
    return manifest


def _cpu_s(pid: int) -> float:
    """Return what a process has spent so far (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main() -> None:
    """Measure both rooms and tell the result."""
    options = parse_options("cost of recording 20 people, mix and tracks", 15, 5)
    rows: list[list[Figure]] = []
    figures: dict[str, object] = {}
    for speaking, tracks in SCENES:
        with tempfile.TemporaryDirectory() as folder:
            found = await measure(options, speaking, tracks, Path(folder))
        rate = found.manifest.bytes / found.manifest.duration_s
        late = found.server.punctuality
        rows.append(
            [
                f"{PEOPLE} people, {speaking} speak: mix, {' and '.join(tracks)}",
                len(found.manifest.tracks),
                100 * found.core,
                100 * TARGET_CORE,
                100 * found.recorder_core,
                found.manifest.dropped_ms,
                100 * late.bad_share,
                rate / 1000,
            ]
        )
        figures[f"{speaking}_speak_{'_'.join(tracks)}"] = {
            "core": round(found.core, 4),
            "recorder_core": round(found.recorder_core, 4),
            "server_core_without": round(found.without.share_of_a_core, 4),
            "server_core_with": round(found.server.share_of_a_core, 4),
            "tracks": len(found.manifest.tracks),
            "dropped_ms": found.manifest.dropped_ms,
            "bad_share_without": round(found.without.punctuality.bad_share, 5),
            "bad_share": round(late.bad_share, 5),
            "bytes_per_s": round(rate),
        }
    columns = ["room", "tracks", "core %", "target", "recorder %", "lost ms", "bad %", "kB/s"]
    print_table("Recording a room as FLAC", columns, rows)
    print_result("recording", {"seconds": options.seconds, **figures})


if __name__ == "__main__":
    run(main)
