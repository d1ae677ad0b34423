"""Every parser of bytes that come from outside, each as a function of bytes.

A parser may refuse with what its contract names; anything else that it raises is a find. Seeds are
good inputs, from which mutation starts.
"""

import contextlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from archive.containers import recognise
from archive.guess import guess
from archive.wav import WavError, read_wav
from gateway.wire.datagrams import read_opus
from gateway.wire.guard import Client, Guard
from gateway.wire.incoming import ChunkPlayout
from gateway.wire.lines import Hello, LineError, LineReader, read_client_line, write_line
from gateway.wire.plain import Knocks
from mixer.netsim_settings import parse_conditions
from mixer.playout_packet import MediaPacket, Pull
from mixer.red import unpack_red
from tests.support.passes import AUDIENCE, SECRET, token
from webrtc.access import Access
from webrtc.access_keys import read_keys
from webrtc.errors import ClientError
from webrtc.front_origins import OriginPolicy
from webrtc.media import intake_kernel as kernel
from webrtc.media.opus_library import MalformedPacketError
from webrtc.media.opus_packets import inspect
from webrtc.media.rtcp import parse_rtcp, receiver_report, sender_report, source_description
from webrtc.media.rtp import parse_rtp
from webrtc.media.sdp import read_offer
from webrtc.media.sdp_offer import read_answer
from webrtc.media.stun import parse_binding_request
from webrtc.settings import SettingsError, load
from webrtc.settings_table import VARIABLES
from webrtc.signaling.messages import CLIENT_EVENTS
from webrtc.signaling.sdp_fragments import read_fragment
from webrtc.signaling.wire import (
    parse_binary_event_packet,
    parse_connect_token,
    parse_event_packet,
    parse_payload,
)

_VECTORS = Path(__file__).parents[1] / "media" / "vectors"
_ACCESS = Access(SECRET, audience=AUDIENCE)
_ORIGINS = OriginPolicy(frozenset(), (8080, 8081))


@dataclass(frozen=True)
class Target:
    """One parser.

    Attributes:
        parse: returns whatever it makes of some bytes.
        refusals: what it may raise.
        seeds: good inputs.
        share: how many of the inputs it gets that the others get; less for what takes long.
    """

    parse: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()
    seeds: Iterable[bytes] = field(default=(b"",))
    share: float = 1.0

    def run(self, data: bytes) -> None:
        """Parse once; raises only what is a find."""
        with contextlib.suppress(*self.refusals):
            self.parse(data)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _socketio(data: bytes) -> None:
    text = _text(data)
    parse_binary_event_packet(text)
    parse_connect_token(text)
    packet = parse_event_packet(text)
    event = CLIENT_EVENTS.get(packet.name or "")
    if event is not None:
        parse_payload(event, packet.arguments)


def _rtp_compiled(data: bytes) -> list[int] | None:
    """Read a packet by the compiled loop, in Python too, where reading past the end is an error."""
    if data[:1] and data[0] >> 6 != 2:
        return None  # which is no RTP to `kernel.receive`
    packet, plain = np.frombuffer(bytearray(data), np.uint8), parse_rtp(data, _LEVEL_ID)
    parsers: tuple[Callable[..., bool], ...] = (kernel._parse, kernel._parse.py_func)
    for parse in parsers:
        record = np.zeros(kernel.COLUMNS, np.int64)
        is_good = parse(packet, np.int64(len(data)), np.uint8(_LEVEL_ID), record)
        assert is_good == (plain is not None)
        if plain is None:
            continue
        start = int(record[kernel.OFFSET])
        assert data[start : start + int(record[kernel.LENGTH])] == plain.payload
        flags = int(record[kernel.FLAGS])
        level = flags & 0x7F if flags & kernel.HAS_LEVEL else None
        assert (level, bool(flags & kernel.VOICE)) == (plain.level_dbov, plain.voice)
    return None if plain is None else record.tolist()


def _udp_samples(data: bytes) -> Pull | None:
    """Take a datagram as a worker's door of the gateway does, and play what it holds."""
    Knocks().hear(data, _ADDRESS, 1.0)
    guard, playout = Guard(), ChunkPlayout()
    guard.add(_UDP_ID, Client("ada", "pcm", 0))
    guard.add("plain", Client("bob", "pcm", 0))
    admitted = guard.admit(data, _ADDRESS, 1.0)
    if admitted is None:
        return None
    block = np.zeros((480, 2), np.float32)
    playout.push(admitted[1], 1.0)
    outcome = [playout.pull(block, 1.0 + turn / 100) for turn in range(4)][-1]
    assert np.isfinite(block).all()
    return outcome


def _raw_samples(data: bytes) -> None:
    for one in guess(data).candidates:
        assert 0 <= one.confidence <= one.encoding_confidence <= 1


def _gateway_lines(data: bytes) -> None:
    for line in LineReader().feed(data):
        read_client_line(line)


def _environment(data: bytes) -> None:
    name, _, text = _text(data).partition("=")
    load({name: text}, own_addresses=lambda: ("192.0.2.1",), usable_cpus=lambda: 2)


