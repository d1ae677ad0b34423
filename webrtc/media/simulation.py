"""Bad networks on purpose: what publishers send takes its way through `mixer.netsim` first.

For trying out how a conference sounds on a poor network, whatever door people come by. Each
publisher has a path of its own. What it does is, in this order, what somebody said of the
participant, of the room, or the operator of all rooms.

A path is seeded with its own setting's seed, or with the room's and the order of coming there, so
that a run can be repeated.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

from mixer.arena import Block
from mixer.netsim import LineNoise, NetworkSimulator
from mixer.netsim_settings import parse_conditions
from webrtc.control.messages import SimulatedNetwork
from webrtc.media.hall import Room
from webrtc.media.participant import Participant

_OVERHEAD_BYTES: Final = 50  # IP, UDP, RTP and the tag of SRTP

Deliver = Callable[[float], object]
"""Takes a packet in, with its new time of arrival in seconds."""


class _Path:
    """One publisher's way to us."""

    def __init__(self, wanted: SimulatedNetwork, seed: int) -> None:
        conditions = parse_conditions(wanted.conditions)
        self.wanted = wanted
        self.network: NetworkSimulator[Deliver] = NetworkSimulator(conditions, seed)
        self._noise = LineNoise(seed)

    def disturb(self, block: Block) -> None:
        """Add the line's noise to what is played."""
        self._noise.add(block, self.network.conditions.noise_percent)


class Simulation:
    """The paths of a worker's publishers; who has none is left alone."""

    def __init__(self, default: str = "") -> None:
        """Simulate nothing, or a network of these conditions for everybody."""
        self._default = SimulatedNetwork(default) if default else None
        self._rooms: dict[str, SimulatedNetwork] = {}
        self._came: Counter[str] = Counter()  # paths made so far, by room
        self._paths: dict[str, _Path] = {}

    def put_room(self, room: Room, wanted: SimulatedNetwork | None) -> None:
        """Take note of what a room's sound goes through."""
        if self._rooms.get(room.room_id) != wanted:
            self._came[room.room_id] = 0
        if wanted is None:
            self._rooms.pop(room.room_id, None)
        else:
            self._rooms[room.room_id] = wanted
        for participant in room.participants.values():
            self.follow(participant)

    def forget_room(self, room_id: str) -> None:
        """Forget a room that is gone."""
        self._rooms.pop(room_id, None)
        self._came.pop(room_id, None)

    def follow(self, participant: Participant) -> None:
        """Give a participant the path that it should have; to be called after every change."""
        put = participant.put
        own = put.network if put.publishes else None
        wanted = own or self._rooms.get(put.room_id) or self._default
        path = self._paths.get(put.participant_id)
        if wanted is None or not put.publishes or _does_nothing(wanted):
            path = None
            self._paths.pop(put.participant_id, None)
        elif path is None or path.wanted.seed != wanted.seed:
            number = 0 if own is not None else self._came[put.room_id]
            self._came[put.room_id] += own is None
            path = self._paths[put.participant_id] = _Path(wanted, wanted.seed + number)
            participant.leave_lane()  # its packets would pass by here
        elif path.wanted != wanted:
            path.wanted = wanted
            path.network.conditions = parse_conditions(wanted.conditions)
        source = participant.room.mixer.sources.get(put.participant_id)
        if source is not None:
            source.disturb = None if path is None else path.disturb

    def forget(self, participant_id: str) -> None:
        """Drop a publisher's path and all that is on its way; unknown ids are ignored."""
        self._paths.pop(participant_id, None)

    def takes(self, participant_id: str) -> bool:
        """Whether a publisher's packets are to be sent on a path."""
        return participant_id in self._paths

    def send(self, participant_id: str, size_bytes: int, now_s: float, deliver: Deliver) -> None:
        """Put a packet on its publisher's path, at the time of its arrival here."""
        self._paths[participant_id].network.send(deliver, size_bytes + _OVERHEAD_BYTES, now_s)

    def deliver(self, now_s: float) -> None:
        """Hand over what has come through by now."""
        for path in list(self._paths.values()):
            for time_s, deliver in path.network.poll(now_s):
                deliver(time_s)


def _does_nothing(wanted: SimulatedNetwork) -> bool:
    return parse_conditions(wanted.conditions).is_clean
