"""
Placing a caller's own ranking: `POST /api/place?tracker_id=…`, signed.
"""

from uuid import UUID

import httpx2
import pytest

from tests.api.driver import CONTENT_TYPE, TRACKER, Json, Server, item, pin, problem

PLACE = f"/api/place?tracker_id={TRACKER}"
OWN = ["/p/126", "/p/555", "/p/124"]
"""A ranking in no order that the server would find by itself."""


def placed(server: Server, *wishes: Json, target: str = PLACE) -> Json:
    answer = server.send("POST", target, wishes)
    assert answer.status_code == 200, answer.text
    return answer.json()


def shown(server: Server, **wish: Json) -> list[str]:
    """The identities that one ranking is answered with."""
    (answer,) = placed(server, {"model": "mine", "ranking": OWN, **wish})
    return [hit["url"] for hit in answer["hits"]]


def test_a_ranking_is_answered(server: Server) -> None:
    """The whole of it, for a model that no table has."""
    made = server.create(
        model="mine", target_type="all", pin_definitions=[pin("/p/123", 2, widget_id="top")]
    )

    answer = server.send(
        "POST",
        PLACE,
        {
            "model": "mine",
            "widget_id": "top",
            "user_id": 682,
            "hit_fields": ["brand"],
            "ranking": ["/p/gone", *OWN],
            "size": 3,
        },
    )

    (given,) = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == CONTENT_TYPE
    assert int(answer.headers["endcap-revision"]) > 0
    assert str(UUID(given["recommendation_id"])) == given["recommendation_id"]
    assert given == {
        "generated_at": "2025-01-22T08:49:58.123456",
        "model_version": None,
        "recommendation_id": given["recommendation_id"],
        "recommendation_type": "mine",
        "recommender": "mine",
        "recommender_client_identifier": "top",
        "recommender_version": given["recommender_version"],
        "user_id": "682",
        "hits": [
            {
                "url": url,
                "type": "item",
                "attributes": {"brand": [brand]},
                "nested": [],
                "exact": True,
            }
            for url, brand in (("/p/126", "Ibanez"), ("/p/123", "Fender"), ("/p/555", "Fender"))
        ],
        "explanation": {
            "pins": [
                {
                    "customization_id": made["id"],
                    "pin": 0,
                    "target_type": "all",
                    "position": 2,
                    "verdict": "placed",
                    "item": "/p/123",
                    "slot": 2,
                    "because": "",
                }
            ],
            "items": [
                {"slot": 1, "url": "/p/126", "from": "ranking", "place": 2},
                {
                    "slot": 2,
                    "url": "/p/123",
                    "from": "pin",
                    "pin": 0,
                    "customization_id": made["id"],
                },
                {"slot": 3, "url": "/p/555", "from": "ranking", "place": 3},
            ],
        },
        "not_in_catalog": ["/p/gone"],
    }


def test_customizations_go_by_the_models_name(server: Server) -> None:
    """A numbered model has its own, although the server would rank by its stem."""
    server.create(model="basket", target_type="all", pin_definitions=[pin("/p/123", 1)])

    assert shown(server, model="basket") == ["/p/123", *OWN]
    assert shown(server, model="basket_2") == OWN


def test_a_ranking_ends_where_it_ends(server: Server) -> None:
    """Nothing is shown that nobody named, unless the caller wants it."""
    assert shown(server) == OWN
    assert shown(server, ranking=[]) == []
    assert shown(server, fill=True) == [*OWN, "/p/123", "/p/125"]
    assert shown(server, fill=True, size=4) == [*OWN, "/p/123"]


def test_what_fills_is_what_the_server_would_recommend(server: Server) -> None:
    """Of the model's own recommender if there is one, in the request's bounds, and marked as fallback."""
    server.put_objects(item("/p/1", price_amount=10, price_old_amount=40))

    (answer,) = placed(
        server,
        {
            "model": "discount",
            "ranking": ["/p/126", "/p/555"],
            "fill": True,
            "mark_fallback_results": True,
            "blacklisted_item_ids": ["/p/555"],
            "item_ids": ["/p/123"],
        },
    )

    assert [(hit["url"], hit["fallback"]) for hit in answer["hits"]] == [
        ("/p/126", False),
        ("/p/1", True),
        ("/p/124", True),
        ("/p/125", True),
    ]
    assert [each["from"] for each in answer["explanation"]["items"]] == [
        "ranking",
        *["fallback"] * 3,
    ]


def test_a_context_and_the_catalog_beat_a_ranking(server: Server) -> None:
    """What may not appear does not, whoever ranked it."""
    ranking = ["/p/900", *OWN, "/p/123", "/p/125"]

    assert shown(server, ranking=ranking, recommendation_context={"brand": "Fender"}) == [
        "/p/555",
        "/p/123",
        "/p/125",
    ]
    assert shown(server, ranking=ranking, item_ids=["/p/126"], blacklisted_item_ids=["/p/123"]) == [
        "/p/555",
        "/p/124",
        "/p/125",
    ]


