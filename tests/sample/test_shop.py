"""The sample shop: a catalog that the wire takes as it is, and shoppers whose baskets make sense."""

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import msgspec
import pytest

from endcap.sample import UNTIL, OrderLine, catalog, orders
from endcap.sample.pictures import DRAWINGS, PAINTS, drawing, picture
from endcap.sample.products import PRODUCTS
from endcap.sample.shop import HISTORY_DAYS, PLAYERS
from endcap.wire.catalog import read_objects

FAMILY = {product.identity: product.family for product in PRODUCTS}
PICTURE_CHARACTERS_MAX = 1_500  # 300 pictures then fit, with all else, into an eighth of one upload
SVG = "http://www.w3.org/2000/svg"


@pytest.fixture(scope="module")
def objects() -> dict[str, Any]:
    """The catalog's objects by identity, as a client would read them from JSON."""
    read = msgspec.json.decode(msgspec.json.encode(catalog()))
    return {item["identity"]: item for item in read}


@pytest.fixture(scope="module")
def lines() -> list[OrderLine]:
    return list(orders())


@pytest.fixture(scope="module")
def baskets(lines: list[OrderLine]) -> list[set[str]]:
    """The families met in each order."""
    families: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        families[line.order_id].add(FAMILY[line.identity])
    return list(families.values())


# --- catalog --------------------------------------------------------------------------------------------------------


def test_about_three_hundred_products_stand_on_the_shelves(objects: dict[str, Any]) -> None:
    """Large enough to browse; identities and titles are each used once."""
    titles = {item["fields"]["title"] for item in objects.values()}

    assert 280 <= len(catalog()) <= 330
    assert len(objects) == len(titles) == len(catalog())


@pytest.mark.parametrize(
    ("identity", "title"), [("/p/123", "Fender Telecaster"), ("/p/555", "Fender Leather Strap")]
)
def test_products_of_the_documented_examples_can_be_bought(
    objects: dict[str, Any], identity: str, title: str
) -> None:
    """The API's own examples pin /p/555 to /p/123, so both exist here and are available."""
    fields = objects[identity]["fields"]

    assert fields["title"] == title
    assert fields["availability"] == 1
    assert "availability_rank" not in fields


def test_wire_takes_the_whole_catalog_without_a_fault(objects: dict[str, Any]) -> None:
    """In one upload, as `POST /v1/content` reads it."""
    batch = read_objects(msgspec.json.encode({"objects": catalog()}))

    assert batch.faults == {}
    assert set(batch.objects) == set(objects)


def test_every_object_has_the_fields_that_the_wire_names(objects: dict[str, Any]) -> None:
    """Text is text and amounts are numbers, the price in words and in figures is one price."""
    for item in objects.values():
        fields = item["fields"]

        assert item["type"] == "item"
        assert fields["web_url"] == item["identity"]
        assert fields["brand"]
        assert fields["description"].endswith((".", "?"))
        assert float(fields["price"].removesuffix(" EUR")) == fields["price_amount"] > 0
        assert fields.get("price_old_amount", 9_999) > fields["price_amount"]
        assert datetime.fromisoformat(fields["introduced_at"]).replace(tzinfo=UTC) < UNTIL


def test_a_field_has_one_type_throughout(objects: dict[str, Any]) -> None:
    """The catalog service fixes a field's type by the first value that it meets."""
    types: defaultdict[str, set[type]] = defaultdict(set)
    for item in objects.values():
        for name, value in item["fields"].items():
            types[name].add(type(value))

    assert {name: kinds for name, kinds in types.items() if len(kinds) > 1} == {}


def test_some_products_are_reduced_late_sold_out_or_carry_a_hidden_margin(
    objects: dict[str, Any],
) -> None:
    """Whatever a rule can ask for occurs, and stays the exception."""
    fields = [item["fields"] for item in objects.values()]
    ranks = Counter(field.get("availability_rank") for field in fields)

    assert 10 <= sum("price_old" in field for field in fields) <= 40
    assert 5 <= ranks[15] == sum(field["availability"] == 0 for field in fields) <= 12
    assert 5 <= ranks[8] <= 15
    assert 20 <= sum("_margin" in field for field in fields) < len(fields) / 2


def test_categories_name_their_ancestors_from_the_top(objects: dict[str, Any]) -> None:
    """One category a product; an identity always stands for the same title."""
    titles: dict[str, set[str]] = defaultdict(set)
    for item in objects.values():
        (category,) = item["nested"]
        ancestors = category["fields"]["ancestors"]
        titles[category["identity"]].add(category["fields"]["title"])
        for ancestor in ancestors:
            titles[ancestor["identity"]].add(ancestor["title"])

        assert category["type"] == "category"
        assert ancestors[0]["title"] in {"Guitars", "Amplifiers", "Effects", "Accessories"}

    assert all(len(names) == 1 for names in titles.values())
    assert objects["/p/555"]["nested"] == [
        {
            "type": "category",
            "identity": "/c/straps",
            "fields": {
                "title": "Straps",
                "ancestors": [
                    {"type": "category", "identity": "/c/accessories", "title": "Accessories"}
                ],
            },
        }
    ]


def test_catalog_seen_later_keeps_its_news_new(objects: dict[str, Any]) -> None:
    """Introductions move with `until`; nothing else does."""
    shift = timedelta(days=10)
    later: list[dict[str, Any]] = catalog(until=UNTIL + shift)

    for new, old in zip(later, objects.values(), strict=True):
        then = datetime.fromisoformat(old["fields"]["introduced_at"])
        moved = old["fields"] | {"introduced_at": (then + shift).date().isoformat()}
        assert new == old | {"fields": moved}


