"""
Requests that bring a ranking: its spellings, its bounds, and what is refused.
"""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.domain import MODEL_CHARACTERS_MAX
from endcap.errors import FaultyFields, MalformedBody, Problem
from endcap.wire import placing as wire
from endcap.wire.placing import RANKING_MAX, SIZE_MAX, RankedRequest, read_ranked_requests
from endcap.wire.recommending import OBJECTS_MAX, Request
from tests.engine.strategies import EXAMPLES

encode = msgspec.json.encode


def read(**members: Any) -> RankedRequest:
    (request,) = read_ranked_requests(encode({"model": "basket", "ranking": [], **members}))
    return request


def test_the_least_that_can_be_asked() -> None:
    """A model and a ranking, which may be empty: pins alone are a page too."""
    assert read() == RankedRequest(Request("basket"), ())
    assert read(ranking=["/p/1", "/p/2"]).ranking == ("/p/1", "/p/2")


def test_everything_that_can_be_asked() -> None:
    """A recommendation's fields, and two of its own; unknown keys are ignored."""
    ranked = read(
        widget_id="sidebar",
        user_id="682",
        item_ids=["/p/1"],
        blacklisted_item_ids=["/p/3"],
        size=SIZE_MAX,
        settings_override={"availability_field": "in_shop"},
        hit_fields=["title"],
        mark_fallback_results=True,
        ranking=["/p/2"],
        fill=True,
        colour="red",
    )

    assert ranked.fill
    assert ranked.ranking == ("/p/2",)
    assert ranked.request.widget == "sidebar"
    assert ranked.request.size == SIZE_MAX
    assert ranked.request.availability_field == "in_shop"
    assert ranked.request.mark_fallback


def test_names_of_v1_and_words_of_customizations_mean_the_same() -> None:
    """Either, not both."""
    ours = {"model": "basket", "widget_id": "top", "ranking": []}
    theirs = {
        "recommendation_type": "basket",
        "recommender_client_identifier": "top",
        "ranking": [],
    }

    nulls = dict.fromkeys(theirs) | ours

    first, second, third = read_ranked_requests(encode([ours, theirs, nulls]))

    assert first == second == third
    with pytest.raises(FaultyFields) as refusal:
        read_ranked_requests(encode(ours | theirs))
    assert refusal.value.details == {
        "recommendation_type": [
            "Means the same as model: send only one of the two (object 0)",
        ],
        "recommender_client_identifier": [
            "Means the same as widget_id: send only one of the two (object 0)"
        ],
    }


@pytest.mark.parametrize(
    ("ranking", "order"),
    [
        (["a", "b"], ("a", "b")),
        ([7, "b"], ("7", "b")),
        ([{"identity": "a"}, "b", {"url": "c"}], ("a", "b", "c")),
        ([{"identity": "a", "score": 1}, {"identity": "b", "score": 2.5}], ("b", "a")),
        ([{"identity": each, "score": 1} for each in "abc"], ("a", "b", "c")),
        ([{"identity": "a", "score": -1}, {"url": 8, "score": 0}], ("8", "a")),
        ([{"identity": "a", "score": None}, {"identity": "b"}], ("a", "b")),
        (["b", "a", "b"], ("b", "a", "b")),
    ],
)
def test_the_order_of_a_ranking(ranking: list[Any], order: tuple[str, ...]) -> None:
    """As it stands; with scores the highest first, and of equals the one named first."""
    assert read(ranking=ranking).ranking == order


