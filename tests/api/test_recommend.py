"""
Recommending: `POST /v1/recommend?tracker_id=…`, public and for browsers.
"""

from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest

from tests.api.driver import (
    CONTENT_TYPE,
    RECOMMEND,
    TRACKER,
    Json,
    Server,
    ToldClock,
    item,
    pin,
    problem,
)

RANKING = ["/p/123", "/p/124", "/p/125", "/p/126", "/p/555"]
"""How `test_reco` ranks the small catalog; /p/900 is not available."""


def faults(server: Server, *wishes: Json) -> Json:
    """What wishes that are refused with 422 are refused for."""
    refused = problem(server.send("POST", RECOMMEND, wishes, signed=False), 422)
    assert refused["reason"] == "Invalid recommendation request"
    return refused["exception_details"]


def test_a_wish_is_answered(server: Server) -> None:
    """The whole of it; `url` is the item's identity."""
    answer = server.send(
        "POST",
        RECOMMEND,
        [
            {
                "recommendation_type": "test_reco",
                "recommender_client_identifier": "basket-sidebar",
                "user_id": "682",
                "item_ids": ["/p/123"],
                "size": 1,
            }
        ],
        signed=False,
    )

    (given,) = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == CONTENT_TYPE
    assert answer.headers["access-control-allow-origin"] == "*"
    assert str(UUID(given["recommendation_id"])) == given["recommendation_id"]
    assert given == {
        "generated_at": "2025-01-22T08:49:58.123456",
        "model_version": None,
        "recommendation_id": given["recommendation_id"],
        "recommendation_type": "test_reco",
        "recommender": "test_reco",
        "recommender_client_identifier": "basket-sidebar",
        "recommender_version": given["recommender_version"],
        "user_id": "682",
        "hits": [
            {
                "url": "/p/124",
                "type": "item",
                "attributes": {
                    "title": "/p/124",
                    "brand": ["Gibson"],
                    "price_amount": 999,
                    "introduced_at": ["2025-01-08"],
                },
                "nested": [],
                "exact": True,
            }
        ],
    }


def test_answers_come_in_the_order_of_the_wishes(server: Server) -> None:
    """Each of its model, its widget and its user; what was not sent says so."""
    first, second = server.recommend(
        {"recommendation_type": "trends", "size": 1, "recommender_client_identifier": "top"},
        {"recommendation_type": "bestsellers", "size": 1, "user_id": 7},
    )

    assert (first["recommendation_type"], first["recommender_client_identifier"]) == (
        "trends",
        "top",
    )
    assert second["recommendation_type"] == "bestsellers"
    assert second["recommender_client_identifier"] == "bestsellers"
    assert (first["user_id"], second["user_id"]) == (None, "7")
    assert first["recommendation_id"] != second["recommendation_id"]


def test_nothing_is_shown_twice_on_a_page(server: Server) -> None:
    """Across all the objects of one call."""
    answers = server.recommend(*[{"recommendation_type": "test_reco", "size": 2}] * 3)

    shown = [[hit["url"] for hit in answer["hits"]] for answer in answers]
    assert shown == [["/p/123", "/p/124"], ["/p/125", "/p/126"], ["/p/555"]]


@pytest.mark.parametrize(
    ("model", "recommender"),
    [
        *(
            (name, name)
            for name in ("item_detail_alternatives", "item_detail_complements", "basket")
        ),
        *((name, name) for name in ("basket_popup", "trends", "bestsellers", "news", "discount")),
        *((name, name) for name in ("category", "brand", "last_seen", "recently_ordered")),
        *((name, name) for name in ("favorites", "user_click_based", "user_conversion_based")),
        ("random", "random"),
        ("basket_2", "basket"),
        ("item_detail_alternatives_13", "item_detail_alternatives"),
    ],
)
def test_models_that_work_without_set_up(server: Server, model: str, recommender: str) -> None:
    """The reference names; a numbered name falls back to its stem."""
    (answer,) = server.recommend(
        {"recommendation_type": model, "item_ids": ["/p/123"], "user_id": "682", "size": 3}
    )

    assert answer["recommendation_type"] == model
    assert answer["recommender"] == recommender
    assert len(answer["hits"]) == 3


