from pathlib import Path

from tests.support.front import running_front


async def test_smoke(tmp_path: Path) -> None:
    async with running_front(tmp_path) as front:
        alice, ack = await front.joined("studio", name="Alice")
        assert ack["room_id"] == "studio"
        assert ack["host_key"]
        bob, other = await front.joined("studio", name="Bob", role="subscriber")
        assert "host_key" not in other
        joined = await alice.event("participant_joined")
        assert joined["name"] == "Bob"
        answer = await alice.ok("offer", {"type": "offer", "sdp": "v=0"})
        assert answer == {"ok": True, "type": "answer", "sdp": "answer to v=0"}
        front.worker.send_levels("studio", (ack["participant_id"], 20, True))
        assert await bob.event("levels") == {"levels": [[ack["participant_id"], 20, 1]]}
        assert await alice.event("active_speakers") == {"participants": [ack["participant_id"]]}
        async with front.http.get("/health/ready") as response:
            assert response.status == 200
