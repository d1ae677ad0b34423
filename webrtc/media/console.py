"""The mixing desk of a worker: strips, the sound of rooms, and meters."""

from collections.abc import Mapping

from mixer.balance import BalanceSettings
from webrtc.control.messages import Meters, PutRoom, WatchMeters
from webrtc.media.hall import Room
from webrtc.media.metering import Metering
from webrtc.media.morph import Morphs, Wire
from webrtc.media.participant import Participant
from webrtc.media.strips import character_of, strip_settings


class Console:
    """Passes what the front process says on to the rooms' mixers, and their meters back."""

    def __init__(self, participants: Mapping[str, Participant]) -> None:
        """Begin with nothing to do.

        Args:
            participants: The worker's, by id.
        """
        self._participants = participants
        self._metering = Metering()
        self._morphs = Morphs()

    # ---- rooms -----------------------------------------------------------------------------

    def set_room(self, room: Room, put: PutRoom) -> None:
        """Let a room sound as it should."""
        room.mixer.selection = put.selection
        balance = BalanceSettings(put.automix, put.ducking_db, put.target_lufs)
        room.mixer.treatment.balance = balance

    def watch(self, room: Room | None, message: WatchMeters) -> None:
        """Measure in a room what `message` says; a room that is gone is ignored."""
        if room is not None:
            self._metering.watch(room, message)

    def forget_room(self, room: Room) -> None:
        """Take note that a room is gone."""
        self._metering.forget(room)

    def stop_watching(self) -> None:
        """Measure nothing any more: whoever looked is not there to say so."""
        self._metering.clear()

    # ---- strips ----------------------------------------------------------------------------

    def set_strip(self, participant: Participant) -> None:
        """Give a participant's sound its strip, at once."""
        self._morphs.stop(participant.put.participant_id)
        self._apply(participant, participant.put.strip)

    def change_strip(
        self, participant: Participant, former: Wire, lasts_s: float, now_s: float
    ) -> None:
        """Bring a strip from its former settings to the participant's, in so many seconds."""
        put = participant.put
        if lasts_s > 0 and participant.playout is not None:
            self._morphs.start(put.participant_id, former, put.strip, now_s, lasts_s)
        else:
            self.set_strip(participant)

    def forget(self, participant_id: str) -> None:
        """Take note that somebody is gone."""
        self._morphs.stop(participant_id)

    def _apply(self, participant: Participant, wire: Wire) -> None:
        name, mixer = participant.put.participant_id, participant.room.mixer
        mixer.set_strip(name, strip_settings(wire))
        mixer.set_character(name, character_of(wire))

    # ---- the clock -------------------------------------------------------------------------

    def turn(self, now_s: float) -> Meters | None:
        """Move strips that are on their way, and return meters if they are due."""
        for name, wire in self._morphs.due(now_s):
            participant = self._participants.get(name)
            if participant is not None:
                self._apply(participant, wire)
        return self._metering.take(now_s)