# What is shown


def test_size_is_10_unless_told_and_50_at_most(empty: Server) -> None:
    """Asking for more gets 50."""
    empty.put_objects(*(item(f"/p/{number}") for number in range(60)))

    assert len(empty.shown()) == 10
    assert len(empty.shown(size=None)) == 10
    assert len(empty.shown(size=1)) == 1
    assert len(empty.shown(size=50)) == 50
    assert len(empty.shown(size=51)) == 50
    assert len(empty.shown(size=10**30)) == 50


def test_what_was_asked_with_is_not_shown(server: Server) -> None:
    """The input items, up to the tenth; those after it do not count."""
    assert server.shown(item_ids=["/p/123", "/p/125"]) == ["/p/124", "/p/126", "/p/555"]
    assert server.shown(item_ids=["/p/unknown"] * 10 + ["/p/123"]) == RANKING


def test_blacklisted_items_are_not_shown(server: Server) -> None:
    """Whatever is pinned."""
    server.create(target_type="all", pin_definitions=[pin("/p/126", 1)])

    assert server.shown(blacklisted_item_ids=["/p/126", "/p/124"]) == [
        "/p/123",
        "/p/125",
        "/p/555",
    ]


@pytest.mark.parametrize(
    ("context", "shown"),
    [
        ({"brand": "Fender"}, ["/p/123", "/p/125", "/p/555"]),
        ({"brand": {"values": ["Fender", "Gibson"]}}, ["/p/123", "/p/124", "/p/125", "/p/555"]),
        ({"brand": {"values": ["Fender"], "operator": "not"}}, ["/p/124", "/p/126"]),
        ({"price_amount": {"values": ["300|999"]}}, ["/p/124", "/p/125", "/p/126"]),
        ({"price_amount": {"values": ["1000|"]}}, ["/p/123"]),
        ([{"field": "brand", "operator": "=", "value": "Gibson"}], ["/p/124"]),
        ({"criteria": [{"field": "brand", "operator": "exists", "value": False}]}, []),
        ({"brand": "fender"}, []),
        ({}, RANKING),
        ([], RANKING),
        (None, RANKING),
    ],
)
def test_a_context_bounds_what_is_shown(server: Server, context: Json, shown: list[str]) -> None:
    """In either spelling; an empty one bounds nothing."""
    assert server.shown(recommendation_context=context) == shown


def test_a_context_beats_pins(server: Server) -> None:
    """A pinned item that does not satisfy it is not shown."""
    server.create(target_type="all", pin_definitions=[pin("/p/126", 1), pin("/p/555", 1)])

    assert server.shown(recommendation_context={"brand": "Fender"}, size=2) == ["/p/555", "/p/123"]


def test_another_field_may_say_what_is_available(empty: Server) -> None:
    """`settings_override.availability_field`, for shops with a stock in each town."""
    empty.put_objects(
        item("/p/1", availability_brno=1),
        item("/p/2", availability_brno=0),
        item("/p/3", availability=0, availability_brno=1),
    )

    def shown_in(settings: Json) -> list[str]:
        return empty.shown(settings_override=settings)

    assert shown_in({"availability_field": "availability_brno"}) == ["/p/1", "/p/3"]
    assert shown_in({"availability_field": None}) == ["/p/1", "/p/2"]
    assert shown_in({}) == shown_in(None) == ["/p/1", "/p/2"]


@pytest.mark.parametrize(
    "hit_fields",
    [["title", "price"], "title,price", " title , price ,", ["title", "price", "none"]],
)
def test_hit_fields_choose_attributes(server: Server, hit_fields: Json) -> None:
    """A list, or one text with commas."""
    (answer,) = server.recommend(
        {"recommendation_type": "test_reco", "size": 1, "hit_fields": hit_fields}
    )

    assert answer["hits"][0]["attributes"] == {"title": "Fender Telecaster", "price": "1 299,00 €"}


