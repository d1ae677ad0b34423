"""Recording rooms as REST and sockets see it; the media worker is a fake, the recorder is real."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.front import RunningFront, running_front
from tests.support.passes import SECRET, token
from tests.support.patience import PATIENCE_S
from webrtc.recording import files, recordings
from webrtc.recording.files import Manifest

pytestmark = pytest.mark.slow  # starts processes

WHERE = "/api/rooms/studio/recording"
MANY = "/api/rooms/studio/recordings"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


@pytest.fixture
async def recording_front(tmp_path: Path, root: Path) -> AsyncIterator[RunningFront]:
    async with running_front(tmp_path, recordings_dir=str(root), recordings_min_free_mb=0) as front:
        yield front


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def put(front: RunningFront, key: str, state: str, **more: Any) -> tuple[int, Any]:
    body = {"state": state, **more}
    async with front.http.put(WHERE, json=body, headers=bearer(key)) as response:
        return response.status, await response.json()


async def listed(front: RunningFront, key: str) -> Any:
    async with front.http.get(MANY, headers=bearer(key)) as response:
        assert response.status == 200
        return (await response.json())["recordings"]


async def ended(front: RunningFront, key: str) -> Any:
    """Return the only recording once its process has ended."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            (one,) = await listed(front, key)
            if one["state"] not in ("recording", "paused"):
                return one
            await asyncio.sleep(0.05)


async def test_a_host_records_and_everybody_sees_it(recording_front: RunningFront) -> None:
    front = recording_front
    host, ack = await front.joined("studio", name="Ada")
    guest, _ = await front.joined("studio")
    key = ack["host_key"]
    assert ack["recording"] is None
    status, told = await put(front, key, "recording", tracks=["processed", "dry"], format="wav")
    assert (status, told["recording"]["state"]) == (200, "recording")
    for page in (host, guest):
        event = await page.event("room_updated", lambda one: "recording" in one)
        assert event["recording"]["tracks"] == ["dry", "processed"]
    order = front.worker.rooms["studio"].recording
    assert order is not None
    assert (order.dry, order.processed, order.mix_by) == (True, True, 0)
    assert Path(order.rings[0]).stat().st_size > 1 << 20
    _, late = await front.joined("studio")
    assert late["recording"]["state"] == "recording"
    assert (await put(front, key, "paused"))[1]["recording"]["state"] == "paused"
    paused = front.worker.rooms["studio"].recording
    assert paused is not None
    assert paused.spans[0][1] is not None
    assert (await put(front, key, "recording"))[1]["recording"]["state"] == "recording"
    mark = {"label": "Second movement"}
    async with front.http.post(WHERE + "/marks", json=mark, headers=bearer(key)) as response:
        assert response.status == 201
    async with asyncio.timeout(PATIENCE_S):
        while not (live := (await (await front.http.get("/api/stats")).json())["recordings"]):
            await asyncio.sleep(0.05)
    assert (live[0]["room_id"], live[0]["tracks"], live[0]["dropped_ms"]) == ("studio", 0, 0)
    assert (await put(front, key, "stopped"))[1]["recording"] is None
    metrics = await (await front.http.get("/metrics")).text()
    assert '\nag06_recordings_ended_total{state="stopped"} 1\n' in metrics
    assert (await host.event("room_updated", lambda one: "recording" not in one))["settings"]
    assert (await put(front, key, "stopped"))[0] == 409
    one = await ended(front, key)
    assert (one["state"], one["chapters"][0]["label"]) == ("stopped", "Second movement")


async def test_only_who_may_record_does(recording_front: RunningFront) -> None:
    front = recording_front
    _, host = await front.joined("studio")
    _, guest = await front.joined("studio")
    for key, status in ((guest["resume_token"], 403), ("wrong", 401), ("", 401)):
        assert (await put(front, key, "recording"))[0] == status
        async with front.http.get(MANY, headers=bearer(key)) as response:
            assert response.status == status
    assert (await put(front, host["resume_token"], "recording"))[0] == 200
    assert (await put(front, guest["resume_token"], "stopped"))[0] == 403
    async with front.http.get(WHERE) as response:
        assert (await response.json())["recording"]["state"] == "recording"


