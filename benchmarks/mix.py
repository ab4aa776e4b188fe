"""
A shop with many rules: items, customizations of every kind of target, and requests in which about ten of them speak.

Knows numbers and wire bodies only. Everything follows from a number by a seeded hash, so that the first 10,000 of a
million customizations are the 10,000 of a smaller run.

Customizations come in groups of 10,000, one model a group. In a group 70 % target items: three each of its first
2,333 items. 25 % have criteria of one to four predicates, equality, ranges, lists and nested rules, taken from an item
each; a given item meets four or five of them, which a server has to find among the 2,500. 5 % target all; three of them
belong to the group's model and speak in each of its requests, the rest to other models, three each.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from math import ceil

GROUP = 10_000
SPEAKING = 10
"""About how many speak in a request."""
SPEAKING_ALL = 3
SPEAKING_AT_AN_ITEM = 3
ITEM_SHARE, CRITERIA_SHARE = 70, 25  # of a hundred; the rest targets all

BRANDS, CATEGORIES, PRICES = 200, 50, 500
COLORS = ("red", "green", "blue", "black")
SIZES = ("S", "M", "L", "XL", "XXL")

Fields = dict[str, str]
Body = dict[str, object]


def fields(number: int) -> Fields:
    """The fields of item /p/<number>: values independent of each other."""
    chance = random.Random(number)
    return {
        "title": f"Product {number} with a title of usual length",
        "brand": f"brand-{chance.randrange(BRANDS)}",
        "category": f"category-{chance.randrange(CATEGORIES)}",
        "color": chance.choice(COLORS),
        "size": chance.choice(SIZES),
        "price": f"{chance.randrange(PRICES) + 5} EUR",
        "image_link": f"https://shop.example/pictures/{number}.jpg",
        "web_url": f"https://shop.example/products/{number}",
        "introduced_at": f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}",
    }


def objects(count: int) -> Iterator[dict[str, object]]:
    """A catalog's objects in the wire's words."""
    for number in range(count):
        yield {"identity": f"/p/{number}", "type": "item", "fields": fields(number)}


def bodies(count: int, items_count: int) -> Iterator[Body]:
    """Bodies of customizations. Up to ten target all, so that all speak: what more of them are compared with."""
    everything: Body = {"model": _model(0), "target_type": "all"}
    for number in range(count):
        target = _target(number, items_count) if count > SPEAKING else everything
        yield {**target, "pin_definitions": _pins(number, items_count)}


def _target(number: int, items_count: int) -> Body:
    kind, turn = (
        number % 100,
        number % GROUP // 100,
    )  # turn: how many hundreds of its group came before
    model = _model(number // GROUP)
    if kind < ITEM_SHARE:
        place = turn * ITEM_SHARE + kind
        identity = f"/p/{place % hot_items(GROUP, items_count)}"
        return {"model": model, "target_type": "item", "target_identity": identity}
    if kind < ITEM_SHARE + CRITERIA_SHARE:
        criteria = _criteria(number, fields(random.Random(-number).randrange(items_count)))
        return {"model": model, "target_type": "criteria", "target_criteria": criteria}
    return _all(number)


def _all(number: int) -> Body:
    """The group's first three have its model; the others have models of their own, three each."""
    per_hundred = 100 - ITEM_SHARE - CRITERIA_SHARE
    place = number % GROUP // 100 * per_hundred + max(number % 100 - (100 - per_hundred), 0)
    if place < SPEAKING_ALL:
        return {"model": _model(number // GROUP), "target_type": "all"}
    other = 100_000 + number // GROUP * GROUP + place // SPEAKING_ALL
    return {"model": _model(other), "target_type": "all"}


def _pins(number: int, items_count: int) -> list[Body]:
    """One to three."""
    chance = random.Random(f"pins {number}")
    return [
        {
            "position": chance.randrange(10) + 1,
            "pin_type": "item",
            "pin_identity": f"/p/{chance.randrange(items_count)}",
        }
        for _ in range(number % 3 + 1)
    ]


def _model(number: int) -> str:
    return f"trends_{number}"


def hot_items(count: int, items_count: int) -> int:
    """The first items of the catalog: those that customizations of a group with `count` in it target."""
    return max(1, min(count * ITEM_SHARE // 100 // SPEAKING_AT_AN_ITEM, items_count))


def _price(item: Fields) -> int:
    return int(item["price"].split()[0])


def _nested_lists(item: Fields) -> object:
    chosen = [{"field": "color", "operator": "in", "value": [item["color"], COLORS[0]]}]
    return {"and": [{"field": "brand", "operator": "=", "value": item["brand"]}, *chosen]}


def _not_size(item: Fields) -> object:
    other = SIZES[SIZES.index(item["size"]) - 1]
    return [
        {"field": "category", "operator": "=", "value": item["category"]},
        {"field": "color", "operator": "=", "value": item["color"]},
        {"not": {"field": "size", "operator": "=", "value": other}},
        {"field": "price_amount", "operator": ">=", "value": _price(item)},
    ]


def _from_price(item: Fields, width: int) -> object:
    return {"values": [f"{_price(item)}|{_price(item) + width}"]}


_CRITERIA: Sequence[Callable[[Fields], object]] = (
    lambda item: {"price_amount": _from_price(item, 0)},
    lambda item: {"brand": item["brand"], "color": item["color"]},
    lambda item: {
        "category": item["category"],
        "color": item["color"],
        "price_amount": _from_price(item, 50),
    },
    _not_size,
    lambda item: {"brand": item["brand"]},
    _nested_lists,
    lambda item: [
        {"field": "brand", "operator": "=", "value": item["brand"]},
        {"field": "price_amount", "operator": "<", "value": _price(item)},
        {"field": "size", "operator": "!=", "value": item["size"]},
    ],
    lambda item: {
        "brand": item["brand"],
        "category": item["category"],
        "color": {"values": [item["color"], COLORS[0]], "operator": "or"},
        "size": item["size"],
    },
)


def _criteria(number: int, item: Fields) -> object:
    """By turns one, two, three and four predicates."""
    return _CRITERIA[number % len(_CRITERIA)](item)


def wishes(count: int, items_count: int, *, wanted: int) -> list[Body]:
    """Bodies of recommendation requests, spread over the models and the items that customizations speak for."""
    groups = max(1, ceil(count / GROUP))
    hot = hot_items(min(count, GROUP), items_count)
    chance = random.Random(count)
    return [
        {
            "recommendation_type": _model(chance.randrange(groups)),
            "item_ids": [f"/p/{chance.randrange(hot)}"],
            "size": 10,
        }
        for _ in range(wanted)
    ]
