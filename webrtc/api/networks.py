"""`/api/rooms/{room_id}/network`: networks that are made worse on purpose."""

import msgspec
from aiohttp import web

from rooms.models import SimulatedNetwork
from rooms.rights import Right
from webrtc.api.actors import require_right
from webrtc.api.guard import Need
from webrtc.api.routes import Reply, Route, json_body, json_reply
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.messages_desk import EffectiveNetwork, NetworkChange

_RIGHT = "This takes the right run_desk."
_MISSING = "There is no such room, or nobody of this id in it."


class RoomNetworks(msgspec.Struct, frozen=True):
    """What sound in a room goes through; `participants` are those with a network of their own.

    `simulates`: whether the operator lets anybody change that.
    """

    simulates: bool
    network: SimulatedNetwork | None
    participants: dict[str, SimulatedNetwork]


_change = msgspec.json.Decoder(NetworkChange)


class NetworksResource:
    """Answers for simulated networks."""

    def __init__(self, desk: FrontDesk) -> None:
        self._desk = desk
        path = "/api/rooms/{room_id}/network"
        self.routes = [
            Route(
                "GET",
                path,
                self.show,
                "Look at the networks that are simulated in a room.",
                {200: Reply("The networks.", RoomNetworks)},
                need=Need.LOOK,
                problems={404: _MISSING},
            ),
            Route(
                "PUT",
                path,
                self.change,
                "Make the network of a participant, or of the room, worse; everyone in it is told.",
                {200: Reply("What it is now.", EffectiveNetwork)},
                body=NetworkChange,
                need=Need.OWN,  # the right run_desk
                problems={
                    401: _RIGHT,
                    403: f"{_RIGHT[:-1]}, and an operator who allows it.",
                    404: _MISSING,
                },
            ),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """`GET /api/rooms/{room_id}/network`."""
        conference = self._desk.conference
        room = await conference.known_room(request.match_info["room_id"])
        people = await conference.present(room.room_id)
        own = {one.participant_id: one.network for one in people if one.network is not None}
        return json_reply(RoomNetworks(conference.simulates, conference.network_of(room), own))

    async def change(self, request: web.Request) -> web.Response:
        """`PUT /api/rooms/{room_id}/network`."""
        room = await require_right(request, self._desk, Right.RUN_DESK)
        change: NetworkChange = await json_body(request, _change)
        return json_reply(await self._desk.networks.set(room, change))
