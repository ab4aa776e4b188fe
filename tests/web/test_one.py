"""
One customization, and its history.
"""

import pytest

from endcap.store.writes import ReplaceCustomization
from tests.api.driver import BASE, TRACKER, Json, ToldClock, customization, pin
from tests.application.world import broken
from tests.web.driver import LIST, ConsoleServer, Visitor, text_of


def test_pins_windows_and_verdicts_are_told(server: ConsoleServer, ann: Visitor) -> None:
    """In words, with what becomes of each pin for the target's item."""
    made = server.create(
        tags=["winter"],
        pin_definitions=[
            pin(),
            pin("/p/124", 2, active_from="2025-02-01"),
            pin("/p/gone", 3),
            {"position": -1, "pin_type": "criteria", "pin_criteria": {"brand": "Ibanez"}},
            pin("/p/125", 0),
        ],
    )["id"]

    page = text_of(ann.get(f"{LIST}/{made}"))

    for said in (
        "Fender Telecaster Item · /p/123 · recommender test_reco",
        "1 Slot 1 Leather strap /p/555 always Shown in slot 1",
        "from 1 Feb 2025 (in 9 days) Asleep its window is not open",
        "not in the catalog",
        "Everywhere brand is Ibanez always Shown",
        "Never shown /p/125 always Keeps out",
        "1 broken pin",
        "Tags winter",
        "Made by api, 22 Jan 2025, 08:49 UTC",
    ):
        assert said in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?input=/p/124", "It has no say for this item"),
        ("?input=", "It has no say for this item"),
        ("?size=1", "1 Leather strap pin 1"),
        ("?size=nonsense&widget=side", "1 Leather strap pin 1"),
    ],
)
def test_another_item_or_widget_can_be_asked_for(
    server: ConsoleServer, ann: Visitor, query: str, said: str
) -> None:
    """As a shopper would get it."""
    made = server.create()["id"]

    assert said in text_of(ann.get(f"{LIST}/{made}{query}"))


def test_a_widget_of_the_pins_is_asked_for_first(server: ConsoleServer, ann: Visitor) -> None:
    """Else they would seem not to act."""
    made = server.create(pin_definitions=[pin(widget_id="side")])["id"]

    assert "Shown in slot 1" in text_of(ann.get(f"{LIST}/{made}"))
    assert "Other widget" in text_of(ann.get(f"{LIST}/{made}?widget="))


def test_who_else_speaks_is_linked(server: ConsoleServer, ann: Visitor) -> None:
    """The item of another customization says whose it is."""
    mine = server.create()["id"]
    other = server.create(
        target_type="all", target_identity=None, pin_definitions=[pin("/p/126", 2)]
    )["id"]

    page = ann.get(f"{LIST}/{mine}")

    assert "pin 1 of another customization" in text_of(page)
    assert f'href="{LIST}/{other}"' in page.text


def test_criteria_are_asked_with_an_item_that_meets_them(
    server: ConsoleServer, ann: Visitor
) -> None:
    """The most popular one."""
    made = server.create(
        target_type="criteria", target_identity=None, target_criteria={"brand": "Gibson"}
    )["id"]

    page = ann.get(f"{LIST}/{made}")

    assert 'name="input" value="/p/124"' in page.text
    assert "For every item where brand is Gibson" in text_of(page)
    assert "Shown in slot 1" in text_of(page)


def test_an_unknown_recommender_is_said(server: ConsoleServer, ann: Visitor) -> None:
    """Rules may come before the recommender that they are for."""
    made = server.create(model="not_yet")["id"]

    assert "Recommender not found: not_yet" in text_of(ann.get(f"{LIST}/{made}"))


def test_the_json_is_what_the_api_gives(server: ConsoleServer, ann: Visitor) -> None:
    """Ready to be copied."""
    made = server.create()["id"]

    page = text_of(ann.get(f"{LIST}/{made}"))

    assert '"target_identity": "/p/123"' in page
    assert '"available": true' in page


