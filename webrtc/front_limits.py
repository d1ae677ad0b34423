"""What the front process bounds, and by how much."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FrontLimits:
    """Bounds of the front process; the defaults are those of docs/protocol.md."""

    max_rooms: int = 10_000
    max_participants: int = 20_000
    """Of this server, in all its rooms."""
    max_rooms_per_tenant: int = 1_000_000
    max_participants_per_tenant: int = 1_000_000
    """Both on all replicas together."""
    max_participants_per_room: int = 2_000
    max_publishers_per_room: int = 500
    full_retry_after_s: float = 10.0
    """When somebody who found the server full should try again."""
    request_rate_per_s: float = 50.0
    request_burst: float = 300.0
    """REST requests from one address."""
    room_share: int = 400
    """Most people of a room in one media worker while others can serve it, too."""
    max_sockets: int = 20_000
    idle_connection_s: float = 150.0
    """How long an HTTP connection may stay without asking for anything, or with half a request;
    longer than the proxies in use keep one, which would else ask on a connection that is gone."""
    resume_window_s: float = 60.0
    """How long a seat is kept after its socket was lost."""
    lost_after_s: float = 10.0
    """How long the others see someone whose socket was lost and whose media is gone too."""
    empty_room_s: float = 600.0
    """How long a room that was made through REST waits for its first participant."""
    negotiation_timeout_s: float = 10.0
    server_offer_timeout_s: float = 15.0
    """How long the client has to answer an offer of the server."""
    event_rate_per_s: float = 100.0
    event_burst: float = 300.0
    """Tokens of a connection; events cost what `CLIENT_EVENTS` says, mostly 1."""
    update_period_s: float = 0.1
    """Shortest time between two `participant_updated` of one participant."""
    publisher_levels_period_s: float = 0.09
    """Shortest time between two `levels` to those who publish; workers tell ten times a second."""
    listener_levels_period_s: float = 1 / 3
    """Shortest time between two `levels` to those who publish nothing."""
    stranger_s: float = 20.0
    """How long a socket may stay without a good join token, where tokens are wanted."""
    drain_retry_after_s: float = 2.0
    workers_at_start_s: float = 2.0
    """How long a starting front process waits for workers that may remember rooms."""
