"""
Listing customizations: `POST /v1/recommender/pin/{TRACKER_ID}/scopes`.
"""

from urllib.parse import quote

import pytest

from tests.api.driver import BASE, Json, Server, ToldClock, customization, pin, problem

SCOPES = f"{BASE}/scopes"


@pytest.fixture
def shelf(server: Server, clock: ToldClock) -> Server:
    """Five customizations, a minute apart, called by their single tags: first … fifth."""
    bodies: list[Json] = [
        {
            "model": "basket",
            "tags": ["first", "spring"],
            "target_metadata": {"season": {"year": 2025}},
        },
        {"model": "basket", "tags": ["second"], "target_identity": "/p/124"},
        {
            "model": "trends",
            "tags": ["third", "spring"],
            "target_type": "criteria",
            "target_criteria": {"brand": {"values": ["Fender", "Gibson"]}},
            "pin_definitions": [pin("/p/125", 2), pin("/p/126", -1)],
        },
        {
            "model": "news",
            "tags": ["fourth"],
            "target_type": "all",
            "pin_definitions": [pin("/p/900", 0, active_to="2025-01-01")],
        },
        {"model": "Basket", "tags": ["fifth", "spring & sun"], "pin_definitions": []},
    ]
    for body in bodies:
        server.create(**body)
        clock.advance(60)
    return server


def listed(server: Server, query: str = "", body: Json = None) -> list[str]:
    """The first tags of the customizations on a page, in order."""
    answer = server.send("POST", SCOPES + query, body)
    assert answer.status_code == 200, answer.text
    return [each["tags"][0] for each in answer.json()["results"]]


def total(server: Server, query: str = "", body: Json = None) -> int:
    count: int = server.send("POST", SCOPES + query, body).json()["pagination"]["total"]
    return count


def test_a_page_has_customizations_as_get_gives_them(shelf: Server) -> None:
    """And how many there are; the newest first."""
    answer = shelf.send("POST", SCOPES, {})

    page = answer.json()
    assert answer.status_code == 200
    assert set(page) == {"pagination", "results"}
    assert page["pagination"] == {"total": 5}
    assert page["results"] == [shelf.get(each["id"]) for each in page["results"]]
    assert listed(shelf) == ["fifth", "fourth", "third", "second", "first"]


@pytest.mark.parametrize("body", [None, b"", b" \n", {}, {"criteria": []}, {"criteria": None}])
def test_a_body_may_say_nothing(shelf: Server, body: Json) -> None:
    """An empty body is `{}`, and so is one with no rules."""
    assert len(listed(shelf, body=body)) == 5


def test_nothing_is_a_page_too(empty: Server) -> None:
    """Of a tracker without customizations."""
    answer = empty.send("POST", SCOPES)

    assert answer.json() == {"pagination": {"total": 0}, "results": []}


# Pages


def test_pages_join_up(shelf: Server) -> None:
    """`limit` and `offset`; the total stays what it is."""
    assert listed(shelf, "?limit=2") == ["fifth", "fourth"]
    assert listed(shelf, "?limit=2&offset=2") == ["third", "second"]
    assert listed(shelf, "?limit=2&offset=4") == ["first"]
    assert listed(shelf, "?offset=5") == []
    assert listed(shelf, "?limit=0") == []
    assert total(shelf, "?limit=0") == total(shelf, "?limit=2&offset=4") == 5
    assert listed(shelf, "?limit=9007199254740992&offset=9007199254740992") == []


def test_a_page_has_25_and_at_most_1000(server: Server) -> None:
    """25 unless asked; who asks for more than 1000 gets 1000."""
    for _ in range(1001):
        server.create(pin_definitions=[])

    assert len(listed_ids(server)) == 25
    assert len(listed_ids(server, "?limit=1000")) == 1000
    assert len(listed_ids(server, "?limit=1001")) == 1000
    assert total(server, "?limit=1001") == 1001


def listed_ids(server: Server, query: str = "") -> list[str]:
    return [each["id"] for each in server.send("POST", SCOPES + query).json()["results"]]


# Sorting


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("created_at:desc", ["fifth", "fourth", "third", "second", "first"]),
        ("created_at:asc", ["first", "second", "third", "fourth", "fifth"]),
        ("created_at", ["first", "second", "third", "fourth", "fifth"]),
        ("model:asc&sort=created_at:desc", ["fifth", "second", "first", "fourth", "third"]),
        ("model:desc&sort[]=created_at:asc", ["third", "fourth", "first", "second", "fifth"]),
        ("target_type:asc&sort=created_at:asc", ["fourth", "third", "first", "second", "fifth"]),
        ("target_identity:desc&sort=created_at", ["second", "first", "fifth", "third", "fourth"]),
        ("creator:asc&sort=created_at:desc", ["fifth", "fourth", "third", "second", "first"]),
    ],
)
def test_pages_are_sorted_as_asked(shelf: Server, sort: str, order: list[str]) -> None:
    """By code point, case included; nothing sorts before something."""
    assert listed(shelf, f"?sort={sort}") == order


