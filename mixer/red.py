"""Redundant audio data: several Opus packets in one RTP packet (RFC 2198)."""

from mixer.playout_packet import MediaPacket

MAX_BLOCKS = 8


def unpack_red(packet: MediaPacket) -> list[MediaPacket]:
    """Return the packets inside a RED packet, the oldest first and the primary one last.

    The redundant ones count back in sequence from the primary one, as senders of Opus pack them:
    each repeats one earlier packet. A malformed packet gives an empty list.
    """
    data = packet.payload
    headers: list[tuple[int, int]] = []  # timestamp offset and length of each redundant block
    position = 0
    while position < len(data) and data[position] & 0x80:
        if position + 4 > len(data) or len(headers) == MAX_BLOCKS:
            return []
        word = int.from_bytes(data[position : position + 4], "big")
        headers.append((word >> 10 & 0x3FFF, word & 0x3FF))
        position += 4
    position += 1  # the primary block's header is one byte
    if position + sum(length for _, length in headers) >= len(data):
        return []
    packets = []
    for index, (offset, length) in enumerate(headers):
        payload = data[position : position + length]
        position += length
        if payload:
            packets.append(
                packet._replace(
                    sequence=packet.sequence - (len(headers) - index) & 0xFFFF,
                    timestamp=packet.timestamp - offset & 0xFFFFFFFF,
                    payload=payload,
                    marker=False,
                    redundant=True,
                )
            )
    packets.append(packet._replace(payload=data[position:]))
    return packets
