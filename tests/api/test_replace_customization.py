"""
Updating a customization: `PUT /v1/recommender/pin/{TRACKER_ID}/scope/{CUSTOMIZATION_ID}`.
"""

import pytest

from tests.api.driver import BASE, NOWHERE, Server, ToldClock, customization, pin, problem

SCOPE = f"{BASE}/scope"


def test_an_update_replaces_everything_that_was_sent(server: Server, clock: ToldClock) -> None:
    """`204` without a body. The id, the time of creation and the creator stay; what is left out is gone."""
    made = server.create(tags=["spring"], target_metadata={"note": 1})
    clock.advance(3600)

    answer = server.send(
        "PUT",
        f"{SCOPE}/{made['id']}",
        {"model": "basket", "target_type": "all", "pin_definitions": [pin("/p/124", 2)]},
    )

    assert answer.status_code == 204
    assert answer.content == b""
    assert "content-length" not in answer.headers
    assert "content-type" not in answer.headers
    assert server.get(made["id"]) == {
        "id": made["id"],
        "created_at": "2025-01-22T08:49:58Z",
        "updated_at": "2025-01-22T09:49:58Z",
        "model": "basket",
        "target_type": "all",
        "tags": [],
        "pin_definitions": [pin("/p/124", 2)],
        "creator": "api",
        "available": True,
    }


def test_it_is_in_force_for_the_next_recommendation(server: Server) -> None:
    """What was pinned before is not, what is pinned now is."""
    made = server.create(target_type="all", pin_definitions=[pin("/p/126", 1)])
    assert server.shown(size=1) == ["/p/126"]

    server.send(
        "PUT",
        f"{SCOPE}/{made['id']}",
        customization(target_type="all", pin_definitions=[pin("/p/125", 1)]),
    )

    assert server.shown(size=2) == ["/p/125", "/p/123"]


def test_an_update_answers_with_the_new_tag(server: Server) -> None:
    """The one that a GET has then."""
    made_id = server.create()["id"]

    answer = server.send("PUT", f"{SCOPE}/{made_id}", customization(tags=["new"]))

    found = server.send("GET", f"{SCOPE}/{made_id}")
    assert answer.headers["etag"] == found.headers["etag"]
    assert answer.headers["endcap-revision"] == found.headers["endcap-revision"]


# Not over someone else's change


def test_a_current_tag_lets_an_update_pass(server: Server) -> None:
    """As it is, one of several, weakened by a proxy, or any."""
    made_id = server.create()["id"]

    for template in ("{}", '"1-00", {}', "W/{}", "*"):
        tag = server.send("GET", f"{SCOPE}/{made_id}").headers["etag"]
        answer = server.send(
            "PUT", f"{SCOPE}/{made_id}", customization(), headers={"If-Match": template.format(tag)}
        )

        assert answer.status_code == 204, template


def test_a_tag_outlives_what_time_and_catalog_change(server: Server, clock: ToldClock) -> None:
    """Only a write in between is a conflict, not that the answer looks different now."""
    made_id = server.create(pin_definitions=[pin(active_to="2025-01-23T00:00:00Z")])["id"]
    tag = server.send("GET", f"{SCOPE}/{made_id}").headers["etag"]
    clock.tell("2025-01-24T00:00:00Z")

    answer = server.send("PUT", f"{SCOPE}/{made_id}", customization(), headers={"If-Match": tag})

    assert answer.status_code == 204


def test_an_old_tag_is_412(server: Server) -> None:
    """And nothing is changed."""
    made_id = server.create()["id"]
    old = server.send("GET", f"{SCOPE}/{made_id}").headers["etag"]
    server.send("PUT", f"{SCOPE}/{made_id}", customization(tags=["theirs"]))

    answer = server.send(
        "PUT", f"{SCOPE}/{made_id}", customization(tags=["mine"]), headers={"If-Match": old}
    )

    assert problem(answer, 412) == {
        "reason": "The customization was changed by someone else since you read it",
        "exception_details": {},
    }
    assert server.get(made_id)["tags"] == ["theirs"]


@pytest.mark.parametrize(
    "tag", ['"7"', "garbage", "", '"99999999999999999999-0"', '"9999999999999999999-0"']
)
def test_a_tag_that_never_was_is_412(server: Server, tag: str) -> None:
    """A condition that cannot be read cannot hold."""
    made_id = server.create()["id"]

    answer = server.send("PUT", f"{SCOPE}/{made_id}", customization(), headers={"If-Match": tag})

    assert problem(answer, 412)


def test_a_condition_on_what_is_not_there_is_404(server: Server) -> None:
    """That it is gone is the better news."""
    answer = server.send(
        "PUT", f"{SCOPE}/{NOWHERE}", customization(), headers={"If-Match": '"1-00"'}
    )

    assert problem(answer, 404)["reason"] == "Customization not found"


# Refused


def test_the_vendors_own_example_of_a_refusal(server: Server) -> None:
    """`422` with both fields, and nothing is changed."""
    made = server.create()

    answer = server.send(
        "PUT",
        f"{SCOPE}/{made['id']}",
        {
            "model": "basket",
            "target_type": "everything",
            "target_identity": "/p/123",
            "pin_definitions": [{"pin_type": "item", "pin_identity": "/p/555"}],
        },
    )

    assert problem(answer, 422) == {
        "reason": "Invalid pin definition provided",
        "exception_details": {
            "target_type": ["Must be one of: item, criteria, all"],
            "pin_definitions": ["Missing required field: position (pin 0)"],
        },
    }
    assert server.get(made["id"]) == made


def test_what_is_no_json_object_is_400(server: Server) -> None:
    """As with a creation."""
    answer = server.send("PUT", f"{SCOPE}/{server.create()['id']}", [customization()])

    assert problem(answer, 400)["reason"] == "Invalid configuration provided"


@pytest.mark.parametrize("id", [NOWHERE, "not-a-uuid"])
def test_an_unknown_id_is_404(server: Server, id: str) -> None:
    """An update makes nothing."""
    answer = server.send("PUT", f"{SCOPE}/{id}", customization())

    assert problem(answer, 404) == {"reason": "Customization not found", "exception_details": {}}


def test_an_unknown_tracker_is_404(server: Server) -> None:
    """Before anything else is looked at."""
    answer = server.send("PUT", f"/v1/recommender/pin/9999-9999/scope/{NOWHERE}", customization())

    assert problem(answer, 404) == {"reason": "Tracker not found", "exception_details": {}}


def test_a_deleted_customization_cannot_be_updated(server: Server) -> None:
    """Gone is gone."""
    made_id = server.create()["id"]
    server.send("DELETE", f"{SCOPE}/{made_id}")

    assert problem(server.send("PUT", f"{SCOPE}/{made_id}", customization()), 404)


def test_other_kinds_of_bodies_are_refused(server: Server) -> None:
    """As with a creation: too large, not JSON by its type."""
    path = f"{SCOPE}/{server.create()['id']}"

    assert problem(server.send("PUT", path, b" " * 1_000_001), 413)
    assert problem(server.send("PUT", path, customization(), content_type="text/xml"), 415)
