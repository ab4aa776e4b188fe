"""
The verbs without HTTP: what depends on how far this worker's mirror is, and what must not grow.
"""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from endcap.committer import Committer
from endcap.config import Settings
from endcap.domain import CustomizationId, Micros
from endcap.errors import CustomizationNotFound, RecommenderNotFound, TrackerNotFound
from endcap.mirror import Mirror
from endcap.service import HIT_SPELLINGS_MAX, Service
from endcap.wire.recommending import Request
from tests.application.world import SHOP, World, committed, shop

A = CustomizationId("a")
HOUR = 3_600_000_000


class Verbs:
    """A worker's service over a mirror that follows only when it is told."""

    def __init__(self, world: World) -> None:
        self.mirror: Mirror = world.mirror()
        self.mirror.load()
        self.service = Service(
            Settings(),
            world.here,
            self.mirror,
            Committer(world.here, self.mirror),
            clock=lambda: world.now,
            chance=random.Random(0),
        )

    def get(self, id: CustomizationId = A) -> Any:
        rendered = self.service.get(shop(self.mirror), id)
        return json.loads(rendered.body)

    def recommend(self, *, fields: frozenset[str] | None = None) -> list[Any]:
        request = Request("trends", None, None, (), size=5, hit_fields=fields)
        (answer,) = json.loads(self.service.recommend(shop(self.mirror), [request]))
        return list(answer["hits"])


@pytest.fixture
def verbs(world: World) -> Verbs:
    return Verbs(world)


def test_an_unknown_tracker_is_refused(verbs: Verbs) -> None:
    """Whatever is then asked of it."""
    assert verbs.service.shop(SHOP).tracker == SHOP
    with pytest.raises(TrackerNotFound):
        verbs.service.shop("nowhere")


def test_a_get_is_true_before_the_mirror_follows(world: World, verbs: Verbs) -> None:
    """It reads the store: what another worker answered a moment ago is there."""
    committed(world.elsewhere, world.create("a"))
    first = verbs.get()
    committed(world.elsewhere, world.replace("a", "/p/2"))
    second = verbs.get()
    committed(world.elsewhere, world.delete("a"))

    assert first["pin_definitions"][0]["pin_identity"] == "/p/1"
    assert second["pin_definitions"][0]["pin_identity"] == "/p/2"
    assert second["available"]
    with pytest.raises(CustomizationNotFound):
        verbs.get()


def test_a_tag_of_an_answer_is_the_same_in_every_worker(world: World, verbs: Verbs) -> None:
    """One that has followed and one that has not: both may be asked with If-None-Match."""
    committed(world.elsewhere, world.create("a"))
    other = Verbs(world)

    tags = [each.service.get(shop(each.mirror), A).etag for each in (verbs, other)]

    assert shop(verbs.mirror).revision < shop(other.mirror).revision
    assert tags[0] == tags[1]


def test_hits_are_kept_encoded_for_a_bounded_number_of_wishes(world: World, verbs: Verbs) -> None:
    """Shops ask for a few sets of fields; whoever asks for ever new ones is answered all the same."""
    committed(world.elsewhere, world.put("/p/1", colour="red"))
    verbs.mirror.refresh()

    for number in range(3 * HIT_SPELLINGS_MAX):
        (hit,) = verbs.recommend(fields=frozenset({"colour", f"field{number}"}))
        assert hit["attributes"] == {"colour": ["red"]}

    catalog = shop(verbs.mirror).snapshot.catalog
    assert len(catalog.item(next(catalog.popular())).hits) == HIT_SPELLINGS_MAX


def test_a_hit_is_that_of_the_item_as_it_is_now(world: World, verbs: Verbs) -> None:
    """What was encoded before goes with the item that it was made of."""
    committed(world.elsewhere, world.put("/p/1", colour="red"))
    verbs.mirror.refresh()
    before = verbs.recommend()
    committed(world.elsewhere, world.put("/p/1", colour="blue"))
    verbs.mirror.refresh()

    after = verbs.recommend()

    assert [hits[0]["attributes"]["colour"] for hits in (before, after)] == [["red"], ["blue"]]


def explained(verbs: Verbs, now: Micros, model: str = "trends") -> list[str]:
    request = Request(model, None, None, (), size=5)
    explanation = verbs.service.explain(shop(verbs.mirror), request, now=now)
    return [item.url for item in explanation.items]


@pytest.mark.parametrize("moment", [lambda now: now, lambda now: now + 1_000_000 * HOUR])
def test_an_explanation_is_of_any_moment_and_changes_nothing(
    world: World, verbs: Verbs, moment: Callable[[int], int]
) -> None:
    """A hundred years from now, say."""
    committed(world.elsewhere, world.create("a"), world.put("/p/2", "/p/1"))
    verbs.mirror.refresh()
    before = shop(verbs.mirror)

    shown = explained(verbs, Micros(moment(world.now)))

    assert shown == ["/p/1", "/p/2"]
    assert shop(verbs.mirror) is before
    assert world.elsewhere.revisions()[SHOP] == 3


def test_an_unknown_recommender_is_refused(verbs: Verbs) -> None:
    """By name."""
    with pytest.raises(RecommenderNotFound) as refused:
        explained(verbs, Micros(0), "baskett")

    assert "baskett" in str(refused.value)
