"""
Problems that belong to no one endpoint: paths, methods, too many requests, a store that is away, our own mistakes.
"""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from endcap.api.http import Request
from tests.api.driver import (
    BASE,
    CONTENT_TYPE,
    NOWHERE,
    RECOMMEND,
    Json,
    Server,
    ToldClock,
    customization,
    item,
    problem,
)
from tests.services.postgres import PostgresServer

NEWS = [{"recommendation_type": "news"}]


# Paths and methods


@pytest.mark.parametrize(
    "path",
    [
        "/v1/",
        "/v1/recommender/pin",
        f"{BASE}",
        f"{BASE}/",
        f"{BASE}/scope/{NOWHERE}/",
        f"{BASE}/scopes/",
        f"{BASE}/Summary",
        f"/{BASE}/summary",
        "/v1/recommend/",
        "/v1/content%2F",
        "/V1/content",
        "/docs/",
        "/../etc/passwd",
        "/%00",
        "/%FF%FE",
    ],
)
def test_an_unknown_path_is_404(server: Server, path: str) -> None:
    """In the shape of all, with the path as it was sent; signed or not."""
    for signed in (True, False):
        refused = problem(server.send("GET", f"http://endcap.test{path}", signed=signed), 404)

        assert refused["reason"] == "Path not found"
        assert list(refused["exception_details"]) == ["path"]


ALLOWED = {
    f"{BASE}/scope": "POST",
    f"{BASE}/scope/{NOWHERE}": "DELETE, GET, HEAD, PUT",
    f"{BASE}/scopes": "POST",
    f"{BASE}/scopes/export": "POST",
    f"{BASE}/summary": "GET, HEAD",
    "/v1/recommend": "OPTIONS, POST",
    "/v2/recommend": "OPTIONS, POST",
    "/v1/content": "DELETE, PATCH, POST",
    "/": "OPTIONS, POST",
    "/v1": "OPTIONS, POST",
    "/healthz": "GET, HEAD",
    "/readyz": "GET, HEAD",
    "/metrics": "GET, HEAD",
    "/openapi.json": "GET, HEAD",
    "/docs": "GET, HEAD",
}
METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "QUERY",
]


@pytest.mark.parametrize(
    ("path", "allow"),
    ALLOWED.items(),
    ids=[path.replace("/", " ").strip() or "root" for path in ALLOWED],
)
def test_another_method_is_405_with_those_that_are_there(
    server: Server, path: str, allow: str
) -> None:
    """Before any signature is looked at. Where there is a GET there is a HEAD."""
    for method in METHODS:
        if method in allow.split(", "):
            continue
        answer = server.send(method, path, signed=False)

        assert answer.status_code == 405
        assert answer.headers["allow"] == allow
        if method != "HEAD":  # its answer has no body
            assert answer.json() == {
                "reason": "Method not allowed",
                "exception_details": {"method": [f"Must be one of: {allow}"]},
            }


def test_every_answer_has_its_own_id(server: Server) -> None:
    """Good or bad, so that the log can be asked about it."""
    answers = [
        server.send("GET", "/healthz", signed=False),
        server.send("GET", f"{BASE}/summary"),
        server.send("GET", "/nowhere"),
        server.send("POST", RECOMMEND, NEWS, signed=False),
        server.send("OPTIONS", RECOMMEND, signed=False),
    ]

    assert len({each.headers["x-request-id"] for each in answers}) == len(answers)


def test_a_repeated_key_in_a_body_counts_as_its_last(server: Server) -> None:
    """As JSON readers do."""
    body = b'{"model":"a","model":"basket","target_type":"all","pin_definitions":[5],"pin_definitions":[]}'

    answer = server.send("POST", f"{BASE}/scope", body)

    assert (answer.status_code, answer.json()["model"]) == (201, "basket")


@pytest.mark.parametrize(
    "length", ["abc", "-1", "1e3", "9" * 30, "٣"], ids=["text", "sign", "float", "huge", "arabic"]
)
def test_a_length_that_lies_is_not_believed(server: Server, length: str) -> None:
    """A server in front checks it; here it may refuse a body, but never break."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/recommend",
        "query_string": b"tracker_id=1234-5678",
        "headers": [(b"content-length", length.encode())],
    }

    status, _ = _ask(server, scope, [{"type": "http.request", "body": b"[]"}])

    assert status in (413, 422)


def _ask(server: Server, scope: Json, messages: list[Json]) -> tuple[int, bytes]:
    """One request as a server hands it over, in the pieces given."""
    sent: list[Json] = []

    async def receive() -> Json:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Json) -> None:
        sent.append(message)

    asyncio.run(server.app(scope, receive, send))
    if not sent:
        return 0, b""
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:])


def test_a_body_may_come_in_pieces(server: Server) -> None:
    """And its bound is kept while they come, whatever its length says."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/recommend",
        "query_string": b"tracker_id=1234-5678",
        "headers": [],
    }
    whole = b'[{"recommendation_type": "test_reco", "size": 1}]'
    pieces = [
        {"type": "http.request", "body": whole[at : at + 7], "more_body": True}
        for at in range(0, len(whole), 7)
    ]
    endless = [{"type": "http.request", "body": b" " * 600_000, "more_body": True}] * 1_000

    answered = _ask(server, scope, [*pieces, {"type": "http.request"}])
    refused = _ask(server, scope, endless)
    gone = _ask(server, scope, pieces[:2])

    assert answered[0] == 200
    assert b'"url":"/p/123"' in answered[1]
    assert refused[0] == 413
    assert len(endless) == 998  # it stopped reading there
    assert gone == (0, b"")  # who went away is not answered


