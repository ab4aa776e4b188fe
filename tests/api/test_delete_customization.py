"""
Deleting a customization: `DELETE /v1/recommender/pin/{TRACKER_ID}/scope/{CUSTOMIZATION_ID}`.
"""

import pytest

from tests.api.driver import BASE, NOWHERE, Json, Server, customization, pin, problem

SCOPE = f"{BASE}/scope"


def test_a_customization_is_deleted(server: Server) -> None:
    """`204` without a body; from then on it is not found."""
    made_id = server.create()["id"]

    answer = server.send("DELETE", f"{SCOPE}/{made_id}")

    assert answer.status_code == 204
    assert answer.content == b""
    assert "content-length" not in answer.headers
    assert int(answer.headers["endcap-revision"]) > 0
    assert problem(server.send("GET", f"{SCOPE}/{made_id}"), 404) == {
        "reason": "Customization not found",
        "exception_details": {},
    }


def test_the_next_recommendation_goes_without_it(server: Server) -> None:
    """The pin is gone with the customization."""
    made_id = server.create(target_type="all", pin_definitions=[pin("/p/126", 1)])["id"]
    assert server.shown(size=1) == ["/p/126"]

    server.send("DELETE", f"{SCOPE}/{made_id}")

    assert server.shown(size=1) == ["/p/123"]


@pytest.mark.parametrize("body", [None, b"", {}, b"not looked at"])
def test_a_deletion_may_have_a_body(server: Server, body: Json) -> None:
    """Some clients send one; it is not looked at. A length of 0 is fine too."""
    made_id = server.create()["id"]

    headers = {"Content-Length": "0"} if body is None else {}
    answer = server.send("DELETE", f"{SCOPE}/{made_id}", body, headers=headers)

    assert answer.status_code == 204


def test_a_current_tag_lets_a_deletion_pass(server: Server) -> None:
    """`If-Match` with the tag of the last answer."""
    made_id = server.create()["id"]
    tag = server.send("GET", f"{SCOPE}/{made_id}").headers["etag"]

    answer = server.send("DELETE", f"{SCOPE}/{made_id}", headers={"If-Match": tag})

    assert answer.status_code == 204


def test_an_old_tag_is_412(server: Server) -> None:
    """And it is still there."""
    made_id = server.create()["id"]
    old = server.send("GET", f"{SCOPE}/{made_id}").headers["etag"]
    server.send("PUT", f"{SCOPE}/{made_id}", customization(tags=["theirs"]))

    answer = server.send("DELETE", f"{SCOPE}/{made_id}", headers={"If-Match": old})

    assert problem(answer, 412)["reason"] == (
        "The customization was changed by someone else since you read it"
    )
    assert server.get(made_id)["tags"] == ["theirs"]


@pytest.mark.parametrize("id", [NOWHERE, "not-a-uuid"])
def test_an_unknown_id_is_404(server: Server, id: str) -> None:
    """The vendor's words."""
    answer = server.send("DELETE", f"{SCOPE}/{id}")

    assert problem(answer, 404) == {"reason": "Customization not found", "exception_details": {}}


def test_deleting_twice_is_404(server: Server) -> None:
    """The second finds nothing."""
    made_id = server.create()["id"]
    server.send("DELETE", f"{SCOPE}/{made_id}")

    assert problem(server.send("DELETE", f"{SCOPE}/{made_id}"), 404)


def test_an_unknown_tracker_is_404(server: Server) -> None:
    """Before anything else is looked at."""
    answer = server.send("DELETE", f"/v1/recommender/pin/9999-9999/scope/{NOWHERE}")

    assert problem(answer, 404) == {"reason": "Tracker not found", "exception_details": {}}
