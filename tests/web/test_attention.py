"""
What needs attention: found, filtered, mended one by one or all at once, and undone.
"""

import re
import sqlite3
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest

from endcap.bulk import CHANGED_MAX
from endcap.domain import CustomizationId, Filter, Micros, TrackerId
from endcap.health import OFFERS, SEVERITIES, Complaint
from endcap.store.writes import CreateCustomization
from endcap.web.complaints import COMPLAINTS, WORDS
from endcap.wire.customizations import definition_of
from tests.api.driver import BASE, TRACKER, ToldClock, customization, item, pin
from tests.web.driver import ConsoleServer, Visitor, hidden_of, text_of
from tests.web.test_changing import undo
from tests.web.test_roles import visitor_of

HEALTH = f"/console/t/{TRACKER}/health"
GONE: Any = {"active_to": "2025-01-19T12:00:00Z"}
SOON: Any = {"active_to": "2025-01-25T12:00:00Z"}


def fields_of(page: httpx2.Response, button: str) -> list[tuple[str, str]]:
    """The fields of the form with a button whose label begins so."""
    for form in re.findall(
        r"<form method=\"post\" action=\"[^\"]*/fix(?:-all)?\">.*?</form>", page.text, re.DOTALL
    ):
        label = re.search(r"<button[^>]*?(?:aria-label=\"([^\"]*)\")?>([^<]*)</button>", form)
        assert label is not None
        if unescape(label[1] or label[2]).startswith(button):
            return [(k, unescape(v)) for k, v in re.findall(r'name="(\w+)" value="([^"]*)"', form)]
    raise AssertionError(f"no button {button} on: {text_of(page)}")


def press(visitor: Visitor, page: httpx2.Response, button: str) -> httpx2.Response:
    fields = fields_of(page, button)
    return visitor.post(f"{HEALTH}/fix", fields)


def press_all(visitor: Visitor, page: httpx2.Response, button: str) -> httpx2.Response:
    return visitor.post(f"{HEALTH}/fix-all", fields_of(page, button))


def say_yes(visitor: Visitor, asked: httpx2.Response) -> str:
    assert asked.status_code == 200, text_of(asked)
    action = re.search(r'<form method="post" action="([^"]*health/fix[^"]*)"', asked.text)
    assert action is not None
    done = visitor.post(action[1], hidden_of(asked))
    assert done.status_code == 303, text_of(done)
    return str(done.headers["location"])


def pins_of(server: ConsoleServer, id: str) -> list[Any]:
    return [each["pin_identity"] for each in server.get(id)["pin_definitions"]]


def test_a_shop_in_order_is_told_so(server: ConsoleServer, ann: Visitor) -> None:
    """And the navigation shows no number."""
    server.create()

    page = ann.get(HEALTH)

    assert "All is well" in text_of(page)
    assert "Examined just now" in text_of(page)
    assert re.search(r'aria-current="page">Needs attention</a>', page.text)


ILLS: list[tuple[Complaint, dict[str, Any], str]] = [
    (Complaint.UNKNOWN_MODEL, {"model": "nobodys"}, "Disable it"),
    (Complaint.TARGET_NOT_IN_CATALOG, {"target_identity": "/p/9"}, "Disable it"),
    (
        Complaint.TARGET_NO_MATCH,
        {"target_type": "criteria", "target_identity": None, "target_criteria": {"brand": "none"}},
        "Disable it",
    ),
    (Complaint.NO_PINS, {"pin_definitions": []}, "Delete it"),
    (Complaint.ALL_EXPIRED, {"pin_definitions": [pin(**GONE)]}, "Delete it"),
    (Complaint.EXPIRED, {"pin_definitions": [pin(**GONE), pin("/p/125", 2)]}, "Remove the pin"),
    (Complaint.ENDS_SOON, {"pin_definitions": [pin(**SOON)]}, "A week longer"),
    (Complaint.NOT_IN_CATALOG, {"pin_definitions": [pin("/p/9"), pin()]}, "Remove the pin"),
    (Complaint.UNAVAILABLE, {"pin_definitions": [pin("/p/900"), pin()]}, "Remove the pin"),
    (Complaint.WRONG_TYPE, {"pin_definitions": [pin("/b/x"), pin()]}, "Remove the pin"),
    (
        Complaint.NO_MATCH,
        {
            "pin_definitions": [
                {"position": 2, "pin_type": "criteria", "pin_criteria": {"brand": "none"}},
                pin(),
            ]
        },
        "Remove the pin",
    ),
    (Complaint.INPUT_ITEM, {"pin_definitions": [pin("/p/123"), pin()]}, "Remove the pin"),
    (Complaint.BLOCKED, {"pin_definitions": [pin("/p/125"), pin("/p/125", 0)]}, "Remove the pin"),
    (Complaint.DUPLICATE, {"pin_definitions": [pin(), pin(position=4)]}, "Remove the pin"),
    (
        Complaint.BEYOND_SIZE,
        {"pin_definitions": [pin(position=51), pin("/p/125")]},
        "Remove the pin",
    ),
]


