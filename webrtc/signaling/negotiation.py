"""Offers, answers and candidates on their way between a client and its media worker.

At most one offer is open per seat, in either direction:

| open offer | event                       | next     | effect                                |
|------------|-----------------------------|----------|---------------------------------------|
| none       | the client offers           | client's | the worker is asked                   |
| client's   | the client offers           | client's | refused, `busy`                       |
| client's   | the worker answers or fails | none     | the acknowledgement                   |
| client's   | the worker is silent        | none     | refused, `negotiation_timeout`        |
| none       | the server offers           | server's | sent to the client                    |
| client's   | the server offers           | client's | dropped: the worker sees the client's |
| server's   | the client offers           | server's | refused, `glare`                      |
| server's   | the client answers          | none     | the worker is told                    |
| server's   | the client is silent        | none     |                                       |
| not ours   | the client answers          | the same | refused, `no_offer_pending`           |
"""

import asyncio

from webrtc.control.messages import Answer, Candidate, Offer, RemoteAnswer, ServerOffer
from webrtc.errors import ClientError
from webrtc.signaling.conference import Conference
from webrtc.signaling.connection import Connection
from webrtc.signaling.events import ServerOffered
from webrtc.signaling.messages_media import (
    Answered,
    IceCandidate,
    MyStats,
    SessionAnswer,
    SessionOffer,
    spelled_out,
)
from webrtc.signaling.messages_parts import Done
from webrtc.signaling.presence import Seat


class Negotiation:
    """Passes session descriptions on; it never reads them."""

    def __init__(self, conference: Conference) -> None:
        self._conference = conference

    async def offer(self, connection: Connection, offer: SessionOffer) -> Answered:
        """Have the worker answer the client's offer.

        Raises:
            ClientError: `not_joined`, `busy`, `glare`, `worker_unavailable`,
                `negotiation_timeout`, or what the worker refused with.
        """
        seat = self._conference.seat_of(connection)
        if seat.server_offer is not None:
            raise ClientError("glare", "answer the server's offer first, then offer again")
        if seat.offering:
            raise ClientError("busy", "the previous offer has not been answered yet")
        seat.offering = True
        try:
            answer = await self._conference.workers.request(
                seat.worker,
                lambda number: Offer(number, seat.participant_id, offer.sdp),
                self._conference.limits.negotiation_timeout_s,
            )
        finally:
            seat.offering = False
        if not isinstance(answer, Answer):
            raise ClientError("negotiation_failed", "the media worker gave no answer")
        seat.negotiated = True
        seat.missed_reset = False
        return Answered(answer.sdp)

    async def answer(self, connection: Connection, answer: SessionAnswer) -> Done:
        """Pass the client's answer to the server's offer on.

        Raises:
            ClientError: `not_joined`, `no_offer_pending`, `worker_unavailable`,
                `negotiation_timeout`, or what the worker refused with.
        """
        seat = self._conference.seat_of(connection)
        if seat.server_offer is None:
            raise ClientError("no_offer_pending", "there is no open offer of the server")
        seat.server_offer = None
        await self._conference.workers.request(
            seat.worker,
            lambda number: RemoteAnswer(number, seat.participant_id, answer.sdp),
            self._conference.limits.negotiation_timeout_s,
        )
        return Done()

    async def candidate(self, connection: Connection, candidate: IceCandidate | None) -> Done:
        """Pass a trickled candidate on.

        Raises:
            ClientError: `not_joined`, `worker_unavailable`, `negotiation_timeout`, or what the
                worker refused with.
        """
        seat = self._conference.seat_of(connection)
        line = candidate.candidate if candidate is not None else ""
        mid = candidate.sdp_mid if candidate is not None else None
        index = candidate.sdp_mline_index if candidate is not None else None
        await self._conference.workers.request(
            seat.worker,
            lambda number: Candidate(number, seat.participant_id, line or None, mid, index),
            self._conference.limits.negotiation_timeout_s,
        )
        return Done()

    async def stats(self, connection: Connection) -> MyStats:
        """Return the latest figures of the client's own media connection.

        Raises:
            ClientError: `not_joined`.
        """
        seat = self._conference.seat_of(connection)
        figures = self._conference.workers.peer_stats(seat.worker, seat.participant_id)
        return MyStats(figures and spelled_out(figures))

    def server_offer(self, message: ServerOffer) -> None:
        """Pass an offer of the worker on to the client, unless the client's own is under way."""
        seat = self._conference.presence.seat(message.participant_id)
        if seat is None or seat.offering:
            return
        seat.server_offer = message.sdp
        if seat.connection is not None:
            seat.connection.emit("offer", ServerOffered(message.sdp))
        asyncio.get_running_loop().call_later(
            self._conference.limits.server_offer_timeout_s, _give_up, seat, message.sdp
        )


def _give_up(seat: Seat, sdp: str) -> None:
    if seat.server_offer is sdp:
        seat.server_offer = None
