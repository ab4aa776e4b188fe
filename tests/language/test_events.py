"""
Shopper events on the wire: what each means, and every fault of one named at once.
"""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.errors import FaultyFields, MalformedBody, Problem
from endcap.wire import events
from endcap.wire.events import Line, Meaning, Sent, meaning_of, read_event

COMMON = {"id": "e1", "tracker_id": "1234-5678", "client_id": 7}


def sent(**fields: Any) -> bytes:
    """A view that is right, with fields replaced; None takes one away."""
    body = {**COMMON, "type": "pv", "url": "/p/1", **fields}
    return msgspec.json.encode({key: value for key, value in body.items() if value is not None})


def faults(body: bytes) -> dict[str, list[str]]:
    with pytest.raises(FaultyFields) as raised:
        read_event(body)
    assert raised.value.reason == "Invalid event provided"
    return {field: list(messages) for field, messages in raised.value.details.items()}


def test_a_view() -> None:
    """With everything that pages tell of themselves; what we do not know of is left alone."""
    body = sent(
        customer_id="ann",
        local_timestamp=1_737_547_200,
        consent_granted=True,
        platform="web",
        context={"a": [1]},
        user_agent="Mozilla",
    )

    assert read_event(body) == Sent(
        "1234-5678",
        "e1",
        "pv",
        "7",
        "ann",
        1_737_547_200.0,
        Meaning("view", (Line("/p/1"),), None, True),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("fields", "kind", "items"),
    [
        ({"type": "click", "action": {"type": "click", "resource_identifier": "/p/2"}}, "click", ["/p/2"]),
        ({"type": "click", "action": {"type": "buy", "resource_identifier": "/p/2"}}, "conversion", ["/p/2"]),
        ({"type": "click", "action": {"type": "sign-up"}}, "conversion", []),
        ({"type": "event", "lists": {"Recommendation": {"items": [{"url": "/p/2"}], "query": {}}}}, "list", []),
        ({"type": "event", "lists": {"Search Results": {"items": []}}}, "list", []),
        ({"type": "transaction", "items": [{"url": "/p/2"}, {"url": "/p/3"}]}, "order", ["/p/2", "/p/3"]),
    ],
)  # fmt: skip
def test_what_an_event_means(fields: dict[str, Any], kind: str, items: list[str]) -> None:
    """By type, and for clicks by the action's."""
    meaning = read_event(sent(**fields)).meaning

    assert meaning is not None
    assert meaning.kind == kind
    assert [line.identity for line in meaning.lines] == items


def test_a_transaction_has_quantities_and_unit_prices() -> None:
    """`total_price` is of a whole line; texts that are numbers count; the shop's own number may be there."""
    items = [
        {"url": "/p/1", "count": 2, "total_price": 9},
        {"url": "/p/2"},
        {"url": "/p/3", "count": "4", "total_price": "10.0"},
    ]
    body = sent(type="transaction", items=items, order_id=4711, url=None)

    assert read_event(body).meaning == Meaning(
        "order",
        (Line("/p/1", 2.0, 4.5), Line("/p/2", 1.0, None), Line("/p/3", 4.0, 2.5)),  # type: ignore[arg-type]
        "4711",
    )


def test_numbers_are_taken_for_names() -> None:
    """Shops number their customers, and clients are numbers on this wire."""
    read = read_event(sent(id=12, client_id=2**62, customer_id=5))

    assert (read.id, read.client, read.customer) == ("12", str(2**62), "5")


@pytest.mark.parametrize("nobody", ["", None])
def test_nobody_logged_in(nobody: str | None) -> None:
    """Pages send an empty text, or nothing."""
    body = msgspec.json.encode({**COMMON, "type": "pv", "url": "/p/1", "customer_id": nobody})

    assert read_event(body).customer is None


def test_an_unknown_type_has_no_meaning() -> None:
    """It is not a fault: the vendor may have new ones."""
    assert read_event(sent(type="heartbeat", url=None)).meaning is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"null", b"1", b"[" * 5_000])
def test_what_is_no_object(body: bytes) -> None:
    """`400`, with what there is instead."""
    with pytest.raises(MalformedBody) as raised:
        read_event(body)

    assert raised.value.reason == "Invalid event provided"


