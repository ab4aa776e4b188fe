"""
What operators and their machines ask: `/healthz`, `/readyz`, `/metrics`.
"""

import asyncio
import os
from pathlib import Path

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from endcap.api.app import App, build
from endcap.config import Settings
from tests.api.driver import BASE, RECOMMEND, Server, ToldClock, http_over


def test_alive(server: Server) -> None:
    """The process answers, nothing more is promised."""
    answer = server.send("GET", "/healthz", signed=False)

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


def test_ready_with_every_tracker_in_memory(server: Server) -> None:
    """Each at the revision that this process shows."""
    made = server.send("POST", f"{BASE}/scope", {**server.create()})
    server.create_tracker("8765-4321", "another key")

    answer = server.send("GET", "/readyz", signed=False)

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "revisions": {"1234-5678": int(made.headers["endcap-revision"]), "8765-4321": 1},
    }


def test_not_ready_before_they_are(tmp_path: Path, clock: ToldClock) -> None:
    """`503` with `Retry-After`, so that nothing is sent here yet; alive all the same."""
    app = App(build(Settings(data_dir=tmp_path), clock=clock))

    async def ask(path: str) -> httpx2.Response:
        async with http_over(app) as http:
            return await http.get(path)

    ready, alive = asyncio.run(ask("/readyz")), asyncio.run(ask("/healthz"))
    app.parts.close()

    assert ready.status_code == 503
    assert ready.json() == {"status": "loading"}
    assert ready.headers["retry-after"] == "1"
    assert alive.status_code == 200


def samples(server: Server) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every value by its name and labels."""
    answer = server.send("GET", "/metrics", signed=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics_count_requests_by_route_and_status(server: Server) -> None:
    """By the route's pattern, not by every path that was ever tried."""
    server.create()
    server.send("GET", f"{BASE}/scope/nowhere")
    server.send("GET", f"{BASE}/scope/nowhere-else")
    server.send("POST", RECOMMEND, [{"recommendation_type": "news"}], signed=False)
    server.send("GET", "/no/such/path")

    found = samples(server)

    names = {name for name, _ in found}
    labels = [dict(each) for _, each in found]
    assert not any("nowhere" in str(each) or "no/such" in str(each) for each in labels)
    assert any("scope/{id}" in str(each) for each in labels)
    assert any(name.endswith("_bucket") for name in names)


def test_metrics_tell_what_is_in_memory(server: Server) -> None:
    """Of each tracker; and which worker took the request."""
    server.create()

    found = samples(server)

    tracker = frozenset({("tracker", "1234-5678")})
    assert found["endcap_worker_pid", frozenset()] == os.getpid()
    assert found["endcap_customizations", tracker] == 1
    assert found["endcap_objects", tracker] == 6
    assert found["endcap_revision", tracker] == server.parts.service.shop("1234-5678").revision
