"""
A host as the vendor documents it, to pull from: a real HTTP server, none of our code in it.

What is checked is what the documentation says: the signature over method, type, date and path; pages of a content
export whose links hold a cursor and live for a while; the export of customizations, or only their list. A test may have
it fail, throttle, forget cursors, and hold an answer back.
"""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = Any
EXPORT = "/v1/content_export"


class Failure:
    """What a request is answered with instead. Status 0: the connection is closed without an answer."""

    def __init__(self, status: int, body: Json = None, **headers: str) -> None:
        self.status = status
        self.body = {"reason": "sorry", "exception_details": {}} if body is None else body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class VendorHost:
    """Its state is the test's to set; `asked` is what it was asked, in order."""

    def __init__(self, tracker: str, key: str) -> None:
        self.tracker = tracker
        self.key = key
        self.objects: list[Json] = []
        self.customizations: list[Json] = []
        self.has_export = True
        self.expired = Failure(404, {"error": "cursor not found"})
        self.asked: list[tuple[str, str, Mapping[str, list[str]]]] = []
        self.failures: list[Failure] = []
        """For the next requests, one each."""
        self.on_request: Callable[[int], None] = lambda number: None
        """Called with the number of each request, from 1, before it is answered."""
        self.list_size_max = 1_000
        self._cursors: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                host.answer(self)

            def do_POST(self) -> None:
                host.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def forget_cursors(self) -> None:
        """As after ten minutes."""
        self._cursors.clear()

    def pages_asked(self) -> list[str]:
        """`first`, or the cursor, of each page asked for."""
        return [
            query.get("cursor", ["first"])[0] for _, path, query in self.asked if path == EXPORT
        ]

    # Answering

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        request.rfile.read(int(request.headers.get("Content-Length") or 0))
        split = urlsplit(request.path)
        query = parse_qs(split.query)
        with self._lock:
            self.asked.append((request.command, split.path, query))
            number = len(self.asked)
            failure = self.failures.pop(0) if self.failures else None
        self.on_request(number)
        if failure is not None and failure.status == 0:
            request.close_connection = True
            request.connection.close()
            return
        if failure is None:
            failure = self._answered(request, split.path, query)
        body = (
            failure.body if isinstance(failure.body, bytes) else json.dumps(failure.body).encode()
        )
        request.send_response(failure.status)
        for name, value in failure.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Type", "application/json; charset=utf-8")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _answered(
        self, request: BaseHTTPRequestHandler, path: str, query: Mapping[str, list[str]]
    ) -> Failure:
        if not self._is_signed(request, path):
            details = {"authorization": ["signature mismatch"]}
            return Failure(401, {"reason": "Authentication failed", "exception_details": details})
        base = f"/v1/recommender/pin/{self.tracker}/scopes"
        if request.command == "GET" and path == EXPORT:
            return self._content_page(query)
        if request.command == "POST" and path == f"{base}/export" and self.has_export:
            return Failure(200, self.customizations)
        if request.command == "POST" and path == base:
            limit, offset = int(query["limit"][0]), int(query["offset"][0])
            assert query["sort"] == ["created_at:asc"]
            found = self.customizations[offset : offset + min(limit, self.list_size_max)]
            return Failure(
                200, {"pagination": {"total": len(self.customizations)}, "results": found}
            )
        return Failure(404, {"error": "not found"})

    def _content_page(self, query: Mapping[str, list[str]]) -> Failure:
        size, offset = min(int(query.get("size", ["300"])[0]), 500), 0
        if "cursor" in query:
            found = self._cursors.get(query["cursor"][0])
            if found is None:
                return self.expired
            size, offset = found
        links: list[Json] = []
        if offset + size < len(self.objects):
            with self._lock:
                cursor = str(23_937_182_663 + len(self._cursors) + offset)
                self._cursors[cursor] = (size, offset + size)
            href = f"https://live.example.com{EXPORT}?cursor={cursor}"
            links.append({"rel": "next", "href": href})
        page = self.objects[offset : offset + size]
        return Failure(200, {"total": len(self.objects), "objects": page, "links": links})

    def _is_signed(self, request: BaseHTTPRequestHandler, path: str) -> bool:
        sent = [request.command, request.headers["Content-Type"], request.headers["Date"], path]
        digest = hmac.new(self.key.encode(), "\n".join(sent).encode(), hashlib.sha256).digest()
        signature = base64.b64encode(digest).decode()
        said = str(request.headers["Authorization"]).split(" ", 1)[-1]
        return hmac.compare_digest(said, f"{self.tracker}:{signature}")


@contextmanager
def vendor_host(tracker: str, key: str) -> Iterator[VendorHost]:
    host = VendorHost(tracker, key)
    try:
        yield host
    finally:
        host.close()


def vendor_objects(count: int) -> Sequence[Json]:
    """Objects as an export of the vendor may give them: texts as lists, derived fields, nested categories."""
    return [
        {
            "url": f"/p/{number}",
            "attributes": {
                "title": f"Guitar {number}",
                "brand": ["Fender"],
                "price": "1 299,00 €",
                "price_amount": 1299.0,
                "introduced_at": ["2025-01-09"],
                "availability": 1,
                "category": ["Electric"],
                "category_lvl_1": ["Guitars"],
                "category_lvl_2": ["Electric"],
            },
            "nested": [
                {
                    "url": "/c/electric",
                    "type": "category",
                    "attributes": {"title": "Electric", "ancestors": [{"title": "Guitars"}]},
                }
            ],
            "type": "item",
            "exact": True,
        }
        for number in range(count)
    ]
