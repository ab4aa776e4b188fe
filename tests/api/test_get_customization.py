"""
Getting a customization: `GET /v1/recommender/pin/{TRACKER_ID}/scope/{CUSTOMIZATION_ID}`.
"""

import pytest

from tests.api.driver import (
    BASE,
    NOWHERE,
    Json,
    Server,
    ToldClock,
    customization,
    item,
    pin,
    problem,
)

SCOPE = f"{BASE}/scope"


def test_a_customization_is_returned_as_it_was_created(server: Server) -> None:
    """The very same bytes, and the same tag."""
    made = server.send("POST", SCOPE, customization(tags=["spring"]))

    found = server.send("GET", f"{SCOPE}/{made.json()['id']}")

    assert found.status_code == 200
    assert found.content == made.content
    assert found.headers["content-type"] == "application/json; charset=utf-8"
    assert found.headers["etag"] == made.headers["etag"]
    assert found.headers["endcap-revision"] == made.headers["endcap-revision"]


@pytest.mark.parametrize("headers", [{"Content-Length": "0"}, {}])
def test_a_get_may_say_that_it_has_no_body(server: Server, headers: dict[str, str]) -> None:
    """Real clients send a Content-Type with it, and some a length of 0."""
    made = server.create()

    assert server.send("GET", f"{SCOPE}/{made['id']}", headers=headers).json() == made


def test_a_head_is_a_get_without_a_body(server: Server) -> None:
    """Signed as HEAD."""
    made = server.create()

    answer = server.send("HEAD", f"{SCOPE}/{made['id']}")

    assert answer.status_code == 200
    assert answer.headers["etag"]


def test_the_id_is_found_in_any_spelling_of_a_uuid(server: Server) -> None:
    """Upper case is the same id."""
    made = server.create()

    assert server.send("GET", f"{SCOPE}/{made['id'].upper()}").json() == made


def test_what_get_returns_can_be_sent_back(server: Server) -> None:
    """PUT and POST take it unchanged."""
    made = server.create(
        target_type="criteria",
        target_criteria=[{"field": "brand", "operator": "=", "value": "Fender"}],
        tags=["spring"],
        target_metadata={"note": 1},
    )

    replaced = server.send("PUT", f"{SCOPE}/{made['id']}", server.get(made["id"]))
    copied = server.send("POST", SCOPE, server.get(made["id"]))

    assert replaced.status_code == 204
    assert copied.status_code == 201
    assert server.get(made["id"]) == made
    assert {**copied.json(), "id": made["id"]} == made


# Available


@pytest.mark.parametrize(
    ("windows", "available"),
    [
        ([], False),
        ([{}], True),
        ([{"active_to": "2025-01-22T08:49:58.123456Z"}], False),
        ([{"active_to": "2025-01-22T08:49:58.123457Z"}], True),
        ([{"active_from": "2025-01-22T08:49:58.123456Z"}], True),
        ([{"active_from": "2025-01-22T08:49:58.123457Z"}], False),
        ([{"active_from": "2025-01-22T09:49:58+01:00"}], True),
        ([{"active_from": "2025-01-22T08:49:58", "active_to": "2025-01-22T08:50"}], True),
        ([{"active_to": "2025-01-22"}, {"active_from": "2025-01-22"}], True),
    ],
)
def test_available_while_a_pin_is_in_its_window(
    server: Server, windows: list[Json], available: bool
) -> None:
    """At least one of them, from its first moment to just before its last; without a zone it is UTC."""
    made = server.create(target_type="all", pin_definitions=[pin(**each) for each in windows])

    assert made["available"] is available


def test_available_changes_with_time(server: Server, clock: ToldClock) -> None:
    """Without any write, and the tag changes with what is shown."""
    made = server.create(pin_definitions=[pin(active_to="2025-01-23T00:00:00Z")])
    before = server.send("GET", f"{SCOPE}/{made['id']}")

    clock.tell("2025-01-23T00:00:00Z")
    after = server.send("GET", f"{SCOPE}/{made['id']}")

    assert before.json()["available"] is True
    assert after.json()["available"] is False
    assert before.headers["etag"] != after.headers["etag"]
    assert before.headers["endcap-revision"] == after.headers["endcap-revision"]


def test_available_changes_with_the_catalog(server: Server) -> None:
    """An item target must be in the catalog, and available there; other targets need no item."""
    made_id = server.create(target_identity="/p/new")["id"]
    for_all = server.create(target_type="all", pin_definitions=[pin("/p/unborn")])
    seen = [server.get(made_id)["available"]]

    for fields in ({}, {"availability": 0}, {"availability": 1}, {"availability_rank": 15}):
        server.put_objects(item("/p/new", **fields))
        seen.append(server.get(made_id)["available"])
    server.put_objects({**item("/p/new"), "active_to": "2025-01-22T00:00:00Z"})
    seen.append(server.get(made_id)["available"])

    assert seen == [False, True, False, True, False, False]
    assert for_all["available"] is True


# Only when it changed


def test_a_current_tag_saves_the_body(server: Server) -> None:
    """`If-None-Match` with the tag, one of several, a weakened one, or any: `304` without a body."""
    made_id = server.create()["id"]
    tag = server.send("GET", f"{SCOPE}/{made_id}").headers["etag"]

    for wanted in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        answer = server.send("GET", f"{SCOPE}/{made_id}", headers={"If-None-Match": wanted})

        assert answer.status_code == 304
        assert answer.content == b""
        assert answer.headers["etag"] == tag
        assert "content-length" not in answer.headers


def test_an_old_tag_gets_the_new_body(server: Server) -> None:
    """After a write, and after a change of what the catalog fills in."""
    made_id = server.create()["id"]
    first = server.send("GET", f"{SCOPE}/{made_id}").headers["etag"]
    server.send("PUT", f"{SCOPE}/{made_id}", customization(tags=["new"]))

    second = server.send("GET", f"{SCOPE}/{made_id}", headers={"If-None-Match": first})
    server.put_objects(item("/p/123", title="Squier Telecaster"))
    third = server.send(
        "GET", f"{SCOPE}/{made_id}", headers={"If-None-Match": second.headers["etag"]}
    )

    assert second.status_code == third.status_code == 200
    assert third.json()["target_metadata"] == {"title": "Squier Telecaster"}


# Refused


@pytest.mark.parametrize("id", [NOWHERE, "7", "not-a-uuid", "%00", "%FF", "scope", "1" * 5000])
def test_an_unknown_id_is_404(server: Server, id: str) -> None:
    """What is no UUID names no customization."""
    answer = server.send("GET", f"{SCOPE}/{id}")

    assert problem(answer, 404) == {"reason": "Customization not found", "exception_details": {}}


def test_a_customization_of_another_tracker_is_404(server: Server) -> None:
    """Ids are looked for within the tracker alone."""
    made = server.create()
    server.create_tracker("8765-4321", "another key")

    answer = server.send(
        "GET",
        f"/v1/recommender/pin/8765-4321/scope/{made['id']}",
        tracker="8765-4321",
        key="another key",
    )

    assert problem(answer, 404)["reason"] == "Customization not found"


def test_an_unknown_tracker_is_404(server: Server) -> None:
    """With the vendor's words."""
    answer = server.send("GET", f"/v1/recommender/pin/9999-9999/scope/{NOWHERE}")

    assert problem(answer, 404) == {"reason": "Tracker not found", "exception_details": {}}