@pytest.mark.parametrize(
    ("complaint", "fields", "button"), ILLS, ids=[complaint for complaint, _, _ in ILLS]
)
def test_each_is_shown_with_what_mends_it(
    server: ConsoleServer,
    clock: ToldClock,
    ann: Visitor,
    complaint: Complaint,
    fields: dict[str, Any],
    button: str,
) -> None:
    """One click, or two where something is deleted; then all is well; and undone it is as it was."""
    server.put_objects({"identity": "/b/x", "type": "brand", "fields": {"title": "x"}})
    made = server.create(**fields)
    clock.advance(60)

    page = ann.get(HEALTH)
    answer = press(ann, page, button)
    place = say_yes(ann, answer) if answer.status_code == 200 else str(answer.headers["location"])
    after = ann.get(place)
    was_asked = answer.status_code == 200
    undone = ann.get(undo(ann, place))

    assert WORDS[complaint].title in text_of(page)
    assert WORDS[complaint].why in text_of(page)
    assert was_asked is (button == "Delete it")
    assert "1 customization mended." in text_of(after)
    assert "All is well" in text_of(after)
    assert "Needs attention" in text_of(undone)
    assert WORDS[complaint].title in text_of(undone)
    assert {**server.get(made["id"]), "updated_at": ""} == {**made, "updated_at": ""}


def test_every_complaint_has_words_and_a_fix() -> None:
    """The gravest first."""
    assert set(COMPLAINTS) == set(Complaint) == set(OFFERS)
    order = [list(type(SEVERITIES[each])).index(SEVERITIES[each]) for each in COMPLAINTS]
    assert order == sorted(order)


def test_what_cannot_be_read_is_found_and_can_be_deleted(
    server: ConsoleServer, clock: ToldClock, tmp_path: Path
) -> None:
    """It has no say; a hand left it in the database."""
    server.create_user("ann")
    made = server.create()["id"]
    with sqlite3.connect(tmp_path / "endcap.db") as connection:
        connection.execute("UPDATE customization SET document = ?", (b"{}",))
    again = ConsoleServer(tmp_path, clock)
    visitor = Visitor(again)
    visitor.sign_in()

    page = visitor.get(HEALTH)
    place = say_yes(visitor, press(visitor, page, "Delete it"))
    after = visitor.get(place)
    status = again.send("GET", f"{BASE}/scope/{made}").status_code
    again.close()

    assert "Customizations that cannot be read" in text_of(page)
    assert "All is well" in text_of(after)
    assert status == 404


def test_the_last_pin_takes_its_customization_along(server: ConsoleServer, ann: Visitor) -> None:
    """Which the button says, and asks about."""
    made = server.create(pin_definitions=[pin("/p/9")])["id"]

    asked = press(ann, ann.get(HEALTH), "Delete it")

    assert "Delete 1 customization?" in text_of(asked)
    assert "1 customization is deleted. The history stays." in text_of(asked)
    assert server.get(made)["id"] == made
    assert "1 customization mended." in text_of(ann.get(say_yes(ann, asked)))


def test_what_was_changed_since_is_left_alone(server: ConsoleServer, ann: Visitor) -> None:
    """The button is for what was shown."""
    made = server.create(pin_definitions=[pin("/p/9"), pin()])["id"]
    page = ann.get(HEALTH)
    body = customization(pin_definitions=[pin("/p/9"), pin("/p/125", 2)])
    assert server.send("PUT", f"{BASE}/scope/{made}", body).status_code == 204

    after = ann.follow(press(ann, page, "Remove the pin"))

    assert "0 customizations mended. 1 was left alone" in text_of(after)
    assert pins_of(server, made) == ["/p/9", "/p/125"]


