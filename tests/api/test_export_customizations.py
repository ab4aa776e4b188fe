"""
Exporting customizations: `POST /v1/recommender/pin/{TRACKER_ID}/scopes/export`.
"""

import csv
import io
import json

import pytest

from tests.api.driver import BASE, Json, Server, ToldClock, pin, problem

EXPORT = f"{BASE}/scopes/export"


@pytest.fixture
def shelf(server: Server, clock: ToldClock) -> Server:
    """Three customizations, a minute apart."""
    server.create(model="basket", tags=["spring", "sun"], pin_definitions=[pin(), pin("/p/124", 2)])
    clock.advance(60)
    server.create(
        model="trends",
        target_type="criteria",
        target_criteria=[{"field": "brand", "operator": "=", "value": "Fender, Inc."}],
        pin_definitions=[
            {"position": -1, "pin_type": "criteria", "pin_criteria": {"brand": "Gibson"}},
            pin("/p/unborn", 3, active_to="2025-01-01T00:00:00Z", is_bundle_pin=True),
        ],
    )
    clock.advance(60)
    server.create(model="trends", target_type="all", tags=["spring"], pin_definitions=[])
    return server


def exported(server: Server, query: str = "") -> list[Json]:
    answer = server.send("POST", EXPORT + query)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()
    return found


def test_an_export_is_every_customization_as_get_gives_it(shelf: Server) -> None:
    """A JSON array, the oldest first."""
    answer = shelf.send("POST", EXPORT, {})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert [each["model"] for each in answer.json()] == ["basket", "trends", "trends"]
    assert answer.json() == [shelf.get(each["id"]) for each in answer.json()]


def test_an_export_may_be_lines(shelf: Server) -> None:
    """One customization a line, also where criteria were sent with line breaks."""
    spread = '{\n "brand":\n "Fender"}'
    body = (
        f'{{"model":"basket","target_type":"criteria","target_criteria":{spread},'
        '"pin_definitions":[]}'
    )
    shelf.send("POST", f"{BASE}/scope", body.encode())

    answer = shelf.send("POST", EXPORT, headers={"Accept": "application/x-ndjson"})

    lines = answer.text.splitlines()
    assert answer.headers["content-type"] == "application/x-ndjson; charset=utf-8"
    assert answer.text.endswith("\n")
    assert [json.loads(line) for line in lines] == exported(shelf)
    assert len(lines) == 4


def test_an_export_may_be_a_table(shelf: Server) -> None:
    """One row a pin, and one for a customization without pins; objects and lists as JSON."""
    answer = shelf.send("POST", EXPORT, headers={"Accept": "text/csv"})

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    first, second, third = exported(shelf)
    assert [row["id"] for row in rows] == [first["id"]] * 2 + [second["id"]] * 2 + [third["id"]]
    assert rows[0] == {
        "id": first["id"],
        "created_at": "2025-01-22T08:49:58Z",
        "updated_at": "2025-01-22T08:49:58Z",
        "model": "basket",
        "target_type": "item",
        "target_identity": "/p/123",
        "target_criteria": "",
        "tags": '["spring","sun"]',
        "target_metadata": '{"title":"Fender Telecaster","image_link":"https://doe.com/123.jpg"}',
        "creator": "api",
        "disabled": "",
        "available": "true",
        "position": "1",
        "pin_type": "item",
        "pin_identity": "/p/555",
        "pin_criteria": "",
        "widget_id": "",
        "is_block_pin": "",
        "is_bundle_pin": "",
        "active_from": "",
        "active_to": "",
    }
    assert rows[2]["pin_criteria"] == '{"brand": "Gibson"}'
    assert json.loads(rows[2]["target_criteria"]) == second["target_criteria"]
    assert (rows[3]["active_to"], rows[3]["is_bundle_pin"]) == ("2025-01-01T00:00:00Z", "true")
    assert (rows[4]["model"], rows[4]["position"], rows[4]["pin_type"]) == ("trends", "", "")


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/json; charset=utf-8"),
        ("text/html, application/x-ndjson;q=0.9", "application/x-ndjson; charset=utf-8"),
        ("image/png", "application/json; charset=utf-8"),
    ],
)
def test_accept_chooses_the_format(shelf: Server, accept: str, content_type: str) -> None:
    """What is not known is JSON."""
    answer = shelf.send("POST", EXPORT, headers={"Accept": accept})

    assert answer.headers["content-type"] == content_type


def test_nothing_can_be_exported_too(empty: Server) -> None:
    """An empty array, no lines, the head of a table."""
    lines = empty.send("POST", EXPORT, headers={"Accept": "application/x-ndjson"})
    table = empty.send("POST", EXPORT, headers={"Accept": "text/csv"})

    assert exported(empty) == []
    assert lines.text == ""
    assert table.text.startswith("id,created_at,")
    assert len(table.text.splitlines()) == 1


