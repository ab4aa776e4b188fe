"""
Shopper events in the store: kept once, numbered in the order of commits, followed, discarded, erased, leased.
"""

import threading
from collections.abc import Iterator, Sequence
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endcap.domain import Event, Micros, TrackerId
from endcap.errors import StoreUnavailable
from endcap.store import open_events, open_store
from endcap.store.events import Erased, EventStore, Told, spans
from tests.store.conftest import MakeUrl
from tests.store.writes import some_tracker

NOON = Micros(1_737_547_200_000_000)
_ids = count()


@pytest.fixture
def events(database: str) -> Iterator[EventStore]:
    """Over the database that tests share, each with trackers of its own."""
    store = open_events(database)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def shop() -> TrackerId:
    return some_tracker()


def event(
    shop: TrackerId, name: str = "", *, client: str = "7", customer: str | None = None, at: int = 0
) -> Event:
    id_ = name or f"e{next(_ids)}"
    document = f'{{"id":"{id_}","grüße":"¡"}}'.encode()
    return Event(shop, id_, "pv", client, customer, Micros(NOON + at), NOON, document)


def told(events: EventStore, shop: TrackerId, number: int = 0) -> list[str]:
    """What is followed after a number, as ids; erasures as the user in brackets."""
    lines = events.after(shop, number)
    return [each.event.id if isinstance(each, Told) else f"({each.user})" for each in lines]


def test_an_event_comes_back_as_it_went_in(events: EventStore, shop: TrackerId) -> None:
    """Every field, with the document byte for byte."""
    sent = event(shop, customer="ann@shop.example")

    appended = events.append([sent])

    assert list(appended.stored) == [True]
    assert appended.spans == {shop: (0, 1)}
    assert events.after(shop, 0) == [Told(1, sent)]


def test_nothing_appended_is_nothing_done(events: EventStore, shop: TrackerId) -> None:
    """No number is spent."""
    appended = events.append([])

    assert not appended.stored
    assert shop not in events.heads()


def test_a_known_id_is_dropped(events: EventStore, shop: TrackerId) -> None:
    """In the same append, in a later one, and by another process; the first is kept. Other trackers are others."""
    other = some_tracker()
    first, again = event(shop, "a", client="1"), event(shop, "a", client="2")

    stored = events.append([first, again, event(shop, "b"), event(other, "a")]).stored
    later = events.append([event(shop, "b"), event(shop, "c")]).stored

    assert list(stored) == [True, False, True, True]
    assert list(later) == [False, True]
    assert told(events, shop) == ["a", "b", "c"]
    assert (
        next(each.event.client for each in events.after(shop, 0) if isinstance(each, Told)) == "1"
    )


def test_a_known_id_is_dropped_by_another_process(
    events: EventStore, database: str, shop: TrackerId
) -> None:
    """What was committed elsewhere counts."""
    elsewhere = open_events(database)
    events.append([event(shop, "a")])

    stored = elsewhere.append([event(shop, "a")]).stored

    elsewhere.close()
    assert list(stored) == [False]


def test_more_events_than_a_statement_takes(events: EventStore, shop: TrackerId) -> None:
    """A large group is one append all the same."""
    sent = [event(shop, f"e{number % 900}") for number in range(1_000)]

    appended = events.append(sent)

    assert sum(appended.stored) == 900
    assert appended.spans == {shop: (0, 1_000)}
    assert told(events, shop) == [f"e{number}" for number in range(900)]


def test_heads_tell_the_last_numbers(events: EventStore, shop: TrackerId) -> None:
    """Each tracker has numbers of its own."""
    other = some_tracker()
    events.append([event(shop), event(other), event(shop)])

    heads = events.heads()

    assert (heads[shop], heads[other]) == (2, 1)


