from itertools import pairwise
from typing import get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.selection_settings import RANGES, SelectionSettings
from webrtc.control.codec import encode_frame, front_side_decoder, worker_side_decoder
from webrtc.control.messages import MAX_FRAME_BYTES, Done, PutRoom, ToFront, ToWorker
from webrtc.errors import ControlProtocolError

st.register_type_strategy(
    SelectionSettings,
    st.builds(
        SelectionSettings,
        **{
            name: (st.integers if name == "max_speakers" else st.floats)(low, high)  # type: ignore[operator]
            for name, (low, high) in RANGES.items()
        },
    ),
)


def any_of(union: object) -> st.SearchStrategy[object]:
    """Every message type of a union with every field filled, as msgpack can carry it."""
    return st.one_of(
        *(
            st.builds(kind, **{name: st.from_type(hint) for name, hint in hints(kind).items()})
            for kind in get_args(union)
        )
    ).filter(encodable)


def hints(kind: type) -> dict[str, object]:
    return get_type_hints(kind, include_extras=True)


def encodable(message: object) -> bool:
    try:
        msgspec.msgpack.encode(message)
    except OverflowError:  # beyond 64 bits
        return False
    return True


to_worker = any_of(ToWorker)
to_front = any_of(ToFront)


def same(left: object, right: object) -> bool:
    """Compare by what goes over the wire, where NaN equals itself."""
    return msgspec.msgpack.encode(left) == msgspec.msgpack.encode(right)


def splits(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@given(st.lists(to_worker, max_size=4), st.lists(st.integers(min_value=0), max_size=6))
def test_any_split_of_the_stream_gives_the_messages_to_a_worker(
    messages: list[ToWorker], cuts: list[int]
) -> None:
    stream = b"".join(encode_frame(message) for message in messages)
    decoder = worker_side_decoder()
    decoded = [message for part in splits(stream, cuts) for message in decoder.feed(part)]
    assert same(decoded, messages)


@given(to_front)
def test_messages_to_the_front_process_survive_the_way(message: ToFront) -> None:
    assert same(list(front_side_decoder().feed(encode_frame(message))), [message])


def test_a_message_of_the_other_direction_is_refused() -> None:
    with pytest.raises(ControlProtocolError):
        list(worker_side_decoder().feed(encode_frame(Done(id=1))))


@given(st.binary(max_size=64))
def test_garbage_is_refused_or_waited_for(data: bytes) -> None:
    frame = len(data).to_bytes(4, "big") + data
    with pytest.raises(ControlProtocolError):
        list(worker_side_decoder().feed(frame))


def test_an_announced_length_above_the_limit_is_refused_before_it_is_buffered() -> None:
    with pytest.raises(ControlProtocolError):
        list(worker_side_decoder().feed((MAX_FRAME_BYTES + 1).to_bytes(4, "big")))


def test_a_message_above_the_limit_is_not_sent() -> None:
    with pytest.raises(ControlProtocolError):
        encode_frame(PutRoom(room_id="r", state=bytes(MAX_FRAME_BYTES)))
