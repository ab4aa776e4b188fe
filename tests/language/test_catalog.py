"""
Catalog objects on the wire: batches with every fault, merges, what rules can look at, and hits.
"""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.domain import ALWAYS, IDENTITY_CHARACTERS_MAX, CatalogObject, ItemId, Window
from endcap.errors import BodyTooLarge, CatalogFault, CatalogFaults
from endcap.wire import catalog as wire
from endcap.wire.catalog import PATCH_OBJECTS_MAX, TYPE_CHARACTERS_MAX, Facts
from tests.cases import micros
from tests.engine.strategies import EXAMPLES

encode = msgspec.json.encode
decode = msgspec.json.decode

ITEM: dict[str, Any] = {"identity": "/p/1", "type": "item", "fields": {"title": "Guitar"}}


def batch(*objects: Any) -> bytes:
    return encode({"objects": objects})


def told(faults: dict[str, CatalogFault]) -> dict[str, Any]:
    """What an answer says of each fault: its messages by field."""
    assert all(
        (fault.kind, fault.reason) == ("malformed_input", "incorrect object format")
        for fault in faults.values()
    )
    return {key: dict(fault.details) for key, fault in faults.items()}


def document(**members: Any) -> bytes:
    held = wire.object_from({**ITEM, **members})
    assert isinstance(held, CatalogObject), held
    return held.document


def stored(**members: Any) -> bytes:
    """A document as the store may have kept it since before its fields were judged."""
    return encode({**ITEM, **members})


# POST: whole objects


def test_objects_are_read_and_kept_as_they_were_spelled() -> None:
    """The known members in a steady order, each as it was sent; unknown ones and nulls are not kept."""
    fields = b'{ "title" : "caf\\u00e9", "price":1.50 }'
    body = (
        b'{"objects": [{"fields": %b, "x": 1, "generation": "7", "nested": [ ], "type": "item",'
        b' "active_from": null, "identity": "/p/1"}]}' % fields
    )

    read = wire.read_objects(body)

    assert read.faults == {}
    [held] = read.objects.values()
    assert (held.identity, held.type, held.generation) == ("/p/1", "item", "7")
    assert held.document == (
        b'{"identity":"/p/1","type":"item","generation":"7","fields":%b,"nested":[ ]}' % fields
    )


def test_url_is_an_older_word_for_identity() -> None:
    """Clients in production still send it; where both are there, identity is the one."""
    older = {"url": "/p/1", "type": "item", "fields": {"title": "Guitar"}}

    read = wire.read_objects(batch(older, {**ITEM, "identity": "/p/2", "url": "/p/3"}))

    assert list(read.objects) == ["/p/1", "/p/2"]
    assert decode(read.objects[ItemId("/p/1")].document) == ITEM


def test_of_two_with_one_identity_the_later_is_kept() -> None:
    """And a later one without a fault takes back the fault of an earlier one."""
    later = {**ITEM, "fields": {"title": "Later"}}

    read = wire.read_objects(batch({**ITEM, "fields": {}}, ITEM, later))

    assert read.faults == {}
    assert [decode(held.document) for held in read.objects.values()] == [later]


TEXT = "Must be a non-empty text"


