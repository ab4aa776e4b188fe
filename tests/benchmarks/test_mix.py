"""
The shop with many rules has the targets that it says, and about ten of its rules speak in a request.
"""

import itertools
import json
from collections import Counter
from statistics import mean

import pytest

from benchmarks import mix
from benchmarks.world import catalog_objects
from endcap import criteria
from endcap.domain import Customization, CustomizationId, ItemTarget, Micros
from endcap.engine.catalog import Catalog
from endcap.engine.rules import Rules
from endcap.wire.customizations import read_definition

ITEMS = 8_000
NOW = Micros(1_750_000_000_000_000)


@pytest.fixture(scope="module")
def group() -> list[mix.Body]:
    return list(mix.bodies(mix.GROUP, ITEMS))


@pytest.fixture(scope="module")
def rules(group: list[mix.Body]) -> Rules:
    return Rules.of(_customization(number, body) for number, body in enumerate(group))


def _customization(number: int, body: mix.Body) -> Customization:
    definition = read_definition(json.dumps(body).encode())
    key = CustomizationId(f"{number:08}")
    return Customization(key, definition.model, definition.target, definition.pins, NOW, 1)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.of(catalog_objects(mix.objects(ITEMS)))


def test_targets_are_mixed_as_told(group: list[mix.Body]) -> None:
    """70 % name an item, 25 % have criteria, 5 % target all."""
    counts = Counter(body["target_type"] for body in group)

    assert counts == {"item": 7_000, "criteria": 2_500, "all": 500}


def test_criteria_have_one_to_four_predicates_in_equal_parts(group: list[mix.Body]) -> None:
    """A quarter of the criteria each has one, two, three and four."""
    counts: Counter[int] = Counter()

    for body in group:
        if body["target_type"] == "criteria":
            counts[_predicates(criteria.read(body["target_criteria"]))] += 1

    assert set(counts) == {1, 2, 3, 4}
    assert min(counts.values()) >= 600


def _predicates(rule: criteria.Rule) -> int:
    match rule:
        case criteria.Every(rules):
            return sum(map(_predicates, rules))
        case criteria.Not(inner):
            return _predicates(inner)
        case _:
            return 1


def test_about_ten_speak(rules: Rules, catalog: Catalog) -> None:
    """In the requests that are measured, some by item, some by criteria, some for all, about ten together."""
    spoken = [
        rules.speaking(catalog, model=str(wish["recommendation_type"]), items=_items(wish))
        for wish in mix.wishes(mix.GROUP, ITEMS, wanted=100)
    ]

    assert 8 <= mean(map(len, spoken)) <= 12
    assert {len([e for e in each if isinstance(e.target, ItemTarget)]) for each in spoken} <= {3, 4}
    assert all(_for_all(each) == mix.SPEAKING_ALL for each in spoken)


def _items(wish: mix.Body) -> list[str]:
    items = wish["item_ids"]
    assert isinstance(items, list)
    return items


def _for_all(speaking: list[Customization]) -> int:
    return sum(each.priority == 1 for each in speaking)


def test_ten_all_speak(catalog: Catalog) -> None:
    """The ten that more are compared with speak in every request."""
    bodies = mix.bodies(mix.SPEAKING, ITEMS)
    rules = Rules.of(_customization(number, body) for number, body in enumerate(bodies))
    (wish,) = mix.wishes(mix.SPEAKING, ITEMS, wanted=1)

    speaking = rules.speaking(catalog, model=str(wish["recommendation_type"]), items=_items(wish))

    assert len(speaking) == mix.SPEAKING


def test_larger_runs_begin_as_smaller_ones(group: list[mix.Body]) -> None:
    """The first customizations of a million are those of ten thousand, and groups do not share their models."""
    larger = itertools.islice(mix.bodies(1_000_000, ITEMS), mix.GROUP + 200)
    first, second = itertools.tee(larger)

    assert list(itertools.islice(first, mix.GROUP)) == group
    models = {body["model"] for body in itertools.islice(second, mix.GROUP, None)}
    assert models.isdisjoint({body["model"] for body in group})
