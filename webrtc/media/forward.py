"""Forward rooms: packets leave for the tracks of their listeners as they are read.

`mixer.forward` decides where a packet goes and `forward_table` sends it; here they are tied to the
worker's participants, and what changes is told to the front process: who is on which track at
once, levels ten times a second. Where other workers serve the room, too, `mixer.forward_exchange`
says what they are told, and what they say goes the way of the worker's own packets.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence

from mixer.exchange_frames import BusFrame
from mixer.forward import Assigned, ForwardRoom
from mixer.forward_exchange import ForwardExchange
from mixer.playout_packet import MediaPacket
from mixer.room import RoomMixer
from mixer.selection_candidate import Standing
from mixer.selection_settings import SelectionSettings
from webrtc.control.messages import Levels, SourceLevel, ToFront, TrackGroup, TracksAssigned
from webrtc.media.forward_table import ForwardTable
from webrtc.media.forward_voices import ForwardVoices
from webrtc.media.opus import Decoder
from webrtc.media.opus_library import MalformedPacketError
from webrtc.media.opus_packets import packet_samples

LEVELS_EVERY_S = 0.1
LEVEL_STEP_DB = 3


class Forwarding:
    """One forward room.

    Attributes:
        core: What decides.
    """

    def __init__(
        self, room_id: str, settings: SelectionSettings, table: ForwardTable, counters: Counter[str]
    ) -> None:
        """Make a room without sources and listeners that counts into `counters`."""
        self.core = ForwardRoom(settings, Decoder, counters)
        self._room_id = room_id
        self._table = table
        self._counters = counters
        self._exchange: ForwardExchange | None = None
        self._publish: Callable[[BusFrame], None] = lambda _: None
        self._with_packets: set[str] = set()  # sources whose packets come here
        self._voices = ForwardVoices(self)
        self._mids: dict[str, tuple[str, ...]] = {}
        self._outputs: dict[str, list[int]] = {}
        self._now_s = 0.0
        self._next_levels_s = 0.0

    @property
    def max_speakers(self) -> int:
        """How many are forwarded to everybody."""
        return self.core.settings.max_speakers

    def put_source(
        self, name: str, csrc: int, *, muted: bool, standing: Standing, now_s: float
    ) -> None:
        """Let a participant publish packets, or change how."""
        if name not in self._with_packets:
            self._with_packets.add(name)
            self.core.remove_source(name, now_s)  # it may have come as sound until now
            self.core.add_source(name, csrc, now_s, standing)
        self.core.set_standing(name, standing)
        self.core.mute_source(name, muted, now_s)

    def remove_source(self, name: str, now_s: float) -> None:
        """Let a participant publish packets no more; others are ignored."""
        if name in self._with_packets:
            self._with_packets.discard(name)
            self.core.remove_source(name, now_s)

    def take_sounds(self, mixer: RoomMixer, now_s: float) -> None:
        """Forward the block that was mixed just now of sources that send no packets."""
        if len(mixer.sources) or self._voices:
            self._voices.say(mixer, self._with_packets, now_s)

    def put_listener(self, name: str, mids: Sequence[str], outputs: list[int]) -> None:
        """Give a participant these tracks, none to take them away.

        Args:
            name: Who.
            mids: Identification tags of the tracks.
            outputs: Rows of the forward table, one of each.
        """
        if self._outputs.get(name, []) == outputs:
            return
        if outputs:
            self._outputs[name] = outputs
            self._mids[name] = tuple(mids)
            self.core.add_listener(name, outputs)
        else:
            del self._outputs[name], self._mids[name]
            self.core.remove_listener(name)

    # ---- other workers of the room ---------------------------------------------------------

    def share(
        self,
        worker: int,
        others: Collection[int],
        foreign: Collection[int],
        publish: Callable[[BusFrame], None],
        first_serial: int,
        now_s: float,
    ) -> None:
        """Exchange packets with other workers, or with none of them any more.

        Args:
            worker: Number of this one.
            others: Theirs.
            foreign: Those of them that are another server's.
            publish: Sends a frame to them.
            first_serial: As `ForwardExchange` takes it.
            now_s: The present.
        """
        if self._exchange is None:
            if not others:
                return
            self._exchange = ForwardExchange(self.core, self._room_id, worker, first_serial)
            self.core.exchange = self._exchange
        self._publish = publish
        self._exchange.set_neighbours(others, foreign, now_s)

    @property
    def mix_is_wanted(self) -> bool:
        """Whether somebody at another worker is sent a mix."""
        return self._exchange is not None and self._exchange.mix_is_wanted

    def tell_mixes(self, mixes: bool) -> None:
        """Tell other workers whether somebody here is sent a mix."""
        if self._exchange is not None:
            self._exchange.set_mixes(mixes)

    def take_frame(self, frame: BusFrame, arrival_s: float) -> None:
        """Forward what another worker's publishers have sent."""
        if self._exchange is not None:
            for name, packet in self._exchange.handle(frame, arrival_s):
                self.take(name, packet)

    def look(self, now_s: float) -> None:
        """Choose anew although nothing came, and tell other workers what is due."""
        self.core.look(now_s)
        if self._exchange is not None:
            self._exchange.look(now_s)
            self._tell_others()

    def _tell_others(self) -> None:
        if self._exchange is not None:
            for frame in self._exchange.poll_frames():
                self._publish(frame)

    # ---- packets ---------------------------------------------------------------------------

    def take(self, name: str, packet: MediaPacket) -> bool:
        """Forward a publisher's packet; return whether it is heard, and so to be mixed as well."""
        # Stamps of different senders come a little out of order; the choice wants one clock.
        now_s = self._now_s = max(self._now_s, packet.arrival_s)
        try:
            samples = packet_samples(packet.payload)
        except MalformedPacketError:
            self._counters["packets_malformed"] += 1
            return False
        rows = self.core.handle_packet(name, packet, now_s)
        self._tell_others()  # before our own listeners: others wait for it
        for fresh in self.core.poll_fresh():
            self._table.break_off(fresh)
        if rows is None:
            return False
        if len(rows):
            self._table.send(rows, packet, samples, self.core.sources[name].csrc)
        return True

    def news(self, now_s: float) -> list[ToFront]:
        """Return what the front process has to know."""
        found: list[ToFront] = []
        if events := self.core.poll_events():
            found.append(self._assigned(events))
        if now_s >= self._next_levels_s:
            self._next_levels_s = now_s + LEVELS_EVERY_S
            if levels := self._levels(now_s):
                found.append(Levels(self._room_id, levels))
        return found

    def everything(self) -> ToFront:
        """Return who is on which track of everybody, for a front process that knows nothing."""
        return self._assigned(self.core.everything())

    def _assigned(self, events: Sequence[Assigned]) -> TracksAssigned:
        groups = []
        for event in events:
            alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
            for name in event.listeners:
                alike[self._mids[name]].append(name)
            groups += [
                TrackGroup(names, dict(zip(mids, event.sources, strict=True)))
                for mids, names in alike.items()
            ]
        return TracksAssigned(self._room_id, groups)

    def _levels(self, now_s: float) -> list[SourceLevel]:
        changed = []
        for source in self.core.sources.values():
            if source.remote and not source.foreign:  # its own worker tells of it
                continue
            name, level = source.source_id, source.level
            speaking = self.core.speaks(name, now_s)
            if (
                speaking != source.reported_speaking
                or abs(level - source.reported_level) >= LEVEL_STEP_DB
            ):
                source.reported_level, source.reported_speaking = level, speaking
                changed.append(SourceLevel(name, level, speaking))
        return changed


