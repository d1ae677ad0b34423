"""Who is on which track of whom."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mixer.forward_tracks import TrackBoard

NAMES = [f"p{i}" for i in range(8)]


def board(listeners, tracks=3):
    """Return a board on which each listener's outputs are 10 times its number and on."""
    made = TrackBoard()
    for number, name in enumerate(listeners):
        made.add(name, range(10 * number, 10 * number + tracks))
    return made


def test_everybody_hears_the_main_places_and_who_is_there_hears_the_reserve_instead_of_oneself():
    made = board(["a", "b", "c", "d", "e"])
    made.settle(["a", "b", "c"], "d")
    heard = {name: set(made.on_tracks_of(name)) for name in made.listeners}
    assert heard == {
        "a": {"b", "c", "d"},
        "b": {"a", "c", "d"},
        "c": {"a", "b", "d"},
        "d": {"a", "b", "c"},
        "e": {"a", "b", "c"},
    }


def test_who_stays_keeps_the_track_when_another_goes():
    made = board(["x"])
    made.settle(["a", "b", "c"], None)
    before = made.on_tracks_of("x")
    made.settle(["c", "d", "a"], None)
    after = made.on_tracks_of("x")
    assert [one for one in before if one in "ac"] == [one for one in after if one in "ac"]
    assert before.index("a") == after.index("a")
    assert before.index("c") == after.index("c")
    assert after[before.index("b")] == "d"


def test_who_comes_up_from_the_reserve_stays_where_the_speakers_have_heard_them():
    made = board(["a", "b", "c", "d", "e"])
    made.settle(["a", "b", "c"], "d")
    at = made.on_tracks_of("a").index("d")
    made.settle(["a", "d", "c"], "b")
    assert made.on_tracks_of("a").index("d") == at


def test_only_what_changed_is_told_and_only_who_is_new_is_fresh():
    made = board(["a", "x"])
    made.settle(["a", "b"], None)
    changed, fresh = made.settle(["a", "c"], None)
    assert sorted(changed) == ["a", "x"]
    assert sorted(fresh.tolist()) == sorted(made.rows_of("c").tolist())
    assert made.settle(["a", "c"], None)[0] == []
    assert made.settle(["a"], None)[1].tolist() == []


def test_who_has_fewer_tracks_hears_as_many_as_fit():
    made = TrackBoard()
    made.add("x", [1])
    made.add("y", [2, 3])
    made.settle(["a", "b"], None)
    assert made.on_tracks_of("x") == ("a",)
    assert set(made.on_tracks_of("y")) == {"a", "b"}
    assert sorted([*made.rows_of("a"), *made.rows_of("b")]) == [1, 2, 3]


def test_who_has_left_gets_nothing_more():
    made = board(["x", "y"])
    made.settle(["a"], None)
    made.remove("x")
    assert made.rows_of("a").tolist() == [10]


def test_names_of_the_past_are_forgotten():
    made = board(["x"])
    for number in range(1000):
        made.settle([f"guest {number}"], None)
    assert len(made._names) < 100
    assert made.on_tracks_of("x")[0] == "guest 999"


choices = st.lists(st.sampled_from(NAMES), unique=True, max_size=4).flatmap(
    lambda main: st.tuples(
        st.just(main),
        st.sampled_from([None, *NAMES]).filter(lambda one: one not in main)
        if len(main) == 3
        else st.none(),
    )
)
steps = st.one_of(
    st.tuples(st.just("settle"), choices.filter(lambda choice: len(choice[0]) <= 3)),
    st.tuples(st.just("come"), st.sampled_from(NAMES)),
    st.tuples(st.just("go"), st.sampled_from(NAMES)),
)


@settings(max_examples=200)
@given(st.lists(steps, max_size=30))
def test_whatever_is_chosen_everybody_hears_exactly_whom_they_should(script):
    made = board([])
    outputs = {}
    choice = ([], None)
    for kind, what in [*script, ("settle", (["p0", "p1"], None))]:
        before = {name: made.on_tracks_of(name) for name in made.listeners}
        if kind == "come":
            outputs[what] = range(10 * NAMES.index(what), 10 * NAMES.index(what) + 3)
            made.add(what, outputs[what])
        elif kind == "go":
            made.remove(what)
        else:
            choice = what
            made.settle(*choice)
            main, reserve = choice
            for name in made.listeners:
                tracks = made.on_tracks_of(name)
                wanted = set(main) - {name} | ({reserve} - {None} if name in main else set())
                assert {one for one in tracks if one is not None} == wanted
                for track, one in enumerate(before[name]):
                    if one in wanted:
                        assert tracks[track] == one
            for one in NAMES:
                assert sorted(made.rows_of(one).tolist()) == sorted(
                    outputs[name][made.on_tracks_of(name).index(one)]
                    for name in made.listeners
                    if one in made.on_tracks_of(name)
                )