@pytest.mark.parametrize(
    ("members", "faults"),
    [
        ({"ranking": None}, {"ranking": ["Missing required field: ranking (object 0)"]}),
        (
            {"ranking": "/p/1"},
            {"ranking": ['Must be a list of identities, or of {"identity", "score"} (object 0)']},
        ),
        (
            {"ranking": ["/p/1", {"score": 1}]},
            {"ranking": ['Must be a list of identities, or of {"identity", "score"} (object 0)']},
        ),
        (
            {"ranking": [{"identity": "/p/1", "score": "1"}]},
            {"ranking": ['Must be a list of identities, or of {"identity", "score"} (object 0)']},
        ),
        (
            {"ranking": [{"identity": "/p/1", "score": 1}, "/p/2"]},
            {"ranking": ["Either all have a score or none (object 0)"]},
        ),
        (
            {"ranking": ["/p/1"] * (RANKING_MAX + 1)},
            {"ranking": [f"Must have at most {RANKING_MAX} items (object 0)"]},
        ),
        ({"size": 0}, {"size": [f"Must be a whole number from 1 to {SIZE_MAX} (object 0)"]}),
        (
            {"size": SIZE_MAX + 1},
            {"size": [f"Must be a whole number from 1 to {SIZE_MAX} (object 0)"]},
        ),
        ({"fill": "yes"}, {"fill": ["Must be true or false (object 0)"]}),
        (
            {"model": None},
            {
                "recommendation_type": [
                    "Missing required field: recommendation_type (object 0)",
                ]
            },
        ),
        (
            {"model": "x" * (MODEL_CHARACTERS_MAX + 1)},
            {
                "recommendation_type": [
                    f"Must have at most {MODEL_CHARACTERS_MAX} characters (object 0)"
                ]
            },
        ),
    ],
)
def test_a_faulty_field_is_named(members: dict[str, Any], faults: dict[str, list[str]]) -> None:
    """With the object that it stands in."""
    with pytest.raises(FaultyFields, match=r"^Invalid placement request") as refusal:
        read(**members)

    assert refusal.value.details == faults


def test_bounds_themselves_are_allowed() -> None:
    """As many items as there are positions, and as many objects as a recommendation has."""
    long = read(ranking=[f"/p/{number}" for number in range(RANKING_MAX)])

    assert len(long.ranking) == RANKING_MAX
    one = {"model": "m" * MODEL_CHARACTERS_MAX, "ranking": []}
    assert len(read_ranked_requests(encode([one] * OBJECTS_MAX))) == OBJECTS_MAX
    with pytest.raises(FaultyFields, match="Must hold 1 to 20 objects"):
        read_ranked_requests(encode([one] * (OBJECTS_MAX + 1)))
    with pytest.raises(FaultyFields, match="Must hold 1 to 20 objects"):
        read_ranked_requests(b"[]")


@pytest.mark.parametrize("body", [b"", b"null", b'"x"', b"[", b"{", b"\xff", b"7"])
def test_what_is_neither_object_nor_array_is_malformed(body: bytes) -> None:
    """400, told apart from an object with faults."""
    with pytest.raises(MalformedBody):
        read_ranked_requests(body)


_SCORES = st.one_of(st.none(), st.integers(-2, 2), st.floats(allow_nan=False), st.just("1"))
_RANKED = st.one_of(
    st.sampled_from(["/p/1", "/p/2", "", 7, None, True]),
    st.fixed_dictionaries({}, optional={"identity": st.sampled_from(["a", 5]), "score": _SCORES}),
    st.fixed_dictionaries({"identity": st.sampled_from(["a", "b", "c"]), "score": _SCORES}),
)
_WISHES = st.fixed_dictionaries(
    {},
    optional={
        "ranking": st.one_of(st.lists(_RANKED, max_size=5), st.sampled_from([None, "x", {}])),
        "model": st.sampled_from(["basket", "", None, 5, "x" * 101]),
        "recommendation_type": st.sampled_from(["basket", "home", "", None]),
        "widget_id": st.sampled_from(["top", "", None, 5, "x" * 2_001]),
        "recommender_client_identifier": st.sampled_from(["top", "side", None, 5]),
        "size": st.sampled_from([1, 1_000, 1_001, 0, None, 2.5, True]),
        "fill": st.sampled_from([True, False, None, 1]),
        "hit_fields": st.sampled_from([["title"], "title,price", None]),
        "recommendation_context": st.sampled_from([{"brand": "x"}, {}, None]),
    },
)


def _outcome(read: Any, body: bytes) -> object:
    try:
        return read(body)
    except Problem as problem:
        return type(problem), str(problem), problem.details


@settings(max_examples=EXAMPLES)
@given(wishes=st.one_of(_WISHES, st.lists(st.one_of(_WISHES, st.integers()), max_size=3)))
def test_the_straight_way_reads_what_the_careful_way_reads(wishes: object) -> None:
    """One typed decode, or a look at every member: the same requests and the same faults."""
    body = encode(wishes)

    assert _outcome(read_ranked_requests, body) == _outcome(wire._read_carefully, body)