def test_updates_sort_too(shelf: Server) -> None:
    """`updated_at` is when it was last written."""
    (first,) = shelf.send("POST", f"{SCOPES}?tag=first").json()["results"]

    shelf.send("PUT", f"{BASE}/scope/{first['id']}", first)

    assert listed(shelf, "?sort=updated_at:desc&limit=2") == ["first", "fifth"]


def test_ties_go_by_id(server: Server) -> None:
    """So that pages join up whatever the sort."""
    ids = sorted(server.create()["id"] for _ in range(5))

    assert listed_ids(server) == ids
    assert listed_ids(server, "?sort=model:desc") == ids
    assert listed_ids(server, "?limit=2&offset=2") == ids[2:4]


# Selecting


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("model=basket", ["second", "first"]),
        ("model=basket&model=news", ["fourth", "second", "first"]),
        ("model[]=basket&model[]=news", ["fourth", "second", "first"]),
        ("model%5B%5D=news", ["fourth"]),
        ("model=BASKET", []),
        ("model=", []),
        ("tag=spring", ["third", "first"]),
        ("tag=spring&tag=fourth", ["fourth", "third", "first"]),
        (f"tag={quote('spring & sun')}", ["fifth"]),
        ("tag=spring+%26+sun", ["fifth"]),
        ("target_type=all", ["fourth"]),
        ("target_type=all&target_type=criteria", ["fourth", "third"]),
        ("target_identity=/p/124", ["second"]),
        ("target_identity=%2Fp%2F124&target_identity=/p/123", ["fifth", "second", "first"]),
        ("model=basket&tag=spring", ["first"]),
        ("model=trends&tag=spring&target_type=criteria", ["third"]),
        ("model=basket&target_type=all", []),
        ("colour=red", ["fifth", "fourth", "third", "second", "first"]),
    ],
)
def test_parameters_select(shelf: Server, query: str, found: list[str]) -> None:
    """One of the values of a parameter must hold, and every parameter; unknown ones are ignored."""
    assert listed(shelf, f"?{query}") == found
    assert total(shelf, f"?{query}") == len(found)


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([{"field": "model", "operator": "=", "value": "basket"}], ["second", "first"]),
        ([{"attribute": "model", "op": "in", "values": ["news", "trends"]}], ["fourth", "third"]),
        ({"model": "news"}, ["fourth"]),
        ({"tags": {"values": ["spring"], "operator": "not"}}, ["fifth", "fourth", "second"]),
        (
            [
                {"field": "tags", "operator": "=", "value": "spring"},
                {"field": "model", "operator": "!=", "value": "basket"},
            ],
            ["third"],
        ),
        (
            {"or": [{"field": "model", "operator": "=", "value": "news"}, {"tags": "second"}]},
            ["fourth", "second"],
        ),
        (
            [{"field": "pin_definitions.pin_identity", "operator": "=", "value": "/p/126"}],
            ["third"],
        ),
        ([{"field": "pin_definitions.position", "operator": "<", "value": 1}], ["fourth", "third"]),
        ([{"field": "pin_definitions.active_to", "operator": "exists"}], ["fourth"]),
        (
            [{"field": "target_criteria.brand.values", "operator": "=", "value": "Gibson"}],
            ["third"],
        ),
        ([{"field": "target_metadata.season.year", "operator": ">=", "value": 2025}], ["first"]),
        (
            [{"field": "target_metadata.title", "operator": "contains", "value": "Tele"}],
            ["fifth", "first"],
        ),
        ([{"field": "available", "operator": "=", "value": True}], ["third", "second", "first"]),
        (
            [{"field": "created_at", "operator": "<", "value": "2025-01-22T08:51:00Z"}],
            ["second", "first"],
        ),
        ([{"field": "target_identity", "operator": "exists", "value": False}], ["fourth", "third"]),
    ],
)
def test_rules_select_by_the_customizations_own_attributes(
    shelf: Server, rules: Json, found: list[str]
) -> None:
    """In either spelling, all must hold; dotted paths lead inside, and of several pins any may match."""
    assert listed(shelf, body={"criteria": rules}) == found
    assert total(shelf, body={"criteria": rules}) == len(found)


