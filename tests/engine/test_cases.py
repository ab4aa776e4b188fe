"""
Every case of tests/cases, by the engine and by the oracle.
"""

import pytest

from tests import cases
from tests.cases import Expected, PinOutcome
from tests.engine import oracle, scenes

NAMES = cases.names()


@pytest.mark.parametrize("name", NAMES)
def test_the_engine_does_what_the_case_says(name: str) -> None:
    """Items and pins of every object of the call are as expected."""
    case = cases.load(name)
    snapshot = scenes.snapshot_of_case(case)
    labels = scenes.labels_by_id(case)

    placements = scenes.answer(
        snapshot, scenes.requests_of(case.requests), now=cases.micros(case.now)
    )

    answers = [
        Expected(
            [str(item) for item in scenes.items_of(snapshot.catalog, placement)],
            scenes.outcomes_of(placement, labels),
        )
        for placement in placements
    ]
    assert answers == case.expect


@pytest.mark.parametrize("name", NAMES)
def test_the_oracle_does_what_the_case_says(name: str) -> None:
    """The second implementation, written from the law's page, says the same."""
    case = cases.load(name)
    ids = scenes.labels_by_id(case)
    world = oracle.World(
        {each["identity"]: each for each in case.catalog},
        [
            oracle.Customization(own_id, oracle.moment(made.created_at), made.body)
            for own_id, made in zip(ids, case.customizations, strict=True)
        ],
        oracle.moment(case.now),
    )
    popular = oracle.by_popularity(world)

    answers = oracle.page(world, case.requests, [oracle.Ranking(popular)] * len(case.requests))

    assert [
        Expected(
            answer.items,
            [
                PinOutcome(ids[each.customization], each.pin, each.verdict, each.item, each.slot)
                for each in answer.outcomes
            ],
        )
        for answer in answers
    ] == case.expect


@pytest.mark.parametrize("name", NAMES)
def test_a_case_lists_its_catalog_in_order_of_popularity(name: str) -> None:
    """Without orders, so that a server gets the same order from the same objects."""
    case = cases.load(name)
    catalog = scenes.catalog_of(case.catalog)

    popular = [catalog.identity(number) for number in catalog.popular()]

    returned = [each for each in case.catalog if each["type"] in ("item", "product")]
    assert popular == [each["identity"] for each in returned]


@pytest.mark.parametrize("name", NAMES)
def test_a_case_lists_its_customizations_in_order_of_creation(name: str) -> None:
    """Two of one instant, or with ids of their own, are for the engine alone: a server makes its ids itself."""
    case = cases.load(name)

    created = [cases.micros(made.created_at) for made in case.customizations]

    assert created == sorted(created)
    assert max(created, default=0) <= cases.micros(case.now)
    needs_the_engine = len(set(created)) < len(created) or any(
        made.id for made in case.customizations
    )
    assert needs_the_engine == (case.engine_only is not None)
    assert len({made.label for made in case.customizations}) == len(case.customizations)
