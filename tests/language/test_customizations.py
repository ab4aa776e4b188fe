"""
Customizations on the wire: what is read, what is kept of it byte for byte, and every fault by its name.
"""

import csv
import io
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap import criteria
from endcap.domain import (
    ALWAYS,
    BLOCKED,
    EVERYWHERE,
    IDENTITY_CHARACTERS_MAX,
    MODEL_CHARACTERS_MAX,
    PINS_MAX,
    POSITION_MAX,
    TAG_CHARACTERS_MAX,
    TAGS_MAX,
    AllTarget,
    CriteriaTarget,
    CustomizationId,
    Definition,
    ItemId,
    ItemTarget,
    Micros,
    Pin,
    Place,
    Record,
    Slot,
    Window,
)
from endcap.errors import FaultyFields, FaultyPins, MalformedBody, Problem
from endcap.wire import customizations as wire
from endcap.wire.customizations import Shown, read_definition
from tests.cases import micros
from tests.choices import combined, merged, rarely
from tests.engine import strategies
from tests.engine.strategies import EXAMPLES
from tests.language import shapes

encode = msgspec.json.encode

BODY: dict[str, Any] = {"model": "basket", "target_type": "all", "pin_definitions": []}
PIN: dict[str, Any] = {"position": 1, "pin_type": "item", "pin_identity": "/p/1"}


def read(**members: Any) -> Definition:
    return read_definition(encode({**BODY, **members}))


def read_pin(**members: Any) -> Pin:
    [pin] = read(pin_definitions=[{**PIN, **members}]).pins
    return pin


def faults_of(body: Any) -> tuple[type[Problem], dict[str, list[str]]]:
    """The class of the refusal and its messages by field."""
    with pytest.raises(FaultyFields) as refusal:
        read_definition(body if isinstance(body, bytes) else encode(body))
    details = {field: list(messages) for field, messages in refusal.value.details.items()}
    return type(refusal.value), details


def record_of(definition: Definition) -> Record:
    """As a store would keep it."""
    return Record(
        CustomizationId("199620b4-df1a-46e8-ab59-9e9ed9af7106"),
        definition.model,
        definition.target_type,
        definition.target_identity,
        definition.tags,
        definition.document,
        definition.metadata,
        "api",
        micros("2025-01-22T08:49:58.999999Z"),
        micros("2025-01-23T00:00:00Z"),
        7,
    )


def got(definition: Definition, *, available: bool = True, shown: Shown | None = None) -> bytes:
    """The answer of a GET."""
    return wire.customization_json(record_of(definition), available=available, shown=shown)


# What is read


def test_the_least_that_can_be_sent() -> None:
    """A model, a target and a list of pins, which may be empty."""
    definition = read()

    assert definition == Definition(
        "basket",
        "all",
        AllTarget(),
        (),
        (),
        b'{"model":"basket","target_type":"all","tags":[],"pin_definitions":[]}',
    )


def test_each_target_is_understood() -> None:
    """Three keys on the wire are one value inside."""
    item = read(target_type="item", target_identity="/p/123")
    by_criteria = read(target_type="criteria", target_criteria={"brand": "Fender"})

    assert item.target == ItemTarget(ItemId("/p/123"))
    assert item.target_identity == "/p/123"
    assert by_criteria.target == CriteriaTarget(criteria.read({"brand": "Fender"}))
    assert by_criteria.target_identity is None


@pytest.mark.parametrize(
    ("members", "place", "position"),
    [
        ({"position": 1}, Slot(1), 1),
        ({"position": POSITION_MAX}, Slot(POSITION_MAX), POSITION_MAX),
        ({"position": -1}, EVERYWHERE, -1),
        ({"position": 0}, BLOCKED, 0),
        ({"position": 3, "is_block_pin": True}, BLOCKED, 0),
        ({"position": -1, "is_block_pin": True}, BLOCKED, 0),
        ({"position": 0, "is_block_pin": False}, BLOCKED, 0),
        ({"position": 3, "is_block_pin": False}, Slot(3), 3),
    ],
)
def test_positions_are_places(members: dict[str, Any], place: Place, position: int) -> None:
    """-1 and 0 are numbers on the wire only; the block flag makes a block of any position."""
    pin = read_pin(**members)

    assert pin.place == place
    assert wire.position_of(pin.place) == position