def test_an_export_has_no_end(server: Server) -> None:
    """Unlike a page; more than one chunk of the stream, in order, none twice."""
    made = [server.create(pin_definitions=[])["id"] for _ in range(450)]

    found = [each["id"] for each in exported(server)]

    assert found == sorted(made)  # all of one moment, so by id


@pytest.mark.parametrize(
    ("query", "models"),
    [
        ("?model=trends", ["trends", "trends"]),
        ("?tag=spring", ["basket", "trends"]),
        ("?target_type=criteria", ["trends"]),
        ("?target_identity=/p/123", ["basket"]),
        ("?model=trends&tag=spring", ["trends"]),
        ("?model=none", []),
    ],
)
def test_parameters_select(shelf: Server, query: str, models: list[str]) -> None:
    """As for a list."""
    assert [each["model"] for each in exported(shelf, query)] == models


@pytest.mark.parametrize("flag", ["true", "1", "TRUE"])
def test_pins_can_be_left_out(shelf: Server, flag: str) -> None:
    """The expired, those of items that are not in the catalog; the stored ones are left alone."""
    unexpired = exported(shelf, f"?remove_expired_pins={flag}")
    existing = exported(shelf, f"?remove_nonexisting_item_pins={flag}")

    assert [len(each["pin_definitions"]) for each in unexpired] == [2, 1, 0]
    assert [len(each["pin_definitions"]) for each in existing] == [2, 1, 0]
    assert unexpired[1]["pin_definitions"] == [
        {"position": -1, "pin_type": "criteria", "pin_criteria": {"brand": "Gibson"}}
    ]
    assert [len(each["pin_definitions"]) for each in exported(shelf)] == [2, 2, 0]


@pytest.mark.parametrize("flag", ["false", "0", "FALSE"])
def test_pins_can_be_kept(shelf: Server, flag: str) -> None:
    """Said, or not said."""
    query = f"?remove_expired_pins={flag}&remove_nonexisting_item_pins={flag}"

    assert exported(shelf, query) == exported(shelf)


def test_a_pin_expires_at_the_end_of_its_window(server: Server, clock: ToldClock) -> None:
    """Not a moment before; one that has not begun is no expired one."""
    server.create(
        pin_definitions=[
            pin(active_to="2025-01-22T09:00:00Z"),
            pin("/p/124", active_from="2031-01-01"),
        ]
    )

    clock.tell("2025-01-22T08:59:59.999999Z")
    (before,) = exported(server, "?remove_expired_pins=1")
    clock.tell("2025-01-22T09:00:00Z")
    (after,) = exported(server, "?remove_expired_pins=1")

    assert [each["pin_identity"] for each in before["pin_definitions"]] == ["/p/555", "/p/124"]
    assert [each["pin_identity"] for each in after["pin_definitions"]] == ["/p/124"]


def test_a_customization_whose_pins_are_all_left_out_stays(server: Server) -> None:
    """With an empty list; of a table, one row without a pin."""
    server.create(pin_definitions=[pin("/p/unborn"), pin("/p/unborn-too")])
    query = "?remove_nonexisting_item_pins=true"

    table = server.send("POST", EXPORT + query, headers={"Accept": "text/csv"})

    assert [each["pin_definitions"] for each in exported(server, query)] == [[]]
    assert len(table.text.splitlines()) == 2


# Refused


def test_every_fault_is_reported_at_once(server: Server) -> None:
    """Of all parameters."""
    answer = server.send(
        "POST",
        f"{EXPORT}?remove_expired_pins=yes&remove_nonexisting_item_pins=&target_type=x&tag=%00",
    )

    assert problem(answer, 422) == {
        "reason": "Invalid export parameters provided",
        "exception_details": {
            "target_type": ["Must be one of: item, criteria, all"],
            "tag": ["Must not contain the character U+0000"],
            "remove_expired_pins": ["Must be true, false, 1 or 0"],
            "remove_nonexisting_item_pins": ["Must be true, false, 1 or 0"],
        },
    }


def test_a_query_that_is_no_text_is_400(server: Server) -> None:
    """Percent-encoded bytes that are not UTF-8."""
    answer = server.send("POST", f"{EXPORT}?model=%C3%28")

    assert problem(answer, 400)["reason"] == "Invalid query provided"


def test_an_unknown_tracker_is_404(server: Server) -> None:
    """The vendor's words."""
    answer = server.send("POST", "/v1/recommender/pin/9999-9999/scopes/export")

    assert problem(answer, 404) == {"reason": "Tracker not found", "exception_details": {}}


def test_a_body_over_the_bound_is_413(server: Server) -> None:
    """Though it is not looked at."""
    assert server.send("POST", EXPORT, b"not looked at").status_code == 200
    assert problem(server.send("POST", EXPORT, b" " * 1_000_001), 413)
