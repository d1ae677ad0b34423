"""When clients are offered tracks, and when not."""

import asyncio
from types import SimpleNamespace

import pytest

from tests.media.fakes import binding_request, bound_socket
from tests.media.test_peer import HERE, START_S, HandshakeLeftOut
from tests.media.test_peer import Host as PeerHost
from tests.media.test_sdp import MINIMAL
from webrtc.control.messages import Done, Failed, Offer, PutParticipant, RemoteAnswer
from webrtc.media import negotiator as negotiator_module
from webrtc.media import peer as peer_module
from webrtc.media.negotiator import FORWARD_PTIME_MS, OFFER_AGAIN_S, Negotiator
from webrtc.media.participant import Participant
from webrtc.media.peer import Peer
from webrtc.media.udp import Datagram


class Slack:
    """There always is some."""

    async def wait(self):
        pass


class House:
    """A worker with one participant, as far as negotiating is concerned.

    Attributes:
        told: What the front process was told.
        now_s: The clock.
    """

    def __init__(self, sock, *, takes_tracks=True, speakers=2):
        self.peers = PeerHost(sock)
        self.told = []
        self.now_s = START_S
        self.room = SimpleNamespace(forward=None, mixer=SimpleNamespace(listeners={}))
        self.set_mode(speakers)
        put = PutParticipant("r", "anna", 1, True, True, takes_tracks=takes_tracks)
        self.anna = Participant(put, self.room)
        self.participants = {"anna": self.anna}
        self.negotiator = Negotiator(self, Slack(), 10, self.told.append)

    def set_mode(self, speakers):
        """Forward to so many, or mix if None."""
        self.room.forward = None if speakers is None else SimpleNamespace(max_speakers=speakers)

    def new_peer(self, participant_id):
        return Peer(participant_id, self.peers, self.now_s)

    def close_peer(self, participant):
        participant.peer = None

    def attach(self, participant):
        pass

    def negotiated(self):
        pass

    def run(self, work, name):
        self.task = asyncio.create_task(work, name=name)

    async def offer(self):
        """Let the client offer, and connect if it was not."""
        answer = await self.negotiator.answer(Offer(1, "anna", MINIMAL))
        peer = self.anna.peer
        if peer.state != "connected":
            await asyncio.sleep(0)
            check = binding_request(peer._channel.ufrag, peer._channel.password)
            self.peers.ice.dispatch([Datagram(check, HERE, START_S)], START_S)
            peer._dtls.connect()
        return answer.sdp

    async def settle(self):
        """Let the negotiator look; return what it offers."""
        before = len(self.told)
        self.negotiator.settle(self.anna)
        for _ in range(5):
            await asyncio.sleep(0)
        return [message.sdp for message in self.told[before:]]

    async def answer(self):
        """Let the client take all that it was offered last."""
        sections = self.told[-1].sdp.split("\r\nm=")[1:]
        text = ""
        for section in sections:
            mid = next(line for line in section.splitlines() if line.startswith("a=mid"))
            direction = "recvonly" if "a=sendonly" in section else "inactive"
            direction = "sendrecv" if mid == "a=mid:0" else direction
            text += f"m=audio 9 X 111\r\n{mid}\r\na={direction}\r\n"
        said = self.negotiator.take_answer(RemoteAnswer(2, "anna", text))
        for _ in range(5):
            await asyncio.sleep(0)
        return said


@pytest.fixture
async def make_house(monkeypatch):
    """Make a house whose client has connected: `house = await make_house(speakers=3)`."""
    monkeypatch.setattr(peer_module, "DtlsTransport", HandshakeLeftOut)
    houses = []
    with bound_socket() as sock:

        async def make(**settings):
            house = House(sock, **settings)
            monkeypatch.setattr(negotiator_module.time, "monotonic", lambda: house.now_s)
            houses.append(house)
            await house.offer()
            return house

        yield make
        for house in houses:
            await house.anna.peer.close()


async def test_who_takes_tracks_is_offered_as_many_as_are_heard_once(make_house):
    house = await make_house(speakers=3)
    [offered] = await house.settle()
    assert offered.count("a=sendonly") == 3
    assert f"a=ptime:{FORWARD_PTIME_MS}" in offered
    assert await house.settle() == []
    assert isinstance(await house.answer(), Done)
    assert len(house.anna.peer.session.tracks.flowing) == 3
    assert await house.settle() == []


async def test_who_takes_none_is_offered_none(make_house):
    house = await make_house(takes_tracks=False)
    assert await house.settle() == []


async def test_in_a_room_that_mixes_nothing_is_offered(make_house):
    house = await make_house(speakers=None)
    assert await house.settle() == []


async def test_what_changes_while_an_offer_is_open_is_offered_when_that_is_answered(make_house):
    house = await make_house(speakers=1)
    await house.settle()
    house.set_mode(4)
    assert await house.settle() == []
    await house.answer()
    assert len(house.told) == 2
    assert house.told[-1].sdp.count("a=sendonly") == 4
    await house.answer()
    assert len(house.anna.peer.session.tracks.flowing) == 4


async def test_an_offer_that_nobody_answers_is_made_again(make_house):
    house = await make_house()
    await house.settle()
    house.now_s += OFFER_AGAIN_S - 1
    assert await house.settle() == []
    house.now_s += 2
    assert len(await house.settle()) == 1


async def test_the_clients_own_offer_makes_ours_void_and_it_is_made_again(make_house):
    house = await make_house()
    await house.settle()
    await house.offer()
    assert isinstance(
        house.negotiator.take_answer(RemoteAnswer(3, "anna", "m=audio 9 X 1\r\na=mid:0")), Failed
    )
    assert len(await house.settle()) == 1


async def test_a_room_that_begins_to_mix_takes_the_tracks_back(make_house):
    house = await make_house()
    await house.settle()
    await house.answer()
    house.set_mode(None)
    [offered] = await house.settle()
    assert offered.count("a=inactive") == 2
    assert "a=ptime:10" in offered
    assert house.anna.peer.session.tracks.flowing == []


async def test_an_answer_that_makes_no_sense_is_refused_and_the_offer_stays_open(make_house):
    house = await make_house()
    await house.settle()
    refused = house.negotiator.take_answer(RemoteAnswer(4, "anna", "nonsense"))
    assert (refused.id, refused.reason) == (4, "bad_sdp")
    assert isinstance(await house.answer(), Done)


# ---- which connection an offer comes from --------------------------------------------------

RESTARTED = MINIMAL.replace("ice-ufrag:abcd", "ice-ufrag:efgh")
RELOADED = RESTARTED.replace("o=- 1 1", "o=- 2 1")
STOCK_AIORTC = MINIMAL.replace("o=- 1 1", "o=- 2 2")


@pytest.mark.parametrize(
    ("offered", "is_known"), [(RESTARTED, True), (RELOADED, False), (STOCK_AIORTC, True)]
)
async def test_a_certificate_that_was_kept_does_not_make_a_new_connection_the_old_one(
    make_house, offered, is_known
):
    house = await make_house()
    former = house.anna.peer
    await house.negotiator.answer(Offer(2, "anna", offered))
    assert (house.anna.peer is former) == is_known
    if not is_known:
        await former.close()
    moved_on = offered.replace("ice-ufrag:", "ice-ufrag:more").replace(" 1 IN", " 2 IN")
    latter = house.anna.peer
    await house.negotiator.answer(Offer(3, "anna", moved_on))
    assert house.anna.peer is latter