@pytest.mark.parametrize(
    ("sent", "faults"),
    [
        ("text", {"object #1": {"object": ["must be an object"]}}),
        (None, {"object #1": {"object": ["must be an object"]}}),
        ([], {"object #1": {"object": ["must be an object"]}}),
        ({"type": "item"}, {"object #1": {"identity": ["is missing"]}}),
        ({**ITEM, "identity": ""}, {"object #1": {"identity": [TEXT]}}),
        ({**ITEM, "identity": 5}, {"object #1": {"identity": [TEXT]}}),
        (
            {**ITEM, "identity": None},
            {"object #1": {"identity": ["Missing required field: identity"]}},
        ),
        (
            {**ITEM, "identity": "x" * (IDENTITY_CHARACTERS_MAX + 1)},
            {"object #1": {"identity": ["Must have at most 2000 characters"]}},
        ),
        (
            {"identity": "/p/1"},
            {"/p/1": {"type": ["Missing required field: type"], "fields": ["must be an object"]}},
        ),
        ({**ITEM, "type": ""}, {"/p/1": {"type": [TEXT]}}),
        (
            {**ITEM, "type": "t" * (TYPE_CHARACTERS_MAX + 1)},
            {"/p/1": {"type": ["Must have at most 100 characters"]}},
        ),
        ({**ITEM, "generation": 7}, {"/p/1": {"generation": [TEXT]}}),
        ({**ITEM, "fields": []}, {"/p/1": {"fields": ["must be an object"]}}),
        ({**ITEM, "fields": {}}, {"/p/1": {"title": ["must be filled"]}}),
        ({**ITEM, "fields": {"title": ""}}, {"/p/1": {"title": ["must be filled"]}}),
        ({**ITEM, "fields": {"title": ["x"]}}, {"/p/1": {"title": ["must be filled"]}}),
        ({**ITEM, "nested": {}}, {"/p/1": {"nested": ["must be a list of objects"]}}),
        ({**ITEM, "nested": ["x"]}, {"/p/1": {"nested": ["must be a list of objects"]}}),
        (
            {**ITEM, "active_from": "soon"},
            {"/p/1": {"active_from": ["Must be an ISO 8601 date-time, e.g. 2025-02-01T00:00:00Z"]}},
        ),
        (
            {**ITEM, "active_from": "2025-01-01", "active_to": "2025-01-01"},
            {"/p/1": {"active_from": ["must be before active_to"]}},
        ),
    ],
)
def test_a_faulty_object_is_named(sent: Any, faults: dict[str, Any]) -> None:
    """By its identity, or by its number where it has none."""
    read = wire.read_objects(batch(sent))

    assert told(read.faults) == faults
    assert read.objects == {}


def test_the_rest_of_a_batch_is_read() -> None:
    """Each object stands for itself; numbers count all objects."""
    read = wire.read_objects(
        batch(ITEM, {"type": "item"}, "x", {**ITEM, "identity": "/p/4", "type": 1})
    )

    assert list(read.objects) == ["/p/1"]
    assert list(read.faults) == ["object #2", "object #3", "/p/4"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"objects":{}}', b'{"objects":null}', b"\xff"]
)
@pytest.mark.parametrize("read", [wire.read_objects, wire.read_patches, wire.read_removals])
def test_a_body_without_objects_is_one_fault(read: Any, body: bytes) -> None:
    """In the catalog's own shape of errors."""
    with pytest.raises(CatalogFaults) as refusal:
        read(body)

    assert told(refusal.value.faults) == {
        "body": {"objects": ["must be a list of objects under this key"]}
    }
    assert refusal.value.ok_count == 0


# PATCH: merges


def merged(patch: dict[str, Any], stored: bytes | None) -> CatalogObject | CatalogFault:
    [merge] = wire.read_patches(batch({"identity": "/p/1", **patch})).objects.values()
    outcome = merge(stored)
    assert isinstance(outcome, CatalogObject | CatalogFault)
    return outcome


def test_a_patch_merges_fields_by_name() -> None:
    """What is not sent stays; nested and the other members are replaced whole."""
    stored = document(
        fields={"title": "Guitar", "price": "10 €", "color": ["red"]},
        nested=[{"type": "category", "fields": {"title": "Guitars"}}],
        generation="1",
    )

    changed = merged(
        {"fields": {"price": "9 €", "color": None}, "nested": [], "generation": "2"}, stored
    )

    assert isinstance(changed, CatalogObject)
    assert changed.generation == "2"
    assert decode(changed.document) == {
        "identity": "/p/1",
        "type": "item",
        "generation": "2",
        "fields": {"title": "Guitar", "price": "9 €", "color": None},
        "nested": [],
    }


