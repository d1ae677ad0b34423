"""Who is on which track of whom, on its way from the media workers to the pages."""

from webrtc.control.messages import TracksAssigned
from webrtc.signaling.events import AssignedTrack, TrackAssignments
from webrtc.signaling.presence import Presence, Seat
from webrtc.signaling.wire import event_frame


class Assignments:
    """Passes news on, encoded once for all whom the same concerns, and remembers the last."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._frames: dict[str, bytes] = {}

    def handle(self, message: TracksAssigned) -> None:
        """Tell those whose tracks changed."""
        for group in message.groups:
            event = TrackAssignments([AssignedTrack(*pair) for pair in group.tracks.items()])
            frame = event_frame("track_assignments", event)
            for participant_id in group.participant_ids:
                seat = self._presence.seat(participant_id)
                if seat is not None:
                    self._frames[participant_id] = frame
                    self.show(seat)

    def show(self, seat: Seat) -> None:
        """Tell somebody who is on their tracks, if anybody has ever been."""
        frame = self._frames.get(seat.participant_id)
        if frame is not None and seat.connection is not None:
            seat.connection.socket.write(frame)

    def forget(self, participant_id: str) -> None:
        """Forget somebody who left."""
        self._frames.pop(participant_id, None)