def test_scores_order_a_ranking(server: Server) -> None:
    """The highest first; the explanation tells places in that order."""
    (answer,) = placed(
        server,
        {
            "model": "mine",
            "ranking": [
                {"identity": identity, "score": score} for score, identity in enumerate(OWN)
            ],
        },
    )

    assert [hit["url"] for hit in answer["hits"]] == OWN[::-1]
    assert [each["place"] for each in answer["explanation"]["items"]] == [1, 2, 3]


def test_an_item_named_twice_is_shown_once(server: Server) -> None:
    """At its first place; one that the catalog lacks is told once."""
    ranking = ["/p/gone", "/p/126", "/p/126", "/p/gone", "/p/124", "/p/126"]

    (answer,) = placed(server, {"model": "mine", "ranking": ranking})

    assert [hit["url"] for hit in answer["hits"]] == ["/p/126", "/p/124"]
    assert [each["place"] for each in answer["explanation"]["items"]] == [2, 5]
    assert answer["not_in_catalog"] == ["/p/gone"]


def test_nothing_is_shown_twice_on_a_page(server: Server) -> None:
    """Across all the rankings of one call, each with customizations of its own."""
    server.create(model="second", target_type="all", pin_definitions=[pin("/p/126", 1)])

    first, second = placed(
        server, {"model": "first", "ranking": OWN, "size": 2}, {"model": "second", "ranking": OWN}
    )

    assert [hit["url"] for hit in first["hits"]] == ["/p/555", "/p/124"]
    assert [hit["url"] for hit in second["hits"]] == ["/p/126"]


def test_a_long_ranking_is_shown_whole(empty: Server) -> None:
    """A category page may have more than a widget: up to 1,000 slots, with pins in any of them."""
    identities = [f"/p/{number}" for number in range(1_000)]
    for start in range(0, 1_000, 250):
        empty.put_objects(*map(item, identities[start : start + 250]))
    empty.create(model="mine", target_type="all", pin_definitions=[pin("/p/999", 400)])

    assert shown(empty, ranking=identities, size=1_000) == [
        *identities[:399],
        "/p/999",
        *identities[399:999],
    ]


@pytest.mark.parametrize("explain", ["false", "0"])
def test_the_explanation_can_be_left_out(server: Server, explain: str) -> None:
    """For who asks a thousand times a second; what is missing is told all the same."""
    (answer,) = placed(
        server, {"model": "mine", "ranking": ["/p/gone"]}, target=f"{PLACE}&explain={explain}"
    )

    assert "explanation" not in answer
    assert answer["not_in_catalog"] == ["/p/gone"]


def refused(server: Server, body: Json, *, target: str = PLACE) -> httpx2.Response:
    return server.send("POST", target, body)


def test_it_must_be_signed(server: Server) -> None:
    """By a key of the tracker that is asked."""
    body = {"model": "mine", "ranking": OWN}
    server.create_tracker("8765-4321", "another key")

    unsigned = server.send("POST", PLACE, body, signed=False)
    forged = server.send("POST", PLACE, body, key="a wrong key")
    other = server.send("POST", PLACE, body, tracker="8765-4321", key="another key")

    for answer in (unsigned, forged, other):
        assert problem(answer, 401)["reason"] == "Authentication failed"
    assert "access-control-allow-origin" not in unsigned.headers


def test_faults_are_told(server: Server) -> None:
    """All of them, each under its field with its object; of the query too."""
    wishes = [{"model": "mine", "ranking": OWN}, {"ranking": 5}]

    faulty = problem(refused(server, wishes), 422)
    nobody = problem(refused(server, wishes, target="/api/place"), 422)
    unclear = problem(refused(server, wishes, target=f"{PLACE}&explain=perhaps"), 422)

    assert faulty == {
        "reason": "Invalid placement request",
        "exception_details": {
            "recommendation_type": ["Missing required field: recommendation_type (object 1)"],
            "ranking": ['Must be a list of identities, or of {"identity", "score"} (object 1)'],
        },
    }
    assert nobody["reason"] == unclear["reason"] == "Invalid placement request"
    assert nobody["exception_details"] == {
        "tracker_id": ["Missing required query parameter: tracker_id"]
    }
    assert problem(refused(server, b"[1"), 400)["reason"] == "Invalid configuration provided"
    unknown = server.send("POST", "/api/place?tracker_id=nobody", wishes, tracker="nobody")
    assert problem(unknown, 404)["reason"] == "Tracker not found"


def test_a_revision_that_was_seen_is_waited_for(server: Server) -> None:
    """As with every other read; what is no number is refused."""
    body = {"model": "mine", "ranking": OWN}

    seen = server.send("POST", PLACE, body, headers={"Endcap-Revision": "1"})
    odd = server.send("POST", PLACE, body, headers={"Endcap-Revision": "new"})

    assert seen.status_code == 200
    assert problem(odd, 422)["reason"] == "Invalid Endcap-Revision provided"
