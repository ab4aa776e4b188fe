"""
The console's pages of the past: what was done, undoing it, a version, and everything as it was at a moment.
"""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx2
import pytest

from tests.api.driver import BASE, TRACKER, ToldClock, customization
from tests.api.test_past import PAST
from tests.web.driver import CHANGE, LIST, ConsoleServer, Visitor, hidden_of, picks_of, text_of

CHANGES = f"/console/t/{TRACKER}/changes"


def fields_of(page: httpx2.Response, action: str) -> dict[str, str]:
    """The hidden fields of the form that goes to an action."""
    form = page.text.partition(f'action="{action}"')[2].partition("</form>")[0]
    assert form, text_of(page)
    found = re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in found}


def confirm(visitor: Visitor, page: httpx2.Response, action: str) -> httpx2.Response:
    assert page.status_code == 200, text_of(page)
    return visitor.post(action, fields_of(page, action))


def tags(server: ConsoleServer, id: str) -> list[str]:
    found: list[str] = server.get(id)["tags"]
    return found


def replace(server: ConsoleServer, id: str, **fields: object) -> None:
    answer = server.send("PUT", f"{BASE}/scope/{id}", customization(**fields))
    assert answer.status_code == 204


@pytest.fixture
def worked(server: ConsoleServer, clock: ToldClock, ann: Visitor) -> list[str]:
    """Two customizations, both tagged by ann at once, one changed since by the API."""
    ids = [server.create(tags=["old"], model=model)["id"] for model in ("one", "two")]
    clock.advance(60)
    picks = [("pick", each) for each in picks_of(ann.get(LIST))]
    asked = ann.post(f"{CHANGE}/tag", [*picks, ("tags", "sale")])
    assert ann.post(f"{CHANGE}/tag", hidden_of(asked)).status_code == 303
    clock.advance(60)
    return ids


def test_the_page_tells_actions_and_not_writes(ann: Visitor, worked: list[str]) -> None:
    """Who, when, what, of how many; each with what it changed, and a way to undo it."""
    page = ann.get(CHANGES)

    said = text_of(page)
    assert "Changed 2 customizations by ann 1 minute ago" in said
    assert said.count("Tagged sale") == 2
    assert said.index("Changed 2") < said.index("Created 2 customizations by api")


def test_an_action_is_undone_after_it_was_shown(
    server: ConsoleServer, ann: Visitor, worked: list[str]
) -> None:
    """All of it, by who presses the button; and it is on the page as an action of its own."""
    first = re.search(r'href="([^"]+/changes/undo\?revision=\d+)"', ann.get(CHANGES).text)
    assert first is not None

    asked = ann.get(first[1])
    assert "2 customizations change back" in text_of(asked)
    assert tags(server, worked[0]) == ["old", "sale"]
    done = ann.follow(confirm(ann, asked, f"{CHANGES}/undo"))

    assert "2 customizations put back as they were." in text_of(done)
    assert [tags(server, each) for each in worked] == [["old"], ["old"]]


def test_what_was_asked_is_asked_again_when_it_changed(
    server: ConsoleServer, ann: Visitor, worked: list[str]
) -> None:
    """Nobody confirms what they have not seen."""
    first = re.search(r'href="([^"]+/changes/undo\?revision=\d+)"', ann.get(CHANGES).text)
    assert first is not None
    asked = ann.get(first[1])
    replace(server, worked[0], tags=["theirs"])

    again = confirm(ann, asked, f"{CHANGES}/undo")

    assert "Please look again" in text_of(again)
    assert "1 customization is left alone: It was changed by someone else since." in text_of(again)
    assert tags(server, worked[0]) == ["theirs"]


def test_everything_is_had_back_as_it_was_at_a_moment(
    server: ConsoleServer, clock: ToldClock, ann: Visitor, worked: list[str]
) -> None:
    """Shown first, with what comes back, changes and goes."""
    server.send("DELETE", f"{BASE}/scope/{worked[1]}")
    made = server.create()["id"]
    clock.advance(1)

    asked = ann.get(f"{CHANGES}/restore?at=2025-01-22T08%3A50")
    said = text_of(asked)
    assert "1 customization comes back" in said
    assert "1 customization changes back" in said
    assert "1 customization goes" in said
    done = ann.follow(confirm(ann, asked, f"{CHANGES}/restore"))

    assert "3 customizations put back as they were then." in text_of(done)
    assert [tags(server, each) for each in worked] == [["old"], ["old"]]
    assert server.send("GET", f"{BASE}/scope/{made}").status_code == 404


def test_moments_are_those_of_the_shop(tmp_path: Path, clock: ToldClock) -> None:
    """What is typed and what is told, of the past and of the audit log: an hour ahead of UTC in Prague's winter."""
    server = ConsoleServer(tmp_path, clock, console_time_zone="Europe/Prague")
    server.create_tracker()
    server.create_user("ann")
    ann = Visitor(server)
    ann.sign_in()
    server.create()
    at = clock()
    clock.advance(7_200)
    said = (datetime.fromtimestamp(at / 1_000_000, UTC) + timedelta(hours=1)).strftime(
        "%Y-%m-%dT%H:%M"
    )

    asked = ann.get(f"{CHANGES}/restore?at={said}")
    audited = ann.get(f"/console/t/{TRACKER}/audit?since={said}&kind=customization")

    assert f"what it was on {said[8:10]} Jan 2025, {said[11:]} CET" in text_of(asked)
    assert "Day and time, Europe/Prague" in text_of(ann.get(CHANGES))
    assert f"{said[8:10]} Jan 2025, {said[11:]} CET" in text_of(audited)
    server.close()


