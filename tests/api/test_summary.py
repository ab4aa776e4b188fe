"""
Counting customizations: `GET /v1/recommender/pin/{TRACKER_ID}/summary`.
"""

from tests.api.driver import BASE, Server, problem

SUMMARY = f"{BASE}/summary"


def test_a_summary_counts_by_model_and_lists_tags(server: Server) -> None:
    """Tags are sorted and distinct, those of all models together."""
    server.create(model="basket", tags=["spring", "Guitars"])
    server.create(model="basket", tags=["spring", "ärger"])
    server.create(model="trends")

    answer = server.send("GET", SUMMARY)

    assert answer.status_code == 200
    assert answer.json() == {
        "scope_counts": {"basket": 2, "trends": 1},
        "user_tags": ["Guitars", "spring", "ärger"],
    }


def test_a_model_without_customizations_is_left_out(server: Server) -> None:
    """Also one that had some, and a tag that nobody has any more."""
    made = server.create(model="basket", tags=["spring"])
    server.send("DELETE", f"{BASE}/scope/{made['id']}")

    assert server.send("GET", SUMMARY).json() == {"scope_counts": {}, "user_tags": []}


def test_an_update_moves_a_customization(server: Server) -> None:
    """From one model to another, from one tag to another."""
    made = server.create(model="basket", tags=["spring"])

    server.send("PUT", f"{BASE}/scope/{made['id']}", {**made, "model": "news", "tags": ["sun"]})

    assert server.send("GET", SUMMARY).json() == {
        "scope_counts": {"news": 1},
        "user_tags": ["sun"],
    }


def test_a_summary_is_of_one_tracker(server: Server) -> None:
    """Another tracker's customizations do not count."""
    server.create()
    server.create_tracker("8765-4321", "another key")

    answer = server.send(
        "GET", "/v1/recommender/pin/8765-4321/summary", tracker="8765-4321", key="another key"
    )

    assert answer.json() == {"scope_counts": {}, "user_tags": []}


def test_an_unknown_tracker_is_404(server: Server) -> None:
    """The vendor's words."""
    answer = server.send("GET", "/v1/recommender/pin/9999-9999/summary")

    assert problem(answer, 404) == {"reason": "Tracker not found", "exception_details": {}}