async def test_nothing_is_recorded_unless_the_operator_says_where(front: RunningFront) -> None:
    _, ack = await front.joined("studio")
    status, problem = await put(front, ack["host_key"], "recording")
    assert (status, problem["reason"]) == (503, "recording_unavailable")
    async with front.http.get(WHERE) as response:
        assert await response.json() == {"is_available": False, "recording": None}


async def test_files_are_fetched_by_their_owners_only(
    recording_front: RunningFront, root: Path
) -> None:
    front = recording_front
    _, ack = await front.joined("studio", name="Ada")
    key = ack["host_key"]
    await put(front, key, "recording")
    await put(front, key, "stopped")
    one = await ended(front, key)
    folder = root / "studio" / one["recording_id"]
    manifest = files.read(folder, files.MANIFEST, Manifest)
    assert manifest is not None
    assert [person.name for person in manifest.people.values()] == ["Ada"]
    # A fake worker says nothing: what follows is about files, whatever they hold.
    told = json.loads((folder / files.MANIFEST).read_bytes())
    told["tracks"] = [
        {"file": "mix.flac", "kind": "mix", "track": 0, "offset_samples": 0, "samples": 480}
    ]
    (folder / files.MANIFEST).write_text(json.dumps(told))
    (folder / "mix.flac").write_bytes(b"fLaC" * 300_000)
    (one,) = await listed(front, key)
    async with front.http.get(one["files"][0]["url"]) as response:
        assert response.status == 200
        assert response.content_type == "audio/flac"
        assert await response.read() == b"fLaC" * 300_000
    part = {"Range": "bytes=4-7"}
    async with front.http.get(one["files"][0]["url"], headers=part) as response:
        assert (response.status, await response.read()) == (206, b"fLaC")
    async with front.http.get(one["zip_url"]) as response:
        archive = zipfile.ZipFile(io.BytesIO(await response.read()))
    name = one["recording_id"]
    assert archive.testzip() is None
    assert archive.namelist() == [
        f"{name}/{file}" for file in ("mix.flac", "manifest.json", "recording.rpp", "chapters.txt")
    ]
    base = f"{MANY}/{name}/"
    async with front.http.get(base + "recording.rpp", headers=bearer(key)) as response:
        assert await response.read() == archive.read(f"{name}/recording.rpp")
    for path, headers, status in [
        (base + "mix.flac", {}, 401),
        (base + "mix.flac", bearer(key), 200),
        (base + "order.json", bearer(key), 404),
        (base + "%2e%2e%2f%2e%2e%2fsecret", bearer(key), 404),
        (base + "mix.flac?ticket=99999999999.00", {}, 401),
        (one["zip_url"].replace("studio", "other"), {}, 401),
        (f"{MANY}/other/mix.flac", bearer(key), 404),
    ]:
        async with front.http.get(path, headers=headers) as response:
            assert response.status == status or (status == 401 and response.status == 404), path
    ticket = one["zip_url"].partition("?")[2]
    async with front.http.delete(f"{base[:-1]}?{ticket}") as response:
        assert response.status == 401, "a ticket is for reading"
    for status in (204, 404):
        async with front.http.delete(base[:-1], headers=bearer(key)) as response:
            assert response.status == status
    assert not folder.exists()


async def test_a_closed_room_ends_its_recording_which_stays_the_hosts(
    recording_front: RunningFront,
) -> None:
    front = recording_front
    _, ack = await front.joined("studio")
    key = ack["host_key"]
    await put(front, key, "recording")
    async with front.http.delete("/api/rooms/studio", headers=bearer(key)) as response:
        assert response.status == 204
    assert (await ended(front, key))["state"] == "stopped"
    _, other = await front.joined("studio")
    assert await listed(front, other["host_key"]) == [], "a namesake's host sees nothing of it"