def test_every_fault_is_named_at_once() -> None:
    """Members that all events have."""
    body = b'{"type": 5, "client_id": 1.5, "customer_id": {}, "local_timestamp": "noon", "consent_granted": 1}'

    assert faults(body) == {
        "tracker_id": ["Missing required field: tracker_id"],
        "id": ["Missing required field: id"],
        "type": ["Must be a text of at most 200 characters"],
        "client_id": ["Must be a text of at most 200 characters, or a whole number"],
        "customer_id": ["Must be a text of at most 200 characters, or a whole number"],
        "local_timestamp": ["Must be a number of seconds since 1970"],
        "consent_granted": ["Must be true or false"],
    }


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"url": None}, "url", "Missing"),
        ({"url": "x" * 2_001}, "url", "at most 2000"),
        ({"url": "a\x00b"}, "url", "identity"),
        ({"id": "x" * 201}, "id", "at most 200"),
        ({"id": True}, "id", "text"),
        ({"client_id": "a\x00"}, "client_id", "text"),
        ({"local_timestamp": -5}, "local_timestamp", "seconds"),
        ({"type": "click"}, "action", "Missing required field: action"),
        ({"type": "click", "action": []}, "action", "object"),
        ({"type": "click", "action": {"type": "click"}}, "action", "resource_identifier"),
        ({"type": "click", "action": {"resource_identifier": "/p/1"}}, "action", "action.type"),
        ({"type": "click", "action": {"type": "a\x00", "resource_identifier": "/p/1"}}, "action", "text"),
        ({"type": "event"}, "lists", "object"),
        ({"type": "event", "lists": {}}, "lists", "object"),
        ({"type": "event", "lists": {"Autocomplete": {"items": 5}}}, "lists", "Autocomplete"),
        ({"type": "transaction"}, "items", "1 to 1000"),
        ({"type": "transaction", "items": []}, "items", "1 to 1000"),
        ({"type": "transaction", "items": [{"url": "/p/1"}] * 1_001}, "items", "1 to 1000"),
        ({"type": "transaction", "items": [7]}, "items", "item 0"),
        ({"type": "transaction", "items": [{"url": "/p/1", "count": 0}]}, "items", "count"),
        ({"type": "transaction", "items": [{"url": "/p/1", "total_price": -1}]}, "items", "total"),
        ({"type": "transaction", "items": [{"url": "/p/1", "total_price": "free"}]}, "items", "0"),
        ({"type": "transaction", "items": [{"url": "/p/1"}], "order_id": []}, "order_id", "text"),
    ],
)  # fmt: skip
def test_a_fault_names_its_field(fields: dict[str, Any], field: str, says: str) -> None:
    """And says what would be right."""
    found = faults(sent(**fields))

    assert list(found) == [field]
    assert says in found[field][0]


def test_a_document_that_is_not_understood_any_more_means_nothing() -> None:
    """Whoever follows or archives goes on."""
    assert meaning_of(b"{}") is None
    assert meaning_of(b"\x00") is None


_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "7", "pv", "/p/1", "a\x00", "x" * 201, "x" * 2_001]),
)
_lines = st.dictionaries(st.sampled_from(["url", "count", "total_price", "title"]), _scalars)
_lists = st.dictionaries(
    st.sampled_from(["Recommendation", "Autocomplete"]),
    st.fixed_dictionaries({}, optional={"items": st.lists(_lines | _scalars), "query": _scalars}) | _scalars,
)  # fmt: skip
_bodies = st.fixed_dictionaries(
    {},
    optional={
        "id": _scalars,
        "type": st.sampled_from([*events.TYPES, "other"]) | _scalars,
        "tracker_id": st.just("1") | _scalars,
        "client_id": _scalars,
        "customer_id": _scalars,
        "local_timestamp": _scalars,
        "consent_granted": _scalars,
        "url": _scalars,
        "action": st.dictionaries(st.sampled_from(["type", "resource_identifier"]), _scalars),
        "items": st.lists(_lines | _scalars, max_size=3),
        "order_id": _scalars,
        "lists": _lists | _scalars,
    },
)


def outcome(body: bytes, *, careful: bool) -> Sent | type[Problem]:
    try:
        return events._read_carefully(body) if careful else read_event(body)
    except Problem as problem:
        return type(problem)


@given(shape=_bodies)
def test_both_ways_read_the_same(shape: dict[str, Any]) -> None:
    """The straight way through an event without a fault, and the careful one."""
    body = msgspec.json.encode(shape)

    assert outcome(body, careful=False) == outcome(body, careful=True)


@pytest.mark.parametrize("kind", events.TYPES)
def test_both_ways_read_what_is_right_the_same(kind: str) -> None:
    """Random shapes are seldom right."""
    body = sent(
        type=kind,
        action={"type": "buy", "resource_identifier": "/p/1"},
        items=[{"url": "/p/2", "count": 3, "total_price": 1.5}],
        lists={"Recommendation": {"items": []}},
        consent_granted=False,
    )

    assert outcome(body, careful=False) == outcome(body, careful=True)
    assert isinstance(outcome(body, careful=True), Sent)