def test_everything_a_pin_may_say() -> None:
    """Of either type."""
    item = read_pin(
        widget_id="sidebar",
        is_bundle_pin=True,
        active_from="2025-01-01",
        active_to="2025-02-01T12:00:00+02:00",
    )
    by_criteria = read_pin(pin_type="criteria", pin_criteria={"brand": "Fender"}, pin_identity=None)

    assert item == Pin(
        Slot(1),
        ItemId("/p/1"),
        window=Window(micros("2025-01-01T00:00:00Z"), micros("2025-02-01T10:00:00Z")),
        widget="sidebar",
        bundled=True,
    )
    assert by_criteria == Pin(Slot(1), rule=criteria.read({"brand": "Fender"}))


def test_null_means_absent() -> None:
    """For every optional field; nothing of it is kept."""
    pin = dict.fromkeys(
        ["pin_criteria", "widget_id", "is_block_pin", "is_bundle_pin", "active_from", "active_to"]
    )

    definition = read(
        pin_definitions=[{**PIN, **pin}],
        tags=None,
        target_metadata=None,
        target_identity=None,
        target_criteria=None,
    )

    assert definition == read(pin_definitions=[PIN])
    assert definition.pins == (Pin(Slot(1), ItemId("/p/1")),)


def test_unknown_and_answered_keys_are_ignored() -> None:
    """What a GET adds, what another target would need, and what nobody knows: not kept."""
    definition = read(
        id="mine",
        created_at="yesterday",
        updated_at=5,
        creator=["me"],
        available="perhaps",
        colour="red",
        target_identity={"not": "used"},
        pin_definitions=[{**PIN, "colour": "red"}],
    )

    assert definition == read(pin_definitions=[PIN])


def test_tags_keep_their_order_and_lose_their_repeats() -> None:
    """Each tag counts once."""
    assert read(tags=["b", "a", "b"]).tags == ("b", "a")
    assert read(tags=[]).tags == read().tags == ()
    assert len(read(tags=[f"t{number % TAGS_MAX}" for number in range(200)]).tags) == TAGS_MAX


# What is kept


def test_criteria_metadata_and_pins_are_kept_as_they_were_spelled() -> None:
    """Spaces, escapes, order and numbers included."""
    criteria_sent = b'{ "brand" : {"values":["F\\u0065nder"],  "operator":"or"} }'
    metadata = b'{"title": "caf\\u00e9", "price":1.50, "z":[ 1 , 2 ]}'
    pin = b'{"pin_criteria": [ {"field":"price" , "operator":"<","value":1e2} ], "pin_type":"criteria","position":-1}'
    body = (
        b'{"target_metadata": %b, "pin_definitions": [%b], "target_criteria": %b, "target_type":"criteria",'
        b' "model" : "bask\\u0065t"}' % (metadata, pin, criteria_sent)
    )

    definition = read_definition(body)

    assert definition.model == "basket"
    assert criteria_sent in definition.document
    assert b'[ {"field":"price" , "operator":"<","value":1e2} ]' in definition.document
    assert definition.metadata == metadata
    answer = got(definition)
    assert criteria_sent in answer
    assert metadata in answer


def test_a_get_in_full() -> None:
    """Every field that applies, in a steady order; times in whole seconds."""
    definition = read(
        target_type="item",
        target_identity="/p/1",
        tags=["spring"],
        target_metadata={"title": "Mine"},
        pin_definitions=[{**PIN, "is_bundle_pin": False}],
    )

    assert got(definition, available=False).decode() == (
        '{"id":"199620b4-df1a-46e8-ab59-9e9ed9af7106",'
        '"created_at":"2025-01-22T08:49:58Z","updated_at":"2025-01-23T00:00:00Z",'
        '"model":"basket","target_type":"item","target_identity":"/p/1",'
        '"tags":["spring"],'
        '"pin_definitions":[{"position":1,"pin_type":"item","pin_identity":"/p/1","is_bundle_pin":false}],'
        '"target_metadata":{"title":"Mine"},'
        '"creator":"api","available":false}'
    )


