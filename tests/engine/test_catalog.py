"""
The catalog answers from columns and bitmaps what could be asked of each object by itself.
"""

import gc
import weakref
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from endcap import criteria
from endcap.domain import CatalogObject, ItemId, Window
from endcap.engine.catalog import LEADERS, Catalog
from tests.cases import micros
from tests.engine import catalogs, scenes
from tests.engine.catalogs import Changes
from tests.engine.strategies import EXAMPLES
from tests.language import shapes

usual = settings(max_examples=EXAMPLES)

criteria_rules = shapes.shapes.map(criteria.read)


@settings(max_examples=EXAMPLES * 3)
@given(catalogs.objects, criteria_rules)
def test_select_is_matches_asked_of_every_object(
    held: list[CatalogObject], rule: criteria.Rule
) -> None:
    """For rules in both spellings over texts, numbers, numerals, flags, lists, nulls and what is missing."""
    catalog = Catalog.of(held)

    assert catalogs.selected(catalog, rule) == catalogs.selected_plainly(held, rule)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ({"size": 12}, {"number", "numeral", "decimal", "list"}),
        ({"size": "12"}, {"number", "numeral", "list"}),
        ({"size": "12.0"}, {"number", "decimal"}),
        ({"size": True}, {"flag"}),
        ({"size": 1}, set()),
        ({"size": "true"}, set()),
        ({"size": {"values": ["10|12"]}}, {"number", "numeral", "list", "decimal"}),
        ({"size": {"values": ["12|13"]}}, {"number", "numeral", "list", "decimal"}),
        ({"size": {"values": ["|11"]}}, set()),
        *(
            ([{"field": "size", "operator": operator, "value": 12}], set[str]())
            for operator in ("<", ">")
        ),
        *(
            (
                [{"field": "size", "operator": operator, "value": bound}],
                {"number", "numeral", "list", "decimal"},
            )
            for operator, bound in ((">=", 12), ("<=", 12), (">", 11), ("<", 13))
        ),
        ({"size": {"values": ["12"], "operator": "not"}}, {"decimal", "flag", "missing", "null"}),
        ([{"field": "size", "operator": "exists", "value": False}], {"missing", "null"}),
        (
            [{"field": "size", "operator": "!=", "value": 12}],
            {"flag", "missing", "null"},
        ),
        ({"size": {"values": ["12", "XL"], "operator": "and"}}, {"list"}),
    ],
)
def test_values_of_each_kind_are_met_as_the_page_says(shape: object, expected: set[str]) -> None:
    """A number meets numbers and numerals of its value, a text itself and numbers; a flag is neither 1 nor "true"."""
    values = {
        "number": 12,
        "numeral": "12",
        "decimal": "12.0",
        "flag": True,
        "list": ["XL", "12"],
        "null": None,
    }
    sent = [
        {"identity": name, "type": "item", "fields": {"title": name, "size": value}}
        for name, value in values.items()
    ]
    sent.append({"identity": "missing", "type": "item", "fields": {"title": "missing"}})

    assert catalogs.selected(scenes.catalog_of(sent), criteria.read(shape)) == expected


@usual
@given(
    catalogs.objects,
    catalogs.histories,
    catalogs.scores,
    st.lists(criteria_rules, max_size=3),
    st.booleans(),
)
def test_a_changed_catalog_equals_one_built_anew(
    start: list[CatalogObject],
    history: Sequence[Changes],
    scores: dict[str, float],
    rules: list[criteria.Rule],
    asked: bool,
) -> None:
    """After any history, whether or not it had been asked anything on the way."""
    catalog = Catalog.of(start, scores)

    for step in history:
        if asked:
            catalogs.described(catalog, rules)
        catalog = catalog.changed(step)

    built = Catalog.of(catalogs.after(start, history), scores)
    assert catalogs.described(catalog, rules) == catalogs.described(built, rules)


@usual
@given(catalogs.objects, catalogs.changes, st.lists(criteria_rules, max_size=3))
def test_a_change_leaves_the_catalog_before_it_as_it_was(
    start: list[CatalogObject], step: Changes, rules: list[criteria.Rule]
) -> None:
    """Requests go on reading it while its successor is built."""
    catalog = Catalog.of(start)
    before = catalogs.described(catalog, rules)

    successor = catalog.changed(step)
    catalogs.described(successor, rules)

    assert catalogs.described(catalog, rules) == before


@pytest.mark.parametrize(("before", "after"), [(1, True), (True, 1), (0, False), ([1], [True])])
def test_a_value_of_another_kind_is_a_change(before: object, after: object) -> None:
    """Although Python calls 1 and True equal."""
    catalog = scenes.catalog_of([plain("A", a=before)])
    rules = [criteria.read({"a": 1}), criteria.read({"a": True}), criteria.read({"a": False})]

    changed = catalog.changed({ItemId("A"): scenes.object_of(plain("A", a=after))})

    built = scenes.catalog_of([plain("A", a=after)])
    assert catalogs.described(changed, rules) == catalogs.described(built, rules)