def test_nothing_points_outside(objects: dict[str, Any]) -> None:
    """No address anywhere but the name of the SVG vocabulary, which nobody fetches."""
    text = msgspec.json.encode(list(objects.values())).decode().replace(SVG, "")

    assert "http:" not in text
    assert "https:" not in text
    assert '"//' not in text


# --- pictures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", DRAWINGS)
def test_picture_is_well_formed_small_and_whole(look: str) -> None:
    """In every colour: XML, no placeholder left, and safe between double quotes."""
    for colour in PAINTS:
        root = ElementTree.fromstring(drawing(look, colour=colour))
        uri = picture(look, colour=colour)

        assert root.tag == f"{{{SVG}}}svg"
        assert "{" not in uri
        assert len(uri) < PICTURE_CHARACTERS_MAX
        assert not set('"<#\n') & set(uri)
        assert unquote(uri).endswith(drawing(look, colour=colour))


def test_every_drawing_and_every_colour_is_for_sale() -> None:
    """What no product shows would be drawn for nobody."""
    assert {product.look for product in PRODUCTS} == set(DRAWINGS)
    assert {product.colour for product in PRODUCTS} == set(PAINTS)


# --- orders ---------------------------------------------------------------------------------------------------------


def test_history_is_as_long_and_as_large_as_promised(lines: list[OrderLine]) -> None:
    """Eighteen months, oldest first, and nothing on or after the last instant."""
    times = [line.created_at for line in lines]

    assert 6_000 <= len(lines) <= 10_000
    assert times == sorted(times)
    assert UNTIL - timedelta(days=HISTORY_DAYS) <= times[0] < times[-1] < UNTIL
    assert len({line.user_id for line in lines}) == 1_500


def test_every_line_is_of_a_product_that_was_then_for_sale(
    objects: dict[str, Any], lines: list[OrderLine]
) -> None:
    """Nothing is sold before it was introduced; what it cost is its price, or its old one."""
    for line in lines:
        fields = objects[line.identity]["fields"]

        assert line.unit_price in (fields["price_amount"], fields.get("price_old_amount"))
        assert line.created_at.date().isoformat() >= fields["introduced_at"]
        assert line.created_at.tzinfo is UTC
        assert 1 <= line.quantity <= 3


def test_order_names_a_product_once_and_has_one_buyer(lines: list[OrderLine]) -> None:
    pairs = {(line.order_id, line.identity) for line in lines}
    buyers = {(line.order_id, line.user_id, line.created_at) for line in lines}

    assert len(pairs) == len(lines)
    assert len(buyers) == len({line.order_id for line in lines})


def test_one_seed_tells_one_history(lines: list[OrderLine]) -> None:
    """And another seed tells another."""
    assert list(orders()) == lines
    assert list(islice(orders(seed=8), 100)) != lines[:100]


def test_history_can_end_on_any_day() -> None:
    """The demo ends it today, at whatever time of day, and the shop still has goods to sell."""
    for until in (datetime(2019, 2, 3, 4, 5, tzinfo=UTC), datetime(2031, 7, 8, 9, 10, tzinfo=UTC)):
        lines = list(orders(shoppers=200, until=until))

        assert len(lines) > 500
        assert until - timedelta(days=3) < lines[-1].created_at < until


def share(baskets: Collection[set[str]], family: str) -> float:
    return sum(family in basket for basket in baskets) / len(baskets)


@pytest.mark.parametrize(
    ("bought", "with_it"),
    [
        ("electric", "strap"),
        ("electric", "cable"),
        ("electric", "case-electric"),
        ("acoustic", "capo"),
        ("bass", "bass-amp"),
        ("pedal", "patch"),
        ("bass", "strings-bass"),
        ("classical", "strings-nylon"),
    ],
)
def test_baskets_hold_what_goes_together(
    baskets: list[set[str]], bought: str, with_it: str
) -> None:
    """Beside the one, the other is at least twice as likely as anywhere."""
    beside = [basket for basket in baskets if bought in basket]

    assert share(beside, with_it) > 2 * share(baskets, with_it)


@pytest.mark.parametrize(
    ("bought", "not_with_it"),
    [("bass", "strings-electric"), ("electric", "strings-bass"), ("classical", "cable")],
)
def test_baskets_do_not_hold_what_fits_nothing_in_them(
    baskets: list[set[str]], bought: str, not_with_it: str
) -> None:
    assert not any({bought, not_with_it} <= basket for basket in baskets)


def test_strings_are_bought_again_and_mostly_the_same(lines: list[OrderLine]) -> None:
    """Half of those who buy strings three times or more buy one set most of these times."""
    sets: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        if FAMILY[line.identity].startswith("strings-"):
            sets[line.user_id][line.identity] += 1
    regulars = [bought for bought in sets.values() if bought.total() >= 3]
    faithful = [bought for bought in regulars if max(bought.values()) * 2 > bought.total()]

    assert len(regulars) > 300
    assert len(faithful) > len(regulars) / 2


def test_few_products_sell_much_and_many_sell_little(lines: list[OrderLine]) -> None:
    """Of electric guitars the best fifth makes half of the sales or more."""
    sales = Counter(line.identity for line in lines if FAMILY[line.identity] == "electric")
    fifth = sum(family == "electric" for family in FAMILY.values()) // 5
    best = sum(count for _, count in sales.most_common(fifth))

    assert best >= sales.total() / 2
    assert sales["/p/123"] >= 30


def test_december_is_busier_than_july(lines: list[OrderLine]) -> None:
    months = Counter((line.created_at.year, line.created_at.month) for line in lines)

    assert months[2025, 12] > 1.5 * months[2026, 7]


def test_each_instrument_has_players(baskets: list[set[str]]) -> None:
    assert all(share(baskets, family) > 0.01 for family, _ in PLAYERS)