@pytest.mark.parametrize(
    ("sent", "shown", "metadata"),
    [
        (None, None, None),
        (None, Shown(), None),
        (None, Shown("Guitar", "/g.jpg"), {"title": "Guitar", "image_link": "/g.jpg"}),
        (None, Shown("Guitar"), {"title": "Guitar"}),
        ({}, Shown("Guitar"), {"title": "Guitar"}),
        ({"title": "Mine"}, Shown("Guitar"), {"title": "Mine"}),
        (
            {"title": "Mine", "x": 1},
            Shown("Guitar", "/g.jpg"),
            {"title": "Mine", "x": 1, "image_link": "/g.jpg"},
        ),
        ({"title": None}, Shown("Guitar"), {"title": "Guitar"}),
        ({"title": ""}, Shown("Guitar"), {"title": ""}),
    ],
)
def test_metadata_is_filled_from_the_catalog(
    sent: Any, shown: Shown | None, metadata: dict[str, Any] | None
) -> None:
    """Title and image where the client sent none; what was sent wins, and nothing else is added."""
    definition = read(target_metadata=sent)

    answer = msgspec.json.decode(got(definition, shown=shown))

    assert answer.get("target_metadata") == metadata


pins = combined(
    position=(1, 2, 7, -1, 0, POSITION_MAX),
    wish=[
        {"pin_type": "item", "pin_identity": "/p/1"},
        {"pin_type": "item", "pin_identity": "/p/ž\u2028\\\"'", "pin_criteria": {"a": "unused"}},
        *({"pin_type": "criteria", "pin_criteria": each} for each in strategies.CRITERIA),
    ],
    window=rarely(*strategies.WINDOWS, one_in=2),
    widget_id=(None, "top"),
    is_block_pin=(None, True, False),
    is_bundle_pin=(None, True, False),
).map(lambda drawn: merged(drawn, "wish", "window"))

bodies = st.builds(
    lambda own, pin_definitions: {**merged(own, "target"), "pin_definitions": pin_definitions},
    combined(
        model=("basket", "ž", "m" * MODEL_CHARACTERS_MAX),
        target=strategies.TARGETS,
        tags=(None, [], ["a"], ["b", "a", "b"]),
        target_metadata=(None, {}, {"title": "x"}, {"deep": [{"er": None}]}),
        id=(None, "sent back"),
    ),
    st.lists(pins, max_size=3),
)


@settings(max_examples=EXAMPLES)
@given(bodies)
def test_what_get_returns_put_takes(body: dict[str, Any]) -> None:
    """Unchanged, any number of times; pins have exactly the fields they were sent with."""
    first = read_definition(encode(body))

    again = read_definition(got(first))

    assert again == first
    assert got(again) == got(first)
    assert wire.definition_of(record_of(first)) == first
    answer = msgspec.json.decode(got(first))
    assert answer["pin_definitions"] == body["pin_definitions"]


@settings(max_examples=EXAMPLES)
@given(bodies, st.sampled_from([None, 2]))
def test_the_straight_way_and_the_careful_way_read_the_same(
    body: dict[str, Any], indent: int | None
) -> None:
    """A member that nobody knows sends a body the careful way, and changes nothing."""
    sent = encode(body) if indent is None else msgspec.json.format(encode(body), indent=indent)
    unknown = {**PIN, "pin_identity": "the last", "unknown": 1}
    careful = {**body, "pin_definitions": [*body["pin_definitions"], unknown]}

    straight = read_definition(sent)

    definition = read_definition(encode(careful))
    assert definition.pins[:-1] == straight.pins
    assert (definition.model, definition.target, definition.tags, definition.metadata) == (
        straight.model,
        straight.target,
        straight.tags,
        None if straight.metadata is None else encode(msgspec.json.decode(straight.metadata)),
    )
    kept, expected = (
        msgspec.json.decode(definition.document),
        msgspec.json.decode(straight.document),
    )
    assert kept["pin_definitions"].pop() == {**PIN, "pin_identity": "the last"}
    assert kept == expected