@pytest.mark.parametrize("at", ["", "soon", "2099-01-01T00:00"])
def test_a_moment_that_is_none_is_said(ann: Visitor, at: str) -> None:
    """On a page, with what to do."""
    page = ann.get(f"{CHANGES}/restore?at={at}")

    assert page.status_code == 422


def test_a_version_is_shown_and_had_back(
    server: ConsoleServer, clock: ToldClock, ann: Visitor, worked: list[str]
) -> None:
    """From the history, with what would change; not over what somebody changed since it was shown."""
    history = ann.get(f"{LIST}/{worked[0]}/history")
    versions = re.findall(r'href="([^"]+/versions/\d+)"', history.text)
    assert len(versions) == 2

    page = ann.get(versions[1])
    assert "Restored, this would change" in text_of(page)
    assert "No longer tagged sale" in text_of(page)
    fields = fields_of(page, versions[1])
    replace(server, worked[0], tags=["theirs"])
    assert ann.post(versions[1], fields).status_code == 412
    done = ann.follow(ann.post(versions[1], fields_of(ann.get(versions[1]), versions[1])))

    assert "1 customization put back as it was then." in text_of(done)
    assert tags(server, worked[0]) == ["old"]


def test_a_version_of_one_that_is_gone(
    server: ConsoleServer, ann: Visitor, worked: list[str]
) -> None:
    """It comes back under its id."""
    server.send("DELETE", f"{BASE}/scope/{worked[0]}")
    page = ann.get(f"{LIST}/{worked[0]}")
    version = re.findall(r'href="([^"]+/versions/\d+)"', page.text)[0]

    shown = ann.get(version)
    assert "It is gone; restored, it would be again" in text_of(shown)
    ann.post(version, fields_of(shown, version))

    assert tags(server, worked[0]) == ["old", "sale"]
    assert ann.get(f"{LIST}/{worked[0]}/versions/999").status_code == 404


def test_roles_of_the_past(server: ConsoleServer, ann: Visitor, worked: list[str]) -> None:
    """A viewer looks, an editor undoes what an editor may do, a publisher does all of it."""
    for role in ("viewer", "editor", "publisher"):
        server.create_user(role, role)
    visitors = {role: Visitor(server) for role in ("viewer", "editor", "publisher")}
    for role, visitor in visitors.items():
        visitor.sign_in(role)
        assert "Created 2 customizations" in text_of(visitor.get(CHANGES))
    undo = {role: each.get(CHANGES).text.count("/changes/undo?") for role, each in visitors.items()}
    assert undo == {"viewer": 0, "editor": 1, "publisher": 2}
    created = re.findall(r'href="([^"]+/changes/undo\?revision=\d+)"', ann.get(CHANGES).text)[1]

    assert visitors["viewer"].get(created).status_code == 403
    assert visitors["editor"].get(created).status_code == 403
    assert visitors["publisher"].get(created).status_code == 200
    moment = f"{CHANGES}/restore?at=2025-01-22T08%3A50"
    assert "A publisher can do this." in text_of(visitors["editor"].get(moment))
    assert visitors["editor"].post(f"{CHANGES}/restore", {"at": "2025-01-22"}).status_code == 403


def test_an_editor_does_not_undo_what_would_publish(
    server: ConsoleServer, clock: ToldClock, ann: Visitor
) -> None:
    """A publisher took the time of a draft back; undoing that would have it published in the publisher's name."""
    server.create_user("eve", "editor")
    eve = Visitor(server)
    eve.sign_in("eve")
    draft = server.send("POST", f"{PAST}/drafts", customization()).json()["id"]
    page = f"{LIST}/{draft}/draft"
    for form in ({"at": "2025-01-23T06:00"}, {"do": "cancel"}):
        clock.advance(60)
        schedule = f"{LIST}/{draft}/schedule"
        sent = {**fields_of(ann.get(page), schedule), **form}
        assert ann.post(schedule, sent).status_code == 303

    page_of_all = ann.get(CHANGES)
    assert "To be published on 23 Jan 2025, 06:00 UTC" in text_of(page_of_all)
    assert "Not published by itself any more" in text_of(page_of_all)
    undo = re.findall(r'href="([^"]+/changes/undo\?revision=\d+)"', page_of_all.text)[0]

    assert ann.get(undo).status_code == 200
    assert eve.get(undo).status_code == 403
    assert undo not in eve.get(CHANGES).text


def test_older_actions_are_on_further_pages(
    server: ConsoleServer, clock: ToldClock, ann: Visitor
) -> None:
    """Fifty a page; each action once."""
    for _ in range(60):
        server.create()
        clock.advance(1)

    first = ann.get(CHANGES)
    older = re.search(r'href="([^"]+\?before=\d+)"', first.text)
    assert older is not None
    second = ann.get(older[1])

    assert text_of(first).count("Created 1 customization by") == 50
    assert text_of(second).count("Created 1 customization by") == 10
