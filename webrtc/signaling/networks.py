"""Networks that engineers make worse on purpose, for sockets and for REST; everyone is told."""

import msgspec

from mixer.netsim_settings import CLEAN, parse_conditions
from rooms.models import Participant, Room, SimulatedNetwork
from rooms.rights import Right
from webrtc.errors import ClientError
from webrtc.signaling.conference import Conference
from webrtc.signaling.connection import Connection
from webrtc.signaling.messages_desk import EffectiveNetwork, NetworkChange

OFF = "off"


class Networks:
    """Changes what sound goes through on its way to the mixer.

    Args:
        conference: the shared state.
        everywhere: what it goes through where nobody said otherwise; "" where nobody may.
    """

    def __init__(self, conference: Conference, everywhere: str = "") -> None:
        self._conference = conference
        conference.simulates = bool(everywhere)
        if everywhere and parse_conditions(everywhere) != CLEAN:
            conference.everywhere = SimulatedNetwork(everywhere)

    async def on_set(self, connection: Connection, change: NetworkChange) -> EffectiveNetwork:
        """Change a network for an engineer.

        Raises:
            ClientError: `not_joined`, `forbidden`, `room_not_found`, and those of `set`.
        """
        me = await self._conference.me(self._conference.seat_of(connection))
        return await self.set(await self._conference.require(me, Right.RUN_DESK), change)

    async def set(self, room: Room, change: NetworkChange) -> EffectiveNetwork:
        """Change somebody's network, or the room's; the caller may.

        Raises:
            ClientError: `not_simulating`, `bad_message`, `participant_not_found`,
                `room_not_found`.
        """
        conference, target = self._conference, change.participant_id
        if not conference.simulates:
            raise ClientError("not_simulating", "WEBRTC_SIMULATED_NETWORK is off on this server")
        network = _wanted(change)
        if target is None:
            await conference.change_network(room.room_id, network)
            return EffectiveNetwork(None, network)
        known = await conference.store.participant(target)
        if known is None or known.room_id != room.room_id:
            raise ClientError("participant_not_found", "there is nobody of this id in the room")

        def apply(participant: Participant) -> Participant:
            return msgspec.structs.replace(participant, network=network)

        await conference.change(target, apply)
        conference.announcer.request(target)
        return EffectiveNetwork(target, network)


def _wanted(change: NetworkChange) -> SimulatedNetwork | None:
    if change.network == OFF:
        return None
    try:
        parse_conditions(change.network)
    except ValueError as error:
        raise ClientError("bad_message", str(error)) from None
    return SimulatedNetwork(change.network, change.seed)
