"""A room in which nobody comes, goes or changes anything: one compiled call sends its block.

Most blocks of most rooms are like that. What takes decisions (who hears what, what a silent mix
says, the first packet for somebody new) stays in `RoomMixer` and `OutputEncoder`; as soon as one
of those has something to decide, `RoomMixes.serial` moves on and the room goes the long way again.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mixer.arena import BLOCK_10MS
from mixer.outputs import SAMPLES, Output
from mixer.room import QUIET_PACKETS, RoomMixer
from webrtc.media.encoding import OutputEncoder
from webrtc.media.fanout import SendTable
from webrtc.media.rtp import MAX_HEARD


class _Jobs(NamedTuple):
    """What is due at a block."""

    jobs: npt.NDArray[np.void]
    members: npt.NDArray[np.int32]
    encodes: int


class SteadyRoom:
    """What a room sends, block after block.

    Attributes:
        serial: The serial of the mixer's mixes for which it holds.
    """

    def __init__(self, mixer: RoomMixer, table: SendTable, sounding: list[Output]) -> None:
        """Prepare the compiled call; see `settle`.

        Args:
            mixer: The room's.
            table: Where packets leave.
            sounding: Its outputs that have something to say, each with a flowing encoder.
        """
        from webrtc.media.fanout_kernel import JOB

        self.serial = mixer.mixes.serial
        self._mixer = mixer
        self._table = table
        heard = [source for source in mixer.sources.values() if source.heard]
        self._csrcs = np.array([source.csrc for source in heard], np.uint32)
        self._rows = np.array([source.row for source in heard], np.int32)
        self._order = np.arange(len(heard), dtype=np.int32)
        numbers = {source.source_id: i for i, source in enumerate(heard)}
        members: list[npt.NDArray[np.int32]] = []
        self._encoders: list[tuple[int, OutputEncoder]] = []
        records: list[tuple[int, ...]] = []
        halved = mixer.block == BLOCK_10MS
        begin = 0
        for output in sorted(sounding, key=lambda output: output.key.ptime_ms):
            encoder = output.cookie
            if not isinstance(encoder, OutputEncoder):
                raise TypeError("an output without an encoder cannot flow")
            count = BLOCK_10MS * output.key.ptime_ms // 10
            long = halved and output.key.ptime_ms == 20
            pointer = encoder.pointer
            self._encoders.append((len(records), encoder))
            for level_id, rows in output.members.items():
                records.append(
                    (
                        pointer,
                        output.row,
                        BLOCK_10MS if halved and not long else 0,
                        count,
                        -BLOCK_10MS if long else 0,
                        begin,
                        begin + len(rows),
                        numbers.get(mixer.choice.left_out(output.key.mix), -1),
                        level_id,
                        0xFC,
                    )
                )
                members.append(rows)
                begin += len(rows)
                pointer = 0
        all_members = np.concatenate(members) if members else np.zeros(0, np.int32)
        self._odd = _Jobs(np.array(records, JOB), all_members, len(self._encoders))
        self._even = self._odd
        if halved:
            short = [record for record in records if record[3] == BLOCK_10MS]
            jobs = np.array(short, JOB)
            jobs["first"] = 0
            reach = int(jobs["end"].max(initial=0))
            encodes = sum(1 for record in short if record[0])
            self._even = _Jobs(jobs, all_members[:reach], encodes)

    def send(self) -> int:
        """Encode and send the mixer's current block; return how many payloads were encoded.

        Raises:
            OpusError: libopus refused to encode.
        """
        mixer = self._mixer
        now = self._even if mixer.is_even else self._odd
        if now.encodes:
            self._table.send_block(
                mixer.mix_sounds,
                now.jobs,
                now.members,
                self._csrcs,
                mixer.meters,
                self._rows,
                self._order,
                mixer.block_time,
            )
        return now.encodes

    def release(self) -> None:
        """Let the encoders know what was said in their name."""
        for place, encoder in self._encoders:
            encoder.note_toc(int(self._odd.jobs["toc"][place]))


def settle(mixer: RoomMixer, table: SendTable) -> SteadyRoom | None:
    """Return how a room goes on if nothing changes, None while something does.

    To be asked after a block was sent the long way.
    """
    if mixer.plan is None or not table.sends_blocks:
        return None
    if sum(source.heard for source in mixer.sources.values()) > MAX_HEARD:
        return None
    silent = mixer.plan.silent_rows
    sounding = []
    for output in mixer.outputs.values():
        if output.key.tier == SAMPLES:
            continue
        if output.joined or output.history is not None:
            return None
        if output.row in silent:
            if output.quiet_packets <= QUIET_PACKETS:
                return None
        elif isinstance(output.cookie, OutputEncoder) and output.cookie.is_flowing:
            sounding.append(output)
        else:
            return None
    return SteadyRoom(mixer, table, sounding)