def test_a_text_that_more_items_get_is_not_gained_by_the_catalog_before() -> None:
    """Nor is one lost by it: postings are copied before they change."""
    before = scenes.catalog_of([plain(name, brand="Fender") for name in "AB"])
    rule = criteria.read({"brand": "Fender"})

    gained = before.changed({ItemId("C"): scenes.object_of(plain("C", brand="Fender"))})
    lost = before.changed({ItemId("A"): None})

    assert catalogs.selected(before, rule) == {"A", "B"}
    assert catalogs.selected(gained, rule) == {"A", "B", "C"}
    assert catalogs.selected(lost, rule) == {"B"}


def test_a_number_is_not_given_again() -> None:
    """So that a number kept by somebody never names another item."""
    catalog = scenes.catalog_of([plain("A"), plain("B")])
    gone = catalog.number("A")

    catalog = catalog.changed({ItemId("A"): None})
    catalog = catalog.changed({ItemId("C"): scenes.object_of(plain("C"))})

    assert catalog.number("A") is None
    assert catalog.number("C") == catalog.numbers_given - 1 != gone


@usual
@given(catalogs.objects, catalogs.scores, catalogs.scores)
def test_a_catalog_ranked_anew_equals_one_built_with_these_scores(
    held: list[CatalogObject], before: dict[str, float], scores: dict[str, float]
) -> None:
    """Nothing but the order changes."""
    ranked = Catalog.of(held, before).ranked_by(scores)

    assert catalogs.described(ranked) == catalogs.described(Catalog.of(held, scores))


def plain(identity: str, **fields: object) -> dict[str, object]:
    return {"identity": identity, "type": "item", "fields": {"title": identity, **fields}}


def test_popularity_then_availability_then_novelty_then_identity() -> None:
    """The order without orders is that of the vendor's pages; each criterion settles the ties of the one before."""
    catalog = scenes.catalog_of(
        [
            plain("unknown age"),
            plain("old", introduced_at="2024-01-01"),
            plain("hidden date", _introduced_at="2024-06-01"),
            plain("new", introduced_at="2025-01-01"),
            plain("new too", introduced_at="2025-01-01"),
            plain("scarce", introduced_at="2025-02-01", availability_rank=3),
            plain("sold out", introduced_at="2025-02-01", availability=0),
            plain("bestseller", availability_rank=3),
            plain("seller"),
        ],
        {"bestseller": 3.0, "seller": 1.0},
    )

    assert [catalog.identity(number) for number in catalog.popular()] == [
        "bestseller",
        "seller",
        "new",
        "new too",
        "hidden date",
        "old",
        "unknown age",
        "scarce",
        "sold out",
    ]


def many(count: int) -> Catalog:
    """Items in shuffled order of popularity; every third and every hundredth can be selected."""
    return scenes.catalog_of(
        [
            plain(f"{number:05}", third=number % 3 == 0, hundredth=number % 100 == 0)
            for number in range(count)
        ],
        {f"{number:05}": float(number * 7_919 % count) for number in range(count)},
    )


@pytest.mark.parametrize("field", ["third", "hundredth", "title"])
def test_matches_come_all_and_in_order_of_popularity(field: str) -> None:
    """The ready leaders first, then all others: dense sets and sparse ones."""
    catalog = many(1_000)
    rule = criteria.read([{"field": field, "operator": "!=", "value": False}])

    matches = catalog.matches(rule)

    found = list(matches.in_order())
    members = catalog.select(rule)
    assert found == [number for number in catalog.popular() if number in members]
    assert len(found) == len(matches) == len(members)
    assert matches.leaders == found[:LEADERS]
    assert all(number in matches for number in found)


@given(st.sets(st.integers(0, 299)))
def test_popular_within_a_set_is_the_popular_order_less_the_others(members: set[int]) -> None:
    """However the set is walked, which depends on how large it is."""
    catalog = HUNDREDS

    found = list(catalog.popular(BitMap(members)))

    assert found == [number for number in catalog.popular() if number in members]


HUNDREDS = many(300)


@usual
@given(catalogs.objects, criteria_rules)
def test_matches_of_a_rule_are_kept(held: list[CatalogObject], rule: criteria.Rule) -> None:
    """Asking again is a look-up."""
    catalog = Catalog.of(held)

    kept = catalog.matches(rule)

    assert catalog.matches(rule) is kept


