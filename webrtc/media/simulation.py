"""Bad networks on purpose: what publishers send takes its way through `mixer.netsim` first.

For trying out how a conference sounds on a poor network. Each publisher has a network of its own,
seeded by the order of coming, so that a run can be repeated.
"""

from typing import Final, NamedTuple, Protocol

from mixer.netsim import NetworkSimulator
from mixer.netsim_settings import NetworkConditions
from mixer.playout import MediaPacket

_OVERHEAD_BYTES: Final = 50  # IP, UDP, RTP and the tag of SRTP


class Sender(Protocol):
    """Whose packets they are."""

    participant_id: str


class Arrival(NamedTuple):
    """A packet that has come through; `red` if it holds redundant copies (RFC 2198)."""

    sender: Sender
    packet: MediaPacket
    red: bool


class SimulatedNetworks:
    """One network for each publisher of a worker."""

    def __init__(self, conditions: NetworkConditions) -> None:
        """Make networks of these conditions."""
        self._conditions = conditions
        self._networks: dict[str, NetworkSimulator[Arrival]] = {}
        self._made = 0

    def send(self, sender: Sender, packet: MediaPacket, *, red: bool) -> None:
        """Put a packet on its way, at the time of its arrival here."""
        network = self._networks.get(sender.participant_id)
        if network is None:
            network = NetworkSimulator(self._conditions, self._made)
            self._networks[sender.participant_id] = network
            self._made += 1
        size = len(packet.payload) + _OVERHEAD_BYTES
        network.send(Arrival(sender, packet, red), size, packet.arrival_s)

    def due(self, now_s: float) -> list[Arrival]:
        """Return what has come through by now, each packet with its new time of arrival."""
        return [
            arrival._replace(packet=arrival.packet._replace(arrival_s=time_s))
            for network in self._networks.values()
            for time_s, arrival in network.poll(now_s)
        ]

    def forget(self, participant_id: str) -> None:
        """Drop a publisher's network and all that is on its way; unknown ids are ignored."""
        self._networks.pop(participant_id, None)
