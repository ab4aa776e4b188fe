"""
The questions of list and export: parameters in either spelling, and every fault at once.
"""

import msgspec
import pytest

from endcap import criteria
from endcap.domain import NEWEST_FIRST, Filter, Sort
from endcap.errors import FaultyFields, MalformedBody
from endcap.wire.listing import (
    LIMIT_DEFAULT,
    LIMIT_MAX,
    OFFSET_MAX,
    SORT_COLUMNS,
    Export,
    Listing,
    Query,
    read_export,
    read_listing,
)

SORT = f"Must be one of {', '.join(SORT_COLUMNS)}, with :asc or :desc"
COUNT = "Must be a whole number, 0 or more"
FLAG = "Must be true, false, 1 or 0"


@pytest.mark.parametrize("body", [b"", b"  \n", b"{}", b'{"criteria": []}', b'{"criteria": null}'])
def test_nothing_asked_is_the_newest_page_of_everything(body: bytes) -> None:
    """An empty body is an empty object."""
    assert read_listing([], body) == Listing(Filter(), NEWEST_FIRST, LIMIT_DEFAULT, 0, None)


def test_everything_that_can_be_asked() -> None:
    """Repeated parameters, in either spelling, in the order sent; unknown ones are ignored."""
    query = [
        ("model", "basket"),
        ("model[]", "trends"),
        ("tag", "spring"),
        ("target_type", "item"),
        ("target_type[]", "all"),
        ("target_identity", "/p/1"),
        ("sort", "model:asc"),
        ("sort[]", "created_at:desc"),
        ("sort", "creator"),
        ("limit", "10"),
        ("offset", "20"),
        ("colour", "red"),
    ]
    body = msgspec.json.encode({"criteria": [{"field": "tags", "operator": "=", "value": "a"}]})

    assert read_listing(query, body) == Listing(
        Filter(("basket", "trends"), ("spring",), ("item", "all"), ("/p/1",)),
        (Sort("model", False), Sort("created_at", True), Sort("creator", False)),
        10,
        20,
        criteria.read([{"field": "tags", "operator": "=", "value": "a"}]),
    )


def test_all_target_types_may_be_asked_for() -> None:
    """Which is as good as none."""
    types = ("item", "criteria", "all")

    assert read_listing([("target_type", each) for each in types], b"").filter.target_types == types


@pytest.mark.parametrize(
    ("query", "limit", "offset"),
    [
        ([("limit", "0")], 0, 0),
        ([("limit", "1001")], LIMIT_MAX, 0),
        ([("limit", "9007199254740992")], LIMIT_MAX, 0),
        ([("limit", "5"), ("limit", "7")], 7, 0),
        ([("offset", str(OFFSET_MAX))], LIMIT_DEFAULT, OFFSET_MAX),
        ([("offset", "007")], LIMIT_DEFAULT, 7),
    ],
)
def test_numbers_are_capped_and_the_last_one_counts(query: Query, limit: int, offset: int) -> None:
    """A cap is no fault."""
    listing = read_listing(query, b"")

    assert (listing.limit, listing.offset) == (limit, offset)


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ([("limit", "-1")], {"limit": [COUNT]}),
        ([("limit", "")], {"limit": [COUNT]}),
        ([("limit", "ten")], {"limit": [COUNT]}),
        ([("limit", "1.0")], {"limit": [COUNT]}),
        ([("limit", "١")], {"limit": [COUNT]}),
        ([("offset", "-5")], {"offset": [COUNT]}),
        ([("offset", str(OFFSET_MAX + 1))], {"offset": [COUNT]}),
        ([("offset", "9" * 5000)], {"offset": [COUNT]}),
        ([("sort", "colour")], {"sort": [SORT]}),
        ([("sort", "model:up")], {"sort": [SORT]}),
        ([("sort", "")], {"sort": [SORT]}),
        ([("target_type", "some")], {"target_type": ["Must be one of: item, criteria, all"]}),
        ([("model", "a\x00")], {"model": ["Must not contain the character U+0000"]}),
        ([("tag[]", "\x00")], {"tag": ["Must not contain the character U+0000"]}),
    ],
)
def test_a_faulty_parameter_is_named(query: Query, faults: dict[str, list[str]]) -> None:
    """Under its name without brackets."""
    with pytest.raises(FaultyFields, match=r"^Invalid list parameters provided") as refusal:
        read_listing(query, b"")

    assert refusal.value.details == faults


@pytest.mark.parametrize(
    ("rules", "fault"),
    [
        ([{"field": "brand", "operator": "=", "value": "x"}], "Unknown field: brand"),
        ([{"or": [{"colour": "x"}]}], "Unknown field: colour"),
        ("x", f"Must be an object or a list of rules. {criteria.SUPPORTED_FORMS}"),
        ([{"or": []}], '"or" must hold at least one rule'),
    ],
)
def test_a_faulty_rule_is_named(rules: object, fault: str) -> None:
    """Rules name a customization's own attributes only."""
    with pytest.raises(FaultyFields) as refusal:
        read_listing([], msgspec.json.encode({"criteria": rules}))

    assert refusal.value.details == {"criteria": [fault]}


def test_every_fault_is_reported_at_once() -> None:
    """Of the parameters and of the body."""
    with pytest.raises(FaultyFields) as refusal:
        read_listing([("limit", "x"), ("sort", "x"), ("sort", "y")], b'{"criteria": 5}')

    assert list(refusal.value.details) == ["sort", "limit", "criteria"]


@pytest.mark.parametrize("body", [b"[]", b"x", b"5", b'"criteria"'])
def test_a_body_that_is_no_object_is_malformed(body: bytes) -> None:
    """400, told apart from a faulty one."""
    with pytest.raises(MalformedBody):
        read_listing([], body)


@pytest.mark.parametrize(
    ("text", "flag"),
    [("true", True), ("1", True), ("TRUE", True), ("false", False), ("0", False), ("False", False)],
)
def test_the_flags_of_an_export(text: str, flag: bool) -> None:
    """In the four spellings; the last one counts."""
    query = [("remove_expired_pins", "x"), ("remove_expired_pins", text), ("model", "basket")]

    assert read_export(query) == Export(Filter(("basket",)), flag, False)


def test_the_faults_of_an_export() -> None:
    """All at once."""
    query = [
        ("remove_expired_pins", "yes"),
        ("remove_nonexisting_item_pins", ""),
        ("target_type", "x"),
    ]

    with pytest.raises(FaultyFields, match=r"^Invalid export parameters provided") as refusal:
        read_export(query)

    assert refusal.value.details == {
        "target_type": ["Must be one of: item, criteria, all"],
        "remove_expired_pins": [FLAG],
        "remove_nonexisting_item_pins": [FLAG],
    }
