import asyncio
from pathlib import Path

from tests.support.front import RunningFront, running_front
from tests.support.patience import PATIENCE_S
from webrtc.control.messages import Answer, Candidate, Offer, ServerOffer
from webrtc.front_limits import FrontLimits
from webrtc.signaling.messages_parts import MAX_SDP_CHARS

OFFER = {"type": "offer", "sdp": "v=0"}


class SlowAnswer:
    """Answers an offer when the test says so."""

    def __init__(self, front: RunningFront) -> None:
        self._front = front
        self._go = asyncio.Event()
        front.worker.answer_offer = self._answer

    async def _answer(self, offer: Offer) -> Answer:
        await self._go.wait()
        return Answer(offer.id, "at last")

    async def asked(self) -> None:
        """Wait until the worker has the offer."""
        await self._front.worker.wait_until(
            lambda it: any(isinstance(one, Offer) for one in it.handled)
        )

    def give(self) -> None:
        """Let it answer."""
        self._go.set()


async def test_a_second_offer_before_the_answer_is_busy(front: RunningFront) -> None:
    slow = SlowAnswer(front)
    alice, _ = await front.joined()
    first = asyncio.create_task(alice.ok("offer", OFFER))
    await slow.asked()
    assert await alice.refused("offer", OFFER) == "busy"
    slow.give()
    assert (await first)["sdp"] == "at last"


async def test_nothing_waits_for_an_offer_and_candidates_follow_it(front: RunningFront) -> None:
    slow = SlowAnswer(front)
    alice, _ = await front.joined()
    offering = asyncio.create_task(alice.ok("offer", OFFER))
    await slow.asked()
    await alice.ok("ice_candidate", {"candidate": "candidate:1"})
    await alice.ok("set_muted", True)
    kinds = [type(one) for one in front.worker.handled]
    assert kinds.index(Offer) < kinds.index(Candidate)
    slow.give()
    await offering


async def test_a_silent_worker_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    limits = FrontLimits(negotiation_timeout_s=0.05)
    async with running_front(tmp_path, limits=limits) as front:
        front.worker.answer_offer = lambda _: None
        front.worker.answer_candidate = lambda _: None
        alice, _ = await front.joined()
        assert await alice.refused("offer", OFFER) == "negotiation_timeout"
        assert await alice.refused("ice_candidate", None) == "negotiation_timeout"


async def test_a_description_has_a_longest_length(front: RunningFront) -> None:
    alice, _ = await front.joined()
    longest = {"type": "offer", "sdp": "x" * MAX_SDP_CHARS}
    assert (await alice.ok("offer", longest))["type"] == "answer"
    too_long = {"type": "offer", "sdp": "x" * (MAX_SDP_CHARS + 1)}
    assert await alice.refused("offer", too_long) == "bad_message"


async def test_an_offer_of_the_server_yields_to_one_of_the_client(front: RunningFront) -> None:
    slow = SlowAnswer(front)
    alice, ack = await front.joined()
    offering = asyncio.create_task(alice.ok("offer", OFFER))
    await slow.asked()
    front.worker.send(ServerOffer(ack["participant_id"], "v=0 server"))
    await alice.ok("ice_candidate", None)
    slow.give()
    await offering
    assert alice.heard("offer") == []
    assert await alice.refused("answer", {"type": "answer", "sdp": "v=0"}) == "no_offer_pending"


async def test_an_offer_that_the_client_never_answers_is_forgotten(tmp_path: Path) -> None:
    limits = FrontLimits(server_offer_timeout_s=0.05)
    async with running_front(tmp_path, limits=limits) as front:
        alice, ack = await front.joined()
        front.worker.send(ServerOffer(ack["participant_id"], "v=0 server"))
        await alice.event("offer")
        async with asyncio.timeout(PATIENCE_S):
            while not (await alice.call("offer", OFFER))["ok"]:
                await asyncio.sleep(0.01)


async def test_an_offer_of_the_server_to_nobody_is_dropped(front: RunningFront) -> None:
    front.worker.send(ServerOffer("nobody", "v=0 server"))
    alice, _ = await front.joined()
    await alice.ok("offer", OFFER)
    assert alice.events == []


async def test_a_socket_lost_while_offering_leaves_the_seat_usable(front: RunningFront) -> None:
    slow = SlowAnswer(front)
    alice, ack = await front.joined()
    offering = asyncio.create_task(alice.call("offer", OFFER))
    await slow.asked()
    offering.cancel()
    await alice.lose_socket()
    front.worker.answer_offer = lambda it: Answer(it.id, "at once")
    alice = await front.client()
    await alice.ok("join_room", {"resume_token": ack["resume_token"]})
    assert (await alice.ok("offer", OFFER))["sdp"] == "at once"
    slow.give()