def test_lines_come_after_a_number_up_to_a_limit(events: EventStore, shop: TrackerId) -> None:
    """In order, erasures among them; a limit cuts both."""
    events.append([event(shop, "a", client="1"), event(shop, "b", client="2")])
    events.erase(shop, "1", NOON)
    events.append([event(shop, "c", client="1")])

    assert told(events, shop) == ["b", "(1)", "c"]
    assert told(events, shop, 2) == ["(1)", "c"]
    assert events.after(shop, 0, limit=2)[1:] == [Erased(3, "1")]
    assert told(events, shop, 4) == []


def test_latest_tells_where_the_last_events_begin(events: EventStore, shop: TrackerId) -> None:
    """So that a bounded number can be followed; all, where there are fewer; none of what is not there."""
    events.append([event(shop) for _ in range(5)])

    assert events.latest(shop, limit=2) == 3
    assert events.latest(shop, limit=50) == 0
    assert events.latest(some_tracker(), limit=50) == 0


def test_latest_of_a_tracker_whose_events_are_gone_is_its_end(
    events: EventStore, shop: TrackerId
) -> None:
    """Nothing is left to follow."""
    events.append([event(shop), event(shop)])
    events.discard(shop, through=2)

    assert events.latest(shop, limit=10) == 2


def test_the_oldest_are_discarded_first(events: EventStore, shop: TrackerId) -> None:
    """Up to a number, a bounded number at a time; the numbers go on, and a discarded id may come again."""
    events.append([event(shop, each) for each in "abcde"])

    counts = [events.discard(shop, through=4, limit=3) for _ in range(3)]
    events.append([event(shop, "a")])

    assert counts == [3, 1, 0]
    assert told(events, shop) == ["e", "a"]
    assert events.heads()[shop] == 6


def test_discarding_leaves_other_trackers_alone(events: EventStore, shop: TrackerId) -> None:
    """A number is one of a tracker's own."""
    other = some_tracker()
    events.append([event(shop), event(other)])

    events.discard(shop, through=10)

    assert (events.count(shop), events.count(other)) == (0, 1)


def test_a_shopper_is_erased_by_either_name(events: EventStore, shop: TrackerId) -> None:
    """As device and as customer; whoever else is there stays, and a shopper who comes back is a new one."""
    events.append(
        [
            event(shop, "a", client="1"),
            event(shop, "b", client="2", customer="1"),
            event(shop, "c", client="2"),
        ]
    )

    erased = events.erase(shop, "1", NOON)
    events.append([event(shop, "d", client="1")])

    assert erased == 2
    assert told(events, shop) == ["c", "(1)", "d"]


def test_what_a_shopper_is_called_else(events: EventStore, shop: TrackerId) -> None:
    """Devices of a customer, customers of a device; each once, and without the name itself."""
    events.append(
        [
            event(shop, client="1", customer="ann"),
            event(shop, client="2", customer="ann"),
            event(shop, client="2", customer="ann"),
            event(shop, client="2"),
            event(shop, client="3"),
        ]
    )

    assert events.told_of(shop, "ann") == (3, ["1", "2"])
    assert events.told_of(shop, "2") == (3, ["ann"])
    assert events.told_of(shop, "nobody") == (0, [])


def test_everything_is_looked_at_in_spans(database: str, shop: TrackerId) -> None:
    """Counting, asking and erasing are the same over several stretches of numbers."""
    events = open_events(database, span=3)
    events.append([event(shop, client=str(number % 2)) for number in range(10)])
    events.discard(shop, through=1)

    assert events.count(shop) == 9
    assert events.told_of(shop, "0")[0] == 4
    assert events.erase(shop, "0", NOON) == 4
    assert events.count(shop) == 5
    events.close()


def test_spans_cover_every_number_once() -> None:
    """After the first, up to and with the last."""
    covered = [number for a, b in spans(3, 50_003) for number in range(a + 1, b + 1)]

    assert covered == list(range(4, 50_004))


def test_erasures_go_when_they_are_old(events: EventStore, shop: TrackerId) -> None:
    """They name a shopper themselves."""
    events.append([event(shop, client="9")])
    events.erase(shop, "1", NOON)
    events.erase(shop, "2", Micros(NOON + 5))

    events.discard_erasures(shop, before=Micros(NOON + 5))

    assert told(events, shop)[1:] == ["(2)"]