def _token(data: bytes) -> None:
    work = _ACCESS.check(_text(data))
    try:
        work.send(None)
    except StopIteration:
        return
    finally:
        work.close()


def _offers() -> list[bytes]:
    return [path.read_bytes() for path in sorted(_VECTORS.glob("*.sdp"))]


_STUN = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020"
    "00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf".replace(" ", "")
)  # RFC 5769 section 2.1
_RTP = bytes.fromhex("90ef0001000003e80000002abede000110850000") + b"\xfc\xff\xfe"
_LEVEL_ID = 1
_RTP_SEEDS = [_RTP, b"\xb1" + _RTP[1:12] + b"\0\0\0\5" + _RTP[12:] + b"\0\0\3"]
_RED = bytes.fromhex("ef0780036f") + b"\xfc\xff\xfe" * 2
_OPUS = [b"\xfc\xff\xfe", b"\xfd\1\2\3\4", b"\xfe\2\1\2\3", b"\xff\x42\1\1\1\1\1", b"\x08\x40"]
_UDP_ID = 32 * "a"
_ADDRESS = 0x7F000001 << 16 | 5002
_TONE = (8000 * np.sin(np.arange(1024) / 16)).astype("<i2").tobytes()
_ANSWER = (
    b"v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendrecv\r\n"
    b"m=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=recvonly\r\n"
)
_EVENTS = (
    b'7["join_room",{"room_id":"studio","name":"Ada","role":"both","token":"a.b.c"}]',
    b'8["audio_stream_metadata",{"genre":"jazz","gateThreshold":-35,"reverbMix":25}]',
    b'9["set_listener_mix",{"participant_id":"x","gain_db":-6,"pan":0.5,"muted":false}]',
    b'10["offer",{"type":"offer","sdp":"v=0"}]',
    b'51-11["store_scene",{"_placeholder":true,"num":0}]',
    b'{"token":"a.b.c"}',
)
_FRAGMENT = (
    b"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef0123456789\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
    b"a=mid:0\r\na=candidate:1 1 udp 2130706431 192.0.2.1 9 typ host\r\na=end-of-candidates\r\n"
)
_WAV = bytes.fromhex(
    "52494646340000005741564566 6d7420 10000000 0100 0200 80bb0000 00ee0200 0400 1000"
    "64617461 10000000".replace(" ", "")
) + bytes(16)
_JWKS = {"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ", "kid": "a", "use": "sig"}

TARGETS: dict[str, Target] = {
    "socketio": Target(_socketio, (ClientError,), _EVENTS),
    "sdp_offer": Target(lambda data: read_offer(_text(data)), (ClientError,), _offers()),
    "sdp_fragment": Target(lambda data: read_fragment(_text(data)), (ClientError,), [_FRAGMENT]),
    "sdp_answer": Target(
        lambda data: read_answer(_text(data)), (ClientError,), [_ANSWER, *_offers()]
    ),
    "stun": Target(parse_binding_request, (), [_STUN]),
    "rtp": Target(lambda data: parse_rtp(data, _LEVEL_ID), (), _RTP_SEEDS),
    "rtp_compiled": Target(_rtp_compiled, (), _RTP_SEEDS),
    "red": Target(lambda data: unpack_red(MediaPacket(1, 2, data, 0.0)) or None, (), [_RED]),
    "opus_headers": Target(inspect, (MalformedPacketError,), _OPUS),
    "rtcp": Target(
        parse_rtcp,
        (),
        [
            sender_report(1, 2, 3, 4, 5) + source_description(1, "a"),
            receiver_report(1, None),
        ],
    ),
    "udp_opus": Target(read_opus, (), [bytes(6) + b"\xfc\xff\xfe"]),
    "udp_samples": Target(
        _udp_samples, (), [_UDP_ID.encode() + _TONE, b"plain" + _TONE, b"nobody" + _TONE]
    ),
    "raw_samples": Target(_raw_samples, (), [_TONE, _TONE[1:], _TONE.hex().encode()], share=0.01),
    "gateway_lines": Target(
        _gateway_lines, (LineError,), [write_line(Hello(name="Ada", room_id="r", token="t"))]
    ),
    "wav": Target(read_wav, (WavError,), [_WAV]),
    "containers": Target(recognise, (), [_WAV, b"OggS" + bytes(40), b"ID3" + bytes(40)]),
    "settings": Target(
        _environment,
        (SettingsError,),
        [f"{one.name}={one.example}".encode() for one in VARIABLES],
    ),
    "simulated_network": Target(
        lambda data: parse_conditions(_text(data)), (ValueError,), [b"loss=5,jitter=20", b"50%"]
    ),
    "tokens": Target(_token, (ClientError,), [token("host").encode()]),
    "key_sets": Target(read_keys, (ValueError,), [json.dumps({"keys": [_JWKS]}).encode()]),
    "origins": Target(
        lambda data: (
            _ORIGINS.allows(_text(data), "mixer.example:8081"),
            _ORIGINS.signaling_sources(_text(data)),
        ),
        (),
        [b"https://mixer.example:8081", b"[::1]:8081"],
    ),
}
