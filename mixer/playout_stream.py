"""A publisher's stream while nothing special happens to it, so that compiled code can play it."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class SteadyStream:
    """What is needed to take packets in order and to play them, so many whole ones per block.

    Whoever holds it while it is lent may do only what `Playout` itself would do with the packet
    that is due next: the next number and time stamp, as long as the others, of the same kind. All
    else needs the playout, which takes the stream back first.

    Attributes:
        samples: Of every packet.
        position: Extended RTP time of the newest packet.
        next: Extended RTP time of what is played next; where the first waiting packet begins.
        low: With the four that follow, `Playout`'s watch over excess delay.
        wait_s: Mean time from arrival to pull.
        deadline_s: Transit by which packets are waited for, margin included.
        late_after_s: Transit beyond which a packet raises the deadline.
        spare_s: Asked for beside the deadline before delay is taken out.
        skip_above: Excess in samples beyond a packet that is skipped.
        last_transit_s: Of the newest packet.
        waiting: How many packets wait.
        packets: Payload and arrival of those, without a hole; while it is lent, the holder has
            them.
        arrived: Packets that came while it was lent and the playout has not been told of.
        transits: (transit, arrival) of those.
    """

    samples: int
    position: int
    next: int
    low: int
    low_before: int
    low_left: int
    cooldown: int
    wait_s: float
    deadline_s: float
    late_after_s: float
    spare_s: float
    skip_above: int
    last_transit_s: float
    waiting: int
    packets: list[tuple[bytes, float]]
    arrived: int = 0
    transits: list[tuple[float, float]] = field(default_factory=list)
