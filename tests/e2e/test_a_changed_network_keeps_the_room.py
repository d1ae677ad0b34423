"""The sound's way changes or breaks: it is found again without leaving the room."""

from typing import Any

from tests.e2e.conftest import BehindARelay, People, all_hear_each_other, is_inaudible
from tests.support.people import CLIENT, Person

_ROAMED_MS = 3000.0  # the browser's next check, at most 2.5 s away, shows the new address


async def test_when_the_browser_says_that_the_network_changed_the_sound_goes_on(
    people: People,
) -> None:
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)
    before = [await look(person) for person in (ada, grace)]

    async def change_network() -> None:
        await ada.page.evaluate("() => (seen.states = [])")
        await ada.page.context.set_offline(True)
        await ada.page.context.set_offline(False)
        await ada.page.wait_for_function(
            f"() => seen.states.includes('restarting') && {CLIENT}.mediaState === 'connected'"
        )

    await is_inaudible([ada, grace], change_network)
    assert await find(ada, before[0])
    assert not await find(grace, before[1])


async def test_a_new_address_in_mid_sentence_is_followed(
    behind_a_relay: BehindARelay,
) -> None:
    relay, ada, grace = behind_a_relay
    before = [await look(person) for person in (ada, grace)]
    since = [await person.ear.now_ms() for person in (ada, grace)]
    addresses = relay.addresses
    relay.change_addresses()
    await relay.flows(clients=2)
    await all_hear_each_other(ada, grace)
    assert not relay.addresses & addresses
    for person, instant, seen in zip((ada, grace), since, before, strict=True):
        assert await person.ear.longest_silence_ms(instant) < _ROAMED_MS
        assert not await find(person, seen)


async def test_a_network_that_was_away_for_seconds_gives_the_sound_back(
    behind_a_relay: BehindARelay,
) -> None:
    relay, ada, grace = behind_a_relay
    before = [await look(person) for person in (ada, grace)]
    relay.cut = True
    await ada.page.wait_for_function("() => seen.states.includes('restarting')")
    relay.cut = False
    await all_hear_each_other(ada, grace)
    assert await find(ada, before[0])
    await find(grace, before[1])


async def look(person: Person) -> dict[str, Any]:
    """Return seat and connection as they are, and begin to note changes in `seen`."""
    facts: dict[str, Any] = await person.page.evaluate(
        f"""() => {{
          const client = {CLIENT};
          window.seen = {{ states: [], others: [], connection: client.peerConnection }};
          client.on('mediastatechange', ({{ state }}) => seen.states.push(state));
          for (const type of ['participantjoined', 'participantleft', 'reconnected'])
            client.on(type, () => seen.others.push(type));
          const {{ sdp }} = client.peerConnection.currentLocalDescription;
          return {{ seat: client.room.participantId, ice: /ice-ufrag:(.*)/.exec(sdp)[1] }};
        }}"""
    )
    return facts


async def find(person: Person, before: dict[str, Any]) -> bool:
    """Check that seat and connection are the same; return whether ICE was restarted."""
    now = await person.page.evaluate(
        f"""() => {{
          const client = {CLIENT};
          const {{ sdp }} = client.peerConnection.currentLocalDescription;
          return {{
            seat: client.room.participantId,
            ice: /ice-ufrag:(.*)/.exec(sdp)[1],
            sameConnection: client.peerConnection === seen.connection,
            others: seen.others,
          }};
        }}"""
    )
    assert now["seat"] == before["seat"]
    assert now["sameConnection"]
    assert now["others"] == []
    return bool(now["ice"] != before["ice"])