class Forwarder:
    """All forward rooms of a worker.

    Attributes:
        table: Where their packets leave.
    """

    def __init__(
        self, table: ForwardTable, counters: Counter[str], tell: Callable[[ToFront], None]
    ) -> None:
        """Begin without rooms; `tell` reaches the front process."""
        self.table = table
        self._counters = counters
        self._tell = tell
        self._rooms: dict[str, Forwarding] = {}

    @property
    def is_active(self) -> bool:
        """Whether packets may come that have to leave at once."""
        return any(room.core.sources for room in self._rooms.values())

    def put_room(self, room_id: str, settings: SelectionSettings, now_s: float) -> Forwarding:
        """Return a forward room of this id, made if need be, that chooses by these rules."""
        room = self._rooms.get(room_id)
        if room is None:
            room = Forwarding(room_id, settings, self.table, self._counters)
            self._rooms[room_id] = room
        elif room.core.settings != settings:
            room.core.apply(settings, now_s)
        return room

    def drop_room(self, room_id: str) -> None:
        """Forget a room; unknown ids are ignored."""
        self._rooms.pop(room_id, None)

    def tell_news(self, now_s: float) -> None:
        """Tell the front process what changed; to be called after each batch of packets."""
        for room in self._rooms.values():
            for message in room.news(now_s):
                self._tell(message)

    def look(self, now_s: float) -> None:
        """Choose anew where nothing came for a while, and tell of it."""
        for room in self._rooms.values():
            room.look(now_s)
        self.tell_news(now_s)

    def tell_everything(self) -> None:
        """Tell a front process that has just come who is on which track."""
        for room in self._rooms.values():
            self._tell(room.everything())
