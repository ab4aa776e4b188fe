"""
Dates of introduction follow the catalog: after any changes they are what a look at everything would find.
"""

import random

import numpy as np

from endcap.domain import CatalogObject, ItemId, Micros
from endcap.engine.catalog import Catalog
from endcap.recommend.attributes import Attributes
from endcap.wire.catalog import object_from

SINCE = Micros(1_736_467_200_000_000)  # 2025-01-10
DAYS = [None, None, *(f"2025-01-{day:02}" for day in range(1, 20))]


def thing(number: int, chance: random.Random) -> CatalogObject:
    fields: dict[str, object] = {
        "title": f"Thing {number}",
        "availability_rank": chance.randrange(1, 4),
    }
    day = chance.choice(DAYS)
    if day is not None:
        fields["introduced_at"] = day
    type_ = chance.choice(["item", "category"])
    made = object_from({"identity": f"/p/{number}", "type": type_, "fields": fields})
    assert isinstance(made, CatalogObject)
    return made


def test_dates_follow_the_catalog() -> None:
    """Put, replaced, removed, of another type or rank, more popular; looked at now and then, as ranking does."""
    chance = random.Random(1)
    catalog, count = Catalog.of([thing(number, chance) for number in range(50)]), 50
    attributes = Attributes(catalog)
    attributes.warm()
    for _ in range(200):
        changes: dict[ItemId, CatalogObject | None] = {}
        for _ in range(chance.randrange(1, 4)):
            number = chance.randrange(count + 3)
            count = max(count, number + 1)
            gone = chance.random() < 0.3
            changes[ItemId(f"/p/{number}")] = None if gone else thing(number, chance)
        catalog = catalog.changed(changes)
        if chance.random() < 0.1:
            catalog = catalog.ranked_by({f"/p/{n}": chance.random() for n in range(0, count, 2)})
        attributes = attributes.followed(catalog)
        if chance.random() < 0.6:
            found, expected = attributes.dates, Attributes(catalog).dates
            assert np.array_equal(found.numbers, expected.numbers)
            assert np.array_equal(found.introduced, expected.introduced)
            assert attributes.introduced_since(SINCE).tolist() == [
                number
                for number in expected.numbers.tolist()
                if catalog.item(number).introduced_at >= SINCE
            ]
