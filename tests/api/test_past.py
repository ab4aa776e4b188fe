"""
The past over the API: history, a version had back, the last action undone, a tracker as it was at a moment.
"""

from typing import Any

import pytest

from endcap.store.writes import DeleteCustomization, ReplaceCustomization
from endcap.wire.customizations import read_definition
from tests.api.driver import (
    BASE,
    NOWHERE,
    TRACKER,
    Json,
    Server,
    ToldClock,
    customization,
    pin,
    problem,
)

PAST = f"/api/trackers/{TRACKER}"


def one(id: str, what: str) -> str:
    return f"{PAST}/customizations/{id}/{what}"


def asked(server: Server, path: str, **body: Any) -> Json:
    answer = server.send("POST", f"{PAST}/{path}", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def replace(server: Server, id: str, **fields: Json) -> int:
    """Returns the revision."""
    answer = server.send("PUT", f"{BASE}/scope/{id}", customization(**fields))
    assert answer.status_code == 204, answer.text
    return int(answer.headers["endcap-revision"])


def delete(server: Server, id: str) -> None:
    assert server.send("DELETE", f"{BASE}/scope/{id}").status_code == 204


def said(server: Server, id: str) -> Json:
    """What a customization says, or None."""
    answer = server.send("GET", f"{BASE}/scope/{id}")
    if answer.status_code == 404:
        return None
    own = {"created_at", "updated_at", "available", "creator", "id"}
    return {key: value for key, value in answer.json().items() if key not in own}


def test_the_history_tells_every_version(server: Server, clock: ToldClock) -> None:
    """The newest first, page by page, also of one that is gone."""
    made = server.create(tags=["a"])["id"]
    clock.advance(1)
    revision = replace(server, made, tags=["b"], target_metadata={"title": "x"}, disabled=True)
    clock.advance(1)
    delete(server, made)

    first = server.send("GET", one(made, "history?limit=2")).json()
    second = server.send("GET", one(made, f"history?limit=2&before={first['before']}")).json()

    lines = first["results"] + second["results"]
    assert [each["action"] for each in lines] == ["delete", "replace", "create"]
    assert lines[0]["version"] is None
    assert lines[1] == {
        "revision": revision,
        "kind": "customization",
        "subject": made,
        "action": "replace",
        "actor": "api",
        "at": "2025-01-22T08:49:59Z",
        "version": {
            **customization(tags=["b"]),
            "target_metadata": {"title": "x"},
            "disabled": True,
        },
    }
    assert second["before"] is None
    assert problem(server.send("GET", one(NOWHERE, "history")), 404)["reason"] == (
        "Customization not found"
    )


def test_any_version_is_had_back(server: Server, clock: ToldClock) -> None:
    """Whole, with its metadata and its switch; a change like any other, in the history."""
    made = server.create(tags=["a"], target_metadata={"title": "x"}, disabled=True)["id"]
    first = server.send("GET", one(made, "history")).json()["results"][0]["revision"]
    before = said(server, made)
    clock.advance(1)
    replace(server, made, tags=["b"], disabled=False)

    answer = server.send("POST", one(made, "restore"), {"revision": first})

    assert answer.status_code == 200
    assert said(server, made) == before
    assert answer.headers["etag"] == server.send("GET", f"{BASE}/scope/{made}").headers["etag"]
    assert len(server.send("GET", one(made, "history")).json()["results"]) == 3


def test_a_deleted_one_is_had_back_as_what_it_was(server: Server, clock: ToldClock) -> None:
    """With its id and its time of creation; it speaks again at once."""
    made = server.create(target_type="all", pin_definitions=[pin("/p/126", 1)])
    revision = server.send("GET", one(made["id"], "history")).json()["results"][0]["revision"]
    clock.advance(100)
    delete(server, made["id"])

    server.send("POST", one(made["id"], "restore"), {"revision": revision})

    assert server.get(made["id"])["created_at"] == made["created_at"]
    assert server.shown(size=1) == ["/p/126"]


def test_a_version_that_is_none_is_refused(server: Server, clock: ToldClock) -> None:
    """A revision of something else, one that deleted it, one that was overtaken; nothing is changed."""
    made, other = server.create()["id"], server.create()["id"]
    clock.advance(1)
    delete(server, made)
    gone = server.send("GET", one(made, "history")).json()["results"]
    elsewhere = server.send("GET", one(other, "history")).json()["results"][0]["revision"]

    for revision in (elsewhere, gone[0]["revision"], 10**9):
        answer = server.send("POST", one(made, "restore"), {"revision": revision})
        assert problem(answer, 404)["reason"].startswith("The customization has no version")
    stale = server.send(
        "POST",
        one(other, "restore"),
        {"revision": elsewhere},
        headers={"If-Match": '"1-1"'},
    )
    problem(stale, 412)
    problem(server.send("POST", one(made, "restore"), {"revision": "x"}), 422)
    problem(server.send("POST", one(made, "restore"), b"{"), 400)
    assert said(server, made) is None


def test_the_last_action_is_undone_and_done_again(server: Server, clock: ToldClock) -> None:
    """An undo is an action too."""
    made = server.create(tags=["a"])["id"]
    clock.advance(1)
    replace(server, made, tags=["b"])

    clock.advance(1)
    undone = asked(server, "undo")
    assert (undone["changed"], undone["created"], undone["deleted"]) == (1, 0, 0)
    assert said(server, made)["tags"] == ["a"]
    clock.advance(1)
    asked(server, "undo")
    assert said(server, made)["tags"] == ["b"]


def test_an_action_of_many_is_undone_as_one(server: Server, clock: ToldClock) -> None:
    """Created, changed and deleted at one instant by one actor; under one revision it is all taken back."""
    kept, gone = (server.create(tags=[each])["id"] for each in ("kept", "gone"))
    before = {each: said(server, each) for each in (kept, gone)}
    clock.advance(1)
    tracker = server.parts.service.shop(TRACKER).tracker
    definition = read_definition(b'{"model":"basket","target_type":"all","pin_definitions":[]}')
    server.parts.committer.commit_now(
        [
            ReplaceCustomization(tracker, kept, definition, "ann", clock()),
            DeleteCustomization(tracker, gone, "ann", clock()),
        ]
    )
    clock.advance(1)
    bystander = server.create()["id"]
    clock.advance(1)
    line = server.send("GET", one(kept, "history")).json()["results"][0]

    shown = asked(server, "undo", revision=line["revision"], dry_run=True)
    assert (shown["created"], shown["changed"], shown["revision"]) == (1, 1, None)
    assert shown["action"] == {
        "actor": "ann",
        "at": "2025-01-22T08:49:59Z",
        "first": line["revision"],
        "last": line["revision"] + 1,
    }
    assert said(server, gone) is None
    done = asked(server, "undo", revision=line["revision"], fingerprint=shown["fingerprint"])

    assert {each: said(server, each) for each in (kept, gone)} == before
    assert said(server, bystander) is not None
    revisions = {
        server.send("GET", one(each, "history")).json()["results"][0]["revision"]
        for each in (kept, gone)
    }
    assert revisions == {done["revision"]}


def test_undo_leaves_alone_what_somebody_changed_since(server: Server, clock: ToldClock) -> None:
    """And says so."""
    made = server.create(tags=["a"])["id"]
    first = server.send("GET", one(made, "history")).json()["results"][0]["revision"]
    clock.advance(1)
    replace(server, made, tags=["b"])

    undone = asked(server, "undo", revision=first)

    assert undone["skipped"] == {made: "It was changed by someone else since"}
    assert (undone["deleted"], undone["revision"]) == (0, None)
    assert said(server, made)["tags"] == ["b"]


def test_nothing_to_undo(server: Server) -> None:
    """The catalog is no customization; neither is a revision that is yet to come."""
    assert problem(server.send("POST", f"{PAST}/undo", {}), 404)["reason"] == (
        "There is nothing to undo"
    )
    problem(server.send("POST", f"{PAST}/undo", {"revision": 2}), 404)
    problem(server.send("POST", f"{PAST}/undo", {"revision": 10**9}), 404)


def test_a_tracker_is_had_back_as_it_was_at_a_moment(server: Server, clock: ToldClock) -> None:
    """Shown first, nothing changed; then all of it at once. Undone, it is as it was before."""
    changed, gone = (server.create(tags=[each])["id"] for each in ("one", "two"))
    untouched = server.create(tags=["three"])["id"]
    ids = [changed, gone, untouched]
    then = {each: said(server, each) for each in ids}
    revision = server.send("GET", one(untouched, "history")).json()["results"][0]["revision"]
    clock.advance(60)
    replace(server, changed, tags=["other"])
    clock.advance(1)
    delete(server, gone)
    made = server.create(tags=["new"])["id"]
    brief = server.create()["id"]
    delete(server, brief)
    ids += [made, brief]
    now = {each: said(server, each) for each in ids}
    clock.advance(1)
    at = "2025-01-22T08:50:30Z"

    shown = asked(server, "restore", at=at, dry_run=True)
    assert {each: said(server, each) for each in ids} == now
    assert (shown["to"], shown["revision"]) == (revision, None)
    assert [shown[each] for each in ("created", "changed", "deleted")] == [1, 1, 1]
    assert {(each["id"], each["became"]) for each in shown["changes"]} == {
        (changed, "changed"),
        (gone, "created"),
        (made, "deleted"),
    }
    clock.advance(1)
    done = asked(server, "restore", at=at, fingerprint=shown["fingerprint"])

    assert {each: said(server, each) for each in ids} == {**then, made: None, brief: None}
    again = asked(server, "restore", revision=revision)
    assert [again[each] for each in ("created", "changed", "deleted")] == [0, 0, 0]
    clock.advance(1)
    asked(server, "undo", revision=done["revision"])
    assert {each: said(server, each) for each in ids} == now


def test_a_restore_that_was_overtaken_does_nothing(server: Server, clock: ToldClock) -> None:
    """Whoever was shown other changes is asked to look again."""
    first, second = (server.create(tags=[each])["id"] for each in "ab")
    clock.advance(1)
    replace(server, first, tags=["x"])
    shown = asked(server, "restore", at="2025-01-22T08:49:58.5Z", dry_run=True)
    replace(server, second, tags=["y"])

    answer = server.send(
        "POST",
        f"{PAST}/restore",
        {"at": "2025-01-22T08:49:58.5Z", "fingerprint": shown["fingerprint"]},
    )

    problem(answer, 412)
    assert (said(server, first)["tags"], said(server, second)["tags"]) == (["x"], ["y"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"at": "soon"},
        {"at": "2025-01-22T08:49:58Z", "revision": 1},
        {"revision": -1},
        {"at": "2099-01-01"},
        {"when": "now"},
    ],
)
def test_a_moment_that_is_none_is_refused(server: Server, body: Json) -> None:
    """By field, with what to send instead."""
    assert problem(server.send("POST", f"{PAST}/restore", body), 422)["exception_details"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", one(NOWHERE, "history")),
        ("POST", one(NOWHERE, "restore")),
        ("POST", f"{PAST}/undo"),
        ("POST", f"{PAST}/restore"),
        ("GET", f"{PAST}/drafts"),
        ("POST", f"{PAST}/drafts"),
        ("GET", one(NOWHERE, "draft")),
        ("PUT", one(NOWHERE, "draft")),
        ("DELETE", one(NOWHERE, "draft")),
        ("POST", one(NOWHERE, "publish")),
        ("POST", one(NOWHERE, "unpublish")),
    ],
)
def test_our_own_paths_are_signed_like_the_others(server: Server, method: str, path: str) -> None:
    """401 without a signature, with one of another key, and for another tracker's path."""
    problem(server.send(method, path, {}, signed=False), 401)
    problem(server.send(method, path, {}, key="another key"), 401)
