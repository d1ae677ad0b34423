"""Offers of clients, and ours to clients that take tracks, one after the other in the slack.

Of a client that takes tracks, at most one offer of ours is open. Its own offer makes that void: the
front process has let the client's pass, and so dropped ours. What is still to be offered then waits
until the front process has surely handed on our answer.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Protocol

from webrtc.control.messages import (
    Answer,
    Candidate,
    Done,
    Failed,
    Offer,
    RemoteAnswer,
    ServerOffer,
    ToFront,
)
from webrtc.errors import ClientError
from webrtc.media import sdp
from webrtc.media.hall import Room
from webrtc.media.participant import Participant
from webrtc.media.peer import Peer
from webrtc.media.slack import Slack

FORWARD_PTIME_MS = 20
OFFER_AFTER_ANSWER_S = 0.3
OFFER_AGAIN_S = 20.0
"""The front process gives up after 15 s; then nobody will answer."""


class NegotiatorHost(Protocol):
    """What negotiating asks of a worker."""

    @property
    def participants(self) -> Mapping[str, Participant]:
        """Return everybody, by id."""

    def new_peer(self, participant_id: str) -> Peer:
        """Return a new connection."""

    def close_peer(self, participant: Participant) -> None:
        """Take a participant's connection away."""

    def attach(self, participant: Participant) -> None:
        """Follow what was agreed."""

    def negotiated(self) -> None:
        """A connection may be beginning."""

    def run(self, work: Coroutine[None, None, None], name: str) -> None:
        """Run a task that ends with the worker."""


class Negotiator:
    """Answers offers, and makes ours.

    Attributes:
        is_draining: Whether new connections are refused.
    """

    def __init__(
        self, host: NegotiatorHost, slack: Slack, ptime_ms: int, tell: Callable[[ToFront], None]
    ) -> None:
        """Work for `host`.

        Args:
            host: The worker.
            slack: When a step may be taken.
            ptime_ms: Packet time that publishers in rooms of mode mix are asked for.
            tell: Reaches the front process.
        """
        self.is_draining = False
        self._host = host
        self._slack = slack
        self._ptime_ms = ptime_ms
        self._tell = tell
        self._one_at_a_time = asyncio.Lock()

    # ---- the client's offers ---------------------------------------------------------------

    async def answer(self, message: Offer) -> ToFront:
        """Answer a client's offer."""
        try:
            if self.is_draining:
                raise ClientError("draining", "This worker takes no new connections.")
            async with self._one_at_a_time:
                await self._slack.wait()
                offer = sdp.read_offer(message.sdp)
                peer = self._peer_for(message, offer)
                await peer.prepare(offer)
                return Answer(message.id, self._negotiate(message.participant_id, peer, offer))
        except ClientError as error:
            return Failed(message.id, error.reason, error.detail)

    def _peer_for(self, message: Offer, offer: sdp.Offer) -> Peer:
        """Return the connection that an offer is for: the known one, or a new one."""
        participant = self._participant(message.participant_id)
        peer = participant.peer
        if peer is not None and (
            message.renew
            or peer.state in ("failed", "closed")
            or not peer.session.is_same_connection(offer)
        ):
            self._host.close_peer(participant)
            peer = None
        if peer is None:
            peer = participant.peer = self._host.new_peer(message.participant_id)
        peer.session.ptime_ms = self._ptime_in(participant.room)
        return peer

    def _negotiate(self, participant_id: str, peer: Peer, offer: sdp.Offer) -> str:
        participant = self._participant(participant_id)
        if participant.peer is not peer:
            raise _unknown_participant()  # it left while the connection was being prepared
        put = participant.put
        answer = peer.negotiate(offer, publishes=put.publishes, subscribes=put.subscribes)
        self._host.attach(participant)
        self._host.negotiated()
        loop = asyncio.get_running_loop()
        loop.call_later(OFFER_AFTER_ANSWER_S, self.settle, participant)
        return answer

    def take_candidate(self, message: Candidate) -> ToFront:
        """Take a trickled candidate."""
        participant = self._host.participants.get(message.participant_id)
        if participant is None or participant.peer is None:
            return Failed(message.id, "bad_candidate", "Candidates come after an offer.")
        if message.candidate:
            participant.peer.add_candidate(message.candidate)
        return Done(message.id)

    # ---- ours ------------------------------------------------------------------------------

    def settle(self, participant: Participant) -> None:
        """Offer a participant the tracks and packet time that it should have, if that is news."""
        peer = participant.peer
        if peer is None or not participant.put.takes_tracks or peer.state != "connected":
            return
        peer.session.ptime_ms = self._ptime_in(participant.room)
        unsettled = peer.session.want_tracks(participant.wanted_tracks)
        self._host.attach(participant)
        waits = peer.session.tracks.offered_s > time.monotonic() - OFFER_AGAIN_S
        if unsettled and not waits and not participant.is_offering:
            participant.is_offering = True
            self._host.run(self._offer(participant, peer), "offer tracks")

    async def _offer(self, participant: Participant, peer: Peer) -> None:
        try:
            async with self._one_at_a_time:
                await self._slack.wait()
                if peer.state == "connected" and peer.session.want_tracks(
                    participant.wanted_tracks
                ):
                    self._tell(ServerOffer(peer.participant_id, peer.offer(time.monotonic())))
        finally:
            participant.is_offering = False

    def take_answer(self, message: RemoteAnswer) -> ToFront:
        """Take a client's answer to an offer of ours."""
        try:
            participant = self._host.participants.get(message.participant_id)
            if participant is None or participant.peer is None:
                raise ClientError("no_offer_pending", "The server has made no offer.")
            put = participant.put
            participant.peer.take_answer(
                message.sdp, publishes=put.publishes, subscribes=put.subscribes
            )
        except ClientError as error:
            return Failed(message.id, error.reason, error.detail)
        self.settle(participant)
        return Done(message.id)

    def _ptime_in(self, room: Room) -> int:
        return self._ptime_ms if room.forward is None else FORWARD_PTIME_MS

    def _participant(self, participant_id: str) -> Participant:
        participant = self._host.participants.get(participant_id)
        if participant is None:
            raise _unknown_participant()
        return participant


def _unknown_participant() -> ClientError:
    return ClientError("participant_not_found", "The media worker does not know this participant.")