def test_the_history_is_told_in_words(
    server: ConsoleServer, clock: ToldClock, ann: Visitor
) -> None:
    """Who, when and what: pins that came, went and moved, tags, target, notes, the switch."""
    made = server.create(tags=["a"], target_metadata={"title": "One"})["id"]
    steps: list[Json] = [
        {"pin_definitions": [pin(position=3)], "tags": ["a"], "target_metadata": {"title": "One"}},
        {"pin_definitions": [pin("/p/124")], "tags": ["b"], "target_metadata": {"title": "Two"}},
        {
            "target_identity": "/p/124",
            "model": "basket",
            "pin_definitions": [pin("/p/124", active_to="2026-01-01")],
        },
        {
            "target_identity": "/p/124",
            "model": "basket",
            "disabled": True,
            "pin_definitions": [pin("/p/124", 0, widget_id="side")],
        },
    ]
    for body in steps:
        clock.advance(3_600)
        server.send("PUT", f"{BASE}/scope/{made}", customization(**body))

    page = text_of(ann.get(f"{LIST}/{made}/history"))

    for said in (
        "Created by api 4 hours ago 22 Jan 2025, 08:49 UTC",
        "+ Recommender: test_reco + Target: Fender Telecaster (/p/123) + Tagged a",
        "+ Pinned: Leather strap (/p/555), slot 1",
        "~ Leather strap (/p/555): slot 1 → slot 3",
        "+ Tagged b − No longer tagged a",
        "~ Note “title”: One → Two",
        "− No longer pinned: Leather strap (/p/555), slot 3",
        "+ Pinned: /p/124 (/p/124), slot 1",
        "~ Recommender: test_reco → basket ~ Target: Fender Telecaster (/p/123) → /p/124 (/p/124)",
        "always → until 1 Jan 2026",
        "~ Disabled",
        "slot 1 → never shown; until 1 Jan 2026 → always; in any widget → in widget side",
    ):
        assert said in page


def test_a_deleted_customization_has_its_history(server: ConsoleServer, ann: Visitor) -> None:
    """At its old address too."""
    made = server.create()["id"]
    server.send("DELETE", f"{BASE}/scope/{made}")

    page = text_of(ann.get(f"{LIST}/{made}"))

    assert "This customization was deleted" in page
    assert "Deleted by api" in page
    assert "− No longer pinned: Leather strap (/p/555), slot 1" in page


def test_one_that_nobody_understands_is_shown(server: ConsoleServer, ann: Visitor) -> None:
    """It is broken, can be deleted, and keeps nothing else from being shown."""
    made = server.create()["id"]
    shop = server.parts.service.shop(TRACKER)
    (known,) = shop.snapshot.rules.all()
    write = ReplaceCustomization(shop.tracker, known.id, broken("x"), "hand", server.clock())
    server.parts.store.commit([write])
    server.parts.mirror._load(shop.tracker)

    listed = text_of(ann.get(f"{LIST}?status=broken"))
    page = text_of(ann.get(f"{LIST}/{made}"))

    assert "Cannot be read" in listed
    assert "cannot be read by this version, so it does not act" in page
    assert '{"model": 5}' in page


def test_a_long_history_ends_somewhere(server: ConsoleServer, ann: Visitor) -> None:
    """The page links to all of it, and that page has a bound."""
    made = server.create()["id"]
    for number in range(205):
        server.send("PUT", f"{BASE}/scope/{made}", customization(tags=[f"t{number}"]))

    short, whole = ann.get(f"{LIST}/{made}"), ann.get(f"{LIST}/{made}/history")

    assert short.text.count('<ul class="diff">') == 5
    assert "The whole history" in text_of(short)
    assert whole.text.count('<ul class="diff">') == 200
    assert "The last 200 changes are shown" in text_of(whole)
