"""
What shoppers did lately, in every worker: own events at once, others' by following the store of events.
"""

import asyncio
import json
import random
from collections.abc import Iterator, Sequence

import pytest

from endcap.activity import Activity
from endcap.config import Settings
from endcap.domain import Event, Micros, TrackerId
from endcap.mirror import Mirror
from endcap.recommend.strategies import Query
from endcap.recording import Outcome, Recorder
from endcap.store import open_events
from endcap.store.events import EventStore
from endcap.wire.events import read_event
from tests.application.conftest import Logged
from tests.application.world import NOON, POLL_SECONDS, SHOP, World, committed, eventually


class Worker:
    """A worker's half that takes events, and the one that follows them. Not started."""

    def __init__(self, world: World, *, fill_events_max: int = 100) -> None:
        self.events: EventStore = open_events(world.url)
        self.events.migrate()
        mirror: Mirror = world.mirror()
        mirror.load()
        self.mirror = mirror
        self.activity = Activity(
            self.events, mirror, poll_seconds=POLL_SECONDS, fill_events_max=fill_events_max
        )
        self.recorder = Recorder(Settings(), self.events, self.activity, clock=lambda: NOON)

    def close(self) -> None:
        self.activity.stop()
        self.events.close()

    def tell(self, *events: Event) -> None:
        """Takes events as one group."""
        told = [(each, read_event(each.document).meaning) for each in events]
        meant = [(event, meaning) for event, meaning in told if meaning is not None]
        self.activity.absorb(meant, self.events.append(events))

    def like(self, user: str) -> Sequence[int]:
        """What the model for clicks ranks for a user."""
        shop = self.mirror.shop(SHOP)
        assert shop is not None
        recommender = shop.recommenders.find("user_click_based")
        assert recommender is not None
        asked = Query(
            catalog=shop.snapshot.catalog,
            user=user,
            shopper=self.activity.shoppers(SHOP).of(user),
            count=10,
            now=NOON,
            seed=random.Random(1),
        )
        return recommender.rank(asked).primary

    def kept_of(self) -> set[str]:
        """Of whom anything is kept that rankings were made of."""
        shop = self.mirror.shop(SHOP)
        assert shop is not None
        return shop.recommenders.users_kept

    def viewed(self, user: str = "7", tracker: TrackerId = SHOP) -> list[str]:
        return list(self.activity.shoppers(tracker).of(user).viewed.items)


@pytest.fixture
def here(world: World) -> Iterator[Worker]:
    committed(world.here, world.put("/p/1", "/p/2", "/p/3"))
    worker = Worker(world)
    yield worker
    worker.close()


@pytest.fixture
def elsewhere(world: World, here: Worker) -> Iterator[Worker]:
    worker = Worker(world)
    yield worker
    worker.close()


def view(item: str, id_: str, *, user: str = "7", at: int = 0) -> Event:
    body = {"id": id_, "type": "pv", "tracker_id": SHOP, "client_id": user, "url": item}
    return Event(SHOP, id_, "pv", user, None, Micros(NOON + at), NOON, json.dumps(body).encode())


def test_what_a_worker_took_it_knows_at_once(here: Worker) -> None:
    """Without a look at the store."""
    here.tell(view("/p/1", "a"), view("/p/2", "b", at=1))

    assert here.viewed() == ["/p/2", "/p/1"]


def test_a_repeated_event_is_not_noted_again(here: Worker, elsewhere: Worker) -> None:
    """Whichever worker it came to first; the first one stands."""
    elsewhere.tell(view("/p/1", "a"))
    here.tell(view("/p/2", "a"))

    assert here.viewed() == []


def test_what_others_took_is_known_after_a_look(here: Worker, elsewhere: Worker) -> None:
    """Between own events too, none left out."""
    here.tell(view("/p/1", "a", at=1))
    elsewhere.tell(view("/p/2", "b", at=2))
    here.tell(view("/p/3", "c", at=3))

    here.activity.look()

    assert here.viewed() == ["/p/3", "/p/2", "/p/1"]


def test_own_events_are_not_read_again(here: Worker) -> None:
    """Where nobody else's lie between, the store has nothing new to tell."""
    read: list[int] = []
    ask = here.events.after

    def noting(tracker: TrackerId, number: int, *, limit: int = 5_000) -> object:
        read.append(number)
        return ask(tracker, number, limit=limit)

    here.tell(view("/p/1", "a"))
    here.tell(view("/p/2", "a"), view("/p/2", "b"))
    here.events.after = noting  # type: ignore[method-assign, assignment]
    here.activity.look()

    assert read == []