def test_a_patch_may_name_the_type_but_not_change_it() -> None:
    """An object of another type is another object."""
    assert isinstance(merged({"type": "item"}, document()), CatalogObject)

    fault = merged({"type": "category"}, document())

    assert isinstance(fault, CatalogFault)
    assert fault.details == {"type": ["cannot be changed"]}


def test_a_patch_of_nothing_known_is_a_fault() -> None:
    """It may come from a shop whose first upload did not arrive."""
    fault = merged({"fields": {"price": "1 €"}}, None)

    assert isinstance(fault, CatalogFault)
    assert (fault.kind, fault.reason) == ("not_found", "Identity not in catalog")


def test_a_merge_that_makes_a_faulty_object_is_refused() -> None:
    """The object as it would be is checked like a whole one."""
    for patch, faults in (
        ({"fields": {"title": None}}, {"title": ["must be filled"]}),
        ({"active_to": "2024-01-01"}, {"active_from": ["must be before active_to"]}),
    ):
        fault = merged(patch, document(active_from="2025-01-01"))

        assert isinstance(fault, CatalogFault)
        assert fault.details == faults


@pytest.mark.parametrize(
    ("patch", "faults"),
    [
        ({"fields": "x"}, {"fields": ["must be an object"]}),
        ({"nested": "x"}, {"nested": ["must be a list of objects"]}),
    ],
)
def test_a_faulty_patch_is_named(patch: dict[str, Any], faults: dict[str, list[str]]) -> None:
    """Before anything is looked up."""
    read = wire.read_patches(batch({"identity": "/p/1", **patch}))

    assert told(read.faults) == {"/p/1": faults}


def test_a_patch_is_of_at_most_300_objects_with_an_identity_each() -> None:
    """More is too large; the same one twice would depend on the order."""
    patches = [{"identity": f"/p/{number}"} for number in range(PATCH_OBJECTS_MAX + 1)]

    assert len(wire.read_patches(batch(*patches[1:])).objects) == PATCH_OBJECTS_MAX
    with pytest.raises(BodyTooLarge, match=r"^At most 300 objects in one request$"):
        wire.read_patches(batch(*patches))
    assert told(wire.read_patches(batch(patches[0], patches[0])).faults) == {
        "/p/0": {"identity": ["must not be repeated in one request"]}
    }


def test_a_removal_names_identity_and_type() -> None:
    """An object of that identity and another type is not meant."""
    read = wire.read_removals(batch({"identity": "/p/1", "type": "item"}, {"identity": "/p/2"}))

    assert read.objects == {"/p/1": "item"}
    assert told(read.faults) == {"/p/2": {"type": ["Missing required field: type"]}}


# Facts and attributes


@pytest.mark.parametrize(
    ("fields", "available", "rank"),
    [
        ({}, True, 1),
        ({"availability": 1}, True, 1),
        ({"availability": 0}, False, 15),
        ({"availability": "0"}, False, 15),
        ({"availability": False}, False, 15),
        ({"availability": 0.0}, False, 15),
        ({"availability": None}, True, 1),
        ({"availability": "sold out"}, True, 1),
        ({"availability_rank": 3}, True, 3),
        ({"availability_rank": 3, "availability": 0}, True, 3),
        ({"availability_rank": 14.5}, True, 14),
        ({"availability_rank": 15, "availability": 1}, False, 15),
        ({"availability_rank": 10**400}, False, 10**400),
        ({"availability_rank": True, "availability": 0}, False, 15),
        ({"availability_rank": "3", "availability": 0}, True, 3),
        ({"availability_rank": "first", "availability": 0}, False, 15),
    ],
)
def test_availability(fields: dict[str, Any], available: bool, rank: int) -> None:
    """1 or nothing is available; a rank, if it is a number, wins."""
    facts, _ = wire.understood(stored(fields={"title": "t", **fields}))

    assert facts == Facts(ALWAYS, available, rank, facts.introduced_at)


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"introduced_at": "2025-01-02"}, "2025-01-02"),
        ({"introduced_at": "2025-01-02T03:04:05+01:00"}, "2025-01-02T02:04:05"),
        ({"_introduced_at": "2025-01-02"}, "2025-01-02"),
        ({"introduced_at": "2025-01-03", "_introduced_at": "2025-01-02"}, "2025-01-03"),
        ({"introduced_at": "lately"}, "1970-01-01"),
        ({"introduced_at": 5}, "1970-01-01"),
        ({}, "1970-01-01"),
    ],
)
def test_when_an_item_was_introduced(fields: dict[str, Any], at: str) -> None:
    """The hidden spelling counts too; what cannot be read is long ago."""
    assert wire.understood(stored(fields={"title": "t", **fields}))[0].introduced_at == micros(at)


