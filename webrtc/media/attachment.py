"""Making a room's sources and listeners agree with a participant's connection and rights.

| mode    | who may publish is                  | who listens is                           |
|---------|-------------------------------------|------------------------------------------|
| mix     | decoded                             | sent a mix                               |
| forward | forwarded; decoded, too, while any- | forwarded to on the agreed tracks; sent  |
|         | body is sent a mix or it is kept,   | a mix if there can be no tracks          |
|         | be it by another worker             |                                          |
"""

from mixer.playout import Playout
from webrtc.media.console import Console
from webrtc.media.hall import Room
from webrtc.media.opus import Decoder
from webrtc.media.participant import Participant


def attach(participant: Participant, console: Console, now_s: float) -> None:
    """Follow a participant's connection, rights and switches."""
    room = participant.room
    _attach_listener(participant)
    _attach_source(participant, console, now_s)
    follow_listeners(room, console, now_s)


def follow_listeners(room: Room, console: Console, now_s: float) -> None:
    """Decode a room's publishers while anybody is sent a mix, or their sound is kept.

    Other workers of the room are told of it.
    """
    here = room.archive is not None or bool(room.mixer.listeners)
    mixes = room.forward is None or here
    if room.forward is not None:
        room.forward.tell_mixes(here)
        mixes = here or room.forward.mix_is_wanted
    if mixes != room.mixes:
        room.mixes = mixes
        for other in room.participants.values():
            _attach_source(other, console, now_s)


def _attach_source(participant: Participant, console: Console, now_s: float) -> None:
    put, peer, room = participant.put, participant.peer, participant.room
    live = peer is not None and peer.state == "connected" and peer.receives
    if room.forward is not None and live:
        room.forward.put_source(
            put.participant_id,
            put.csrc,
            muted=put.muted,
            standing=participant.standing,
            now_s=now_s,
        )
        participant.leave_lane()  # it would hide the packets
    elif room.forward is not None:
        room.forward.remove_source(put.participant_id, now_s)
    if live and room.mixes:
        if participant.playout is None:
            _begin_to_play(participant, console)
    elif participant.playout is not None:
        participant.leave_lane()
        participant.playout = None
        room.mixer.remove_source(put.participant_id)


def _begin_to_play(participant: Participant, console: Console) -> None:
    put, mixer = participant.put, participant.room.mixer
    participant.playout = Playout(Decoder())
    mixer.add_source(put.participant_id, put.csrc, participant.playout)
    mixer.mute_source(put.participant_id, put.muted)
    console.set_strip(participant)
    mixer.set_standing(put.participant_id, participant.standing)


def _attach_listener(participant: Participant) -> None:
    put, peer, room = participant.put, participant.peer, participant.room
    name, mixer = put.participant_id, room.mixer
    live = peer is not None and peer.state == "connected"
    row = peer.row if peer is not None and live and participant.hears_mix else None
    listener = mixer.listeners.get(name)
    if row is None:
        mixer.remove_listener(name)
    elif listener is None or listener.handle != row:
        level_id = (
            peer.session.audio.csrc_level_id if peer is not None and peer.session.audio else 0
        )
        mixer.add_listener(name, row, level_id)
        mixer.set_tier(name, peer.tiers.tier if peer is not None else 0)
        mixer.set_deafened(name, put.deafened)
        mixer.set_gains(name, participant.personal_gains())
    _attach_tracks(participant, room)


def _attach_tracks(participant: Participant, room: Room) -> None:
    peer, put = participant.peer, participant.put
    if room.forward is None:
        return
    if peer is None or put.deafened or participant.hears_mix:
        room.forward.put_listener(put.participant_id, [], [])
    else:
        mids = [track.mid for track in peer.session.tracks.flowing]
        room.forward.put_listener(put.participant_id, mids, peer.outputs)
