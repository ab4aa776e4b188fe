"""
What a shopper did is in their recommendations at once, in every worker soon, and in none when they were forgotten.
"""

import http.client
import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.durability.storm import KEY, TRACKER
from tests.durability.test_visibility import _connections, _put_items
from tests.services.server import create_tracker, run_endcap, start_server

KNOWN_SECONDS_MAX = 10.0
"""Not the promise (1 s), but what a crowded machine may take."""


def test_models_follow_shoppers_over_sqlite(tmp_path: Path) -> None:
    """Two workers over one file."""
    _act_and_forget(tmp_path, {"ENDCAP_DATABASE_URL": f"sqlite:///{tmp_path / 'seen.db'}"})


@pytest.mark.postgres
def test_models_follow_shoppers_over_postgres(tmp_path: Path, postgres_url: str) -> None:
    """Two workers over one database."""
    _act_and_forget(tmp_path, {"ENDCAP_DATABASE_URL": postgres_url})


def _act_and_forget(data_dir: Path, environment: dict[str, str]) -> None:
    create_tracker(data_dir, TRACKER, KEY, env=environment)
    server = start_server(data_dir, workers=2, env=environment)
    with ExitStack() as stack:
        stack.callback(server.stop)
        _put_items(server)
        _learn(data_dir, environment)
        by_pid = _connections(server, stack)
        one, other = (by_pid[pid] for pid in sorted(by_pid))
        eventually(lambda: all(_own(each, "recently_ordered", "ann") for each in (one, other)))

        _tell(one, "a", type="pv", url="/p/7")
        assert _own(one, "last_seen") == ["/p/7"], "who took the event did not know it at once"
        eventually(lambda: _own(other, "last_seen") == ["/p/7"])

        _tell(other, "b", type="click", action={"type": "click", "resource_identifier": "/p/0"})
        assert _own(other, "last_seen") == ["/p/0", "/p/7"]
        assert _own(other, "user_click_based")[0] == "/p/1", "what goes with the click"
        eventually(lambda: _own(one, "user_click_based")[:1] == ["/p/1"])

        _tell(one, "c", type="transaction", items=[{"url": "/p/7", "count": 1}])
        assert _own(one, "recently_ordered") == ["/p/7"]
        assert _own(one, "last_seen") == ["/p/0"]
        eventually(lambda: _own(other, "recently_ordered") == ["/p/7"])

        run_endcap(data_dir, "forget", "--user", "eve", env=environment)
        run_endcap(data_dir, "forget", "--user", "ann", env=environment)
        for worker in _connections(server, stack).values():  # idle ones were closed meanwhile
            eventually(partial(_is_forgotten, worker))
            assert _own(worker, "recently_ordered", "bob") == ["/p/5"]
        files = [each for each in (data_dir / "artifacts").rglob("*") if each.name == "users.npy"]
        assert len(files) == 1


def _is_forgotten(worker: http.client.HTTPConnection) -> bool:
    """Eve by every model that looks at shoppers, and Ann, who was in what was built."""
    models = ("last_seen", "user_click_based", "user_conversion_based", "recently_ordered")
    asked = [*((model, "eve") for model in models), ("recently_ordered", "ann")]
    return not any(_own(worker, model, user) for model, user in asked)


def _learn(data_dir: Path, environment: dict[str, str]) -> None:
    """Orders of Ann's, in which /p/0 and /p/1 go together, and one of Bob's."""
    bought = [("ann", f"{n}", item) for n in range(3) for item in ("/p/0", "/p/1")]
    lines = [
        {"order_id": order, "identity": item, "user_id": user, "created_at": "2025-01-05"}
        for user, order, item in [*bought, ("bob", "9", "/p/5")]
    ]
    file = data_dir / "orders.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in lines))
    run_endcap(data_dir, "import", "transactions", str(file), "--tracker", TRACKER, env=environment)
    run_endcap(data_dir, "build", "--tracker", TRACKER, env=environment)


def _tell(connection: http.client.HTTPConnection, name: str, **fields: Any) -> None:
    body = {"id": name, "tracker_id": TRACKER, "client_id": "eve", **fields}
    connection.request("POST", "/", json.dumps(body), {"Content-Type": "text/plain"})
    assert connection.getresponse().read() == b"{}"


def _own(connection: http.client.HTTPConnection, model: str, user: str = "eve") -> Sequence[str]:
    """What a model ranks for a user by itself, without its fallback."""
    wish = {
        "recommendation_type": model,
        "user_id": user,
        "size": 3,
        "mark_fallback_results": True,
    }
    connection.request(
        "POST",
        f"/v1/recommend?tracker_id={TRACKER}",
        json.dumps([wish]),
        {"Content-Type": "application/json"},
    )
    (answer,) = json.loads(connection.getresponse().read())
    return [hit["url"] for hit in answer["hits"] if not hit["fallback"]]


def eventually(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + KNOWN_SECONDS_MAX
    while not is_so():
        assert time.monotonic() < deadline, "a worker never knew"
        time.sleep(0.01)
