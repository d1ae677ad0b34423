from hypothesis import given
from hypothesis import strategies as st

from webrtc.control.codec import encode_frame
from webrtc.control.memory import PART_BYTES, Memory, in_parts
from webrtc.control.messages import MAX_FRAME_BYTES, KeptRoom, PutParticipant

lengths = st.one_of(st.integers(0, 2000), st.integers(PART_BYTES - 100, 2 * PART_BYTES))
rooms = st.builds(lambda length: KeptRoom("r", bytes(length), []), lengths)
people = st.builds(
    lambda length: PutParticipant("r", "p", 1, True, True, state=bytes(length)), lengths
)


@given(st.lists(st.one_of(rooms, people), max_size=12))
def test_parts_are_short_and_together_everything(kept: list[KeptRoom | PutParticipant]) -> None:
    memory, parts = Memory(), list(in_parts(kept))
    for part in parts:
        memory.add(part)
        alone = len(part.rooms) + len(part.participants) == 1
        assert alone or len(encode_frame(part)) < PART_BYTES + 100
        assert part.rooms or part.participants
    assert memory.rooms == [one for one in kept if isinstance(one, KeptRoom)]
    assert memory.participants == [one for one in kept if isinstance(one, PutParticipant)]


def test_many_small_ones_take_few_parts() -> None:
    kept = [KeptRoom(f"{number}", bytes(1000), []) for number in range(10_000)]
    assert len(list(in_parts(kept))) < 10_000 * 1100 / PART_BYTES + 1 < MAX_FRAME_BYTES