async def test_a_recording_is_its_tenants_whoever_has_the_rooms_name_later(
    tmp_path: Path, root: Path
) -> None:
    settings = {"recordings_dir": str(root), "recordings_min_free_mb": 0, "auth_secret": SECRET}
    async with running_front(tmp_path, **settings) as front:
        ours, theirs = (token("host", room="studio", tenant=name) for name in ("acme", "another"))
        await front.joined("studio", token=ours)
        assert (await put(front, theirs, "recording"))[0] == 404
        assert (await put(front, ours, "recording"))[0] == 200
        async with front.http.delete("/api/rooms/studio", headers=bearer(ours)) as response:
            assert response.status == 204
        await front.joined("studio", token=theirs)
        assert await listed(front, theirs) == []
        async with front.http.delete("/api/rooms/studio", headers=bearer(theirs)) as response:
            assert response.status == 204
        await front.joined("studio", token=ours)
        assert (await ended(front, ours))["state"] == "stopped"


async def test_a_host_key_of_before_opens_no_recording_once_tokens_are_wanted(
    tmp_path: Path, root: Path
) -> None:
    settings: dict[str, Any] = {"recordings_dir": str(root), "recordings_min_free_mb": 0}
    async with running_front(tmp_path, **settings) as before:
        _, ack = await before.joined("studio")
        key = ack["host_key"]
        await put(before, key, "recording")
        await put(before, key, "stopped")
        (one,) = [await ended(before, key)]
    async with running_front(tmp_path, auth_secret=SECRET, **settings) as front:
        for path in (MANY, f"{MANY}/{one['recording_id']}/recording.zip"):
            async with front.http.get(path, headers=bearer(key)) as response:
                assert response.status == 401
        ours = token("host", room="studio")
        await front.joined("studio", token=ours)
        assert [it["recording_id"] for it in await listed(front, ours)] == [one["recording_id"]]


async def test_a_recording_outlives_the_front_process(tmp_path: Path, root: Path) -> None:
    settings = {"recordings_dir": str(root), "recordings_min_free_mb": 0}
    async with running_front(tmp_path, **settings) as first:
        _, ack = await first.joined("studio")
        key = ack["host_key"]
        await put(first, key, "recording")
        first.front.recordings._processes.clear()  # as after a crash: nobody ends it
        await first.close_clients()
        await first.front.stop()
        async with running_front(tmp_path, first.workers, **settings) as second:
            async with asyncio.timeout(PATIENCE_S):
                while "studio" not in second.front.recordings._live:
                    await asyncio.sleep(0.05)
            assert (await put(second, key, "paused"))[1]["recording"]["state"] == "paused"
            await put(second, key, "stopped")
            assert (await ended(second, key))["state"] == "stopped"


async def test_there_is_no_recording_on_a_full_disk(tmp_path: Path, root: Path) -> None:
    async with running_front(
        tmp_path, recordings_dir=str(root), recordings_min_free_mb=99_999_999
    ) as front:
        _, ack = await front.joined("studio")
        status, problem = await put(front, ack["host_key"], "recording")
        assert (status, problem["reason"]) == (507, "disk_full")
        assert not list(root.glob("studio/*"))


async def test_a_recording_that_no_room_knows_is_ended(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The front process died between the recorder's start and the room's taking note of it."""
    settings = {"recordings_dir": str(root), "recordings_min_free_mb": 0}
    async with running_front(tmp_path, **settings) as first:
        _, ack = await first.joined("studio")
        await put(first, ack["host_key"], "recording")
        (recorder,) = first.front.recordings._processes.values()
        first.front.recordings._processes.clear()  # as after a crash: nobody ends it
        await first.close_clients()
        await first.front.stop()
    (folder,) = root.glob("studio/*")
    monkeypatch.setattr(recordings, "_CLAIM_S", 0.0)
    async with running_front(tmp_path, **settings), asyncio.timeout(PATIENCE_S):
        while (told := files.read(folder, files.MANIFEST, Manifest)) is None or (
            told.state != "stopped"
        ):
            await asyncio.sleep(0.05)
        await recorder.wait()
