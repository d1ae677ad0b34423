"""Publishers' packets on simulated paths."""

from typing import Any

import numpy as np
import pytest

from mixer.playout_packet import MediaPacket
from tests.media.test_hall import House
from webrtc.control.messages import PutParticipant, SimulatedNetwork
from webrtc.media.participant import Participant
from webrtc.media.simulation import Simulation

LOSSY = SimulatedNetwork("loss=30", 5)


class World:
    """A room, whoever is in it, and what of their packets comes through."""

    def __init__(self, default: str = "") -> None:
        self.simulation = Simulation(default)
        self.room = House().room("r", sings=False)
        self.arrived: dict[str, list[tuple[int, float]]] = {}

    def put(self, name: str, network: SimulatedNetwork | None = None, **put: Any) -> Participant:
        told = PutParticipant("r", name, 1, **{"publishes": True, **put}, subscribes=True)
        participant = self.room.participants.get(name) or Participant(told, self.room)
        self.room.participants[name] = participant
        participant.put = told if network is None else _with(told, network)
        self.simulation.follow(participant)
        return participant

    def send(self, name: str, count: int = 200, from_s: float = 10.0) -> list[int]:
        """Send packets, one every 10 ms, and return which of them arrive in the end."""
        arrived = self.arrived[name] = []
        for number in range(count):
            now_s = from_s + number * 0.01
            packet = MediaPacket(number, number * 480, b"sound", now_s)
            if self.simulation.takes(name):
                self.simulation.send(
                    name, 5, now_s, lambda at, one=packet.sequence: arrived.append((one, at))
                )
            else:
                arrived.append((number, now_s))
        self.simulation.deliver(from_s + 1000)
        return [number for number, _ in arrived]


def _with(put: PutParticipant, network: SimulatedNetwork) -> PutParticipant:
    return PutParticipant(
        put.room_id, put.participant_id, 1, put.publishes, put.subscribes, network=network
    )


def test_nothing_is_simulated_unless_somebody_says_so() -> None:
    world = World()
    world.put("ada")
    world.simulation.put_room(world.room, None)
    assert not world.simulation.takes("ada")


def test_packets_come_later() -> None:
    world = World("delay=100")
    world.put("ada")
    assert world.send("ada", 2) == [0, 1]
    assert [at for _, at in world.arrived["ada"]] == pytest.approx([10.1, 10.11])


def test_nothing_is_there_before_its_time() -> None:
    world = World("delay=100")
    world.put("ada")
    arrived: list[float] = []
    world.simulation.send("ada", 5, 10.0, arrived.append)
    world.simulation.deliver(10.09)
    assert arrived == []
    world.simulation.deliver(10.11)
    assert arrived == pytest.approx([10.1])


def test_ones_own_network_comes_before_the_rooms_and_that_before_the_servers() -> None:
    world = World("delay=10")
    for name, own in (("ada", SimulatedNetwork("clean")), ("grace", None)):
        world.put(name, own)
    world.send("grace", 1)
    assert world.arrived["grace"][0][1] == pytest.approx(10.01)
    world.simulation.put_room(world.room, SimulatedNetwork("delay=20"))
    for name, delay_s in (("ada", 0.0), ("grace", 0.02)):
        world.send(name, 1, 2000.0)
        assert world.arrived[name][0][1] == pytest.approx(2000.0 + delay_s)
    world.simulation.put_room(world.room, None)
    world.send("grace", 1, 4000.0)
    assert world.arrived["grace"][0][1] == pytest.approx(4000.01)


def test_a_run_can_be_repeated_and_everybody_has_a_path_of_ones_own() -> None:
    outcomes = []
    for _ in range(2):
        world = World()
        world.simulation.put_room(world.room, LOSSY)
        for name in ("ada", "grace"):
            world.put(name)
        outcomes.append([world.send("ada"), world.send("grace", from_s=5000.0)])
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] != outcomes[0][1]
    assert 100 < len(outcomes[0][0]) < 180


def test_a_participants_seed_decides_alone() -> None:
    first, second = World(), World()
    first.put("ada", LOSSY)
    second.put("somebody else before")
    second.put("ada", LOSSY)
    assert first.send("ada") == second.send("ada")
    assert first.send("ada", from_s=5000.0) != second.send("ada", 100, 5000.0)


def test_conditions_change_on_the_way_and_a_new_seed_begins_anew() -> None:
    world = World()
    world.put("ada", LOSSY)
    before = world.send("ada")
    world.put("ada", SimulatedNetwork("loss=100", 5))
    assert world.send("ada", from_s=2000.0) == []
    world.put("ada", SimulatedNetwork("loss=30", 6))
    world.put("ada", LOSSY)
    assert world.send("ada", from_s=4000.0) == before


def test_noise_is_on_what_is_played_and_goes_with_the_network() -> None:
    world = World()
    participant = world.put("singer", SimulatedNetwork("noise=10"))
    source = participant.room.mixer.sources["singer"]
    assert source.disturb is not None
    block = np.zeros((4800, 2), np.float32)
    source.disturb(block)
    assert np.std(block) == pytest.approx(0.1, rel=0.05)
    world.put("singer")
    assert source.disturb is None


@pytest.mark.parametrize("how", ["forget", "listen"])
def test_who_sends_nothing_any_more_has_no_path(how: str) -> None:
    world = World("delay=100")
    world.put("ada")
    arrived: list[float] = []
    world.simulation.send("ada", 5, 10.0, arrived.append)
    if how == "forget":
        world.simulation.forget("ada")
        world.simulation.forget("nobody")
    else:
        world.put("ada", publishes=False)
    world.simulation.deliver(1000.0)
    assert arrived == []
    assert not world.simulation.takes("ada")