def test_a_lease_has_one_holder(events: EventStore, database: str) -> None:
    """Until it ends or is given back; the holder may renew it, nobody else may give it back."""
    name, later = some_tracker(), Micros(NOON + 10)
    elsewhere = open_events(database)

    def take(store: EventStore, holder: str, now: Micros) -> bool:
        return store.take_lease(name, holder, now=now, until=Micros(now + 10))

    took = [take(events, "ann", NOON), take(elsewhere, "bob", NOON), take(events, "ann", NOON)]
    elsewhere.give_lease_back(name, "bob")
    took += [take(elsewhere, "bob", Micros(NOON + 9)), take(elsewhere, "bob", later)]
    elsewhere.give_lease_back(name, "bob")
    took += [take(events, "ann", later)]

    elsewhere.close()
    assert took == [True, False, True, False, True, True]


def test_a_follower_misses_nothing(events: EventStore, database: str, shop: TrackerId) -> None:
    """However many append at once: it asks for what comes after the last number that it saw, and gets each event."""
    writers, each_appends, groups = 4, 25, 8
    failures: list[BaseException] = []

    def write(writer: int) -> None:
        store = open_events(database)
        try:
            for group in range(groups):
                store.append(
                    [event(shop, f"{writer}-{group}-{number}") for number in range(each_appends)]
                )
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
            failures.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    wanted = writers * groups * each_appends
    while len(seen) < wanted and not failures:
        lines = events.after(shop, seen[-1] if seen else 0, limit=40)
        seen += [each.number for each in lines]
    for thread in threads:
        thread.join()

    assert failures == []
    assert seen == list(range(1, wanted + 1))


def test_a_second_migration_finds_nothing_to_do(make_url: MakeUrl) -> None:
    """Nor does the store's, whichever came first."""
    url = make_url()
    store, events = open_store(url), open_events(url)
    store.migrate()
    events.migrate()

    again = [*store.migrate(), *events.migrate()]

    store.close()
    events.close()
    assert again == []


def test_a_closed_store_says_so(database: str, shop: TrackerId) -> None:
    """It does not come to life again."""
    store = open_events(database)
    store.heads()
    store.close()

    with pytest.raises(StoreUnavailable):
        store.append([event(shop)])
    with pytest.raises(StoreUnavailable):
        store.heads()


# Any history at all

_users = st.sampled_from(["1", "2", "3"])
_acts = st.one_of(
    st.tuples(
        st.just("append"),
        st.lists(st.tuples(st.integers(0, 12), _users, st.none() | _users), max_size=5),
    ),
    st.tuples(st.just("erase"), _users),
    st.tuples(st.just("discard"), st.integers(1, 6)),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(_acts, max_size=12))
def test_any_history_is_that_of_a_list(
    events: EventStore, acts: Sequence[tuple[str, object]]
) -> None:
    """Appends, erasures and discards leave what they would leave of a list."""
    shop = some_tracker()
    kept: list[Event] = []
    for what, value in acts:
        if what == "append":
            assert isinstance(value, list)
            sent = [event(shop, f"x{name}", client=a, customer=b) for name, a, b in value]
            known = {each.id for each in kept}
            expected = []
            for each in sent:
                expected.append(each.id not in known)
                known.add(each.id)
            kept += [each for each, new in zip(sent, expected, strict=True) if new]
            assert list(events.append(sent).stored) == expected
        elif what == "erase":
            gone = [each for each in kept if value in (each.client, each.customer)]
            kept = [each for each in kept if each not in gone]
            assert events.erase(shop, str(value), NOON) == len(gone)
        else:
            assert isinstance(value, int)
            events.discard(shop, through=10_000, limit=value)
            kept = kept[value:]

    lines = events.after(shop, 0)
    assert [each.event for each in lines if isinstance(each, Told)] == kept
    assert [each.number for each in lines] == sorted({each.number for each in lines})
    assert events.count(shop) == len(kept)
