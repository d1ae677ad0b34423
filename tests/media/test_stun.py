"""STUN as an ICE-lite agent reads and writes it, with aioice's implementation as the oracle."""

import socket

import pytest
from aioice import stun as oracle
from hypothesis import given
from hypothesis import strategies as st

from webrtc.media import stun

PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"

# RFC 5769 section 2.1: username "evtj:h6vY", the password above.
RFC_5769_REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff"
    "80290008932ff9b151263b36"
    "0006000965"
    "76746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)


def request(*, use_candidate=False, username="ours:theirs", password=PASSWORD):
    """Return a binding request as aioice writes it."""
    message = oracle.Message(
        message_method=oracle.Method.BINDING, message_class=oracle.Class.REQUEST
    )
    message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = 1845494015
    message.attributes["ICE-CONTROLLING"] = 4711
    if use_candidate:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(password)
    return bytes(message)


def parsed(data):
    found = stun.parse_binding_request(data)
    assert found is not None
    return found


def test_the_vector_of_rfc_5769_is_read_and_authentic():
    found = parsed(RFC_5769_REQUEST)
    assert found.local_ufrag == "evtj"
    assert found.transaction_id == bytes.fromhex("b7e7a701bc34d686fa87dfae")
    assert not found.use_candidate
    assert found.is_signed_with(PASSWORD)
    assert not found.is_signed_with(b"VOkJxbRl1RmTxUk/WvJxBu")


@pytest.mark.parametrize("use_candidate", [False, True])
def test_what_aioice_asks_is_understood(use_candidate):
    found = parsed(request(use_candidate=use_candidate))
    assert found.local_ufrag == "ours"
    assert found.use_candidate is use_candidate
    assert found.is_signed_with(PASSWORD)


@given(
    ip=st.ip_addresses(v=4).map(str),
    port=st.integers(1, 65535),
    password=st.text("abcXYZ019+/", min_size=22, max_size=64),
)
def test_aioice_understands_our_answer(ip, port, password):
    asked = parsed(request(password=password.encode()))
    answer = stun.binding_success(asked, socket.inet_aton(ip), port, password.encode())
    read = oracle.parse_message(answer)
    assert read.check_message_integrity(password.encode())
    assert not read.check_message_integrity(b"another")
    assert read.message_class is oracle.Class.RESPONSE
    assert read.transaction_id == asked.transaction_id
    assert read.attributes["XOR-MAPPED-ADDRESS"] == (ip, port)
    assert list(read.attributes)[-1] == "FINGERPRINT"


@pytest.mark.parametrize("characters", range(1, 40))
def test_the_answer_is_no_longer_than_what_was_asked(characters):
    """What is sent to a spoofed address is worth nothing to a reflector."""
    message = oracle.Message(
        message_method=oracle.Method.BINDING, message_class=oracle.Class.REQUEST
    )
    message.attributes["USERNAME"] = characters * "u"
    message.add_message_integrity(PASSWORD)  # with FINGERPRINT, which may be left out
    data = bytearray(bytes(message)[:-8])
    data[3] -= 8
    found = stun.parse_binding_request(bytes(data))
    answered = len(data) >= 64
    assert (found is not None) is answered
    if answered:
        assert found.is_signed_with(PASSWORD)
        assert len(stun.binding_success(found, bytes(4), 1, PASSWORD)) <= len(data)


@pytest.mark.parametrize("position", range(0, 108, 7))
def test_no_changed_byte_before_the_integrity_goes_unnoticed(position):
    data = bytearray(RFC_5769_REQUEST)
    data[position] ^= 0x40
    found = stun.parse_binding_request(bytes(data))
    assert found is None or not found.is_signed_with(PASSWORD)


def test_a_wrong_fingerprint_is_malformed():
    assert stun.parse_binding_request(RFC_5769_REQUEST[:-1] + b"\xce") is None


def test_a_fingerprint_is_not_required():
    data = bytearray(RFC_5769_REQUEST[:-8])
    data[3] -= 8
    assert parsed(bytes(data)).is_signed_with(PASSWORD)


def test_every_truncation_is_malformed():
    for length in range(len(RFC_5769_REQUEST)):
        assert stun.parse_binding_request(RFC_5769_REQUEST[:length]) is None


def test_a_request_that_is_too_long_is_malformed_however_authentic():
    long = request(username="ours:" + "x" * stun.MAX_REQUEST_BYTES)
    assert oracle.parse_message(long).check_message_integrity(PASSWORD)
    assert stun.parse_binding_request(long) is None


def test_attributes_behind_the_integrity_do_not_count():
    message = oracle.Message(
        message_method=oracle.Method.BINDING, message_class=oracle.Class.REQUEST
    )
    message.attributes["USERNAME"] = "ours:theirs"
    message.add_message_integrity(PASSWORD)
    data = bytearray(bytes(message)[:-8] + bytes.fromhex("00250000"))  # USE-CANDIDATE
    data[2:4] = (len(data) - 20).to_bytes(2, "big")
    assert not parsed(bytes(data)).use_candidate


@pytest.mark.parametrize("missing", ["USERNAME", "MESSAGE-INTEGRITY"])
def test_requests_without_credentials_are_of_no_interest(missing):
    message = oracle.Message(
        message_method=oracle.Method.BINDING, message_class=oracle.Class.REQUEST
    )
    if missing != "USERNAME":
        message.attributes["USERNAME"] = "ours:theirs"
    else:
        message.add_message_integrity(PASSWORD)
    assert stun.parse_binding_request(bytes(message)) is None


@pytest.mark.parametrize(
    "kind", [oracle.Class.RESPONSE, oracle.Class.ERROR, oracle.Class.INDICATION]
)
def test_other_classes_are_of_no_interest(kind):
    message = oracle.Message(message_method=oracle.Method.BINDING, message_class=kind)
    message.attributes["USERNAME"] = "ours:theirs"
    message.add_message_integrity(PASSWORD)
    assert stun.parse_binding_request(bytes(message)) is None


@given(st.binary(max_size=600))
def test_garbage_never_raises(data):
    stun.parse_binding_request(data)


@given(
    st.lists(st.tuples(st.integers(0, len(RFC_5769_REQUEST) - 1), st.integers(0, 255)), max_size=8)
)
def test_a_damaged_request_never_raises_and_is_never_authentic(changes):
    data = bytearray(RFC_5769_REQUEST)
    for position, value in changes:
        data[position] = value
    found = stun.parse_binding_request(bytes(data))
    if found is not None and bytes(data[:-32]) != RFC_5769_REQUEST[:-32]:
        assert not found.is_signed_with(PASSWORD)