@pytest.mark.parametrize(
    ("members", "offered"),
    [
        ({}, True),
        ({"fields": {"title": "t", "availability": 1}}, True),
        ({"fields": {"title": "t", "availability": 0}}, False),
        ({"fields": {"title": "t", "availability": "0"}}, False),
        ({"fields": {"title": "t", "availability": False}}, False),
        ({"fields": {"title": "t", "availability": None}}, True),
        ({"fields": {"title": "t", "availability_rank": 14, "availability": 0}}, True),
        ({"fields": {"title": "t", "availability_rank": 15, "availability": 1}}, False),
        ({"type": "product"}, True),
        ({"type": "category"}, False),
        ({"type": "brand"}, False),
    ],
)
def test_who_is_offered(members: dict[str, object], offered: bool) -> None:
    """Items and products that are available; the rank wins over the flag."""
    catalog = scenes.catalog_of([{**plain("A"), **members}])

    assert [catalog.identity(number) for number in catalog.offered] == ["A"] * offered


def test_an_item_with_a_window_of_its_own_is_to_be_asked_for_the_time() -> None:
    """It is neither offered always nor never."""
    catalog = scenes.catalog_of([{**plain("A"), "active_to": "2025-02-01"}])

    number = catalog.number("A")

    assert number is not None
    assert number not in catalog.offered
    assert dict(catalog.windowed.items()) == {number: Window(None, micros("2025-02-01"))}


@pytest.mark.parametrize(
    ("members", "offered"),
    [
        ({}, True),
        ({"active_to": "2025-01-20T12:00:00Z"}, False),
        ({"active_from": "2025-01-20T12:00:00Z"}, True),
        ({"active_from": "2025-01-01", "fields": {"title": "t", "availability": 0}}, False),
        ({"fields": {"title": "t", "availability": 0}}, False),
    ],
)
def test_whether_one_item_is_offered_now(members: dict[str, object], offered: bool) -> None:
    """Available, and inside its own window."""
    catalog = scenes.catalog_of([{**plain("A"), **members}])

    assert catalog.item(0).offered_at(micros("2025-01-20T12:00:00Z")) == offered


@pytest.mark.parametrize(
    ("value", "available"),
    [(0, False), ("0", False), (False, False), (1, True), ("1", True), (True, True), (None, True)],
)
def test_another_availability_field(value: object, available: bool) -> None:
    """0, "0" and false are no; anything else, and nothing, is yes; for one item as for all."""
    catalog = scenes.catalog_of([plain("A", in_shop=value)])
    number = catalog.number("A")
    assert number is not None

    assert (number in catalog.available_by("in_shop")) == available
    assert catalog.is_available_by("in_shop", number) == available


def test_an_order_that_is_full_between_two_items_is_laid_out_anew() -> None:
    """Each newcomer comes right before the last one: half of the room between two neighbours every time."""
    objects = [plain("a", introduced_at="2025-01-01"), plain("z")]
    catalog = scenes.catalog_of(objects)

    for number in range(70, 0, -1):
        newcomer = plain(f"m{number:03}")
        objects.append(newcomer)
        catalog = catalog.changed({ItemId(f"m{number:03}"): scenes.object_of(newcomer)})

    expected = ["a", *(f"m{number:03}" for number in range(1, 71)), "z"]
    assert [catalog.identity(number) for number in catalog.popular()] == expected
    within = BitMap(range(0, 72, 2))
    walked = [number for number in catalog.popular() if number in within]
    assert list(catalog.popular(within)) == walked


def test_what_a_rule_selected_is_brought_up_to_date() -> None:
    """Over changes that touch it, changes that do not, and so many that it is selected anew."""
    rule = criteria.read({"third": True})
    catalog = many(1_000)
    catalog.matches(rule)

    for step, count in enumerate((1, 30, 2_000, 5)):
        catalog = catalog.changed(
            {
                ItemId(f"{number:05}"): scenes.object_of(plain(f"{number:05}", third=step % 2 == 0))
                for number in range(step, 3 * count, 3)
            }
        )
        if step != 1:
            found = list(catalog.matches(rule).in_order())
            assert sorted(found) == sorted(catalog.select(rule))
            assert found == [n for n in catalog.popular() if n in catalog.select(rule)]


def test_a_catalog_that_was_followed_by_another_is_given_up() -> None:
    """Without the collector, which objects of a load are hidden from: nothing a catalog derives leads back to it."""
    catalog = scenes.catalog_of([plain("A", brand="x")])
    list(catalog.matches(criteria.read({"brand": "x"})).in_order())
    catalog.attributes(0)
    catalog.available_by("in_shop")
    last = weakref.ref(catalog)
    gc.disable()
    try:
        catalog = catalog.changed({ItemId("A"): None})
        assert last() is None
    finally:
        gc.enable()
