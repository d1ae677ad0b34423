from collections.abc import Callable

import pytest

from rooms.memory_store import MemoryRoomStore
from rooms.models import Direction, Participant, Role, SourceMix
from rooms.strip import DEFAULT_STRIP, changed
from tests.rooms.store_contract import RoomStoreContract, a_participant


class TestMemoryRoomStore(RoomStoreContract):
    @pytest.fixture
    def store(self) -> MemoryRoomStore:
        return MemoryRoomStore()

    @pytest.fixture
    def full(self) -> Callable[[], Participant]:
        return lambda: a_participant(
            direction=Direction.PUBLISHER,
            role=Role.ENGINEER,
            muted=True,
            deafened=True,
            strip=changed(DEFAULT_STRIP, {"genre": "jazz", "fader": -3}),
            mix={"bob": SourceMix(gain_db=-6, pan=0.5, muted=True)},
            tenant="acme",
        )