@pytest.mark.parametrize("hit_fields", [[], "", "_margin,identity"])
def test_hit_fields_may_choose_nothing(empty: Server, hit_fields: Json) -> None:
    """An empty choice is one; what is hidden cannot be chosen."""
    empty.put_objects(item("/p/1", _margin=0.31))

    (answer,) = empty.recommend({"recommendation_type": "test_reco", "hit_fields": hit_fields})

    assert answer["hits"][0]["attributes"] == {}


def test_attributes_are_spelled_as_on_this_wire(empty: Server) -> None:
    """Texts as lists but for a few; the rest as it is; hidden ones never; the amount of a price is derived."""
    empty.put_objects(
        {
            **item(
                "/p/1",
                title="Strap",
                description="Soft",
                web_url="https://doe.com/1",
                image_link="https://doe.com/1.jpg",
                price="39,90 €",
                condition="new",
                brand="Fender",
                color=["black", "brown"],
                weight=0.2,
                on_sale=True,
                size={"cm": 120},
                nothing=None,
                _margin=0.31,
                identity="inner",
                type="leather",
            ),
            "nested": [
                {
                    "identity": "/c/9",
                    "type": "category",
                    "fields": {"title": "Straps", "ancestors": [{"title": "Guitars"}]},
                }
            ],
        }
    )

    (answer,) = empty.recommend({"recommendation_type": "test_reco"})

    assert answer["hits"] == [
        {
            "url": "/p/1",
            "type": "item",
            "attributes": {
                "title": "Strap",
                "description": "Soft",
                "web_url": "https://doe.com/1",
                "image_link": "https://doe.com/1.jpg",
                "price": "39,90 €",
                "price_amount": 39.9,
                "condition": "new",
                "brand": ["Fender"],
                "color": ["black", "brown"],
                "weight": 0.2,
                "on_sale": True,
                "size": {"cm": 120},
                "nothing": None,
                "identity": ["inner"],
                "type": ["leather"],
                "category": ["Straps"],
                "category_lvl_1": ["Guitars"],
                "category_lvl_2": ["Straps"],
            },
            "nested": [],
            "exact": True,
        }
    ]


def test_scalar_attributes_are_a_setting(tmp_path: Path, clock: ToldClock) -> None:
    """Which texts come as texts."""
    server = Server(tmp_path, clock, scalar_attributes=("brand",))
    try:
        server.create_tracker()
        server.put_objects(item("/p/1", title="Strap", brand="Fender"))

        (answer,) = server.recommend({"recommendation_type": "test_reco"})

        assert answer["hits"][0]["attributes"] == {"title": ["Strap"], "brand": "Fender"}
    finally:
        server.close()


@pytest.mark.parametrize("marks", [True, False, None])
def test_fallback_is_marked_on_request(server: Server, marks: bool | None) -> None:
    """A basket model that has learned nothing answers with what is popular."""
    (answer,) = server.recommend(
        {
            "recommendation_type": "basket",
            "item_ids": ["/p/123"],
            "size": 2,
            "mark_fallback_results": marks,
        }
    )

    assert [hit.get("fallback") for hit in answer["hits"]] == (
        [True, True] if marks else [None] * 2
    )


def test_an_answer_says_nothing_of_pins(server: Server) -> None:
    """A pinned hit looks like any other."""
    before = server.recommend({"recommendation_type": "test_reco", "item_ids": ["/p/123"]})
    server.create(target_identity="/p/123", pin_definitions=[pin("/p/555", 1)])

    after = server.recommend({"recommendation_type": "test_reco", "item_ids": ["/p/123"]})

    assert set(before[0]) == set(after[0])
    assert after[0]["hits"] == [before[0]["hits"][3], *before[0]["hits"][:3]]


def test_unknown_keys_are_ignored(server: Server) -> None:
    """Of the wish, of its settings, and of the query."""
    answer = server.send(
        "POST",
        f"{RECOMMEND}&colour=red",
        [{"recommendation_type": "test_reco", "colour": 1, "settings_override": {"colour": 1}}],
        signed=False,
    )

    assert answer.status_code == 200


def test_identities_may_be_numbers(empty: Server) -> None:
    """Shops number their items and users."""
    empty.put_objects(item("1"), item("2"), item("3"))

    assert empty.shown(item_ids=[1], blacklisted_item_ids=[2]) == ["3"]