# What is refused


@pytest.mark.parametrize(
    "body", [b"", b"   ", b"{", b"[]", b'"text"', b"12", b"null", b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_no_object_is_malformed(body: bytes) -> None:
    """400, told apart from an object with faults."""
    with pytest.raises(MalformedBody, match=r"^Invalid configuration provided") as refusal:
        read_definition(body)

    assert refusal.value.details["body"][0].startswith("Must be a JSON object: ")


TEXT = "Must be a non-empty text"
TOO_DEEP = "Nested deeper than 64 levels"
deep: Any = "deep"
for _ in range(70):
    deep = [deep]


@pytest.mark.parametrize(
    ("members", "faults"),
    [
        ({"model": None}, {"model": ["Missing required field: model"]}),
        ({"model": ""}, {"model": [TEXT]}),
        ({"model": 5}, {"model": [TEXT]}),
        (
            {"model": "m" * (MODEL_CHARACTERS_MAX + 1)},
            {"model": [f"Must have at most {MODEL_CHARACTERS_MAX} characters"]},
        ),
        ({"model": "a\x00b"}, {"model": ["Must not contain the character U+0000"]}),
        ({"target_type": None}, {"target_type": ["Missing required field: target_type"]}),
        ({"target_type": "none"}, {"target_type": ["Must be one of: item, criteria, all"]}),
        ({"target_type": ["all"]}, {"target_type": ["Must be one of: item, criteria, all"]}),
        (
            {"target_type": "item"},
            {"target_identity": ["Missing required field: target_identity"]},
        ),
        ({"target_type": "item", "target_identity": 7}, {"target_identity": [TEXT]}),
        (
            {"target_type": "item", "target_identity": "x" * (IDENTITY_CHARACTERS_MAX + 1)},
            {"target_identity": [f"Must have at most {IDENTITY_CHARACTERS_MAX} characters"]},
        ),
        (
            {"target_type": "criteria"},
            {"target_criteria": ["Missing required field: target_criteria"]},
        ),
        (
            {"target_type": "criteria", "target_criteria": {}},
            {"target_criteria": ["Must name at least one attribute"]},
        ),
        (
            {"target_type": "criteria", "target_criteria": []},
            {"target_criteria": ["Must name at least one attribute"]},
        ),
        (
            {"target_type": "criteria", "target_criteria": {"or": []}},
            {"target_criteria": ['"or" must hold at least one rule']},
        ),
        ({"target_metadata": []}, {"target_metadata": ["Must be an object"]}),
        ({"target_metadata": {"a": deep}}, {"target_metadata": [TOO_DEEP]}),
        ({"tags": "spring"}, {"tags": ["Must be a list of texts"]}),
        ({"tags": ["a", 5]}, {"tags": [TEXT]}),
        ({"tags": [""]}, {"tags": [TEXT]}),
        (
            {"tags": ["t" * (TAG_CHARACTERS_MAX + 1)]},
            {"tags": [f"Must have at most {TAG_CHARACTERS_MAX} characters"]},
        ),
        (
            {"tags": [f"t{number}" for number in range(TAGS_MAX + 1)]},
            {"tags": [f"Must be at most {TAGS_MAX}"]},
        ),
    ],
)
def test_a_faulty_field_is_named(members: dict[str, Any], faults: dict[str, list[str]]) -> None:
    """422, Invalid customization provided."""
    assert faults_of({**BODY, **members}) == (FaultyFields, faults)


POSITION = "position: Must be an integer: 1 to 1000, -1 for everywhere, 0 to block (pin 0)"
MOMENT = "Must be an ISO 8601 date-time, e.g. 2025-02-01T00:00:00Z (pin 0)"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"position": None}, "Missing required field: position (pin 0)"),
        ({"position": True}, POSITION),
        ({"position": 1.0}, POSITION),
        ({"position": 1.5}, POSITION),
        ({"position": "1"}, POSITION),
        ({"position": -2}, POSITION),
        ({"position": 1001}, POSITION),
        ({"position": 10**40}, POSITION),
        ({"position": [1]}, POSITION),
        ({"pin_type": None}, "Missing required field: pin_type (pin 0)"),
        ({"pin_type": "all"}, "pin_type: Must be one of: item, criteria (pin 0)"),
        ({"pin_identity": None}, "Missing required field: pin_identity (pin 0)"),
        ({"pin_identity": ""}, f"pin_identity: {TEXT} (pin 0)"),
        ({"pin_identity": 5}, f"pin_identity: {TEXT} (pin 0)"),
        ({"pin_type": "criteria"}, "Missing required field: pin_criteria (pin 0)"),
        (
            {"pin_type": "criteria", "pin_criteria": {}},
            "pin_criteria: Must name at least one attribute (pin 0)",
        ),
        (
            {"pin_type": "criteria", "pin_criteria": {"a": {"values": []}}},
            'pin_criteria: The values of "a" must be a list of at least one (pin 0)',
        ),
        ({"widget_id": ""}, f"widget_id: {TEXT} (pin 0)"),
        ({"widget_id": 4}, f"widget_id: {TEXT} (pin 0)"),
        ({"is_block_pin": "yes"}, "is_block_pin: Must be true or false (pin 0)"),
        ({"is_bundle_pin": 1}, "is_bundle_pin: Must be true or false (pin 0)"),
        ({"active_from": "tomorrow"}, f"active_from: {MOMENT}"),
        ({"active_from": ""}, f"active_from: {MOMENT}"),
        ({"active_to": 1737374400}, f"active_to: {MOMENT}"),
        ({"active_to": "2025-02-30"}, f"active_to: {MOMENT}"),
        (
            {"active_from": "2025-02-01", "active_to": "2025-02-01T00:00:00Z"},
            "active_from: Must be before active_to (pin 0)",
        ),
    ],
)
def test_a_fault_of_a_pin_is_named(members: dict[str, Any], message: str) -> None:
    """422, Invalid pin definition provided; which pin it is stands behind, for clients match the beginning."""
    body = {**BODY, "pin_definitions": [{**PIN, **members}]}

    problem, faults = faults_of(body)

    assert problem is FaultyPins
    assert faults == {"pin_definitions": [message]}


