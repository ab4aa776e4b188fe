"""
Findings that are kept: renewed by what changed, examined again in the background, bounded.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from endcap.checkups import Checkup, Checkups
from endcap.domain import Customization, CustomizationId, Micros, TrackerId
from endcap.engine.snapshot import Snapshot
from endcap.health import Finding, findings
from endcap.recommend.recommenders import Recommenders
from endcap.shops import Shop
from endcap.store.states import TrackerRow
from tests.application.test_health import GONE, ITEMS, LATER, body, pin
from tests.engine import scenes
from tests.engine.strategies import NOW_MICROS

Wire = dict[str, Any]
WEEK = Micros(7 * 86_400 * 1_000_000)


class Clock:
    def __init__(self) -> None:
        self.now = NOW_MICROS

    def __call__(self) -> Micros:
        return self.now


def customization(name: str, sent: Wire, revision: int = 1) -> Customization:
    made = scenes.customization_of(name, Micros(NOW_MICROS - 1_000 + revision), sent)
    return replace(made, revision=revision)


def shop_of(
    *made: Customization, items: tuple[Wire, ...] = ITEMS, tracker: str = "1234-5678"
) -> Shop:
    snapshot = scenes.snapshot_of(items, made)
    id_ = TrackerId(tracker)
    row = TrackerRow(id_, "", 1, (), None, Micros(0))
    return Shop(id_, row, (), snapshot, Recommenders.of(snapshot.catalog))


def after(shop: Shop, changes: Mapping[str, Customization | None]) -> Shop:
    put = {CustomizationId(id_): each for id_, each in changes.items()}
    return replace(shop, snapshot=shop.snapshot.changed(shop.revision + 1, put, {}))


def told(checkup: Checkup) -> list[tuple[str, int | None, str]]:
    return sorted(
        (each.customization, -1 if each.pin is None else each.pin, each.complaint)
        for each in all_of(checkup)
    )


def all_of(checkup: Checkup) -> Iterator[Finding]:
    for group in checkup.groups.values():
        for listed in group.findings.values():
            yield from listed


@pytest.fixture
def checkups() -> Checkups:
    return Checkups(Clock(), pause_seconds_min=0, pause_times=0)


def test_what_is_found_is_grouped_and_counted(checkups: Checkups) -> None:
    """By complaint and model; before the first look nothing is known of a tracker."""
    shop = shop_of(
        customization("a", body(pin("/p/9"), pin("/p/8", 2))),
        customization("b", body(pin("/p/9"), model="basket")),
        customization("c", body()),
    )

    before = checkups.known(shop.tracker)
    checkup = checkups.of(shop)

    assert before is None
    assert {each.value: dict(group.counts) for each, group in checkup.groups.items()} == {
        "not_in_catalog": {"trends": 2, "basket": 1},
        "no_pins": {"trends": 1},
    }
    assert checkup.total == checkups.known(shop.tracker) == 4
    assert checkup.at == NOW_MICROS


def test_those_that_end_sooner_come_first(checkups: Checkups) -> None:
    """Whatever their ids are."""
    ends = {"a": "2025-01-25", "b": "2025-01-24T09:00:00Z", "c": "2025-01-26"}
    any_x: Wire = {"pin_type": "criteria", "pin_criteria": {"brand": "x"}}
    pins = {name: pin(None, active_to=at, **any_x) for name, at in ends.items()}
    shop = shop_of(*(customization(name, body(each)) for name, each in pins.items()))

    found = next(iter(checkups.of(shop).groups.values())).findings["trends"]

    assert [each.customization for each in found] == ["b", "a", "c"]


def test_a_change_is_followed_with_all_that_it_touches(checkups: Checkups) -> None:
    """A pin that is freed by another customization's going, and one that is put in the way of another."""
    old, new = customization("a", body(pin())), customization("b", body(pin(position=2)), 2)
    shop = shop_of(old, new)
    seen = [told(checkups.of(shop))]

    shop = after(shop, {"b": None})
    seen.append(told(checkups.of(shop)))
    shop = after(shop, {"c": customization("c", body(pin(position=0)), 3)})
    seen.append(told(checkups.of(shop)))
    shop = after(shop, {"a": None, "c": None})
    seen.append(told(checkups.of(shop)))

    assert seen == [[("a", 0, "duplicate")], [], [("a", 0, "blocked")], []]


