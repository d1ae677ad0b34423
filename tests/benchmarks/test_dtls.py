import pytest

from benchmarks.load.dtls import Certificate, DtlsSession, HandshakeError, make_context
from benchmarks.load.rtp import receiver_report, rtp_packet


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return Certificate.generate()


def pair(certificate: Certificate, expected: str) -> tuple[DtlsSession, DtlsSession]:
    context = make_context(certificate)
    return (
        DtlsSession(context, is_client=True, peer_fingerprint=expected),
        DtlsSession(context, is_client=False, peer_fingerprint=certificate.fingerprint),
    )


def shake_hands(client: DtlsSession, server: DtlsSession) -> None:
    flights = client.start()
    assert server.start() == []
    for receiver in (server, client, server, client):
        flights = [answer for flight in flights for answer in receiver.handle_datagram(flight)]


def test_both_ends_derive_the_keys_of_each_other(certificate):
    client, server = pair(certificate, certificate.fingerprint)
    shake_hands(client, server)
    assert client.srtp is not None
    assert server.srtp is not None
    packet = rtp_packet(111, 1, 960, 5, b"opus")
    assert server.srtp.inbound.unprotect(client.srtp.outbound.protect(packet)) == packet
    assert client.srtp.inbound.unprotect(server.srtp.outbound.protect(packet)) == packet
    report = receiver_report(5, [])
    protected = client.srtp.outbound.protect_rtcp(report)
    assert server.srtp.inbound.unprotect_rtcp(protected) == report


def test_flights_fit_into_datagrams_of_whole_records(certificate):
    client, server = pair(certificate, certificate.fingerprint)
    for flight in client.start():
        for datagram in server.handle_datagram(flight):
            assert len(datagram) <= 1200
            end = 0
            while end < len(datagram):
                end += 13 + int.from_bytes(datagram[end + 11 : end + 13], "big")
            assert end == len(datagram)


def test_a_peer_with_another_certificate_is_refused(certificate):
    client, server = pair(certificate, "00:11")
    with pytest.raises(HandshakeError, match="certificate"):
        shake_hands(client, server)


def test_an_unfinished_handshake_has_a_time_to_repeat_and_a_finished_one_has_none(certificate):
    client, server = pair(certificate, certificate.fingerprint)
    client.start()
    assert client.timeout_s() is not None
    client, server = pair(certificate, certificate.fingerprint)
    shake_hands(client, server)
    assert client.timeout_s() is None