@pytest.mark.parametrize(
    ("sent", "messages"),
    [
        (None, ["Missing required field: pin_definitions"]),
        ("none", ["Must be a list of pin objects"]),
        ({}, ["Must be a list of pin objects"]),
        ([PIN] * (PINS_MAX + 1), [f"Must be at most {PINS_MAX}"]),
        (
            [PIN, "pin", {**PIN, "position": 1.5}],
            [
                "Must be an object (pin 1)",
                "Missing required field: position (pin 1)",
                "Missing required field: pin_type (pin 1)",
                POSITION.replace("pin 0", "pin 2"),
            ],
        ),
    ],
)
def test_a_fault_of_the_list_of_pins_is_named(sent: Any, messages: list[str]) -> None:
    """And one pin that is no object does not hide the others' faults."""
    assert faults_of({**BODY, "pin_definitions": sent}) == (
        FaultyPins,
        {"pin_definitions": messages},
    )


def test_as_many_pins_as_the_bound_are_read() -> None:
    """The bound itself is allowed."""
    assert len(read(pin_definitions=[PIN] * PINS_MAX).pins) == PINS_MAX
    assert len(read(pin_definitions=[{**PIN, "unknown": 1}] * PINS_MAX).pins) == PINS_MAX


def test_every_fault_is_reported_at_once() -> None:
    """Of every field, and of every pin by its index; the reason is that of the pins."""
    body = {
        "target_type": "everything",
        "tags": ["", "x" * 200],
        "target_metadata": "none",
        "pin_definitions": [
            {"pin_type": "item", "position": "first"},
            PIN,
            {"pin_type": "none", "is_block_pin": 1, "active_to": "never"},
        ],
    }

    with pytest.raises(FaultyPins) as refusal:
        read_definition(encode(body))

    assert refusal.value.reason == "Invalid pin definition provided"
    assert refusal.value.details == {
        "model": ["Missing required field: model"],
        "target_type": ["Must be one of: item, criteria, all"],
        "tags": [TEXT, f"Must have at most {TAG_CHARACTERS_MAX} characters"],
        "target_metadata": ["Must be an object"],
        "pin_definitions": [
            POSITION,
            "Missing required field: pin_identity (pin 0)",
            "Missing required field: position (pin 2)",
            "pin_type: Must be one of: item, criteria (pin 2)",
            "is_block_pin: Must be true or false (pin 2)",
            f"active_to: {MOMENT.replace('pin 0', 'pin 2')}",
        ],
    }


