"""Who comes back with a resume token: to the seat kept here, or from another replica."""

from collections.abc import Callable

import msgspec

from rooms import tokens
from rooms.door import hidden, is_of
from rooms.models import Participant, Room
from rooms.store import ParticipantMissingError
from webrtc.access import Access
from webrtc.errors import ClientError
from webrtc.signaling.conference import Conference
from webrtc.signaling.connection import Connection
from webrtc.signaling.presence import Seat
from webrtc.signaling.wire import event_frame


class Resuming:
    """Gives people their seats back.

    Args:
        conference: the shared state.
        access: whose tokens are taken back.
        serve: has a worker serve somebody: the room, its number here, and who.
    """

    def __init__(
        self,
        conference: Conference,
        access: Access,
        serve: Callable[[Room, int, Participant], None],
    ) -> None:
        self._conference = conference
        self._access = access
        self._serve = serve

    async def resume(self, connection: Connection, token: str) -> Participant:
        """Seat somebody who has a resume token, here or from another replica.

        Raises:
            ClientError: `resume_failed`.
        """
        conference = self._conference
        participant_id, secret = tokens.split_resume_token(token)
        participant = await conference.store.participant(participant_id)
        if participant is None or not tokens.matches(secret, participant.resume_hash):
            raise _resume_failed()
        if participant.put_out or await self._access.is_revoked(participant.token_id):
            raise _resume_failed()
        connection.is_known = True
        if conference.presence.seat(participant_id) and _has_moved(participant, connection):
            participant = await self._move(connection, participant)
        seat = conference.presence.seat(participant_id)
        if seat is None:
            participant = await self._take_over(connection, participant)
        else:
            conference.presence.attach(seat, connection)
            if connection.is_gone:
                conference.presence.detach(seat)
        return participant

    async def _move(self, connection: Connection, participant: Participant) -> Participant:
        """Write down that somebody is at another address now, before they are back.

        Raises:
            ClientError: `resume_failed`: the seat was given up meanwhile.
        """
        name, origin = participant.participant_id, hidden(connection.address)
        try:
            return await self._conference.change(
                name, lambda now: msgspec.structs.replace(now, origin=origin)
            )
        except ClientError:
            raise _resume_failed() from None

    async def _take_over(self, connection: Connection, participant: Participant) -> Participant:
        """Give somebody a seat here whom another replica served, be that dead or alive.

        Raises:
            ClientError: `resume_failed`: we served this one ourselves, and the seat is given up.
        """
        conference, participant_id = self._conference, participant.participant_id
        store = conference.store
        room = await store.room(participant.room_id)
        if room is None or conference.workers.index_of(participant.home) is not None:
            raise _resume_failed()
        was_shown = conference.is_shown(participant)
        worker = conference.workers.place_in(room)
        home = conference.workers.number_of(worker)

        def apply(now: Participant) -> Participant:
            if now.put_out:
                raise _resume_failed()
            origin = hidden(connection.address) if _has_moved(now, connection) else now.origin
            return msgspec.structs.replace(now, home=home, present=True, origin=origin)

        try:
            moved = await store.update_participant(participant_id, apply)
        except ParticipantMissingError:
            raise _resume_failed() from None
        now = await store.participant(participant_id)
        if now is None or now.put_out:  # while we asked, when there was no seat to end
            if now is not None:
                await store.remove_participant(participant_id, now.put_out)
            raise _resume_failed()
        # Its media ended with the other replica: it is told so, and builds a new connection.
        seat = Seat(participant_id, room.room_id, worker, moved.publishes, missed_reset=True)
        conference.presence.sit(seat, connection)
        if connection.is_gone:
            conference.presence.detach(seat)
        self._serve(room, worker, moved)
        if not was_shown:
            frame = event_frame("participant_joined", conference.shown(moved))
            conference.presence.broadcast_frame(room.room_id, frame, skip=seat)
        return moved


def _has_moved(participant: Participant, connection: Connection) -> bool:
    """Return whether somebody who has no token comes back from another address."""
    address = connection.address
    return bool(address and not participant.subject) and not is_of(participant.origin, address)


def _resume_failed() -> ClientError:
    return ClientError("resume_failed", "the seat is gone; join afresh without the token")
