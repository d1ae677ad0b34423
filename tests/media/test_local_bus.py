import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rooms.bus_contract import AudioBusContract, MakeBus, a_frame, arrivals
from webrtc.media.local_bus import LocalBus


class TestLocalBus(AudioBusContract):
    @pytest.fixture
    def folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)

    @pytest.fixture
    async def make(self, folder):
        made = []

        async def make(number: int) -> LocalBus:
            made.append(LocalBus(folder, number))
            return made[-1]

        yield make
        for bus in made:
            bus.close()

    async def test_garbage_is_counted_and_dropped(self, make: MakeBus, folder: Path) -> None:
        bus, other = await make(0), await make(1)
        bus.share("studio", [1])
        other.share("studio", [0])
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"garbage", str(folder / "bus-0.sock"))
        other.publish(a_frame(1))
        assert len(await arrivals(bus, 1)) == 1
        assert bus.counters["bus_malformed"] == 1

    async def test_what_a_killed_worker_left_behind_is_no_obstacle(
        self, make: MakeBus, folder: Path
    ) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
            left.bind(str(folder / "bus-0.sock"))
        bus, other = await make(0), await make(1)
        bus.share("studio", [1])
        other.share("studio", [0])
        other.publish(a_frame(1))
        assert len(await arrivals(bus, 1)) == 1

    async def test_a_closed_end_leaves_nothing_behind(self, make: MakeBus, folder: Path) -> None:
        bus = await make(0)
        bus.on_arrival(lambda: None)
        bus.close()
        assert list(folder.iterdir()) == []