def test_the_literal_texts_that_clients_match_on() -> None:
    """They are the beginning of the message, or all of it."""
    _, pin_faults = faults_of(
        {**BODY, "pin_definitions": [{"pin_type": "item", "pin_identity": "x"}]}
    )
    problem, target_faults = faults_of({**BODY, "target_type": "x"})

    assert pin_faults["pin_definitions"][0].startswith("Missing required field: position")
    assert target_faults["target_type"] == ["Must be one of: item, criteria, all"]
    assert FaultyPins().reason == "Invalid pin definition provided"
    assert problem().reason == "Invalid customization provided"


@settings(max_examples=EXAMPLES)
@given(
    st.recursive(
        st.sampled_from([None, 1, -1, "all", "item", "", True]),
        lambda inner: st.one_of(
            st.lists(inner, max_size=2),
            st.dictionaries(
                st.sampled_from([*BODY, *wire.PIN_FIELDS, "tags", "target_criteria"]),
                inner,
                max_size=5,
            ),
        ),
    )
)
def test_whatever_is_sent_is_read_or_refused(body: Any) -> None:
    """With every fault under a field of its own; nothing escapes."""
    try:
        definition = read_definition(encode(body))
    except (MalformedBody, FaultyFields) as refusal:
        problem: Problem | None = refusal
    else:
        problem = None
        again = read_definition(definition.document)
        assert again == msgspec.structs.replace(definition, metadata=None)

    assert isinstance(problem, MalformedBody) == (not isinstance(body, dict))
    assert problem is None or problem.details


# Lists and files


def test_pins_can_be_left_out_of_an_answer() -> None:
    """The others stay as they were spelled, and a customization without pins stays too."""
    odd = b'{ "position": 2, "pin_type":"item", "pin_identity":"/p/2" }'
    body = b'{"model":"m","target_type":"all","tags":["a"],"pin_definitions":[%b, %b]}' % (
        encode(PIN),
        odd,
    )
    record = record_of(read_definition(body))

    kept = wire.without_pins(record, lambda _, pin: pin.place == Slot(2))
    none = wire.without_pins(record, lambda _, pin: False)

    assert wire.without_pins(record, lambda _, pin: True) is record
    assert [pin.item for pin in wire.definition_of(kept).pins] == ["/p/2"]
    assert odd in kept.document
    assert none.document == b'{"model":"m","target_type":"all","tags":["a"],"pin_definitions":[]}'


def test_a_customization_on_one_line() -> None:
    """Line breaks between members go; those inside texts are escaped anyway."""
    body = msgspec.json.format(
        encode({**BODY, "pin_definitions": [PIN], "tags": ["a\nb"]}), indent=2
    )
    answer = got(read_definition(body))

    line = wire.one_line(answer)

    assert b"\n" not in line
    assert msgspec.json.decode(line) == msgspec.json.decode(answer)


def test_one_row_for_each_pin() -> None:
    """Objects and lists as JSON text, what is absent empty; a customization without pins has one row."""
    definition = read(
        target_type="criteria",
        target_criteria={"brand": "Fender"},
        tags=["a", 'b "c"'],
        pin_definitions=[
            {**PIN, "active_to": "2025-02-01"},
            {"position": -1, "pin_type": "criteria", "pin_criteria": {"a": "x,y"}},
        ],
    )

    rows = [dict(zip(wire.CSV_COLUMNS, row, strict=True)) for row in wire.csv_rows(got(definition))]

    assert [(row["position"], row["pin_identity"], row["pin_criteria"]) for row in rows] == [
        ("1", "/p/1", ""),
        ("-1", "", '{"a":"x,y"}'),
    ]
    assert {row["tags"] for row in rows} == {'["a","b \\"c\\""]'}
    assert {row["available"] for row in rows} == {"true"}
    assert {row["target_criteria"] for row in rows} == {'{"brand":"Fender"}'}
    assert rows[0]["active_to"] == "2025-02-01"
    [bare] = wire.csv_rows(got(read()))
    assert bare[-len(wire.PIN_FIELDS) :] == [""] * len(wire.PIN_FIELDS)
    text = io.StringIO()
    csv.writer(text).writerows([list(row.values()) for row in rows])
    assert [
        dict(zip(wire.CSV_COLUMNS, row, strict=True))
        for row in csv.reader(text.getvalue().splitlines())
    ] == rows