def test_an_object_has_a_window_of_its_own() -> None:
    """Half open, like a pin's."""
    facts, _ = wire.understood(stored(active_from="2025-01-01", active_to="2025-02-01"))

    assert facts.window == Window(micros("2025-01-01"), micros("2025-02-01"))
    assert wire.understood(stored())[0].window is ALWAYS


@pytest.mark.parametrize(
    ("price", "amount"),
    [
        ("12", 12.0),
        ("12.50 EUR", 12.5),
        ("€ 12,50", 12.5),
        ("$1,299.00", 1299.0),
        ("1.299,00 €", 1299.0),
        ("1 299,00 Kč", 1299.0),
        ("1'299.00 CHF", 1299.0),
        ("1\u00a0299,50 Kč", 1299.5),
        ("1\u202f299,50 €", 1299.5),
        ("CHF 1’299.50", 1299.5),
        ("٣", None),
        ("1,299", 1299.0),
        ("1.299", 1.299),
        ("1.299 €", 1299.0),
        ("0,999 €", 0.999),
        ("0.125 €", 0.125),
        ("1234.567 €", 1234.567),
        ("1.299.000", 1299000.0),
        ("1,299,000.5", 1299000.5),
        ("12,-", 12.0),
        ("from 5 to 9", 5.0),
        (12, 12.0),
        (12.5, 12.5),
        ("free", None),
        ("", None),
        (True, None),
        (None, None),
        (["12"], None),
        ("9" * 400, None),
        (10**400, None),
    ],
)
def test_a_number_is_derived_from_a_price(price: Any, amount: float | None) -> None:
    """The last separator is the decimal one, unless it groups thousands."""
    attributes = wire.attributes(stored(fields={"title": "t", "price": price, "price_old": price}))

    assert attributes.get("price_amount") == attributes.get("price_old_amount") == amount


def test_a_price_amount_that_is_sent_is_kept() -> None:
    """Whatever the text beside it says."""
    attributes = wire.attributes(stored(fields={"title": "t", "price": "12 €", "price_amount": 9}))

    assert attributes["price_amount"] == 9


def category(title: Any, *ancestors: Any, type: str = "category") -> dict[str, Any]:
    return {"type": type, "fields": {"title": title, "ancestors": list(ancestors)}}


def test_categories_are_reachable_by_title_and_by_level() -> None:
    """The path from the top, in whichever form ancestors come; each title once; other nested objects are none."""
    nested = [
        category("Strat", {"title": "Music"}, {"fields": {"title": "Guitars"}}),
        category("Sale", "Music"),
        category("Brand", type="brand"),
        {"type": "category"},
        category(None),
        category("Deep", *"123456"),
        category("Odd", None, 5, {}, {"title": 5}),
    ]

    attributes = wire.attributes(stored(nested=nested))

    assert attributes["category"] == ["Strat", "Sale", "Deep", "Odd"]
    assert attributes["category_lvl_1"] == ["Music", "1", "Odd"]
    assert attributes["category_lvl_2"] == ["Guitars", "Sale", "2"]
    assert attributes["category_lvl_3"] == ["Strat", "3"]
    assert attributes["category_lvl_5"] == ["5"]
    assert "category_lvl_6" not in attributes


def test_a_category_of_the_item_itself_is_kept_beside_the_nested_ones() -> None:
    """Shops send it either way, or both."""
    attributes = wire.attributes(
        stored(fields={"title": "t", "category": "Own"}, nested=[category("Nested")])
    )

    assert attributes["category"] == ["Own", "Nested"]


