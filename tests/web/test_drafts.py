"""
The console's drafts: edited, published now or at a time, unpublished, and chosen between when two edit at once.
"""

import json
import re
from typing import Any

import httpx2
import pytest
from markupsafe import escape

from tests.api.driver import BASE, TRACKER, ToldClock, customization, pin
from tests.api.test_drafts import look
from tests.web.driver import LIST, ConsoleServer, Visitor, text_of
from tests.web.test_past import fields_of, replace, tags

DRAFTS = f"/console/t/{TRACKER}/drafts"


def edit(visitor: Visitor, page: str, do: str = "save", **fields: Any) -> httpx2.Response:
    """Opens the page of a customization's JSON and sends it with other fields."""
    return send(visitor, visitor.get(page), page.partition("?")[0], do, **fields)


def send(
    visitor: Visitor, opened: httpx2.Response, action: str, do: str = "save", **fields: Any
) -> httpx2.Response:
    body = json.dumps({**customization(**fields)})
    return visitor.post(action, {**fields_of(opened, action), "document": body, "do": do})


def saved(visitor: Visitor, id: str, **fields: Any) -> httpx2.Response:
    return visitor.follow(edit(visitor, f"{LIST}/{id}/json", **fields))


def press(visitor: Visitor, page: httpx2.Response, action: str, **more: str) -> httpx2.Response:
    return visitor.post(action, {**fields_of(page, action), **more})


def test_a_draft_is_saved_beside_what_is_published(server: ConsoleServer, ann: Visitor) -> None:
    """Told with what it would change, on its page, in the list and beside the published one."""
    made = server.create(tags=["old"])["id"]

    page = saved(ann, made, tags=["new"])

    assert "1 customization kept as a draft." in text_of(page)
    assert "Tagged new" in text_of(page)
    assert tags(server, made) == ["old"]
    assert "There is a draft , saved by ann" in text_of(ann.get(f"{LIST}/{made}"))
    assert f'href="{LIST}/{made}/draft"' in ann.get(LIST).text
    assert "1 draft." in text_of(ann.get(DRAFTS))


def test_a_draft_is_published_now(server: ConsoleServer, ann: Visitor) -> None:
    """By who presses the button; it is what shoppers get from then on."""
    made = server.create(tags=["old"])["id"]
    page = saved(ann, made, tags=["new"])

    done = ann.follow(press(ann, page, f"{LIST}/{made}/publish"))

    assert "1 customization published." in text_of(done)
    assert tags(server, made) == ["new"]
    assert "Published 1 customization by ann" in text_of(ann.get(f"/console/t/{TRACKER}/changes"))


def test_a_new_customization(server: ConsoleServer, ann: Visitor) -> None:
    """Saved as a draft, then published; a form that is sent twice makes one."""
    opened = ann.get(f"{DRAFTS}/new-json")
    action = re.findall(r'action="([^"]+/json)"', opened.text)[0]

    first = send(ann, opened, action, tags=["a"])
    again = send(ann, opened, action, tags=["a"])

    assert first.status_code == 303
    assert again.status_code == 409
    page = ann.follow(first)
    assert "Published, this would be new" in text_of(page)
    ann.post(
        action.replace("/json", "/publish"), fields_of(page, action.replace("/json", "/publish"))
    )
    assert tags(server, action.split("/")[-2]) == ["a"]


def test_saving_and_publishing_at_once(server: ConsoleServer, ann: Visitor) -> None:
    """One button for who may."""
    made = server.create(tags=["old"])["id"]

    done = ann.follow(edit(ann, f"{LIST}/{made}/json", "publish", tags=["new"]))

    assert "1 customization published." in text_of(done)
    assert tags(server, made) == ["new"]


def test_a_draft_is_published_at_a_time(
    server: ConsoleServer, clock: ToldClock, ann: Visitor
) -> None:
    """Shown in the list until then; the time can be taken back."""
    made = server.create(tags=["old"])["id"]
    page = saved(ann, made, tags=["new"])
    action = f"{LIST}/{made}/schedule"

    assert press(ann, page, action, at="2025-01-22T08:00").status_code == 422
    page = ann.follow(press(ann, page, action, at="2025-01-23T06:30"))
    assert "On 23 Jan 2025, 06:30 UTC (in 21 hours) , by the word of ann" in text_of(page)
    assert "Draft, publishes 23 Jan 2025, 06:30 UTC" in text_of(ann.get(LIST))
    page = ann.follow(press(ann, page, action, do="cancel"))
    assert "no longer to be published by itself" in text_of(page)
    page = ann.follow(press(ann, page, action, at="2025-01-23T06:30"))
    clock.tell("2025-01-23T06:30:00Z")
    look(server)

    assert tags(server, made) == ["new"]
    ann.sign_in()  # a day later
    assert "0 drafts." in text_of(ann.get(DRAFTS))