PINS = [
    pin(),
    pin(position=0),
    pin("/p/9"),
    pin("/p/3"),
    pin("/p/2", 2, **GONE),
    pin("/p/2", 2, **LATER),
]
TARGETS: list[Wire] = [
    {},
    {"target_type": "item", "target_identity": "/p/1"},
    {"target_type": "criteria", "target_criteria": {"brand": "x"}},
    {"target_type": "criteria", "target_criteria": {"brand": "none"}},
    {"model": "basket"},
    {"disabled": True},
]
BODIES = st.builds(
    lambda pins, more: body(*pins, **more),
    st.lists(st.sampled_from(PINS), max_size=3),
    st.sampled_from(TARGETS),
)
STEPS = st.lists(st.dictionaries(st.sampled_from("abcdef"), BODIES | st.none(), max_size=3))


@given(STEPS)
def test_followed_is_the_same_as_examined_anew(steps: list[dict[str, Wire | None]]) -> None:
    """Whatever is put and removed, in whatever order."""
    shop, checkups = shop_of(), Checkups(Clock())
    checkups.of(shop)

    for revision, step in enumerate(steps, 2):
        puts = {
            name: None if sent is None else customization(name, sent, revision)
            for name, sent in step.items()
        }
        shop = after(shop, puts)
        followed, anew = checkups.of(shop), Checkups(Clock()).of(shop)

        assert told(followed) == told(anew)
        assert [dict(g.counts) for _, g in sorted(followed.groups.items())] == [
            dict(g.counts) for _, g in sorted(anew.groups.items())
        ]


def test_another_catalog_is_examined_in_the_background(checkups: Checkups) -> None:
    """What was found is answered until then, and says that it is being renewed."""
    shop = shop_of(customization("a", body(pin("/p/9"))))
    first = checkups.of(shop)
    item = {"identity": "/p/9", "type": "item", "fields": {"title": "Nine"}}
    catalog = shop_of(items=(*ITEMS, item)).snapshot.catalog
    shop = replace(shop, snapshot=Snapshot(2, shop.snapshot.rules, catalog))

    while_ = checkups.of(shop)
    checkups.settle(shop.tracker)
    last = checkups.of(shop)

    assert told(first) == [("a", 0, "not_in_catalog")]
    assert (while_.is_renewing, told(while_)) == (True, told(first))
    assert (last.is_renewing, told(last)) == (False, [])


def test_time_alone_is_reason_enough() -> None:
    """Windows end while nobody changes anything; not at every look, though."""
    clock = Clock()
    checkups = Checkups(clock, pause_seconds_min=0, pause_times=0)
    shop = shop_of(customization("a", body(pin(**LATER))))
    seen = [checkups.of(shop)]

    for passed in (Micros(60_000_000), Micros(5 * WEEK)):
        clock.now = Micros(NOW_MICROS + passed)
        seen.append(checkups.of(shop))
        checkups.settle(shop.tracker)
        seen.append(checkups.of(shop))

    assert [each.is_renewing for each in seen] == [False, False, False, True, False]
    assert [len(told(each)) for each in (seen[0], seen[2], seen[4])] == [0, 0, 1]


def test_it_is_left_alone_for_a_while() -> None:
    """However often the catalog changes."""
    checkups = Checkups(Clock(), pause_seconds_min=3_600)
    checkups.of(shop_of())

    assert not checkups.of(shop_of()).is_renewing


def test_what_is_held_is_bounded() -> None:
    """The rest is counted, and known to be missing; and the tracker looked at longest ago is forgotten."""
    checkups = Checkups(Clock(), findings_max=3, trackers_max=2, pause_seconds_min=0, pause_times=0)
    many = [customization(f"c{n}", body(pin("/p/9"), pin("/p/8", 2))) for n in range(4)]
    shop = shop_of(*many)

    checkup = checkups.of(shop)
    for name in ("x", "y"):
        checkups.of(shop_of(tracker=name))

    assert (checkup.total, len(told(checkup)), checkup.is_cut) == (8, 3, True)
    assert checkups.known(shop.tracker) is None
    assert checkups.known(TrackerId("x")) == 0


def test_cut_it_is_not_followed_but_examined_again() -> None:
    """For what is only counted cannot be taken off."""
    checkups = Checkups(Clock(), findings_max=1, pause_seconds_min=0, pause_times=0)
    shop = shop_of(*(customization(f"c{n}", body(pin("/p/9"))) for n in range(3)))
    first = checkups.of(shop)
    shop = after(shop, {"c0": None, "c1": None})

    checkups.of(shop)
    checkups.settle(shop.tracker)
    last = checkups.of(shop)

    assert (first.total, last.total, last.is_cut) == (3, 1, False)


def test_findings_are_those_of_the_examination(checkups: Checkups) -> None:
    shop = shop_of(*(customization(n, body(*PINS)) for n in "abc"))
    found = {(each.customization, each.pin, each.complaint) for each in all_of(checkups.of(shop))}

    assert found == {
        (each.customization, each.pin, each.complaint) for each in findings(shop, now=NOW_MICROS)
    }
