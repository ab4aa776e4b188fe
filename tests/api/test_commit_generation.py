"""
`POST /v1/content/commit`: what a feed does not have any more goes.
"""

import pytest

from tests.api.driver import TRACKER, Json, Server, item

COMMIT = "/v1/content/commit"


def of(generation: str | None, *objects: Json) -> list[Json]:
    return [each if generation is None else {**each, "generation": generation} for each in objects]


def test_objects_of_other_generations_go(empty: Server) -> None:
    """Those of none, too; other types stay, and every worker's memory follows."""
    empty.put_objects(
        *of(None, item("/none"), {**item("/brand"), "type": "brand"}),
        *of("1", item("/old"), item("/renewed")),
        *of("3", item("/newer")),
    )
    empty.put_objects(*of("2", item("/renewed"), item("/new")))

    answer = empty.send("POST", f"{COMMIT}?type=item&generation=2")

    assert answer.status_code == 200
    assert answer.json() == {"ok_count": 2, "errors_count": 0, "errors": {}, "removed_count": 3}
    assert sorted(empty.shown()) == ["/new", "/renewed"]
    shop = empty.parts.service.shop(TRACKER)
    assert int(answer.headers["endcap-revision"]) == shop.revision
    assert shop.snapshot.catalog.number("/brand") is not None
    lines = [
        (line.subject, line.action)
        for line in empty.parts.store.history(shop.tracker)
        if line.revision == shop.revision
    ]
    assert sorted(lines) == [("/newer", "delete"), ("/none", "delete"), ("/old", "delete")]


def test_nothing_to_remove_is_done_at_once(empty: Server) -> None:
    """And spends no revision."""
    empty.put_objects(*of("1", item("/1")))
    before = empty.parts.service.shop(TRACKER).revision

    answer = empty.send("POST", f"{COMMIT}?type=item&generation=1", {})

    assert answer.json()["removed_count"] == 0
    assert int(answer.headers["endcap-revision"]) == before


def test_an_empty_generation_is_refused(empty: Server) -> None:
    """A feed that failed must not empty the shop."""
    empty.put_objects(*of("1", item("/1")), *of("2", {**item("/b"), "type": "brand"}))

    answer = empty.send("POST", f"{COMMIT}?type=item&generation=2")

    assert answer.status_code == 400
    assert answer.json() == {
        "ok_count": 0,
        "errors_count": 1,
        "errors": {
            "generation": {
                "type": "not_found",
                "reason": "No item is of the generation 2: nothing was removed",
                "caused_by": {"generation": ["has no objects of this type"]},
            }
        },
    }
    assert empty.shown() == ["/1"]


def test_nested_types_are_committed_one_by_one(empty: Server) -> None:
    """They are of the generation of the objects around them."""

    def nested(title: str) -> list[Json]:
        return [{"identity": f"/c/{title}", "type": "category", "fields": {"title": title}}]

    empty.put_objects(*of("1", {**item("/1"), "nested": nested("Guitars")}))
    empty.put_objects(*of("2", {**item("/1"), "nested": nested("Basses")}))

    items = empty.send("POST", f"{COMMIT}?type=item&generation=2")
    categories = empty.send("POST", f"{COMMIT}?type=category&generation=2")

    assert items.json()["removed_count"] == 0
    assert categories.json()["removed_count"] == 1
    catalog = empty.parts.service.shop(TRACKER).snapshot.catalog
    assert catalog.number("/c/Guitars") is None
    assert catalog.number("/c/Basses") is not None


@pytest.mark.parametrize(
    ("query", "faulty"),
    [
        ("", ["type", "generation"]),
        ("?type=item", ["generation"]),
        ("?type=&generation=1", ["type"]),
        ("?type=item&generation=" + "x" * 101, ["generation"]),
        ("?type=item&generation=a%00", ["generation"]),
    ],
)
def test_both_parameters_must_be_given(empty: Server, query: str, faulty: list[str]) -> None:
    """All that are faulty are named."""
    answer = empty.send("POST", COMMIT + query)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]["query"]["caused_by"]) == faulty


def test_a_query_that_cannot_be_read(empty: Server) -> None:
    """In the catalog's shape."""
    answer = empty.send("POST", COMMIT + "?type=%ff&generation=1")

    assert answer.status_code == 400
    assert answer.json()["errors"]["body"]["reason"] == "Invalid query provided"


def test_it_is_signed(empty: Server) -> None:
    """Like all of the catalog."""
    assert empty.send("POST", f"{COMMIT}?type=item&generation=1", signed=False).status_code == 401


def test_removal_has_another_path(empty: Server) -> None:
    """Which a client in production calls."""
    empty.put_objects(item("/1"), item("/2"))

    answer = empty.send(
        "DELETE", "/v1/content/delete", {"objects": [{"url": "/1", "type": "item"}]}
    )

    assert answer.json()["ok_count"] == 1
    assert empty.shown() == ["/2"]
