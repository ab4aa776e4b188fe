"""
What is found to be the matter with customizations: each complaint alone, and that what is found is true.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.domain import CustomizationId, Micros
from endcap.engine.place import Verdict
from endcap.engine.snapshot import Snapshot
from endcap.errors import RevisionConflict
from endcap.health import FIXES, OFFERS, SEVERITIES, Complaint, Finding, Fix, Severity, findings
from endcap.mending import fingerprint, mending, remedies
from endcap.recommend.recommenders import Recommenders
from endcap.shops import Shop
from endcap.store.states import TrackerRow
from endcap.store.writes import Committed, CreateCustomization, CustomizationWrite, PutObjects
from endcap.wire.customizations import definition_of, read_definition
from tests.application.world import SHOP, World, committed, item, record, shop
from tests.engine import scenes, strategies
from tests.engine.strategies import EXAMPLES, NOW_MICROS, Situation

Wire = dict[str, Any]

ITEMS: tuple[Wire, ...] = (
    {"identity": "/p/1", "type": "item", "fields": {"title": "One", "brand": "x"}},
    {"identity": "/p/2", "type": "item", "fields": {"title": "Two", "brand": "y"}},
    {"identity": "/p/3", "type": "item", "fields": {"title": "Three", "availability": 0}},
    {"identity": "/b/x", "type": "brand", "fields": {"title": "x"}},
)
GONE: Wire = {"active_to": "2025-01-19T12:00:00Z"}
SOON: Wire = {"active_to": "2025-01-25T12:00:00Z"}
LATER: Wire = {"active_to": "2025-02-25T12:00:00Z"}


def shop_of(snapshot: Snapshot) -> Shop:
    row = TrackerRow(SHOP, "", 1, (), None, Micros(0))
    return Shop(SHOP, row, (), snapshot, Recommenders.of(snapshot.catalog))


def pin(item: str | None = "/p/1", position: int = 1, **more: Any) -> Wire:
    named = {"pin_type": "item", "pin_identity": item}
    return {"position": position, **(named if item else {}), **more}


def body(*pins: Wire, **more: Any) -> Wire:
    return {"model": "trends", "target_type": "all", "pin_definitions": pins, **more}


def complaints(*bodies: Wire, soon_days: float = 7) -> list[tuple[str, int | None, str]]:
    """Of customizations `a`, `b`, …, each newer than the one before: whose, which pin, what."""
    made = [
        scenes.customization_of("abcdefgh"[at], Micros(NOW_MICROS - 100 + at), each)
        for at, each in enumerate(bodies)
    ]
    seen = shop_of(scenes.snapshot_of(ITEMS, made))
    return [
        (each.customization, each.pin, each.complaint)
        for each in findings(seen, now=NOW_MICROS, soon_days=soon_days)
    ]


def test_what_is_switched_off_is_in_nobodys_way() -> None:
    """Neither found, nor the reason why a pin of another one is: mending would remove a pin that is shown."""
    live, off = body(pin(), pin("/p/2", 2)), body(pin(), pin("/p/9", 2))

    assert complaints(live, {**off, "disabled": True}) == []
    assert complaints(live, off) != []


@pytest.mark.parametrize(
    ("pins", "found"),
    [
        pytest.param([pin()], [], id="well"),
        pytest.param([pin(**GONE), pin("/p/2", 2)], [(0, "expired")], id="expired"),
        pytest.param([pin(**SOON)], [(0, "ends_soon")], id="ends soon"),
        pytest.param([pin(**LATER)], [], id="ends late"),
        pytest.param([pin("/p/9")], [(0, "not_in_catalog")], id="unknown item"),
        pytest.param([pin("/p/3")], [(0, "unavailable")], id="sold out"),
        pytest.param([pin("/b/x")], [(0, "wrong_type")], id="no item"),
        pytest.param([pin(position=51)], [(0, "beyond_size")], id="beyond every answer"),
        pytest.param([pin(), pin(position=4)], [(1, "duplicate")], id="twice"),
        pytest.param([pin(), pin(position=0)], [(0, "blocked")], id="pinned and blocked"),
        pytest.param(
            [pin(None, pin_type="criteria", pin_criteria={"brand": "z"})],
            [(0, "no_match")],
            id="criteria without a match",
        ),
        pytest.param(
            [pin("/p/2"), pin(None, 0, pin_type="criteria", pin_criteria={"brand": "y"})],
            [(0, "blocked")],
            id="blocked by criteria",
        ),
        pytest.param([pin("/p/9", 0)], [], id="a block of what is not there"),
    ],
)
def test_what_is_the_matter_with_pins(pins: list[Wire], found: list[tuple[int, str]]) -> None:
    """Of one customization for everything; about each pin at most one thing is said, the gravest."""
    assert [(index, what) for _, index, what in complaints(body(*pins))] == found


@pytest.mark.parametrize(
    ("sent", "what"),
    [
        pytest.param(body(), "no_pins", id="no pins"),
        pytest.param(body(pin(**GONE), pin("/p/2", **GONE)), "all_expired", id="all expired"),
        pytest.param(body(pin(), model="nobodys"), "unknown_model", id="unknown model"),
        pytest.param(
            body(pin(), target_type="item", target_identity="/p/9"),
            "target_not_in_catalog",
            id="unknown target",
        ),
        pytest.param(
            body(pin(), target_type="criteria", target_criteria={"brand": "z"}),
            "target_no_match",
            id="target criteria without a match",
        ),
    ],
)
def test_what_is_the_matter_with_a_customization(sent: Wire, what: str) -> None:
    """What its pins lack beside that is not said where it should go anyway."""
    assert complaints(sent) == [("a", None, what)]


def test_a_recommender_of_another_type_shows_that_type() -> None:
    """What is no item is pinned rightly there, and an item is not."""
    brands = body(
        pin("/c/1"),
        pin("/p/1", 2),
        pin(None, 3, pin_type="criteria", pin_criteria={"title": "Strings"}),
        pin(None, 4, pin_type="criteria", pin_criteria={"title": "One"}),
        model="top_categories",
    )
    category: Wire = {"identity": "/c/1", "type": "category", "fields": {"title": "Strings"}}
    made = [scenes.customization_of("a", NOW_MICROS, brands)]
    seen = shop_of(scenes.snapshot_of((*ITEMS, category), made))

    found = [(each.pin, each.complaint) for each in findings(seen, now=NOW_MICROS)]

    assert found == [(1, "wrong_type"), (3, "no_match")]


def test_what_cannot_be_read_is_found() -> None:
    """It has no say; nothing is deleted unasked."""
    unread = msgspec.structs.replace(
        scenes.customization_of("a", NOW_MICROS, body()), unreadable=True
    )
    seen = shop_of(scenes.snapshot_of(ITEMS, [unread]))

    (found,) = findings(seen, now=NOW_MICROS)

    assert (found.complaint, found.severity, found.fix) == ("unreadable", "error", None)
    assert remedies(seen, [found]) == []
    assert remedies(seen, [found], OFFERS)[0].is_deleted


def test_who_is_in_the_way_is_named() -> None:
    """The customization, where it is another one, and which of its pins."""
    own, other = body(pin(), pin(position=2)), body(pin("/p/2"), pin(position=3))
    made = [
        scenes.customization_of("a", NOW_MICROS, own),
        scenes.customization_of("b", Micros(NOW_MICROS + 1), other),
    ]
    seen = shop_of(scenes.snapshot_of(ITEMS, made))

    found = {each.pin: (each.other, each.other_pin) for each in findings(seen, now=NOW_MICROS)}

    assert found == {0: ("b", 1), 1: ("b", 1)}


def test_an_item_is_never_shown_beside_itself() -> None:
    """Pinned on its own page."""
    own = body(pin("/p/1"), pin("/p/2", 2), target_type="item", target_identity="/p/1")

    assert complaints(own) == [("a", 0, "input_item")]


def test_customizations_of_one_target_are_in_each_others_way() -> None:
    """The newer one keeps the item; it says whose pin is in the way. Other targets may meet or not: nothing is said."""
    narrow = body(pin(position=3), target_type="item", target_identity="/p/2")

    assert complaints(body(pin()), body(pin(position=2))) == [("a", 0, "duplicate")]
    assert complaints(body(pin()), body(pin(position=0))) == [("a", 0, "blocked")]
    assert complaints(body(pin()), narrow) == []
    assert complaints(body(pin()), body(pin(), model="basket")) == []


def test_a_pin_is_beaten_only_where_the_other_is_always_awake_with_it() -> None:
    """A block in one widget, or for a week, leaves the pin its other days."""
    assert complaints(body(pin(), pin(position=0, widget_id="top"))) == []
    assert complaints(body(pin(widget_id="top"), pin(position=0))) == [("a", 0, "blocked")]
    assert complaints(body(pin(), pin(position=0, **LATER))) == []
    assert complaints(body(pin(**LATER), pin(position=0, **LATER))) == [("a", 0, "blocked")]


def test_soon_is_as_far_as_is_asked() -> None:
    """In days."""
    assert complaints(body(pin(**LATER)), soon_days=60) == [("a", 0, "ends_soon")]
    assert complaints(body(pin(**SOON)), soon_days=1) == []


NEVER = {
    Complaint.TARGET_NO_MATCH,
    Complaint.ALL_EXPIRED,
    Complaint.EXPIRED,
    Complaint.NOT_IN_CATALOG,
    Complaint.WRONG_TYPE,
    Complaint.INPUT_ITEM,
    Complaint.BLOCKED,
    Complaint.DUPLICATE,
    Complaint.BEYOND_SIZE,
}
"""Of whom this is said is shown in no request at this moment."""
UNLESS_OVERRIDDEN = {Complaint.UNAVAILABLE, Complaint.NO_MATCH}
"""Nor these, where the request has no other field of availability."""


@settings(max_examples=EXAMPLES * 4)
@given(strategies.situations())
def test_who_is_said_never_to_show_is_never_shown(situation: Situation) -> None:
    """Held against the engine, in random shops with random requests."""
    made = [
        scenes.customization_of(each.id, strategies.micros(each.created_at), each.body)
        for each in situation.customizations
    ]
    snapshot = scenes.snapshot_of(situation.objects, made, situation.scores)
    requests = scenes.requests_of(situation.requests)
    answers = scenes.answer(snapshot, requests, now=NOW_MICROS, rankings=situation.rankings)

    found = list(findings(shop_of(snapshot), now=NOW_MICROS))

    for request, placement in zip(requests, answers, strict=True):
        wrong = NEVER if request.availability_field else NEVER | UNLESS_OVERRIDDEN
        out = {(each.customization, each.pin) for each in found if each.complaint in wrong}
        for judged in placement.judgements:
            if judged.verdict in (Verdict.PLACED, Verdict.MOVED):
                owner = judged.claim.customization.id
                assert not {(owner, None), (owner, judged.claim.index)} & out


# Mending


@pytest.fixture
def ill(world: World) -> World:
    """A customization whose first pin has ended, one that has ended whole, one of an unknown item, and a sound one."""
    bodies: Mapping[str, Wire] = {
        "a": body(pin(**GONE), pin("/p/2", 2, widget_id="top"), tags=["spring"]),
        "b": body(pin(**GONE)),
        "c": body(pin("/p/9")),
        "d": body(pin("/p/1", 3)),
    }
    put = PutObjects(SHOP, [item("/p/1"), item("/p/2")], "test", world.tick())
    creates = [
        CreateCustomization(
            SHOP,
            CustomizationId(name),
            read_definition(msgspec.json.encode(sent)),
            "test",
            world.tick(),
        )
        for name, sent in bodies.items()
    ]
    committed(world.here, put, *creates)
    return world


def mended(world: World) -> tuple[Shop, list[Finding], list[CustomizationWrite]]:
    mirror = world.mirror()
    mirror.load()
    seen = shop(mirror)
    found = list(findings(seen, now=NOW_MICROS))
    return (
        seen,
        found,
        list(mending(world.here, seen, remedies(seen, found), actor="test", now=world.tick())),
    )


def test_mending_removes_what_does_nothing(ill: World) -> None:
    """Only that: other pins stay as they were sent, and a customization without any goes. Then all is well."""
    _, found, writes = mended(ill)

    committed(ill.here, *writes)

    assert {each.severity for each in found} == {Severity.ERROR, Severity.WARNING}
    left = record(ill.here, "a")
    assert left is not None
    assert left.tags == ("spring",)
    assert [each.widget for each in definition_of(left).pins] == ["top"]
    assert record(ill.here, "b") is record(ill.here, "c") is None
    assert record(ill.here, "d") is not None
    assert mended(ill)[1:] == ([], [])


def test_mending_leaves_alone_what_was_changed_meanwhile(ill: World) -> None:
    """Whoever changed it saw more than the examination did."""
    _, _, writes = mended(ill)
    committed(ill.elsewhere, ill.replace("b", "/p/2"))

    outcomes = ill.here.commit(writes)

    refused = {
        write.id
        for write, outcome in zip(writes, outcomes, strict=True)
        if isinstance(outcome, RevisionConflict)
    }
    assert refused == {"b"}
    assert sum(isinstance(each, Committed) for each in outcomes) == 2


def test_what_has_no_fix_is_passed_over(world: World) -> None:
    """An item that is sold out comes back."""
    committed(world.here, world.put("/p/1", availability=0), world.create("a", "/p/1"))

    _, found, writes = mended(world)

    assert [(each.complaint, each.fix) for each in found] == [(Complaint.UNAVAILABLE, None)]
    assert writes == []


def test_what_is_offered_is_done(ill: World) -> None:
    """A window made longer by the shop's week, a customization disabled, several of it together."""
    prague = ZoneInfo("Europe/Prague")
    soon: Wire = {"active_to": "2025-01-25T23:00:00Z"}
    sent = body(pin("/p/1", **soon), pin("/p/2", 2), model="basket", tags=["x"])
    odd = body(pin("/p/2"), model="nobodys")
    creates = [
        CreateCustomization(
            SHOP, CustomizationId(name), read_definition(msgspec.json.encode(each)), "t", ill.tick()
        )
        for name, each in (("e", sent), ("f", odd))
    ]
    committed(ill.here, *creates)
    seen, found, _ = mended(ill)

    planned = remedies(seen, found, OFFERS)
    writes = list(mending(ill.here, seen, planned, actor="t", now=ill.tick(), zone=prague))
    committed(ill.here, *writes)

    longer, silent = record(ill.here, "e"), record(ill.here, "f")
    assert longer is not None
    assert silent is not None
    assert b"2025-02-01T23:00:00Z" in longer.document
    assert (longer.tags, longer.disabled) == (("x",), False)
    assert silent.disabled
    assert fingerprint(planned) != fingerprint(planned[1:])
    assert fingerprint(planned) == fingerprint(planned[::-1])


@given(st.sampled_from(Complaint))
def test_every_complaint_has_a_severity(complaint: Complaint) -> None:
    """And a fix that is offered; without asking only what does nothing is removed."""
    assert SEVERITIES[complaint] is not Severity.NOTICE or complaint not in FIXES
    assert FIXES.get(complaint) in (None, Fix.REMOVE_PIN, Fix.DELETE_CUSTOMIZATION)
    assert OFFERS[complaint] is FIXES.get(complaint, OFFERS[complaint])
