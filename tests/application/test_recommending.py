"""
Recommending without HTTP: what is kept encoded and must not grow, and explanations of any moment.
"""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from endcap.config import Settings
from endcap.domain import Micros
from endcap.errors import RecommenderNotFound
from endcap.mirror import Mirror
from endcap.recommending import HIT_SPELLINGS_MAX, Recommending
from endcap.wire.recommending import Request
from tests.application.world import SHOP, World, committed, shop

HOUR = 3_600_000_000


class Worker:
    """One that recommends over a mirror that follows only when it is told."""

    def __init__(self, world: World) -> None:
        self.mirror: Mirror = world.mirror()
        self.mirror.load()
        self.recommending = Recommending(
            Settings(), clock=lambda: world.now, chance=random.Random(0)
        )

    def recommend(self, *, fields: frozenset[str] | None = None) -> list[Any]:
        request = Request("trends", None, None, (), size=5, hit_fields=fields)
        (answer,) = json.loads(self.recommending.recommend(shop(self.mirror), [request]))
        return list(answer["hits"])


@pytest.fixture
def worker(world: World) -> Worker:
    return Worker(world)


def test_hits_are_kept_encoded_for_a_bounded_number_of_wishes(world: World, worker: Worker) -> None:
    """Shops ask for a few sets of fields; whoever asks for ever new ones is answered all the same."""
    committed(world.elsewhere, world.put("/p/1", colour="red"))
    worker.mirror.refresh()

    for number in range(3 * HIT_SPELLINGS_MAX):
        (hit,) = worker.recommend(fields=frozenset({"colour", f"field{number}"}))
        assert hit["attributes"] == {"colour": ["red"]}

    catalog = shop(worker.mirror).snapshot.catalog
    assert len(catalog.item(next(catalog.popular())).hits) == HIT_SPELLINGS_MAX


def test_a_hit_is_that_of_the_item_as_it_is_now(world: World, worker: Worker) -> None:
    """What was encoded before goes with the item that it was made of."""
    committed(world.elsewhere, world.put("/p/1", colour="red"))
    worker.mirror.refresh()
    before = worker.recommend()
    committed(world.elsewhere, world.put("/p/1", colour="blue"))
    worker.mirror.refresh()

    after = worker.recommend()

    assert [hits[0]["attributes"]["colour"] for hits in (before, after)] == [["red"], ["blue"]]


def explained(worker: Worker, now: Micros, model: str = "trends") -> list[str]:
    request = Request(model, None, None, (), size=5)
    explanation = worker.recommending.explain(shop(worker.mirror), request, now=now)
    return [item.url for item in explanation.items]


@pytest.mark.parametrize("moment", [lambda now: now, lambda now: now + 1_000_000 * HOUR])
def test_an_explanation_is_of_any_moment_and_changes_nothing(
    world: World, worker: Worker, moment: Callable[[int], int]
) -> None:
    """A hundred years from now, say."""
    committed(world.elsewhere, world.create("a"), world.put("/p/2", "/p/1"))
    worker.mirror.refresh()
    before = shop(worker.mirror)

    shown = explained(worker, Micros(moment(world.now)))

    assert shown == ["/p/1", "/p/2"]
    assert shop(worker.mirror) is before
    assert world.elsewhere.revisions()[SHOP] == 3


def test_an_unknown_recommender_is_refused(worker: Worker) -> None:
    """By name."""
    with pytest.raises(RecommenderNotFound) as refused:
        explained(worker, Micros(0), "baskett")

    assert "baskett" in str(refused.value)
