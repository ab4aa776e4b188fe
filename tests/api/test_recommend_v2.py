"""
Recommendations in the words of v2: the same answers under other names.
"""

from typing import Any

import pytest

from tests.api.driver import RECOMMEND, TRACKER, Server, problem

RECOMMEND_V2 = f"/v2/recommend?tracker_id={TRACKER}"
_NEW = ("recommendation_id", "generated_at")
WISH = {"model": "news", "widget_id": "w", "size": 3}


@pytest.fixture(autouse=True)
def items(server: Server) -> None:
    fields = [
        {"title": f"Item {n}", "introduced_at": f"2025-01-{10 + n}", "rank": n} for n in range(5)
    ]
    server.put_objects(
        *({"identity": f"/p/{n}", "type": "item", "fields": each} for n, each in enumerate(fields))
    )


def ask(server: Server, path: str, *wishes: dict[str, Any]) -> list[dict[str, Any]]:
    answer = server.send("POST", path, [*wishes], signed=False)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def test_the_answer_is_that_of_v1_under_other_names(server: Server) -> None:
    """Model and widget, and in each hit the identity beside the url."""
    (old,) = ask(
        server,
        RECOMMEND,
        {
            "recommendation_type": "news",
            "recommender_client_identifier": "w",
            "user_id": "u",
            "item_ids": ["/p/4"],
            "blacklisted_item_ids": ["/p/3"],
        },
    )

    (new,) = ask(
        server,
        RECOMMEND_V2,
        {
            **WISH,
            "size": 10,
            "auth_user_id": "u",
            "identities": ["/p/4"],
            "blacklisted_identities": ["/p/3"],
        },
    )

    assert [each["identity"] for each in new["hits"]][:3] == ["/p/2", "/p/1", "/p/0"]
    assert [each.pop("identity") for each in new["hits"]] == [each["url"] for each in old["hits"]]
    renamed = {"recommendation_type": "model", "recommender_client_identifier": "widget_id"}
    expected = {renamed.get(name, name): value for name, value in old.items()}
    assert new.keys() == expected.keys()
    assert {k: v for k, v in new.items() if k not in _NEW} == {
        k: v for k, v in expected.items() if k not in _NEW
    }


def test_pins_speak_by_widget(server: Server) -> None:
    """A customization's `widget_id` is this one."""
    server.create(
        model="news",
        target_type="all",
        target_identity=None,
        pin_definitions=[
            {"position": 1, "pin_type": "item", "pin_identity": "/p/0", "widget_id": "w"}
        ],
    )

    here, elsewhere = ask(server, RECOMMEND_V2, WISH, {**WISH, "widget_id": "other", "size": 1})

    assert here["hits"][0]["identity"] == "/p/0"
    assert elsewhere["hits"][0]["identity"] != "/p/0"


def test_who_is_signed_in_counts_before_the_device(server: Server) -> None:
    """Numbers are taken for texts."""
    both, device = ask(
        server,
        RECOMMEND_V2,
        {**WISH, "auth_user_id": 7, "device_user_id": "d", "size": 1},
        {**WISH, "device_user_id": "d", "size": 1},
    )

    assert (both["user_id"], device["user_id"]) == ("7", "d")


def test_the_names_of_v1_are_taken(server: Server) -> None:
    """Whoever moves does it name by name."""
    wish = {"recommendation_type": "news", "recommender_client_identifier": "w", "size": 1}

    (answer,) = ask(server, RECOMMEND_V2, wish)

    assert (answer["model"], answer["widget_id"]) == ("news", "w")


def test_an_explanation_is_signed(server: Server) -> None:
    """As in v1."""
    path = f"{RECOMMEND_V2}&explain=true"

    assert server.send("POST", path, [WISH], signed=False).status_code == 401
    (answer,) = server.send("POST", path, [WISH]).json()
    assert [each["slot"] for each in answer["explanation"]["items"]] == [1, 2, 3]


@pytest.mark.parametrize(
    ("wish", "field", "said"),
    [
        ({"widget_id": "w"}, "model", "Missing required field: model (object 0)"),
        ({"model": "news"}, "widget_id", "Missing required field: widget_id (object 0)"),
        ({**WISH, "identities": "no"}, "identities", "Must be a list of texts (object 0)"),
        ({**WISH, "auth_user_id": True}, "auth_user_id", "Must be a text (object 0)"),
        ({**WISH, "auth_user_id": "a", "device_user_id": []}, "device_user_id", "Must be a text"),
        ({**WISH, "recommendation_type": "news"}, "model", "Means the same as recommendation_type"),
        ({**WISH, "size": 0}, "size", "Must be a whole number"),
        (["no object"], "body", "Must be an object (object 0)"),
    ],
)
def test_faults_are_told_in_its_words(server: Server, wish: object, field: str, said: str) -> None:
    """The field as it was sent."""
    found = problem(server.send("POST", RECOMMEND_V2, [wish], signed=False), 422)

    assert found["exception_details"][field][0].startswith(said)


def test_an_unknown_model_is_404(server: Server) -> None:
    """Under its name here."""
    wish = {**WISH, "model": "no_such_model"}

    found = problem(server.send("POST", RECOMMEND_V2, [wish], signed=False), 404)

    assert found["exception_details"] == {"model": ["Unknown recommender: no_such_model"]}


@pytest.mark.parametrize(("body", "status"), [({}, 400), ([], 422), ([WISH] * 21, 422)])
def test_bounds_are_those_of_v1(server: Server, body: object, status: int) -> None:
    """One to twenty objects in a list; a browser may read the refusal."""
    answer = server.send("POST", RECOMMEND_V2, body, signed=False)

    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "*"
    assert server.send("OPTIONS", RECOMMEND_V2, signed=False).status_code == 204