def test_unpublishing_and_discarding(server: ConsoleServer, ann: Visitor) -> None:
    """Unpublished it is a draft; discarded it is gone, and its history stays."""
    made = server.create(tags=["old"])
    url = f"{LIST}/{made['id']}"
    page = ann.get(url)
    revision = re.findall(r'name="revision" value="(\d+)"', page.text)[0]

    done = ann.follow(ann.post(f"{url}/unpublish", {"revision": revision}))
    assert "unpublished, and kept as a draft" in text_of(done)
    assert server.send("GET", f"{BASE}/scope/{made['id']}").status_code == 404
    assert ann.get(url).status_code == 303
    done = ann.follow(press(ann, done, f"{url}/discard"))

    assert "its draft is discarded" in text_of(done)
    assert "This customization was deleted" in text_of(ann.get(url))


def test_what_is_typed_wrong_stays(server: ConsoleServer, ann: Visitor) -> None:
    """With every fault beside it."""
    made = server.create()["id"]
    opened = ann.get(f"{LIST}/{made}/json")
    action = f"{LIST}/{made}/json"

    for typed, said in (
        ('{"model": "x", "pin_definitions": [{}]}', "target_type"),
        ("{ not json <b>", "body"),
    ):
        answer = ann.post(action, {**fields_of(opened, action), "document": typed, "do": "save"})
        assert answer.status_code == 422
        assert said in text_of(answer)
        assert f"\n{escape(typed)}</textarea>" in answer.text
        assert fields_of(answer, action)["base"] == fields_of(opened, action)["base"]


@pytest.fixture
def bob(server: ConsoleServer, ann: Visitor) -> Visitor:
    server.create_user("bob", "editor")
    visitor = Visitor(server)
    visitor.sign_in("bob")
    return visitor


TWO_PINS = [pin("/p/124", 1), pin("/p/125", 2)]


def test_of_two_editors_the_second_chooses(
    server: ConsoleServer, ann: Visitor, bob: Visitor
) -> None:
    """Field by field: what only one of them changed is chosen already, what both changed is marked."""
    made = server.create(tags=["old"], pin_definitions=TWO_PINS)["id"]
    action = f"{LIST}/{made}/json"
    opened = bob.get(action)
    saved(ann, made, tags=["ann"], pin_definitions=[*TWO_PINS, pin("/p/126", 3)])

    met = send(bob, opened, action, tags=["bob"], pin_definitions=[pin("/p/124", 7), TWO_PINS[1]])

    assert met.status_code == 409
    said = text_of(met)
    assert "ann saved a draft of Fender Telecaster, test_reco just now" in said
    assert "3 differences" in said
    assert "Tags both changed it Before old Yours bob ann’s ann" in said
    assert (
        "Before {0}, slot 1 Yours {0}, slot 7 ann’s {0}, slot 1".format("/p/124 (/p/124)") in said
    )
    chosen = re.findall(r'name="(take-[\w-]+)" value="(\w+)" checked', met.text)
    assert sorted(value for _, value in chosen) == ["mine", "mine", "theirs"]
    merge = f"{LIST}/{made}/merge"
    choices = {**dict(chosen), "take-tags": "theirs"}
    page = bob.follow(bob.post(merge, {**fields_of(met, merge), **choices}))

    assert "1 customization kept as a draft." in text_of(page)
    draft = server.send("GET", f"/api/trackers/{TRACKER}/customizations/{made}/draft").json()
    assert draft["author"] == "bob"
    assert draft["definition"]["tags"] == ["ann"]
    assert draft["definition"]["pin_definitions"] == [
        pin("/p/124", 7),
        TWO_PINS[1],
        pin("/p/126", 3),
    ]


