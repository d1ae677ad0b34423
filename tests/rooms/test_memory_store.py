from collections.abc import Callable

import pytest

from rooms.memory_store import MemoryRoomStore
from rooms.models import Participant
from tests.rooms.store_contract import RoomStoreContract, a_full_participant


class TestMemoryRoomStore(RoomStoreContract):
    @pytest.fixture
    def store(self) -> MemoryRoomStore:
        return MemoryRoomStore()

    @pytest.fixture
    def full(self) -> Callable[[], Participant]:
        return a_full_participant