def test_rules_and_parameters_together(shelf: Server) -> None:
    """Both must hold, and pages are cut after both."""
    rules = {"criteria": [{"field": "tags", "operator": "=", "value": "spring"}]}

    assert listed(shelf, "?model=trends", rules) == ["third"]
    assert listed(shelf, "?sort=created_at:asc&limit=1", rules) == ["first"]
    assert listed(shelf, "?sort=created_at:asc&limit=1&offset=1", rules) == ["third"]
    assert total(shelf, "?limit=1", rules) == 2


# Refused


def test_every_fault_is_reported_at_once(server: Server) -> None:
    """Of the query and of the body."""
    answer = server.send(
        "POST",
        f"{SCOPES}?limit=-1&offset=x&sort=colour:asc&target_type=product&model=a%00b",
        {"criteria": [{"field": "colour", "operator": "=", "value": "red"}]},
    )

    assert problem(answer, 422) == {
        "reason": "Invalid list parameters provided",
        "exception_details": {
            "sort": [
                (
                    "Must be one of created_at, updated_at, model, target_type, target_identity, creator, "
                    "with :asc or :desc"
                )
            ],
            "target_type": ["Must be one of: item, criteria, all"],
            "model": ["Must not contain the character U+0000"],
            "limit": ["Must be a whole number, 0 or more"],
            "offset": ["Must be a whole number, 0 or more"],
            "criteria": ["Unknown field: colour"],
        },
    }


@pytest.mark.parametrize("number", ["-1", "1.5", "ten", "", "+1", "1e3", "²", "9007199254740993"])
@pytest.mark.parametrize("name", ["limit", "offset"])
def test_numbers_that_are_refused(server: Server, name: str, number: str) -> None:
    """Negative or unreadable ones, and those beyond every list."""
    answer = server.send("POST", f"{SCOPES}?{name}={quote(number)}")

    assert problem(answer, 422)["exception_details"] == {
        name: ["Must be a whole number, 0 or more"]
    }


@pytest.mark.parametrize("sort", ["colour", "created_at:down", ":asc", "", "created_at:asc:desc"])
def test_sorts_that_are_refused(server: Server, sort: str) -> None:
    """An unknown column, an unknown direction."""
    answer = server.send("POST", f"{SCOPES}?sort={sort}")

    assert list(problem(answer, 422)["exception_details"]) == ["sort"]


@pytest.mark.parametrize(
    "criteria",
    ["text", 5, [5], [{"field": "model"}], {"model": []}, [{"field": "", "operator": "exists"}]],
)
def test_rules_that_are_refused(server: Server, criteria: Json) -> None:
    """Unknown shapes and fields."""
    answer = server.send("POST", SCOPES, {"criteria": criteria})

    assert list(problem(answer, 422)["exception_details"]) == ["criteria"]


@pytest.mark.parametrize("body", [[], "text", b"{", b"\xff"])
def test_what_is_no_json_object_is_400(server: Server, body: Json) -> None:
    """A list of rules alone is not enough: it belongs under `criteria`."""
    answer = server.send("POST", SCOPES, body)

    assert problem(answer, 400)["reason"] == "Invalid configuration provided"


def test_a_query_that_is_no_text_is_400(server: Server) -> None:
    """Percent-encoded bytes that are not UTF-8, and parameters without end."""
    assert problem(server.send("POST", f"{SCOPES}?model=%FF"), 400)["reason"] == (
        "Invalid query provided"
    )
    assert problem(server.send("POST", f"{SCOPES}?{'tag=a&' * 1001}"), 400)["reason"] == (
        "Invalid query provided"
    )


def test_an_unknown_tracker_is_404(server: Server) -> None:
    """The vendor's words."""
    answer = server.send("POST", "/v1/recommender/pin/9999-9999/scopes", {})

    assert problem(answer, 404) == {"reason": "Tracker not found", "exception_details": {}}


def test_another_trackers_customizations_are_not_listed(shelf: Server) -> None:
    """Trackers are apart."""
    shelf.create_tracker("8765-4321", "another key")

    answer = shelf.send(
        "POST", "/v1/recommender/pin/8765-4321/scopes", tracker="8765-4321", key="another key"
    )

    assert answer.json() == {"pagination": {"total": 0}, "results": []}


def test_other_kinds_of_bodies_are_refused(server: Server) -> None:
    """Too large, not JSON by its type."""
    assert problem(server.send("POST", SCOPES, b" " * 1_000_001), 413)
    assert problem(server.send("POST", SCOPES, customization(), content_type="text/csv"), 415)