def test_a_follower_follows(here: Worker, elsewhere: Worker) -> None:
    """In a thread of its own, from what it was filled with."""
    elsewhere.tell(view("/p/1", "a"))
    here.activity.fill()
    here.activity.start()

    assert here.viewed() == ["/p/1"]
    elsewhere.tell(view("/p/2", "b", at=1))
    eventually(lambda: here.viewed() == ["/p/2", "/p/1"])


def test_a_bounded_number_of_events_fills_the_memory(world: World, here: Worker) -> None:
    """The last ones; a thousand at least of each tracker."""
    here.events.append([view(f"/p/{1 + n % 2}", f"e{n}", user=str(n)) for n in range(1_200)])
    worker = Worker(world, fill_events_max=10)

    worker.activity.fill()

    assert len(worker.activity.shoppers(SHOP)) == 1_000
    assert worker.viewed("1199") == ["/p/2"]
    worker.close()


def test_an_erased_shopper_is_forgotten_everywhere(here: Worker, elsewhere: Worker) -> None:
    """And whoever comes back under the same name is a new one."""
    for worker in (here, elsewhere):
        worker.activity.fill()
    here.tell(view("/p/1", "a"), view("/p/2", "b", user="8"))
    elsewhere.activity.look()
    assert elsewhere.viewed() == ["/p/1"]

    elsewhere.events.erase(SHOP, "7", NOON)
    here.tell(view("/p/3", "c"))
    for worker in (here, elsewhere):
        worker.activity.look()

    assert here.viewed() == elsewhere.viewed() == ["/p/3"]
    assert here.viewed("8") == elsewhere.viewed("8") == ["/p/2"]


def test_what_was_made_of_an_erased_shopper_goes_too(here: Worker, elsewhere: Worker) -> None:
    """Rankings are kept while a shopper stays the same; a forgotten one leaves nothing in any worker."""
    workers = (here, elsewhere)
    here.tell(view("/p/1", "a"), view("/p/2", "b", user="8"))
    for worker in workers:
        worker.activity.look()
        for user in ("7", "8"):
            worker.like(user)
        assert worker.kept_of() == {"7", "8"}

    elsewhere.events.erase(SHOP, "7", NOON)
    for worker in workers:
        worker.activity.look()

    assert [worker.kept_of() for worker in workers] == [{"8"}, {"8"}]


def test_a_new_tracker_is_followed_from_its_first_event(
    world: World, here: Worker, elsewhere: Worker
) -> None:
    """It was not there when memory was filled."""
    here.activity.fill()
    elsewhere.tell(view("/p/1", "a"))
    elsewhere.tell(view("/p/2", "b", at=1))

    here.activity.look()

    assert here.viewed() == ["/p/2", "/p/1"]


def test_an_unreadable_event_keeps_nobody_up(here: Worker, elsewhere: Worker) -> None:
    """What a hand, or another version, left in the store."""
    broken = Event(SHOP, "x", "pv", "7", None, NOON, NOON, b"?")
    elsewhere.events.append([broken, view("/p/1", "a")])

    here.activity.look()

    assert here.viewed() == ["/p/1"]


def test_a_store_that_is_away_is_told_once(world: World, here: Worker, logged: Logged) -> None:
    """The follower goes on and says so."""
    here.activity.fill()
    here.events.close()
    here.activity.start()

    eventually(lambda: any(each["event"] == "store of events is away" for each in logged))


def test_groups_are_answered_each_event_by_itself(here: Worker) -> None:
    """One append for what came together; repeated ids among them are told from the others."""
    bodies = [view("/p/1", each).document for each in ("a", "b", "a")]

    async def record() -> list[Outcome]:
        here.recorder.start()
        try:
            return await asyncio.gather(
                *(here.recorder.record(SHOP, read_event(body), body) for body in bodies)
            )
        finally:
            here.recorder.stop()

    assert asyncio.run(record()) == [Outcome.STORED, Outcome.STORED, Outcome.REPEATED]
    assert here.recorder.counts() == {(SHOP, "stored"): 2, (SHOP, "repeated"): 1}
    assert here.events.heads() == {SHOP: 3}