def test_the_same_item_may_be_sent_twice(server: Server) -> None:
    """Any body that is JSON is fine: a repeated key counts as its last."""
    body = b'[{"recommendation_type": "nothing", "size": 9, "recommendation_type": "test_reco", "size": 1}]'

    answer = server.send("POST", RECOMMEND, body, signed=False)

    assert [hit["url"] for hit in answer.json()[0]["hits"]] == ["/p/123"]


# The explanation


def test_an_explanation_tells_why(server: Server) -> None:
    """Every pin that was met, and where every item came from."""
    made = server.create(
        target_type="all",
        pin_definitions=[pin("/p/555", 2), pin("/p/900", 1), pin("/p/126", 1, widget_id="top")],
    )

    answer = server.send(
        "POST", f"{RECOMMEND}&explain=true", [{"recommendation_type": "test_reco", "size": 3}]
    )

    (given,) = answer.json()
    assert [hit["url"] for hit in given["hits"]] == ["/p/123", "/p/555", "/p/124"]
    explanation = given["explanation"]
    assert [set(each) for each in explanation["pins"]] == [
        {
            *("customization_id", "pin", "target_type", "position"),
            *("verdict", "item", "slot", "because"),
        }
    ] * 3
    assert [
        (each["pin"], each["position"], each["verdict"], each["item"], each["slot"])
        for each in explanation["pins"]
    ] == [
        (0, 2, "placed", "/p/555", 2),
        (1, 1, "unavailable", "/p/900", None),
        (2, 1, "other_widget", "/p/126", None),
    ]
    assert {each["customization_id"] for each in explanation["pins"]} == {made["id"]}
    assert {each["target_type"] for each in explanation["pins"]} == {"all"}
    assert explanation["items"] == [
        {"slot": 1, "url": "/p/123", "from": "ranking", "place": 1, "stage": "popular"},
        {
            "slot": 2,
            "url": "/p/555",
            "from": "pin",
            "pin": 0,
            "customization_id": made["id"],
        },
        {"slot": 3, "url": "/p/124", "from": "ranking", "place": 2, "stage": "popular"},
    ]


@pytest.mark.parametrize("explain", ["true", "1", "TRUE"])
def test_an_explanation_needs_a_signature(server: Server, explain: str) -> None:
    """It shows rules; without a signature, or with a bad one, it is refused."""
    target = f"{RECOMMEND}&explain={explain}"
    wishes = [{"recommendation_type": "test_reco"}]

    unsigned = server.send("POST", target, wishes, signed=False)
    forged = server.send("POST", target, wishes, key="a wrong key")
    signed = server.send("POST", target, wishes)

    assert problem(unsigned, 401)["reason"] == "Authentication failed"
    assert problem(forged, 401)
    assert "explanation" in signed.json()[0]


@pytest.mark.parametrize("explain", ["false", "0", ""])
def test_an_explanation_is_given_on_request_alone(server: Server, explain: str) -> None:
    """A signature is no request for one."""
    answer = server.send(
        "POST", f"{RECOMMEND}&explain={explain}", [{"recommendation_type": "news"}]
    )

    assert "explanation" not in answer.json()[0]


def test_an_explanation_for_another_tracker_is_refused(server: Server) -> None:
    """The signature must be of the tracker that is asked."""
    server.create_tracker("8765-4321", "another key")

    answer = server.send(
        "POST",
        f"{RECOMMEND}&explain=1",
        [{"recommendation_type": "test_reco"}],
        tracker="8765-4321",
        key="another key",
    )

    assert problem(answer, 401)["exception_details"] == {
        "authorization": ["The signature is of another tracker than the path's"]
    }


# Public, and for browsers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "ApiAuth 1234-5678:bm9uc2Vuc2U="},
        {"Authorization": "nonsense", "Date": "nonsense"},
        {"Authorization": "Bearer token"},
        {"Date": "Mon, 20 Jan 2020 12:00:00 GMT"},
    ],
)
def test_a_signature_is_not_looked_at(server: Server, headers: dict[str, str]) -> None:
    """Good, bad or none: public endpoints never reject one."""
    answer = server.send(
        "POST", RECOMMEND, [{"recommendation_type": "news"}], signed=False, headers=headers
    )

    assert answer.status_code == 200


