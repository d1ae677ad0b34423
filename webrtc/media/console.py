"""The mixing desk of a worker: strips, the sound of rooms, and meters."""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from mixer.balance import BalanceSettings
from mixer.selection_settings import SelectionSettings
from mixer.shedding import Step, selection_at
from webrtc.control.messages import Meters, PutRoom, WatchMeters
from webrtc.media.far_meters import FarMeters
from webrtc.media.hall import Room
from webrtc.media.metering import Metering
from webrtc.media.morph import Morphs, Wire
from webrtc.media.participant import Participant
from webrtc.media.sharing import Sharing
from webrtc.media.strips import character_of, is_dear, shed, strip_settings

_AT_ONCE: Final = 8
"""Strips changed per turn when others are to be left out: time is short just then."""


class Console:
    """Passes what the front process says on to the rooms' mixers, and their meters back."""

    def __init__(self, participants: Mapping[str, Participant]) -> None:
        """Begin with nothing to do.

        Args:
            participants: The worker's, by id.
        """
        self._participants = participants
        self._metering = Metering()
        self._far: FarMeters | None = None
        self._morphs = Morphs()
        self._step = Step.WHOLE
        self._selections: dict[Room, SelectionSettings] = {}
        self._to_change: list[str] = []  # whose strips do not follow the step yet

    # ---- rooms -----------------------------------------------------------------------------

    def set_room(self, room: Room, put: PutRoom) -> None:
        """Let a room sound as it should."""
        self._selections[room] = put.selection
        room.mixer.selection = selection_at(self._step, put.selection)
        balance = BalanceSettings(put.automix, put.ducking_db, put.target_lufs)
        room.mixer.treatment.balance = balance

    def reach(self, sharing: Sharing, tell: Callable[[Meters], None]) -> None:
        """Have strips of people of other servers measured there, and theirs here."""
        self._far = FarMeters(sharing, self._metering, tell)
        sharing.on_meters = self._far.handle

    def watch(self, room: Room | None, message: WatchMeters) -> None:
        """Measure in a room what `message` says; a room that is gone is ignored."""
        if room is not None:
            self._metering.watch(room, message)
            if self._far is not None:
                self._far.watch(room, message)

    def look(self, now_s: float) -> None:
        """Ask others again for what pages here look at; several times a second."""
        if self._far is not None:
            self._far.look(now_s)

    def forget_room(self, room: Room) -> None:
        """Take note that a room is gone."""
        self._metering.forget(room)
        if self._far is not None:
            self._far.forget(room)
        self._selections.pop(room, None)

    def leave_out(self, step: Step) -> None:
        """Leave out in all rooms what `step` says, and nothing else; strips follow by and by."""
        self._step = step
        for room, wanted in self._selections.items():
            room.mixer.selection = selection_at(step, wanted)
        everybody: Collection[Participant] = self._participants.values()
        self._to_change = [one.put.participant_id for one in everybody if is_dear(one.put.strip)]

    def stop_watching(self) -> None:
        """Measure nothing any more: whoever looked is not there to say so."""
        self._metering.clear()
        if self._far is not None:
            self._far.clear()

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
        wire = shed(wire, self._step)
        mixer.set_strip(name, strip_settings(wire))
        mixer.set_character(name, character_of(wire))

    # ---- the clock -------------------------------------------------------------------------

    def turn(self, now_s: float) -> Meters | None:
        """Move strips that are on their way, and return meters if they are due."""
        for name, wire in self._morphs.due(now_s):
            participant = self._participants.get(name)
            if participant is not None:
                self._apply(participant, wire)
        for name in self._to_change[:_AT_ONCE]:
            participant = self._participants.get(name)
            if participant is not None and not self._morphs.moves(name):
                self._apply(participant, participant.put.strip)
        del self._to_change[:_AT_ONCE]
        return self._metering.take(now_s)