def test_a_page_and_a_summary() -> None:
    """Bodies are put together from bodies."""
    page = wire.page_json(7, [got(read()), got(read(tags=["a"]))])

    decoded = msgspec.json.decode(page)
    assert decoded["pagination"] == {"total": 7}
    assert [each["tags"] for each in decoded["results"]] == [[], ["a"]]
    assert wire.page_json(0, []) == b'{"pagination":{"total":0},"results":[]}'
    assert msgspec.json.decode(wire.summary_json({"basket": 2}, ["a", "b"])) == {
        "scope_counts": {"basket": 2},
        "user_tags": ["a", "b"],
    }


def test_rules_of_a_list_look_into_a_customization() -> None:
    """By dotted paths; any pin will do; a list of texts is its elements."""
    definition = read(
        target_type="criteria",
        target_criteria={"brand": {"values": ["Fender", "Gibson"]}},
        tags=["a", "b"],
        target_metadata={"owner": {"name": "Ann"}},
        pin_definitions=[PIN, {**PIN, "position": 4, "pin_identity": "/p/4"}],
    )

    flat = wire.own_attributes(got(definition))

    assert flat["tags"] == ["a", "b"]
    assert flat["target_criteria.brand.values"] == ["Fender", "Gibson"]
    assert flat["target_metadata.owner.name"] == "Ann"
    assert flat["pin_definitions.position"] == [1, 4]
    assert flat["pin_definitions.pin_identity"] == ["/p/1", "/p/4"]


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("model", True),
        ("tags", True),
        ("available", True),
        ("pin_definitions.pin_identity", True),
        ("target_metadata", True),
        ("target_metadata.owner.name", True),
        ("brand", False),
        ("model.name", False),
        ("", False),
    ],
)
def test_which_fields_a_rule_of_a_list_may_name(name: str, own: bool) -> None:
    """Its own attributes, and any path into three of them."""
    assert wire.is_own_field(name) == own


def test_a_window_with_one_side_or_none() -> None:
    """A missing side is open; no window at all is the one that everybody shares."""
    assert read_pin().window is ALWAYS
    assert read_pin(active_to="2025-01-01").window == Window(None, micros("2025-01-01"))
    assert read_pin(active_from="1969-12-31T23:59:59Z").window == Window(Micros(-1_000_000), None)


def test_shapes_of_criteria_that_rules_accept_are_accepted_here() -> None:
    """Both spellings, for targets and for pins, and are kept as they came."""
    for shape in ({"a": "x"}, [{"field": "a", "operator": "exists"}], {"or": [{"a": "x"}]}):
        definition = read(
            target_type="criteria",
            target_criteria=shape,
            pin_definitions=[{"position": 1, "pin_type": "criteria", "pin_criteria": shape}],
        )

        assert definition.document.count(encode(shape)) == 2
        assert definition.pins[0].rule == criteria.read(shape)


@settings(max_examples=EXAMPLES)
@given(shapes.shapes)
def test_any_criteria_is_taken_by_what_is_returned(shape: Any) -> None:
    """What a customization keeps of its criteria means the same when it is read again."""
    if criteria.read(shape) == criteria.ALWAYS_TRUE:
        return
    definition = read(target_type="criteria", target_criteria=shape)

    assert definition.target == CriteriaTarget(criteria.read(shape))
    assert wire.definition_of(record_of(definition)).target == definition.target