def test_a_browser_may_ask_first(server: Server) -> None:
    """The preflight of a page of another origin: what it wants to send is allowed."""
    answer = server.send(
        "OPTIONS",
        RECOMMEND,
        signed=False,
        content_type=None,
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-shop",
        },
    )

    assert answer.status_code == 204
    assert answer.content == b""
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "POST, OPTIONS"
    assert answer.headers["access-control-allow-headers"] == "content-type,x-shop"
    assert answer.headers["access-control-max-age"] == "86400"


def test_a_browser_may_read_refusals_too(server: Server) -> None:
    """Else a developer would see a CORS error instead of the reason."""
    for target, body in (
        ("/v1/recommend", []),
        ("/v1/recommend?tracker_id=9999-9999", []),
        (RECOMMEND, {}),
        (RECOMMEND, [{}]),
        (f"{RECOMMEND}&explain=1", []),
    ):
        answer = server.send("POST", target, body, signed=False)

        assert answer.status_code >= 400
        assert answer.headers["access-control-allow-origin"] == "*"


def test_the_origin_is_a_setting(tmp_path: Path, clock: ToldClock) -> None:
    """For shops that want to be asked by their own pages only."""
    server = Server(tmp_path, clock, cors_origin="https://shop.example")
    try:
        server.create_tracker()

        answers = [
            server.send("POST", RECOMMEND, [{"recommendation_type": "news"}], signed=False),
            server.send("OPTIONS", RECOMMEND, signed=False),
        ]

        assert [each.headers["access-control-allow-origin"] for each in answers] == [
            "https://shop.example"
        ] * 2
    finally:
        server.close()


def test_what_a_browser_sends_without_a_preflight_is_taken(server: Server) -> None:
    """No Content-Type at all is fine; `text/plain` says that it is not JSON."""
    body = b'[{"recommendation_type": "news"}]'

    assert server.send("POST", RECOMMEND, body, signed=False, content_type=None).status_code == 200
    assert problem(
        server.send("POST", RECOMMEND, body, signed=False, content_type="text/plain"), 415
    )


# Refused


@pytest.mark.parametrize("target", ["/v1/recommend", "/v1/recommend?tracker_id="])
def test_the_tracker_must_be_named(server: Server, target: str) -> None:
    """In the query."""
    answer = server.send("POST", target, [{"recommendation_type": "news"}], signed=False)

    assert problem(answer, 422) == {
        "reason": "Invalid recommendation request",
        "exception_details": {"tracker_id": ["Missing required query parameter: tracker_id"]},
    }


@pytest.mark.parametrize("tracker", ["9999-9999", "%00", f"{TRACKER} ", quote("žluťoučký")])
def test_an_unknown_tracker_is_404(server: Server, tracker: str) -> None:
    """The vendor's words."""
    answer = server.send(
        "POST",
        f"/v1/recommend?tracker_id={quote(tracker, safe='%')}",
        [{"recommendation_type": "news"}],
        signed=False,
    )

    assert problem(answer, 404) == {"reason": "Tracker not found", "exception_details": {}}


def test_an_unknown_model_is_404_for_the_whole_call(server: Server) -> None:
    """Whichever object asks for it."""
    answer = server.send(
        "POST",
        RECOMMEND,
        [{"recommendation_type": "news"}, {"recommendation_type": "no_such_model"}],
        signed=False,
    )

    assert problem(answer, 404) == {
        "reason": "Recommender not found",
        "exception_details": {"recommendation_type": ["Unknown recommender: no_such_model"]},
    }


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"recommendation_type": "news"}', b"null", b'"news"', b"[", b"[\xff]"]
)
def test_what_is_no_array_is_400(server: Server, body: bytes) -> None:
    """An object alone is none, though it is tempting."""
    refused = problem(server.send("POST", RECOMMEND, body, signed=False), 400)

    assert refused["reason"] == "Invalid configuration provided"
    assert list(refused["exception_details"]) == ["body"]


