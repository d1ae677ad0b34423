"""`/api/stats` and `/metrics`."""

import re

import msgspec

from tests.support.front import RunningFront
from webrtc.control.messages import PeerState, PeerStats
from webrtc.recording.files import Manifest
from webrtc.recording.tracks import TrackInfo

SAMPLE = re.compile(r'([a-z0-9_]+)(?:\{((?:[a-z]+="[^"]*",?)*)\})? (-?[0-9.e+-]+)')


async def with_figures(front: RunningFront) -> str:
    """Let somebody join and the worker report; return the participant's id."""
    alice, ack = await front.joined("studio", name="Very Private Name")
    me: str = ack["participant_id"]
    front.worker.send(PeerState(me, "connected"))
    front.worker.send_stats(PeerStats(me, "connected", packets_lost=3), counters={"drops": 7})
    await alice.ok("offer", {"type": "offer", "sdp": "v=0"})
    return me


async def test_stats_are_by_worker_room_and_participant(front: RunningFront) -> None:
    me = await with_figures(front)
    async with front.http.get("/api/stats") as response:
        stats = await response.json()
        assert "Very Private Name" not in await response.text()
    assert stats["front"] == {"sockets": 1, "rooms": 1, "participants": 1}
    (worker,) = stats["workers"]
    assert worker["connected"] is True
    assert worker["figures"]["ticks"] == 100
    assert worker["figures"]["counters"] == {"drops": 7}
    (room,) = worker["rooms"]
    (participant,) = room["participants"]
    assert (room["room_id"], participant["participant_id"]) == ("studio", me)
    assert (participant["attached"], participant["media_state"]) == (True, "connected")
    assert participant["media"]["packets_lost"] == 3
    assert set(participant["media"]) == set(PeerStats.__struct_fields__)


async def test_recordings_and_sessions_are_counted(front: RunningFront) -> None:
    manifest = Manifest(
        recording_id="r1",
        room_id="studio",
        state="recording",
        started_at=0.0,
        format="flac",
        sample_rate_hz=48_000,
        duration_s=9.5,
        bytes=5_000,
        dropped_ms=20,
        warning="the disk is full in 3 min",
        pid=1,
        tracks=[TrackInfo("mix.flac", "mix", 0, 0)],
        people={},
        chapters=[],
    )
    ledger = front.front.desk.recordings
    ledger.note(manifest)
    front.front.desk.sessions.keeper.counters["chunks_lost"] += 4
    stats = await (await front.http.get("/api/stats")).json()
    (told,) = stats["recordings"]
    assert (told["room_id"], told["tracks"], told["bytes"]) == ("studio", 1, 5_000)
    assert (told["dropped_ms"], told["warning"]) == (20, manifest.warning)
    assert stats["sessions"]["open"] == 0
    assert stats["sessions"]["counters"]["chunks_lost"] == 4

    text = await (await front.http.get("/metrics")).text()
    assert "studio" not in text
    for line in (
        "ag06_recordings 1",
        "ag06_recording_tracks 1",
        "ag06_recording_bytes 5000",
        "ag06_recordings_warned 1",
        "ag06_recording_dropped_seconds_total 0.02",
        'ag06_session_events_total{counter="chunks_lost"} 4',
    ):
        assert f"\n{line}\n" in text, line

    ledger.note(msgspec.structs.replace(manifest, state="disk_full", dropped_ms=30))
    ledger.close("r1")
    text = await (await front.http.get("/metrics")).text()
    assert "\nag06_recordings 0\n" in text
    assert "\nag06_recording_dropped_seconds_total 0.03\n" in text
    assert '\nag06_recordings_ended_total{state="disk_full"} 1\n' in text


async def test_stats_of_a_worker_that_is_away_are_gone(front: RunningFront) -> None:
    await with_figures(front)
    await front.worker.stop()
    client = await front.client()
    await client.ok("join_room", "another")
    assert await client.refused("offer", {"type": "offer", "sdp": "x"}) == "worker_unavailable"
    async with front.http.get("/api/stats") as response:
        (worker,) = (await response.json())["workers"]
    assert (worker["connected"], worker["figures"]) == (False, None)
    assert worker["rooms"][0]["participants"][0]["media"] is None
    await front.worker.start()


async def test_metrics_are_in_the_exposition_format(front: RunningFront) -> None:
    await with_figures(front)
    async with front.http.get("/metrics") as response:
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = await response.text()
    assert text.endswith("\n")
    types: dict[str, str] = {}
    samples: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name not in types
            types[name] = kind
        elif not line.startswith("# HELP "):
            match = SAMPLE.fullmatch(line)
            assert match is not None, line
            assert match[1] in types or types[re.sub("_(bucket|sum|count)$", "", match[1])]
            samples[line.rpartition(" ")[0]] = float(match[3])
    for name, kind in types.items():
        assert (kind == "counter") is name.endswith("_total")
    assert samples["ag06_rooms"] == 1
    assert samples["ag06_participants"] == 1
    assert samples['ag06_events_total{event="join_room",reason="ok"}'] == 1
    assert samples['ag06_worker_connected{worker="0"}'] == 1
    assert samples['ag06_worker_ticks_total{worker="0"}'] == 100
    assert types["ag06_worker_tick_seconds"] == "histogram"
    assert samples['ag06_worker_tick_seconds_bucket{worker="0",le="0.001"}'] == 98
    assert samples['ag06_worker_tick_seconds_bucket{worker="0",le="+Inf"}'] == 100
    assert samples['ag06_worker_tick_seconds_sum{worker="0"}'] == 0.05
    assert samples['ag06_worker_tick_seconds_count{worker="0"}'] == 100
    assert samples['ag06_worker_events_total{worker="0",counter="drops"}'] == 7
    assert "studio" not in text


async def test_large_counters_keep_every_digit(front: RunningFront) -> None:
    await front.joined()
    front.front.signaling.dropped_levels = 123_456_789
    async with front.http.get("/metrics") as response:
        assert "ag06_dropped_levels_total 123456789\n" in await response.text()
