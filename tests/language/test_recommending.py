"""
Recommendation requests on the wire: what is read, what is capped, what is refused; and answers.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap import criteria
from endcap.domain import IDENTITY_CHARACTERS_MAX, INPUT_ITEMS_MAX, ItemId, Micros
from endcap.errors import FaultyFields, MalformedBody, Problem
from endcap.wire import recommending as wire
from endcap.wire.recommending import (
    BLACKLIST_MAX,
    HIT_FIELDS_MAX,
    OBJECTS_MAX,
    SIZE_DEFAULT,
    SIZE_MAX,
    Request,
    read_requests,
)
from tests.cases import micros
from tests.engine.strategies import EXAMPLES

encode = msgspec.json.encode


def read(**members: Any) -> Request:
    [request] = read_requests(encode([{"recommendation_type": "basket", **members}]))
    return request


def test_the_least_that_can_be_asked() -> None:
    """A model; all the rest has a default."""
    assert read() == Request("basket")
    assert read().size == SIZE_DEFAULT


def test_everything_that_can_be_asked() -> None:
    """In the words of v1; unknown keys are ignored."""
    request = read(
        recommender_client_identifier="sidebar",
        user_id="682",
        item_ids=["/p/1", "/p/2"],
        blacklisted_item_ids=["/p/3"],
        size=5,
        recommendation_context={"brand": "Fender"},
        settings_override={"availability_field": "in_shop", "other": 1},
        hit_fields=["title", " price "],
        mark_fallback_results=True,
        colour="red",
    )

    assert request == Request(
        "basket",
        "sidebar",
        "682",
        (ItemId("/p/1"), ItemId("/p/2")),
        frozenset({ItemId("/p/3")}),
        5,
        criteria.read({"brand": "Fender"}),
        "in_shop",
        frozenset({"title", "price"}),
        True,
        context_sent={"brand": "Fender"},
    )


@pytest.mark.parametrize(
    ("members", "same_as"),
    [
        (dict.fromkeys(["size", "item_ids", "user_id", "hit_fields", "settings_override"]), {}),
        (dict.fromkeys(["recommendation_context", "mark_fallback_results"]), {}),
        ({"blacklisted_item_ids": None, "recommender_client_identifier": None}, {}),
        ({"item_ids": []}, {}),
        ({"size": 51}, {"size": SIZE_MAX}),
        ({"size": 10**30}, {"size": SIZE_MAX}),
        ({"user_id": 682}, {"user_id": "682"}),
        ({"item_ids": [7]}, {"item_ids": ["7"]}),
        (
            {"item_ids": [str(number) for number in range(15)]},
            {"item_ids": [str(number) for number in range(INPUT_ITEMS_MAX)]},
        ),
        ({"recommendation_context": {}}, {}),
        ({"recommendation_context": []}, {}),
        ({"settings_override": {}}, {}),
        ({"settings_override": {"availability_field": None}}, {}),
        ({"hit_fields": "title, price,,"}, {"hit_fields": ["title", "price"]}),
        ({"mark_fallback_results": False}, {}),
    ],
)
def test_what_means_the_same(members: dict[str, Any], same_as: dict[str, Any]) -> None:
    """Null is absent; sizes and lists are capped; numbers are texts where shops number things."""
    assert read(**members) == read(**same_as)


def test_the_bounds_themselves_are_allowed() -> None:
    """Of sizes, of texts, and of how many attributes are asked for."""
    longest = "x" * IDENTITY_CHARACTERS_MAX
    fields = [str(number) for number in range(HIT_FIELDS_MAX)]

    assert (read(size=1).size, read(size=SIZE_MAX).size) == (1, SIZE_MAX)
    assert read(user_id=longest).user == longest
    assert read(hit_fields=fields).hit_fields == frozenset(fields)


def test_no_attributes_at_all_is_a_wish_too() -> None:
    """An empty list of hit fields is not an absent one."""
    assert read(hit_fields=[]).hit_fields == frozenset()


@pytest.mark.parametrize(
    ("members", "faults"),
    [
        (
            {"recommendation_type": None},
            {"recommendation_type": ["Missing required field: recommendation_type (object 0)"]},
        ),
        (
            {"recommendation_type": ""},
            {"recommendation_type": ["Must be a non-empty text (object 0)"]},
        ),
        (
            {"recommendation_type": 5},
            {"recommendation_type": ["Must be a non-empty text (object 0)"]},
        ),
        ({"user_id": True}, {"user_id": ["Must be a text (object 0)"]}),
        ({"user_id": 1.5}, {"user_id": ["Must be a text (object 0)"]}),
        (
            {"user_id": "x" * (IDENTITY_CHARACTERS_MAX + 1)},
            {"user_id": ["Must have at most 2000 characters (object 0)"]},
        ),
        (
            {"recommender_client_identifier": ["x"]},
            {"recommender_client_identifier": ["Must be a text (object 0)"]},
        ),
        ({"item_ids": "/p/1"}, {"item_ids": ["Must be a list of texts (object 0)"]}),
        ({"item_ids": [None]}, {"item_ids": ["Must be a list of texts (object 0)"]}),
        ({"item_ids": [True]}, {"item_ids": ["Must be a list of texts (object 0)"]}),
        ({"item_ids": 0}, {"item_ids": ["Must be a list of texts (object 0)"]}),
        (
            {"blacklisted_item_ids": {"a": 1}},
            {"blacklisted_item_ids": ["Must be a list of texts (object 0)"]},
        ),
        *(
            (
                {"size": size},
                {"size": ["Must be a whole number from 1 (more than 50 is capped) (object 0)"]},
            )
            for size in (0, -1, 1.0, "5", True, [5])
        ),
        (
            {"recommendation_context": {"brand": []}},
            {
                "recommendation_context": [
                    f'Attribute "brand" must be a value or {{"values": […]}}. {criteria.SUPPORTED_FORMS} (object 0)'
                ]
            },
        ),
        (
            {"recommendation_context": "Fender"},
            {
                "recommendation_context": [
                    f"Must be an object or a list of rules. {criteria.SUPPORTED_FORMS} (object 0)"
                ]
            },
        ),
        ({"settings_override": []}, {"settings_override": ["Must be an object (object 0)"]}),
        (
            {"settings_override": {"availability_field": 5}},
            {"settings_override": ["availability_field: Must be a non-empty text (object 0)"]},
        ),
        (
            {"hit_fields": 5},
            {"hit_fields": ["Must be a list of texts, or one text with commas (object 0)"]},
        ),
        (
            {"hit_fields": [5]},
            {"hit_fields": ["Must be a list of texts, or one text with commas (object 0)"]},
        ),
        (
            {"hit_fields": ["x"] * (HIT_FIELDS_MAX + 1)},
            {"hit_fields": [f"Must be at most {HIT_FIELDS_MAX} (object 0)"]},
        ),
        (
            {"mark_fallback_results": "yes"},
            {"mark_fallback_results": ["Must be true or false (object 0)"]},
        ),
    ],
)
def test_a_faulty_field_is_named(members: dict[str, Any], faults: dict[str, list[str]]) -> None:
    """With the object that it stands in."""
    with pytest.raises(FaultyFields, match=r"^Invalid recommendation request") as refusal:
        read(**members)

    assert refusal.value.details == faults


def test_every_fault_of_every_object_is_reported_at_once() -> None:
    """The same field of two objects has two messages."""
    with pytest.raises(FaultyFields) as refusal:
        read_requests(
            encode(
                [{"size": 0}, {"recommendation_type": "basket"}, 5, {"size": "x", "item_ids": 1}]
            )
        )

    missing = "Missing required field: recommendation_type"
    size = "Must be a whole number from 1 (more than 50 is capped)"
    assert refusal.value.details == {
        "recommendation_type": [f"{missing} (object {index})" for index in (0, 2, 3)],
        "size": [f"{size} (object 0)", f"{size} (object 3)"],
        "body": ["Must be an object (object 2)"],
        "item_ids": ["Must be a list of texts (object 3)"],
    }


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'"x"', b"[", b"\xff"])
def test_what_is_no_array_is_malformed(body: bytes) -> None:
    """400, told apart from an array with faults."""
    with pytest.raises(MalformedBody):
        read_requests(body)


@pytest.mark.parametrize("count", [0, OBJECTS_MAX + 1])
def test_a_call_has_1_to_20_objects(count: int) -> None:
    """The bound itself is allowed."""
    request = {"recommendation_type": "basket"}

    with pytest.raises(FaultyFields) as refusal:
        read_requests(encode([request] * count))

    assert refusal.value.details == {"body": [f"Must hold 1 to {OBJECTS_MAX} objects"]}
    assert len(read_requests(encode([request] * OBJECTS_MAX))) == OBJECTS_MAX


def test_a_long_blacklist_is_read() -> None:
    """It is what a shopper must not see."""
    blacklist = [f"/p/{number}" for number in range(BLACKLIST_MAX)]

    assert read(blacklisted_item_ids=blacklist).blacklist == set(blacklist)


@settings(max_examples=EXAMPLES)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(
                [
                    "recommendation_type",
                    "size",
                    "item_ids",
                    "recommendation_context",
                    "settings_override",
                    "hit_fields",
                ]
            ),
            st.recursive(
                st.sampled_from([None, 0, 5, "x", True, "availability_field"]),
                lambda inner: st.one_of(
                    st.lists(inner, max_size=2), st.dictionaries(st.just("x"), inner)
                ),
                max_leaves=3,
            ),
        ),
        max_size=3,
    )
)
def test_whatever_is_sent_is_read_or_refused(sent: Any) -> None:
    """One request for each object, or a fault under a field."""
    try:
        requests = read_requests(encode(sent))
    except FaultyFields as refusal:
        details = refusal.details
    else:
        details = {}
        assert len(requests) == len(sent)

    assert all(messages for messages in details.values())


NOW = Micros(micros("2025-01-06T23:34:59") + 585_570)


def answer(request: Request, *hits: bytes, explanation: bytes | None = None) -> Any:
    return msgspec.json.decode(
        wire.answer_json(
            request,
            hits,
            now=NOW,
            recommendation_id="an id",
            recommender="basket",
            model_version=1588682662,
            recommender_version="b36705710",
            explanation=explanation,
        )
    )


def test_an_answer_in_full() -> None:
    """Hits in the order given; nothing marks a pin."""
    request = Request("basket_2", "basket-sidebar", "682")

    assert answer(request, b'{"url":"/p/1"}', b'{"url":"/p/2"}') == {
        "generated_at": "2025-01-06T23:34:59.585570",
        "model_version": 1588682662,
        "recommendation_id": "an id",
        "recommendation_type": "basket_2",
        "recommender": "basket",
        "recommender_client_identifier": "basket-sidebar",
        "recommender_version": "b36705710",
        "user_id": "682",
        "hits": [{"url": "/p/1"}, {"url": "/p/2"}],
    }


def test_a_request_without_a_widget_is_answered_with_its_model() -> None:
    """As live answers have it; a user that was not named is null."""
    told = answer(Request("basket"))

    assert told["recommender_client_identifier"] == "basket"
    assert told["user_id"] is None
    assert told["hits"] == []


def test_an_explanation_comes_last() -> None:
    """Only where one was asked for."""
    assert answer(Request("basket"), explanation=b'{"pins":[]}')["explanation"] == {"pins": []}
    assert "explanation" not in answer(Request("basket"))


def test_hits_can_be_marked_and_answers_joined() -> None:
    """Without decoding what is encoded already."""
    assert wire.marked(b'{"url":"a"}', fallback=True) == b'{"url":"a","fallback":true}'
    assert wire.marked(b'{"url":"a"}', fallback=False) == b'{"url":"a","fallback":false}'
    assert wire.answers_json([b"{}", b"{}"]) == b"[{},{}]"
    assert wire.answers_json([]) == b"[]"


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "trends", "/p/1", " price ", "a,b", "x" * (IDENTITY_CHARACTERS_MAX + 1)]),
    st.lists(st.sampled_from(["/p/1", "/p/2", "", " title ", 7, None, {}]), max_size=12),
    st.dictionaries(st.sampled_from(["price", "availability_field"]), st.just("6"), max_size=1),
)
_MEMBERS = st.sampled_from(
    [
        "recommendation_type",
        "recommender_client_identifier",
        "user_id",
        "item_ids",
        "blacklisted_item_ids",
        "size",
        "hit_fields",
        "recommendation_context",
        "settings_override",
        "mark_fallback_results",
        "unknown",
    ]
)
_WISHES = st.dictionaries(_MEMBERS, _VALUES, max_size=5).map(
    lambda members: {"recommendation_type": "trends", **members}
)


def _outcome(read: Callable[[bytes], object], body: bytes) -> object:
    try:
        return read(body)
    except Problem as problem:
        return type(problem), str(problem), problem.details


@settings(max_examples=EXAMPLES)
@given(wishes=st.lists(st.one_of(_WISHES, _VALUES), max_size=4))
def test_the_straight_way_reads_what_the_careful_way_reads(wishes: list[object]) -> None:
    """One typed decode, or a look at every member: the same requests and the same faults."""
    body = msgspec.json.encode(wishes)

    assert _outcome(read_requests, body) == _outcome(wire._read_carefully, body)