# Too many


def test_a_tracker_may_ask_so_often(tmp_path: Path, clock: ToldClock) -> None:
    """A setting, off unless set; `429` says how long to wait. Other trackers are not held up."""
    server = Server(tmp_path, clock, throttle_tracker_per_second=3)
    try:
        server.create_tracker()
        server.create_tracker("8765-4321", "another key")

        answers = [server.send("GET", f"{BASE}/summary") for _ in range(20)]
        refused = [each for each in answers if each.status_code != 200]
        other = server.send(
            "POST", "/v1/content", {"objects": []}, tracker="8765-4321", key="another key"
        )
        public = server.send("POST", RECOMMEND, NEWS, signed=False)

        assert [each.status_code for each in answers[:3]] == [200] * 3
        assert problem(refused[0], 429) == {
            "reason": "Too many requests",
            "exception_details": {"retry_after": ["1 s"]},
        }
        assert refused[0].headers["retry-after"] == "1"
        assert other.status_code == public.status_code == 200
    finally:
        server.close()


def test_an_address_may_ask_so_often(tmp_path: Path, clock: ToldClock) -> None:
    """The public endpoint's own setting."""
    server = Server(tmp_path, clock, throttle_address_per_second=2)
    try:
        server.create_tracker()

        answers = [server.send("POST", RECOMMEND, NEWS, signed=False) for _ in range(20)]
        refused = [each for each in answers if each.status_code != 200]

        assert [each.status_code for each in answers[:2]] == [200] * 2
        assert problem(refused[0], 429)["reason"] == "Too many requests"
        assert refused[0].headers["access-control-allow-origin"] == "*"
        assert server.send("GET", f"{BASE}/summary").status_code == 200
    finally:
        server.close()


# A store that is away


@pytest.mark.postgres
def test_while_the_store_is_away(
    tmp_path: Path, clock: ToldClock, postgres_server: PostgresServer
) -> None:
    """What needs it is `503` with `Retry-After`, what does not goes on; when it is back all is well."""
    server = Server(tmp_path, clock, database_url=postgres_server.create_database())
    try:
        server.create_tracker()
        server.put_objects(item("/p/123"))
        made = server.create()
        needy = [
            ("POST", f"{BASE}/scope", customization()),
            ("GET", f"{BASE}/scope/{made['id']}", None),
            ("PUT", f"{BASE}/scope/{made['id']}", customization()),
            ("DELETE", f"{BASE}/scope/{made['id']}", None),
            ("POST", f"{BASE}/scopes", {}),
            ("POST", f"{BASE}/scopes", {"criteria": {"model": "basket"}}),
            ("POST", f"{BASE}/scopes/export", None),
            ("GET", f"{BASE}/summary", None),
            ("POST", "/v1/content", {"objects": [item("/p/2")]}),
            ("PATCH", "/v1/content", {"objects": [{"identity": "/p/123"}]}),
            ("DELETE", "/v1/content", {"objects": [{"identity": "/p/123", "type": "item"}]}),
        ]

        postgres_server.stop()
        answers = [server.send(*each) for each in needy]
        shown = server.shown()
        faulty = server.send("POST", f"{BASE}/scope", {})
        ready = server.send("GET", "/readyz", signed=False)
        postgres_server.start()

        for answer in answers:
            assert problem(answer, 503) == {
                "reason": "The store cannot be reached; try again shortly",
                "exception_details": {},
            }
            assert answer.headers["retry-after"] == "1"
        assert shown == ["/p/123"]
        assert faulty.status_code == 422
        assert ready.status_code == 200
        assert server.get(made["id"]) == made
    finally:
        server.close()


# Our own mistakes


def test_what_escapes_is_500_and_tells_nothing(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here of a stored document that was spoiled behind our back: the answer has the id that the log has."""
    made = server.create()
    with sqlite3.connect(tmp_path / "endcap.db") as connection:
        connection.execute("UPDATE customization SET document = ?", (b'{"model": spoiled}',))

    answer = server.send("POST", f"{BASE}/scopes", {"criteria": {"model": "basket"}})

    shape = problem(answer, 500)
    assert shape["reason"] == "internal error"
    assert shape["exception_details"] == {"request_id": [answer.headers["x-request-id"]]}
    assert "spoiled" not in answer.text
    assert made["id"] not in answer.text
    assert answer.headers["x-request-id"] in capsys.readouterr().out
    assert server.send("GET", "/healthz").status_code == 200


def test_a_connection_without_an_address_is_served(server: Server) -> None:
    """Some servers tell none, on a Unix socket for example."""
    scope: Json = {
        "type": "http",
        "method": "GET",
        "path": "/healthz",
        "headers": [],
        "client": None,
    }

    assert Request.of_scope(scope, None).address == ""  # type: ignore[arg-type]  # it is not read
    assert _ask(server, {**scope, "query_string": b""}, [])[0] == 200


def test_problems_are_json_in_utf_8(server: Server) -> None:
    """With words of the request in them, whatever they are."""
    answer = server.send("POST", RECOMMEND, [{"recommendation_type": "žluťoučký\0\u2028"}])

    assert answer.headers["content-type"] == CONTENT_TYPE
    assert problem(answer, 404)["exception_details"] == {
        "recommendation_type": ["Unknown recommender: žluťoučký\0\u2028"]
    }
