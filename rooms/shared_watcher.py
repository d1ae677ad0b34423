"""Who is told what other replicas change."""

from typing import Protocol

from rooms.models import Participant, Room


class StoreWatcher(Protocol):
    """Who is told what others have changed."""

    def on_room(self, before: Room | None, after: Room) -> None:
        """A room was made or changed."""
        ...

    def on_room_gone(self, room: Room, people: list[Participant]) -> None:
        """A room was removed with these in it."""
        ...

    def on_participant(self, before: Participant | None, after: Participant) -> None:
        """Somebody came, or was changed."""
        ...

    def on_participant_gone(self, participant: Participant, reason: str) -> None:
        """Somebody has left; the others are told why."""
        ...

    def on_revoked(self, token_id: str) -> None:
        """A join token was revoked."""
        ...

    def on_replicas(self, lost: set[int], back: set[int]) -> None:
        """These replicas are dead now, and those are not any more."""
        ...

    def on_connected(self, connected: bool) -> None:
        """Redis is there, and the view is the same as everybody's; or it is away."""
        ...
