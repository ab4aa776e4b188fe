"""
The installed server over a raw connection: what a client library would never send, or would tidy up before.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep, time
from urllib.parse import urlsplit

import pytest

from endcap import signing
from endcap.domain import Micros
from tests.api.driver import BASE, KEY, RECOMMEND, TRACKER
from tests.services.server import LiveServer

SUMMARY = f"{BASE}/summary"
WISH = b'[{"recommendation_type": "news"}]'
BODY = b"""{"model": "basket", "target_type": "all", "tags": ["%b."], "pin_definitions":
    [{"position": 1, "pin_type": "item", "pin_identity": "/p/1"}]}"""
SECONDS_MAX = 20.0


class Wire:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._read = connection.makefile("rb")

    def send(self, text: str, body: bytes = b"") -> None:
        """A head, its lines as written, and what follows it."""
        head = "\r\n".join(line.strip() for line in text.strip().splitlines())
        self.send_raw(head.encode("latin-1") + b"\r\n\r\n" + body)

    def send_raw(self, data: bytes) -> None:
        self._connection.sendall(data)

    def answer(self, *, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        """Status, headers, body of the next answer."""
        status = int(self._read.readline().split()[1])
        headers: dict[str, str] = {}
        while line := self._read.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", 0)) if has_body else 0
        return status, headers, self._read.read(length)

    def stream(self) -> bytes:
        """The body of the next answer, which comes in chunks."""
        while self._read.readline().strip():
            pass
        chunks = []
        while length := int(self._read.readline(), 16):
            chunks.append(self._read.read(length))
            self._read.readline()
        self._read.readline()
        return b"".join(chunks)

    def is_closed(self) -> bool:
        return self._read.read(1) == b""


@contextmanager
def connected(server: LiveServer) -> Iterator[Wire]:
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port or 80), SECONDS_MAX) as connection:
        yield Wire(connection)


@pytest.fixture
def wire(live_server: LiveServer) -> Iterator[Wire]:
    with connected(live_server) as wire:
        yield wire


def signed(method: str, path: str, content_type: str = "") -> str:
    """The headers of a signature."""
    date = signing.format_http_date(Micros(round(time() * 1_000_000)))
    signature = signing.sign(
        KEY, method=method, content_type=content_type, date=date, path=path.partition("?")[0]
    )
    typed = f"Content-Type: {content_type}\n" if content_type else ""
    return f"{typed}Date: {date}\nAuthorization: ApiAuth {TRACKER}:{signature}"


def test_a_head_has_the_length_and_no_body(wire: Wire) -> None:
    """And the connection goes on."""
    wire.send(f"HEAD {SUMMARY} HTTP/1.1\nHost: x\n{signed('HEAD', SUMMARY)}")
    head = wire.answer(has_body=False)
    wire.send(f"GET {SUMMARY} HTTP/1.1\nHost: x\n{signed('GET', SUMMARY)}")
    got = wire.answer()

    assert head[0] == got[0] == 200
    assert head[1]["content-length"] == got[1]["content-length"] == str(len(got[2]))


def test_a_refused_body_does_not_spoil_the_connection(wire: Wire) -> None:
    """What was not read of one request is not taken for the next."""
    for method, path, status in (("POST", SUMMARY, 405), ("POST", "/no", 404), ("PUT", BASE, 404)):
        wire.send(f"{method} {path} HTTP/1.1\nHost: x\nContent-Length: 3000", b"GET / " * 500)
        assert wire.answer()[0] == status

    wire.send("GET /healthz HTTP/1.1\nHost: x")
    assert wire.answer()[2] == b'{"status":"ok"}'


def test_requests_may_be_sent_ahead(wire: Wire) -> None:
    """They are answered in order."""
    one = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    wire.send("GET /nowhere HTTP/1.1\nHost: x", (one * 3).encode())

    assert [wire.answer()[0] for _ in range(4)] == [404, 200, 200, 200]


def test_a_body_may_come_in_chunks(wire: Wire) -> None:
    """Without a length before."""
    wire.send(
        f"POST {RECOMMEND} HTTP/1.1\nHost: x\nTransfer-Encoding: chunked",
        b"".join(b"1\r\n%c\r\n" % byte for byte in WISH) + b"0\r\n\r\n",
    )

    assert wire.answer()[0] == 200


def test_a_client_may_ask_whether_to_send_the_body(wire: Wire) -> None:
    """As curl does with large ones: it is told to go on."""
    wire.send(
        f"POST {RECOMMEND} HTTP/1.1\nHost: x\nExpect: 100-continue\nContent-Length: {len(WISH)}"
    )
    told = wire.answer(has_body=False)
    wire.send_raw(WISH)

    assert told[0] == 100
    assert wire.answer()[0] == 200


def customization(wire: Wire, title: str = "") -> str:
    """The path of a new one."""
    body = BODY % title.encode()
    kind = "application/json; charset=utf-8"
    wire.send(
        f"POST {BASE}/scope HTTP/1.1\nHost: x\nContent-Length: {len(body)}\n"
        + signed("POST", f"{BASE}/scope", kind),
        body,
    )
    status, headers, _ = wire.answer()
    assert status == 201
    return headers["location"]


def test_requests_sent_behind_a_write_wait_for_it(wire: Wire) -> None:
    """In one packet: the write, a read of what it wrote, a write again, a stream, a read."""
    path = customization(wire)
    kind = "application/json; charset=utf-8"
    sent = b""
    for method, target, body in (
        ("PUT", path, BODY % b"first"),
        ("GET", path, b""),
        ("PUT", path, BODY % b"second"),
        ("POST", f"{BASE}/scopes/export", b"{}"),
        ("GET", path, b""),
    ):
        head = f"{method} {target} HTTP/1.1\nHost: x\nContent-Length: {len(body)}\n"
        head += signed(method, target, kind)
        sent += head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body
    wire.send_raw(sent)

    put, got, again, exported, last = (
        wire.answer(),
        wire.answer(),
        wire.answer(),
        wire.stream(),
        wire.answer(),
    )

    assert [put[0], got[0], again[0], last[0]] == [204, 200, 204, 200]
    assert b'"first."' in got[2]
    assert b'"second."' in exported
    assert b'"second."' in last[2]


def test_a_body_may_be_long(wire: Wire) -> None:
    """Longer than what is answered straight from the parser, and the connection goes on."""
    items = b",".join(b'"/p/%d"' % number for number in range(9_000))
    wish = b'[{"recommendation_type": "news", "blacklisted_item_ids": [%b]}]' % items
    assert len(wish) > 65_536
    for _ in range(2):
        wire.send(f"POST {RECOMMEND} HTTP/1.1\nHost: x\nContent-Length: {len(wish)}", wish)
        assert wire.answer()[0] == 200


def test_a_request_may_come_byte_by_byte(wire: Wire) -> None:
    """Over a bad line."""
    head = f"POST {RECOMMEND} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(WISH)}\r\n\r\n"
    for byte in head.encode() + WISH:
        wire.send_raw(bytes([byte]))

    assert wire.answer()[0] == 200


def test_a_client_may_ask_to_close(wire: Wire) -> None:
    """It is told so, and it is done; also behind a write."""
    path = customization(wire)
    wire.send(f"DELETE {path} HTTP/1.1\nHost: x\nConnection: close\n{signed('DELETE', path)}")
    answer = wire.answer()

    assert answer[0] == 204
    assert answer[1]["connection"] == "close"
    assert wire.is_closed()


def test_a_client_that_leaves_while_its_write_is_made_harms_nobody(live_server: LiveServer) -> None:
    """The write stands, and others are served on."""
    with connected(live_server) as wire:
        path = customization(wire)
        kind = "application/json; charset=utf-8"
        body = BODY % b"left"
        head = f"PUT {path} HTTP/1.1\nHost: x\nContent-Length: {len(body)}\n"
        wire.send(head + signed("PUT", path, kind), body)
    with connected(live_server) as wire:
        for _ in range(200):
            wire.send(f"GET {path} HTTP/1.1\nHost: x\n{signed('GET', path)}")
            answer = wire.answer()
            assert answer[0] == 200
            if b'"left."' in answer[2]:
                break
            sleep(0.02)
        else:
            pytest.fail("the write was lost with its client")


@pytest.mark.slow
def test_an_idle_connection_is_closed(wire: Wire) -> None:
    """After some seconds; one that is in use is not, however long it lives."""
    for _ in range(4):
        wire.send("GET /healthz HTTP/1.1\nHost: x")
        assert wire.answer()[0] == 200
        sleep(2)

    assert wire.is_closed()


@pytest.mark.slow
def test_a_connection_that_is_owed_an_answer_is_not_idle(wire: Wire) -> None:
    """Behind a write comes the head of a request, and its body long after other connections would be closed."""
    path = customization(wire)
    kind = "application/json; charset=utf-8"
    body = BODY % b"late"
    put = f"PUT {path} HTTP/1.1\nHost: x\nContent-Length: {len(body)}\n{signed('PUT', path, kind)}"
    wish = f"POST {RECOMMEND} HTTP/1.1\nHost: x\nContent-Length: {len(WISH)}"
    heads = [head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" for head in (put, wish)]
    wire.send_raw(heads[0] + body + heads[1])
    assert wire.answer()[0] == 204
    sleep(7)
    wire.send_raw(WISH)

    assert wire.answer()[0] == 200


def test_a_get_may_say_that_it_has_no_body(wire: Wire) -> None:
    """`Content-Length: 0`, as some libraries send it; in any case of letters."""
    kind = "application/json; charset=utf-8"
    wire.send(f"GET {SUMMARY} HTTP/1.1\nhOST: x\ncontent-LENGTH: 0\n{signed('GET', SUMMARY, kind)}")

    assert wire.answer()[0] == 200


def test_http_1_0_is_answered(wire: Wire) -> None:
    """And the connection closed, as its clients expect."""
    wire.send("GET /healthz HTTP/1.0")

    assert wire.answer()[0] == 200
    assert wire.is_closed()


@pytest.mark.parametrize(
    "target",
    [
        "/v1/\xff\xfe",
        "/%",
        "/%zz",
        "/%00",
        "//",
        "/nowhere?%",
        "/nowhere#x",
        "/" + "a" * 30_000,
        "http://x/no",
    ],
    ids=["bytes", "percent", "no hex", "nul", "slashes", "query", "fragment", "long", "absolute"],
)
def test_odd_paths_are_refused(live_server: LiveServer, target: str) -> None:
    """By the parser, or as a path that is not there; never as a mistake of the server."""
    with connected(live_server) as wire:
        wire.send(f"GET {target} HTTP/1.1\nHost: x")

        assert wire.answer()[0] in (400, 404, 414)


@pytest.mark.parametrize("method", ["get", "FOO", "PROPFIND", "\xe9"])
def test_odd_methods_are_refused(live_server: LiveServer, method: str) -> None:
    """By the parser, or as one that the path does not have."""
    with connected(live_server) as wire:
        wire.send(f"{method} /healthz HTTP/1.1\nHost: x")

        assert wire.answer()[0] in (400, 405, 501)


@pytest.mark.parametrize(
    "header",
    [
        "Authorization: \xff\xfe\xfd",
        "Authorization: ApiAuth 1234-5678:\xe9\xe9\xe9\xe9",
        "Authorization: ApiAuth \xff:c2ln",
        "Date: \xff",
        "Content-Type: \xff\xfe",
        "If-None-Match: \xff",
        "Idempotency-Key: \xff",
        "Content-Encoding: \xff",
        "Accept: \xff",
        "Content-Length: 99999999999999999999",
        "Content-Length: -1",
        f"X: {'x' * 100_000}",
        "\n".join(f"X-{number}: {number}" for number in range(2_000)),
    ],
    ids=lambda header: header[:24],
)
def test_odd_headers_are_no_mistake_of_the_server(live_server: LiveServer, header: str) -> None:
    """Whatever bytes they hold, however long or many they are."""
    for path in (SUMMARY, RECOMMEND):
        with connected(live_server) as wire:
            wire.send(f"POST {path} HTTP/1.1\nHost: x\n{header}")

            assert wire.answer(has_body=False)[0] in (400, 401, 404, 405, 413, 415, 431)


def test_what_is_no_http_is_refused(live_server: LiveServer) -> None:
    """And others are served on."""
    with connected(live_server) as wire:
        wire.send("\x16\x03\x01\x02 this is not HTTP")
        assert wire.answer()[0] == 400
    with connected(live_server) as wire:
        wire.send("GET /healthz HTTP/1.1\nHost: x")
        assert wire.answer()[0] == 200