def test_all_of_a_kind_at_once(server: ConsoleServer, clock: ToldClock, ann: Visitor) -> None:
    """Shown before: what loses pins, what goes as a whole. Then undone with one button."""
    some = server.create(pin_definitions=[pin("/p/9"), pin(), pin("/p/8", 3)])
    whole = server.create(pin_definitions=[pin("/p/9")], target_identity="/p/124")
    other = server.create(pin_definitions=[pin("/p/900"), pin()], target_identity="/p/125")
    clock.advance(60)

    asked = press_all(ann, ann.get(HEALTH), "Remove all 3")
    said = text_of(asked)
    place = say_yes(ann, asked)
    after = text_of(ann.get(place))
    left = pins_of(server, some["id"])
    undo(ann, place)

    assert "Remove pins of 2 customizations?" in said
    assert "2 pins of 1 customization are removed; the other pins stay." in said
    assert "1 customization is deleted. The history stays." in said
    assert "loses pins 1, 3" in said
    assert "is deleted" in said
    assert "2 customizations mended." in after
    assert left == ["/p/555"]
    assert pins_of(server, other["id"]) == ["/p/900", "/p/555"]
    for made in (some, whole):
        assert {**server.get(made["id"]), "updated_at": ""} == {**made, "updated_at": ""}


def test_all_is_asked_again_when_it_is_not_the_same_any_more(
    server: ConsoleServer, ann: Visitor
) -> None:
    """Somebody made another one while the question stood."""
    for target in ("/p/123", "/p/124"):
        server.create(pin_definitions=[pin("/p/9"), pin()], target_identity=target)
    asked = press_all(ann, ann.get(HEALTH), "Remove all 2")
    server.create(pin_definitions=[pin("/p/9"), pin()], target_identity="/p/125")

    again = ann.post(f"{HEALTH}/fix-all", hidden_of(asked))

    assert again.status_code == 200
    assert "Something has changed since you were asked" in text_of(again)
    assert "Remove pins of 3 customizations?" in text_of(again)


def test_all_of_one_recommender(server: ConsoleServer, ann: Visitor) -> None:
    """What is filtered is what is mended."""
    for model in ("test_reco", "basket"):
        for target in ("/p/123", "/p/124"):
            server.create(pin_definitions=[], target_identity=target, model=model)

    page = ann.get(f"{HEALTH}?model=basket")
    place = say_yes(ann, press_all(ann, page, "Delete all 2"))

    assert "2 findings of 4" in text_of(page)
    assert "test_reco" not in re.sub(r"<nav.*?</nav>", "", page.text, flags=re.DOTALL)
    assert "model=basket" in place
    assert "2 customizations mended." in text_of(ann.get(place))
    assert "2 findings" in text_of(ann.get(HEALTH))


def test_too_many_at_once_are_refused(server: ConsoleServer, ann: Visitor) -> None:
    """With what to do instead."""
    server.create(pin_definitions=[])
    (one,) = server.parts.store.records(TrackerId(TRACKER), Filter())
    definition = definition_of(one)
    server.parts.committer.commit_now(
        [
            CreateCustomization(TrackerId(TRACKER), CustomizationId(f"c{n}"), definition, "test", n)
            for n in map(Micros, range(CHANGED_MAX))
        ]
    )

    answer = press_all(ann, ann.get(HEALTH), f"Delete all {CHANGED_MAX + 1:,}")

    assert answer.status_code == 422
    assert f"{CHANGED_MAX + 1:,} customizations, and at most {CHANGED_MAX:,}" in text_of(answer)
    assert "choose a recommender" in text_of(answer)


def test_all_of_what_is_well_by_now(server: ConsoleServer, ann: Visitor) -> None:
    """Somebody else was quicker: nothing is asked, and nothing done."""
    for target in ("/p/123", "/p/124"):
        server.create(pin_definitions=[pin("/p/9"), pin()], target_identity=target)
    page = ann.get(HEALTH)
    server.put_objects(item("/p/9"))

    answer = press_all(ann, page, "Remove all 2")

    assert answer.status_code == 200
    assert "Nothing to change" in text_of(answer)
    assert "All is well here by now." in text_of(answer)


