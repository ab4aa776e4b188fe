"""
The verbs without HTTP: what depends on how far this worker's mirror is.
"""

import json
from typing import Any

import pytest

from endcap.committer import Committer
from endcap.config import Settings
from endcap.domain import CustomizationId
from endcap.errors import CustomizationNotFound, TrackerNotFound
from endcap.mirror import Mirror
from endcap.service import Service
from tests.application.world import SHOP, World, committed, shop

A = CustomizationId("a")


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
        )

    def get(self, id: CustomizationId = A) -> Any:
        rendered = self.service.get(shop(self.mirror), id)
        return json.loads(rendered.body)


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
