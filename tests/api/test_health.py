from pathlib import Path

from tests.support.fake_worker import FakeWorker
from tests.support.front import RunningFront, running_front
from webrtc.front_limits import FrontLimits


async def test_health_says_what_the_workers_are(front: RunningFront) -> None:
    async with front.http.get("/health") as response:
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert await response.json() == {
            "status": "ok",
            "redis": "none",
            "workers": [
                {
                    "worker": 0,
                    "connected": True,
                    "pid": 1000,
                    "udp_port": 40000,
                    "realtime": True,
                    "engine": "fake",
                    "dsp": "numba",
                    "denoisers": ["webrtc", "rnnoise"],
                    "voice": "silero",
                }
            ],
        }


async def test_alive_without_workers_but_not_ready(front: RunningFront) -> None:
    async with front.http.get("/health/ready") as response:
        assert response.status == 200
    await front.worker.stop()
    client, _ = await front.joined()
    assert await client.refused("offer", {"type": "offer", "sdp": "x"}) == "worker_unavailable"
    async with front.http.get("/health/ready") as response:
        assert response.status == 503
    async with front.http.get("/health") as response:
        assert response.status == 200
        assert (await response.json())["workers"][0]["connected"] is False
    await front.worker.start()


async def test_one_worker_that_restarts_leaves_the_server_ready(tmp_path: Path) -> None:
    async with running_front(tmp_path, workers=2) as front:
        one, _ = front.workers
        await one.stop()
        async with front.http.get("/health/ready") as response:
            assert response.status == 200
        await one.start()


async def test_not_ready_before_every_worker_has_come(tmp_path: Path) -> None:
    there = FakeWorker(tmp_path / "worker-0.sock")
    late = FakeWorker(tmp_path / "worker-1.sock", 1)
    await there.start()
    limits = FrontLimits(workers_at_start_s=0.05)
    async with running_front(tmp_path, [there, late], limits) as front:
        async with front.http.get("/health/ready") as response:
            assert response.status == 503
        await late.start()
        await front.front.desk.workers.wait_for_all(5)
        async with front.http.get("/health/ready") as response:
            assert response.status == 200
    await there.stop()
    await late.stop()