def test_filters(server: ConsoleServer, ann: Visitor) -> None:
    """By severity and by what is the matter; what cannot be understood is left out."""
    server.create(pin_definitions=[pin("/p/9"), pin("/p/900", 2), pin(position=3, **SOON)])

    counts = {}
    for query in (
        "",
        "severity=error",
        "severity=notice",
        "complaint=unavailable",
        "severity=error&complaint=unavailable",
        "model=none",
        "severity=x&complaint=y&page=-1",
        "page=99",
    ):
        found = re.search(r"(\d+) findings?", text_of(ann.get(f"{HEALTH}?{query}")))
        assert found is not None
        counts[query] = int(found[1])

    assert list(counts.values()) == [3, 1, 1, 1, 0, 0, 3, 3]


def test_pages_of_one_kind(server: ConsoleServer, ann: Visitor) -> None:
    """Five of each are shown, and fifty on a page of their own."""
    for number in range(53):
        server.create(pin_definitions=[], target_identity=f"/p/{number}", target_type="item")
        server.put_objects(item(f"/p/{number}"))

    first = ann.get(HEALTH)
    whole = ann.get(f"{HEALTH}?complaint=no_pins")
    last = ann.get(f"{HEALTH}?complaint=no_pins&page=2")

    assert [page.text.count('name="pin"') for page in (first, whole, last)] == [5, 50, 3]
    assert "All 53 of these" in text_of(first)
    assert "Page 2 of 2" in text_of(last)


def test_the_navigation_counts_what_is_known(server: ConsoleServer, ann: Visitor) -> None:
    """Nothing before anybody has looked: to count would be to look."""
    server.create(pin_definitions=[])
    place = f"/console/t/{TRACKER}/customizations"

    before = ann.get(place)
    ann.get(HEALTH)
    after = ann.get(place)

    assert "Needs attention Changes" in text_of(before)
    assert "Needs attention 1 Changes" in text_of(after)


def test_who_is_in_the_way_is_linked(server: ConsoleServer, clock: ToldClock, ann: Visitor) -> None:
    """By the number that people see, with the way there."""
    server.create()
    clock.advance(60)
    newer = server.create(pin_definitions=[pin("/p/125", 2), pin(position=3)])["id"]

    page = ann.get(HEALTH)

    assert "Shown already by pin 2 of Fender Telecaster" in text_of(page)
    assert f"/customizations/{newer}" in page.text


@pytest.mark.parametrize("who", ["viewer", "editor"])
def test_who_may_not_mend_sees_no_buttons(server: ConsoleServer, who: str) -> None:
    """And is refused who sends the form all the same."""
    made = server.create(pin_definitions=[])
    visitor = visitor_of(server, who)

    page = visitor.get(HEALTH)
    fields = {"id": made["id"], "revision": "1", "complaint": "no_pins", "pin": ""}

    assert "Without pins" in text_of(page)
    assert "/fix" not in page.text
    assert visitor.post(f"{HEALTH}/fix", fields).status_code == 403


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"id": "a", "revision": "x", "complaint": "no_pins"},
        {"id": "a", "revision": "1", "complaint": "none"},
        {"id": "../a", "revision": "1", "complaint": "no_pins"},
        {"id": "a", "revision": "1", "complaint": "no_pins", "pin": "-1"},
    ],
)
def test_forms_that_cannot_be_read_are_refused(ann: Visitor, fields: dict[str, str]) -> None:
    ann.get(HEALTH)

    assert ann.post(f"{HEALTH}/fix", fields).status_code == 422


def test_times_are_the_shops(tmp_path: Path, clock: ToldClock) -> None:
    """In words and on the day that the shop's clock says."""
    server = ConsoleServer(tmp_path, clock, console_time_zone="Europe/Prague")
    server.create_tracker()
    server.put_objects(item("/p/123"), item("/p/555"))
    server.create_user("ann")
    made = server.create(pin_definitions=[pin(active_to="2025-01-25T23:00:00Z")])["id"]
    ann = Visitor(server)
    ann.sign_in()

    page = ann.get(HEALTH)
    press(ann, page, "A week longer")
    longer = server.get(made)["pin_definitions"][0]["active_to"]
    server.close()

    assert "Ends in 3 days, on 26 Jan 2025" in text_of(page)
    assert longer == "2025-02-01T23:00:00Z"
