"""Publishers' packets on simulated networks."""

from types import SimpleNamespace

import pytest

from mixer.netsim_settings import NetworkConditions
from mixer.playout import MediaPacket
from webrtc.media.simulation import SimulatedNetworks


def packet(number: int) -> MediaPacket:
    return MediaPacket(number, number * 480, b"sound", 10 + number * 0.01)


def sent(networks: SimulatedNetworks, name: str, count: int = 200) -> None:
    sender = SimpleNamespace(participant_id=name)
    for number in range(count):
        networks.send(sender, packet(number), red=number % 2 == 1)


def numbers(networks: SimulatedNetworks, name: str, now_s: float = 100.0) -> list[int]:
    return [one.packet.sequence for one in networks.due(now_s) if one.sender.participant_id == name]


def test_packets_come_later_and_as_they_were() -> None:
    networks = SimulatedNetworks(NetworkConditions(delay_ms=100))
    sent(networks, "ada", 2)
    assert networks.due(10.05) == []
    first, second = networks.due(10.2)
    assert first.packet == packet(0)._replace(arrival_s=pytest.approx(10.1))
    assert second.packet == packet(1)._replace(arrival_s=pytest.approx(10.11))
    assert (first.red, second.red) == (False, True)
    assert first.sender.participant_id == "ada"


def test_everybody_has_a_network_of_ones_own_and_a_run_can_be_repeated() -> None:
    lost = NetworkConditions(loss_percent=30)
    outcomes = []
    for _ in range(2):
        networks = SimulatedNetworks(lost)
        sent(networks, "ada")
        sent(networks, "grace")
        due = networks.due(100.0)
        outcomes.append([(one.sender.participant_id, one.packet.sequence) for one in due])
    assert outcomes[0] == outcomes[1]
    ada = [number for name, number in outcomes[0] if name == "ada"]
    grace = [number for name, number in outcomes[0] if name == "grace"]
    assert ada != grace
    assert 100 < len(ada) < 180


def test_who_is_forgotten_sends_nothing_any_more() -> None:
    networks = SimulatedNetworks(NetworkConditions(delay_ms=100))
    sent(networks, "ada")
    networks.forget("ada")
    networks.forget("nobody")
    assert numbers(networks, "ada") == []
