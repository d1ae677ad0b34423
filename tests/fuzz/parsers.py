"""Every parser of bytes that come from outside, each as a function of bytes.

A parser may refuse with what its contract names; anything else that it raises is a find. Seeds are
good inputs, from which mutation starts.
"""

import contextlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from archive.containers import recognise
from archive.wav import WavError, read_wav
from gateway.wire.datagrams import read_opus
from gateway.wire.lines import Hello, LineError, LineReader, read_client_line, write_line
from mixer.netsim_settings import parse_conditions
from tests.support.passes import AUDIENCE, SECRET, token
from webrtc.access import Access
from webrtc.access_keys import read_keys
from webrtc.errors import ClientError
from webrtc.front_origins import OriginPolicy
from webrtc.media.rtcp import parse_rtcp, receiver_report, sender_report, source_description
from webrtc.media.rtp import parse_rtp
from webrtc.media.sdp import read_offer
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
    """

    parse: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()
    seeds: Iterable[bytes] = field(default=(b"",))

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
    "stun": Target(parse_binding_request, (), [_STUN]),
    "rtp": Target(lambda data: parse_rtp(data, 1), (), [_RTP]),
    "rtcp": Target(
        parse_rtcp,
        (),
        [
            sender_report(1, 2, 3, 4, 5) + source_description(1, "a"),
            receiver_report(1, None),
        ],
    ),
    "udp_opus": Target(read_opus, (), [bytes(6) + b"\xfc\xff\xfe"]),
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
