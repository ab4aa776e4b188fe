"""
`Endcap-Revision`: every answer names one, and a read that sends one back is not answered from an older state.

Two processes over one database are two applications here. The one that lags does so because nothing follows in it any
more: what it learns, it learns because somebody asked.
"""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.api.driver import BASE, RECOMMEND, Server, ToldClock, customization, item, problem

SECONDS_MAX = 1.5
"""How soon it has to be there: a few milliseconds, in which a crowded machine may do something else."""
Ask = Callable[[Server, str, str], httpx2.Response]


@pytest.fixture
def lagging(server: Server, tmp_path: Path, clock: ToldClock) -> Iterator[Server]:
    """Another process over the database of `server`, that nobody tells of changes."""
    other = Server(tmp_path, clock)
    other.parts.mirror.stop()
    yield other
    other.close()


def _get(server: Server, id: str, seen: str) -> httpx2.Response:
    return server.send("GET", f"{BASE}/scope/{id}", headers={"Endcap-Revision": seen})


def _list(server: Server, id: str, seen: str) -> httpx2.Response:
    return server.send("POST", f"{BASE}/scopes", {}, headers={"Endcap-Revision": seen})


def _export(server: Server, id: str, seen: str) -> httpx2.Response:
    return server.send("POST", f"{BASE}/scopes/export", headers={"Endcap-Revision": seen})


def _summary(server: Server, id: str, seen: str) -> httpx2.Response:
    return server.send("GET", f"{BASE}/summary", headers={"Endcap-Revision": seen})


def _recommend(server: Server, id: str, seen: str) -> httpx2.Response:
    wishes = [{"recommendation_type": "test_reco", "item_ids": ["/p/123"]}]
    return server.send("POST", RECOMMEND, wishes, signed=False, headers={"Endcap-Revision": seen})


READS = pytest.mark.parametrize("ask", [_get, _list, _export, _summary, _recommend])


def _mirrored(server: Server) -> int:
    return server.parts.service.shop("1234-5678").revision


@READS
def test_a_read_waits_until_what_was_seen_is_there(
    server: Server, lagging: Server, ask: Ask
) -> None:
    """At once, since the worker looks at the store instead of waiting for its next look."""
    made = server.send("POST", f"{BASE}/scope", customization())
    seen = made.headers["endcap-revision"]
    before = _mirrored(lagging)

    began_at = time.monotonic()
    answer = ask(lagging, made.json()["id"], seen)

    assert answer.status_code == 200
    assert time.monotonic() - began_at < SECONDS_MAX
    assert before < int(seen) == _mirrored(lagging)
    assert answer.headers["endcap-revision"] == seen


def test_a_title_that_was_seen_is_shown_by_get(server: Server, lagging: Server) -> None:
    """What the catalog adds comes from memory, and memory has caught up."""
    made = server.create()
    put = server.send("POST", "/v1/content", {"objects": [item("/p/123", title="Seen")]})

    answer = _get(lagging, made["id"], put.headers["endcap-revision"])

    assert answer.json()["target_metadata"]["title"] == "Seen"


@READS
@pytest.mark.parametrize("seen", ["soon", "-1", "1.5", "", "1" * 19, "١"])
def test_what_is_no_revision_is_refused(server: Server, ask: Ask, seen: str) -> None:
    """In the shape of the other fields."""
    made = server.create()
    if not seen.isascii():
        seen = seen.encode().decode("latin-1")

    shape = problem(ask(server, made["id"], seen), 422)

    assert shape == {
        "reason": "Invalid Endcap-Revision provided",
        "exception_details": {"Endcap-Revision": ["Must be a whole number, as an answer gave it"]},
    }


def test_what_never_comes_is_given_up(server: Server, lagging: Server) -> None:
    """After two seconds, with `503` and `Retry-After`; others are answered meanwhile, and nobody is left waiting."""
    began_at = time.monotonic()
    answer = _recommend(lagging, "", "999999")
    seconds = time.monotonic() - began_at

    shape = problem(answer, 503)
    assert shape["reason"] == "What you have seen is not shown here yet; try again shortly"
    assert shape["exception_details"] == {
        "Endcap-Revision": [f"{_mirrored(lagging)} is shown, 999999 is asked for"]
    }
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert 2.0 <= seconds < 2.0 + SECONDS_MAX


def test_who_waits_is_answered_when_it_comes(server: Server, lagging: Server) -> None:
    """A revision that is not even written when it is asked for: the write that brings it ends the wait."""
    wanted = _mirrored(lagging) + 1
    timer = threading.Timer(0.3, _write_elsewhere, [lagging])
    timer.start()

    began_at = time.monotonic()
    answer = _recommend(lagging, "", str(wanted))
    seconds = time.monotonic() - began_at
    timer.join()

    assert answer.status_code == 200
    assert answer.headers["endcap-revision"] == str(wanted)
    assert 0.2 < seconds < 0.3 + SECONDS_MAX


def _write_elsewhere(server: Server) -> None:
    """From another thread, as the worker's own committer writes."""
    from endcap.domain import TrackerId
    from endcap.store.writes import AddKey

    sealed = server.parts.vault.seal("another key")
    write = AddKey(TrackerId("1234-5678"), sealed, "test", server.clock())
    server.parts.committer.commit_now([write])


def test_no_revision_makes_nobody_wait(server: Server, lagging: Server) -> None:
    """Who has seen nothing is answered from what is there, old as it is."""
    before = _mirrored(lagging)
    server.create()

    answer = lagging.send("POST", RECOMMEND, [{"recommendation_type": "test_reco"}], signed=False)

    assert answer.headers["endcap-revision"] == str(before)


def test_writes_name_their_revision_and_do_not_wait(server: Server) -> None:
    """Of customizations and of the catalog, also where some objects were faulty; each is the next one."""
    first = _mirrored(server)
    headers = {"Endcap-Revision": "999999"}
    made = server.send("POST", f"{BASE}/scope", customization(), headers=headers)
    one = f"{BASE}/scope/{made.json()['id']}"
    answers = [
        made,
        server.send("PUT", one, customization(model="other"), headers=headers),
        server.send("POST", "/v1/content", {"objects": [item("/p/1"), {}]}, headers=headers),
        server.send("PATCH", "/v1/content", {"objects": [item("/p/1", x=1)]}, headers=headers),
        server.send("DELETE", "/v1/content", {"objects": [item("/p/1")]}, headers=headers),
        server.send("DELETE", one, headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [201, 204, 400, 200, 200, 204]
    named = [int(answer.headers["endcap-revision"]) for answer in answers]
    assert named == list(range(first + 1, first + 7))


def test_pages_of_other_origins_may_read_and_send_it(server: Server) -> None:
    """A browser asks first, and shows a script only the headers that it is told to."""
    may = server.send(
        "OPTIONS",
        RECOMMEND,
        signed=False,
        headers={"Access-Control-Request-Headers": "content-type,endcap-revision"},
    )
    answer = _recommend(server, "", "0")

    assert may.headers["access-control-allow-headers"] == "content-type,endcap-revision"
    assert answer.headers["access-control-expose-headers"] == "Endcap-Revision"