@pytest.mark.parametrize(("keep", "left"), [("mine", "bob"), ("theirs", "api")])
def test_all_of_one_side_is_kept(
    server: ConsoleServer, ann: Visitor, bob: Visitor, keep: str, left: str
) -> None:
    """Here against what was published meanwhile; published after that, it is what was chosen."""
    made = server.create(tags=["old"])["id"]
    action = f"{LIST}/{made}/json"
    opened = bob.get(action)
    replace(server, made, tags=["api"], pin_definitions=[pin("/p/126", 5)])

    met = send(bob, opened, action, tags=["bob"])
    assert "api changed Fender Telecaster, test_reco" in text_of(met)
    merge = f"{LIST}/{made}/merge"
    page = bob.follow(bob.post(merge, {**fields_of(met, merge), "keep": keep}))
    assert page.status_code == 200
    page = ann.get(f"{LIST}/{made}/draft")
    ann.post(f"{LIST}/{made}/publish", fields_of(page, f"{LIST}/{made}/publish"))

    assert tags(server, made) == [left]


def test_who_publishes_over_a_change_chooses_too(server: ConsoleServer, ann: Visitor) -> None:
    """And what is chosen is published."""
    made = server.create(tags=["old"])["id"]
    page = saved(ann, made, tags=["mine"])
    replace(server, made, tags=["theirs"])
    assert "What is published was changed" in text_of(ann.get(f"{LIST}/{made}/draft"))

    met = press(ann, page, f"{LIST}/{made}/publish")
    assert met.status_code == 409
    merge = f"{LIST}/{made}/merge"
    done = ann.follow(ann.post(merge, {**fields_of(met, merge), "keep": "mine"}))

    assert "1 customization published." in text_of(done)
    assert tags(server, made) == ["mine"]


def test_what_was_deleted_meanwhile_can_be_kept(server: ConsoleServer, ann: Visitor) -> None:
    """As a draft of a new one with the old id."""
    made = server.create(tags=["old"])["id"]
    action = f"{LIST}/{made}/json"
    opened = ann.get(action)
    server.send("DELETE", f"{BASE}/scope/{made}")

    met = send(ann, opened, action, tags=["mine"])
    assert "Somebody deleted it meanwhile" in text_of(met)
    merge = f"{LIST}/{made}/merge"
    page = ann.follow(ann.post(merge, {**fields_of(met, merge), "keep": "mine"}))

    assert "Published, this would be new" in text_of(page)


def test_a_draft_that_was_discarded_meanwhile_is_saved_anew(
    server: ConsoleServer, ann: Visitor, bob: Visitor
) -> None:
    """There is nothing to choose from, and nothing typed is lost."""
    made = server.create(tags=["old"])["id"]
    page = saved(ann, made, tags=["ann"])
    action = f"{LIST}/{made}/json"
    opened = bob.get(action)
    press(ann, page, f"{LIST}/{made}/discard")

    answer = send(bob, opened, action, tags=["bob"])

    assert "saved by bob" in text_of(bob.follow(answer))


def test_roles_of_drafts(server: ConsoleServer, ann: Visitor, bob: Visitor) -> None:
    """A viewer looks, an editor saves and discards, a publisher publishes."""
    made = server.create(tags=["old"])["id"]
    page = saved(bob, made, tags=["new"])
    server.create_user("vic", "viewer")
    vic = Visitor(server)
    vic.sign_in("vic")

    assert "Publish now" not in page.text
    assert "Publish now" in ann.get(f"{LIST}/{made}/draft").text
    assert vic.get(f"{LIST}/{made}/draft").status_code == 200
    assert vic.get(f"{LIST}/{made}/json").status_code == 403
    for visitor in (bob, vic):
        for action in ("publish", "schedule", "unpublish"):
            assert visitor.post(f"{LIST}/{made}/{action}", {"draft": "1"}).status_code == 403
    assert vic.post(f"{LIST}/{made}/discard", {"draft": "1"}).status_code == 403
    assert edit(bob, f"{LIST}/{made}/json", "publish", tags=["x"]).status_code == 403
    assert tags(server, made) == ["old"]


def test_a_version_is_edited_as_a_draft(server: ConsoleServer, ann: Visitor) -> None:
    """For who may not put it back at once, or does not want to."""
    made = server.create(tags=["old"])["id"]
    first = re.findall(r"/versions/(\d+)", ann.get(f"{LIST}/{made}/history").text)[-1]
    replace(server, made, tags=["new"])

    opened = ann.get(f"{LIST}/{made}/json?version={first}")

    assert "&#34;old&#34;" in opened.text
    assert ann.get(f"{LIST}/{made}/json?version=999").status_code == 404
