"""
Columns of many items: what small random catalogs do not reach. Compared with asking each value.
"""

import random
from collections.abc import Mapping
from typing import Any

import pytest

from endcap.criteria import Between, Contains, Exists, Rule, matches, terms_of
from endcap.engine.columns import Column
from endcap.engine.gathering import Gatherer, column_of

COUNT = 30_000


def values_of_many(seed: int = 7) -> dict[int, Any]:
    """Barcodes that are their item's own, now and then a text that hundreds share, lists, numbers and nothing."""
    chance = random.Random(seed)
    values: dict[int, Any] = {}
    for item in range(COUNT):
        drawn = chance.random()
        if drawn < 0.6:
            values[item] = f"ean-{chance.randrange(10**9)}"
        elif drawn < 0.7:
            values[item] = str(chance.randrange(10**6))
        elif drawn < 0.8 and item > COUNT // 2:  # when the column has long been one of own texts
            values[item] = chance.choice(["unknown", "n/a"])
        elif drawn < 0.9:
            values[item] = [f"ean-{item}", "often", float(item)]
        elif drawn < 0.95:
            values[item] = item % 700
    return values


def texts_of_many(seed: int = 7) -> dict[int, Any]:
    """Texts alone, each their item's own, but for what hundreds share from the middle on."""
    chance = random.Random(seed)
    return {
        item: chance.choice(["unknown", "n/a", "12"])
        if item > COUNT // 2 and item % 50 == 0
        else chance.choice([f"ean-{item}", str(item * 10), f"{item}é"])
        for item in range(COUNT)
    }


def numbers_of_many(seed: int = 7) -> dict[int, Any]:
    """One number each, of which many are the same."""
    chance = random.Random(seed)
    return {item: round(chance.random() * 500, 1) for item in range(COUNT) if item % 11}


def changed_values(values: Mapping[int, Any], count: int, seed: int) -> dict[int, Any]:
    """Other values for some items, known ones and new ones."""
    chance = random.Random(seed)
    items = [chance.randrange(COUNT + count) for _ in range(count)]
    return {
        item: chance.choice([f"new-{item}", "often", ["unknown", f"ean-{item}"], 12.5, True])
        for item in items
    }


def selected(column: Column, rule: Rule) -> set[int]:
    """What a column answers to an element-level rule."""
    match rule:
        case Between():
            return set(column.between(rule, column.having))
        case Contains(_, text):
            return set(column.containing(text))
        case _:
            return set(column.having)


RULES: tuple[Rule, ...] = (
    Between("a", 100.0, 400.0),
    Between("a", 100.0, 400.0, low_included=False, high_included=False),
    Between("a", None, 250.5),
    Between("a", "ean-3", "ean-5"),
    Between("a", "often", None, low_included=False),
    Contains("a", "an-1"),
    Contains("a", "n"),
    Contains("a", ""),
    Contains("a", "ean-123456789ean"),
    Exists("a"),
)


def agree(column: Column, values: Mapping[int, Any]) -> None:
    """A column answers what each value by itself does: rules, terms, texts and numbers."""
    for rule in RULES:
        expected = {item for item, value in values.items() if matches(rule, {"a": value})}
        assert selected(column, rule) == expected, rule
    for item in range(0, COUNT, 997):
        for term in terms_of(values.get(item)):
            assert item in column.met_by(term)
    for text in ("often", "unknown", "n/a", "ean-17", "nobody's"):
        expected = {item for item, value in values.items() if ("text", text) in terms_of(value)}
        assert set(column.met_by(("text", text))) == expected


@pytest.mark.parametrize(
    "values",
    [values_of_many(), texts_of_many(), numbers_of_many()],
    ids=["mixed", "texts", "numbers"],
)
def test_a_column_of_many_answers_like_each_value(values: dict[int, Any]) -> None:
    """Texts that few items have, texts that turn out to be shared by many, and bounds over thousands of numbers."""
    gatherer = Gatherer()
    for item, value in values.items():
        gatherer.add(item, {"a": value})

    agree(column_of(values), values)
    agree(dict(gatherer.columns())["a"], values)


@pytest.mark.parametrize("values", [values_of_many(), numbers_of_many()], ids=["texts", "numbers"])
def test_a_column_of_many_follows_changes(values: dict[int, Any]) -> None:
    """A few, and so many that its buffer is packed anew; the versions before stay as they were."""
    column = column_of(values)
    column.dense(COUNT)
    versions = [(column, dict(values))]

    for step, count in enumerate((50, 3_000, 6_000, 40)):
        new = changed_values(values, count, seed=step)
        removed = {item: values[item] for item in range(step, COUNT, 5_000) if item in values}
        old = {item: values[item] for item in new if item in values} | removed
        column = column.changed(old, new)
        values = {item: value for item, value in values.items() if item not in removed} | new
        versions.append((column, values))

    for version, held in versions:
        agree(version, held)
        assert version.texts() == column_of(held).texts()


def test_the_number_of_each_item_follows_changes() -> None:
    """Kept from version to version once it was asked for: the same as from a column made anew."""
    values: dict[int, Any] = numbers_of_many()
    column = column_of(values)
    column.dense(COUNT)
    new: dict[int, Any] = {3: "12", 4: ["7", 5.0, 6.0], 5: "text", COUNT + 70_000: 1.0}

    changed = column.changed({item: values[item] for item in (3, 4, 5, 6)}, new)

    length = COUNT + 70_001
    kept = {item: value for item, value in values.items() if item not in (3, 4, 5, 6)} | new
    assert changed.dense(length).tolist()[:7][3:5] == [12.0, 6.0]
    assert str(changed.dense(length).tolist()) == str(column_of(kept).dense(length).tolist())
    assert set(changed.between(Between("a", 5.0, 5.0), changed.having)) == {
        item for item, value in kept.items() if matches(Between("a", 5.0, 5.0), {"a": value})
    }