@pytest.mark.parametrize("own", ["Own", ["Own"], "Nested", [], None])
def test_what_one_item_says_itself_is_not_said_of_others_in_its_category(own: Any) -> None:
    """What is nested in both is understood once."""
    nested = [category("Nested"), category("Other")]
    without = wire.attributes(stored(nested=nested))

    wire.attributes(stored(fields={"title": "t", "category": own}, nested=nested))

    assert wire.attributes(stored(nested=nested)) == without
    assert without["category"] == ["Nested", "Other"]


def test_rules_see_hidden_fields_identity_and_type() -> None:
    """All that is known of an object."""
    assert wire.attributes(stored(fields={"title": "t", "_margin": 3})) == {
        "identity": "/p/1",
        "type": "item",
        "title": "t",
        "_margin": 3,
    }


# Hits


def test_a_hit_as_a_shopper_gets_it() -> None:
    """Texts as lists but for the scalar ones; numbers, booleans and lists as they are; nothing hidden."""
    fields = {
        "title": "Guitar",
        "brand": "Fender",
        "color": ["red", "blue"],
        "stock": 5,
        "new": True,
        "price": "12 €",
        "_margin": 3,
        "note": None,
    }

    shown = decode(wire.hit_json(document(fields=fields)))

    assert shown == {
        "url": "/p/1",
        "type": "item",
        "attributes": {
            "title": "Guitar",
            "brand": ["Fender"],
            "color": ["red", "blue"],
            "stock": 5,
            "new": True,
            "price": "12 €",
            "price_amount": 12.0,
            "note": None,
        },
        "nested": [],
        "exact": True,
    }


def test_which_attributes_a_hit_shows_can_be_chosen() -> None:
    """Derived ones too; unknown ones are not made up; hidden ones stay hidden."""
    held = document(fields={"title": "t", "price": "5 €", "_margin": 3})

    chosen = decode(wire.hit_json(held, fields=frozenset({"price_amount", "x", "_margin"})))

    assert chosen["attributes"] == {"price_amount": 5.0}
    assert decode(wire.hit_json(held, fields=frozenset()))["attributes"] == {}


def test_which_attributes_are_scalar_is_a_setting() -> None:
    """For shops whose pages expect it."""
    held = document(fields={"title": "t", "brand": "b"})

    shown = decode(wire.hit_json(held, scalars=frozenset({"brand"})))

    assert shown["attributes"] == {"title": ["t"], "brand": "b"}


def test_a_shop_may_have_fields_called_type_and_identity() -> None:
    """A hit still says whose it is."""
    held = document(fields={"title": "t", "type": "electric", "identity": "SKU-7"})

    shown = decode(wire.hit_json(held))

    assert (shown["url"], shown["type"]) == ("/p/1", "item")
    assert shown["attributes"] == {"title": "t", "type": ["electric"], "identity": ["SKU-7"]}


values = st.recursive(
    st.sampled_from([None, True, 0, 1.5, "x", "12 €", 10**30]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["title", "fields", "ancestors", "type"]), inner, max_size=3
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=EXAMPLES)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "identity",
                "url",
                "type",
                "generation",
                "fields",
                "nested",
                "active_from",
                "active_to",
            ]
        ),
        st.one_of(values, st.just({"title": "t"}), st.just("2025-01-01")),
    )
)
def test_whatever_is_sent_is_read_or_named_as_faulty(sent: dict[str, Any]) -> None:
    """And what is read can be used: facts, attributes and a hit."""
    read = wire.read_objects(batch(sent))

    assert len(read.objects) + len(read.faults) == 1
    for held in read.objects.values():
        wire.understood(held.document)
        attributes = wire.attributes(held.document)
        shown = decode(wire.hit_json(held.document))
        assert attributes["title"] == shown["attributes"]["title"]
        assert wire.read_objects(batch(msgspec.Raw(held.document))).objects == read.objects