def test_1_to_20_objects(server: Server) -> None:
    """Neither none nor more."""
    wish = {"recommendation_type": "news"}

    assert len(server.recommend(*[wish] * 20)) == 20
    assert faults(server) == {"body": ["Must hold 1 to 20 objects"]}
    assert faults(server, *[wish] * 21) == {"body": ["Must hold 1 to 20 objects"]}


def test_every_fault_is_reported_at_once(server: Server) -> None:
    """By field, each with the index of its object."""
    assert faults(
        server,
        {"recommendation_type": "news"},
        {},
        "news",
        {
            "recommendation_type": "",
            "recommender_client_identifier": [],
            "user_id": 1.5,
            "item_ids": "/p/123",
            "blacklisted_item_ids": [None],
            "size": 0,
            "recommendation_context": "Fender",
            "settings_override": {"availability_field": ""},
            "hit_fields": [1],
            "mark_fallback_results": "yes",
        },
    ) == {
        "recommendation_type": [
            "Missing required field: recommendation_type (object 1)",
            "Missing required field: recommendation_type (object 2)",
            "Must be a non-empty text (object 3)",
        ],
        "body": ["Must be an object (object 2)"],
        "recommender_client_identifier": ["Must be a text (object 3)"],
        "user_id": ["Must be a text (object 3)"],
        "item_ids": ["Must be a list of texts (object 3)"],
        "blacklisted_item_ids": ["Must be a list of texts (object 3)"],
        "size": ["Must be a whole number from 1 (more than 50 is capped) (object 3)"],
        "recommendation_context": [
            (
                'Must be an object or a list of rules. Supported forms: {"attribute": "value"}; '
                '{"attribute": {"values": ["a", "10|20"], "operator": "or"}} with or, and, not; '
                '[{"field": "attribute", "operator": "=", "value": "a"}] with =, eq, !=, in, not_in, '
                '>, >=, <, <=, contains, exists; {"and": [rules]}, {"or": [rules]}, {"not": rule} '
                "(object 3)"
            )
        ],
        "settings_override": ["availability_field: Must be a non-empty text (object 3)"],
        "hit_fields": ["Must be a list of texts, or one text with commas (object 3)"],
        "mark_fallback_results": ["Must be true or false (object 3)"],
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", -1),
        ("size", 1.0),
        ("size", True),
        ("size", "10"),
        ("user_id", True),
        ("user_id", "u" * 2001),
        ("item_ids", {}),
        ("item_ids", 0),
        ("item_ids", [["/p/123"]]),
        ("item_ids", [True]),
        ("blacklisted_item_ids", ""),
        ("blacklisted_item_ids", False),
        ("recommendation_context", 0),
        ("recommendation_context", ""),
        ("recommendation_context", False),
        ("recommendation_context", {"brand": None}),
        ("settings_override", []),
        ("hit_fields", 5),
        ("hit_fields", ["a"] * 201),
        ("mark_fallback_results", 1),
    ],
)
def test_faulty_fields(server: Server, field: str, value: Json) -> None:
    """One at a time."""
    assert list(faults(server, {"recommendation_type": "news", field: value})) == [field]


def test_an_explain_that_is_neither_yes_nor_no_is_refused(server: Server) -> None:
    """Rather than to guess."""
    answer = server.send("POST", f"{RECOMMEND}&explain=yes", [{"recommendation_type": "news"}])

    assert problem(answer, 422)["exception_details"] == {"explain": ["Must be true, false, 1 or 0"]}


def test_a_query_that_is_no_text_is_400(server: Server) -> None:
    """Percent-encoded bytes that are not UTF-8."""
    answer = server.send("POST", f"{RECOMMEND}&x=%FF", [{"recommendation_type": "news"}])

    assert problem(answer, 400)["reason"] == "Invalid query provided"


def test_a_body_over_the_bound_is_413(server: Server) -> None:
    """A million bytes, unless set otherwise."""
    assert problem(server.send("POST", RECOMMEND, b" " * 1_000_001, signed=False), 413)
