from aioice import stun as oracle

from benchmarks.load import stun


def test_a_check_is_what_an_ice_agent_reads():
    transaction = stun.new_transaction_id()
    message = oracle.parse_message(stun.check_request(transaction, "remote:local", "password"))
    assert message.check_message_integrity(b"password")
    assert message.message_method == oracle.Method.BINDING
    assert message.message_class == oracle.Class.REQUEST
    assert message.transaction_id == transaction
    assert message.attributes["USERNAME"] == "remote:local"
    assert "USE-CANDIDATE" in message.attributes
    assert "FINGERPRINT" in message.attributes


def test_a_response_tells_the_address_that_it_answers():
    transaction = stun.new_transaction_id()
    message = oracle.parse_message(stun.check_response(transaction, ("192.0.2.7", 4242), "secret"))
    assert message.check_message_integrity(b"secret")
    assert message.message_class == oracle.Class.RESPONSE
    assert message.attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.7", 4242)


def test_the_header_of_another_agents_message_is_read():
    request = oracle.Message(
        message_method=oracle.Method.BINDING, message_class=oracle.Class.REQUEST
    )
    assert stun.parse_header(bytes(request)) == stun.StunHeader(
        stun.BINDING_REQUEST, request.transaction_id
    )


def test_what_is_not_stun_has_no_header():
    assert stun.parse_header(b"") is None
    assert stun.parse_header(bytes(20)) is None
    assert stun.parse_header(stun.check_request(bytes(12), "a:b", "c")[:-1]) is None
