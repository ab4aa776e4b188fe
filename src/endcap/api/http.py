"""
Requests, answers and the dispatch between them: what a framework would give, as little as this wire needs.

A framework's routing and objects cost a third of a signed GET here (docs/decisions/0001-plain-asgi.md), so an endpoint
is `async def endpoint(request: Request) -> Response`, found by one dictionary look-up or one split of the path.
"""

import re
import zlib
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct

from endcap.errors import BodyTooLarge, MalformedBody, UnsupportedMediaType

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json; charset=utf-8")
NDJSON = (b"content-type", b"application/x-ndjson; charset=utf-8")
CSV = (b"content-type", b"text/csv; charset=utf-8")
HTML = (b"content-type", b"text/html; charset=utf-8")
TEXT = (b"content-type", b"text/plain; charset=utf-8")
_JSON_TYPES = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;.*)?|\s*", re.IGNORECASE)
_USUAL_JSON_TYPES = ("application/json; charset=utf-8", "application/json", None)
QUERY_PARAMETERS_MAX = 1_000
BODILESS = frozenset({204, 304})
"""Statuses whose answers have no body and no length."""
_NO_PARAMETERS: Mapping[str, str] = {}


class Disconnected(Exception):
    """The client went away before its request was read."""


class Response:
    """What to answer. `body` may be a stream of chunks."""

    __slots__ = ("body", "headers", "status")

    def __init__(
        self,
        status: int,
        body: bytes | AsyncIterator[bytes] = b"",
        headers: Headers = (),
    ) -> None:
        self.status = status
        self.body = body
        self.headers = headers

    @classmethod
    def json(cls, body: bytes, status: int = 200, headers: Headers = ()) -> "Response":
        return cls(status, body, (JSON, *headers))


class Request:
    """One request. `path` is as sent, percent-encoding untouched; `parameters` come from the route's pattern."""

    __slots__ = (
        "_receive",
        "address",
        "always_headers",
        "headers",
        "method",
        "parameters",
        "path",
        "query_text",
        "raw_path",
        "request_id",
        "route",
    )

    def __init__(
        self,
        method: str,
        raw_path: bytes,
        query_text: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        address: str,
        receive: Receive | bytes,
    ) -> None:
        """Header names in lower case; `receive` may be the whole body, as sent."""
        self.method = method
        self.raw_path = raw_path
        self.path = raw_path.decode("latin-1")
        self.query_text = query_text
        self.address = address
        self.request_id = ""
        self.parameters: Mapping[str, str] = _NO_PARAMETERS
        self.route = "unknown"
        self.always_headers: tuple[tuple[bytes, bytes], ...] = ()
        """Sent with the answer even when it is a problem."""
        self.headers: Mapping[bytes, bytes] = dict(headers)
        """As they travelled, of several of one name the last; names in lower case."""
        self._receive = receive

    @classmethod
    def of_scope(cls, scope: Scope, receive: Receive) -> "Request":
        """The request of an ASGI server."""
        raw: bytes | None = scope.get("raw_path")
        client = scope.get("client")
        return cls(
            scope["method"],
            raw or scope["path"].encode(),
            scope.get("query_string", b""),
            scope["headers"],
            client[0] if client else "",
            receive,
        )

    def header(self, name: bytes) -> str | None:
        """A header's text (of several, the last); names in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def query(self) -> Sequence[tuple[str, str]]:
        """Decoded query parameters in order. Raises MalformedBody."""
        text = self.query_text
        if not text:
            return ()
        try:
            return parse_qsl(
                text.decode("latin-1"),
                keep_blank_values=True,
                max_num_fields=QUERY_PARAMETERS_MAX,
                errors="strict",
            )
        except ValueError as error:
            details = {"query": [f"Cannot be read: {error}"]}
            raise MalformedBody("Invalid query provided", details) from error

    async def body(self, *, bytes_max: int, inflated_bytes_max: int | None = None) -> bytes:
        """The whole body, inflated where it came compressed. Raises BodyTooLarge, MalformedBody, Disconnected."""
        body = await self._whole(self._receive, bytes_max)
        if len(body) > bytes_max:
            raise _too_large(bytes_max)
        encoding = self.header(b"content-encoding")
        if not encoding or not body or encoding.strip().lower() == "identity":
            return body
        return inflate(body, encoding.strip().lower(), inflated_bytes_max or bytes_max)

    async def json_body(self, *, bytes_max: int, inflated_bytes_max: int | None = None) -> bytes:
        """The body of an endpoint that takes JSON. Raises UnsupportedMediaType besides."""
        body = self._receive
        if (
            not isinstance(body, bytes)
            or len(body) > bytes_max
            or self.header(b"content-encoding") is not None
        ):
            body = await self.body(bytes_max=bytes_max, inflated_bytes_max=inflated_bytes_max)
        content_type = self.header(b"content-type")
        if (
            content_type not in _USUAL_JSON_TYPES
            and body
            and not _JSON_TYPES.fullmatch(content_type)
        ):
            raise UnsupportedMediaType(details={"content_type": [f"Cannot be {content_type}"]})
        return body

    async def chunks(self, *, bytes_max: int) -> AsyncIterator[bytes]:
        """The body as it arrives, uncompressed. Raises BodyTooLarge, UnsupportedMediaType, Disconnected."""
        encoding = (self.header(b"content-encoding") or "identity").strip().lower()
        if encoding != "identity":
            raise UnsupportedMediaType(
                "The body's Content-Encoding must be none here",
                {"content_encoding": [f"Cannot be {encoding}"]},
            )
        receive = self._receive
        if isinstance(receive, bytes):
            if len(receive) > bytes_max:
                raise _too_large(bytes_max)
            yield receive
            return
        size = 0
        async for chunk in self._arriving(receive, bytes_max):
            size += len(chunk)
            if size > bytes_max:
                raise _too_large(bytes_max)
            yield chunk

    async def _whole(self, receive: Receive | bytes, bytes_max: int) -> bytes:
        """As sent; what is too long is read only until that is known."""
        if isinstance(receive, bytes):
            return receive
        chunks: list[bytes] = []
        size = 0
        async for chunk in self._arriving(receive, bytes_max):
            chunks.append(chunk)
            size += len(chunk)
            if size > bytes_max:
                break
        return b"".join(chunks)

    async def _arriving(self, receive: Receive, bytes_max: int) -> AsyncIterator[bytes]:
        """Raises BodyTooLarge where the head says it, Disconnected."""
        length = self.header(b"content-length")
        if length is not None and length.isdigit() and int(length) > bytes_max:
            raise _too_large(bytes_max)
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            yield message.get("body", b"")
            more = message.get("more_body", False)


def _too_large(bytes_max: int) -> BodyTooLarge:
    return BodyTooLarge(details={"body": [f"At most {bytes_max} bytes"]})


def inflate(body: bytes, encoding: str, bytes_max: int) -> bytes:
    """Undoes gzip or deflate (with or without the zlib wrapper), never past a bound."""
    match encoding:
        case "gzip" | "x-gzip":
            return _inflate(body, 16 + zlib.MAX_WBITS, bytes_max)
        case "deflate":
            try:
                return _inflate(body, zlib.MAX_WBITS, bytes_max)
            except MalformedBody:
                return _inflate(body, -zlib.MAX_WBITS, bytes_max)
        case _:
            raise UnsupportedMediaType(
                "The body's Content-Encoding must be gzip, deflate or none",
                {"content_encoding": [f"Cannot be {encoding}"]},
            )


def _inflate(body: bytes, window_bits: int, bytes_max: int) -> bytes:
    inflater = zlib.decompressobj(window_bits)
    try:
        inflated = inflater.decompress(body, bytes_max + 1)
    except zlib.error as error:
        details = {"body": [f"Cannot be decompressed: {error}"]}
        raise MalformedBody(details=details) from error
    if len(inflated) > bytes_max:
        raise BodyTooLarge(details={"body": [f"At most {bytes_max} bytes when decompressed"]})
    if not inflater.eof:
        raise MalformedBody(details={"body": ["Cannot be decompressed: it is cut short"]})
    return inflated


async def send_response(request: Request, response: Response, send: Send) -> None:
    """An answer as ASGI's messages."""
    headers = [*response.headers, (b"x-request-id", request.request_id.encode())]
    headers += request.always_headers
    body = response.body
    if isinstance(body, bytes):
        if response.status not in BODILESS:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    async for chunk in body:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class _Pattern(Struct, frozen=True):
    """A path with names in it, taken apart: texts that must be there and names to fill, by segment."""

    text: str
    literals: tuple[tuple[int, str], ...]
    names: tuple[tuple[int, str], ...]
    endpoints: dict[str, Endpoint]

    @classmethod
    def of(cls, text: str, endpoints: dict[str, Endpoint]) -> "_Pattern":
        segments = list(enumerate(text.split("/")))
        return cls(
            text,
            tuple((at, each) for at, each in reversed(segments) if not each.startswith("{")),
            tuple((at, each[1:-1]) for at, each in segments if each.startswith("{")),
            endpoints,
        )


class Routes:
    """Paths to endpoints by method. A pattern's `{name}` matches one segment."""

    def __init__(self) -> None:
        self._exact: dict[str, tuple[str, dict[str, Endpoint]]] = {}
        self._patterns: dict[int, list[_Pattern]] = {}
        self._below: dict[str, Endpoint] = {}

    def add(self, pattern: str, **endpoints: Endpoint) -> None:
        """Endpoints by method, e.g. `add("/v1/recommend", POST=recommend)`."""
        if "GET" in endpoints:
            endpoints.setdefault("HEAD", endpoints["GET"])
        if "{" in pattern:
            made = _Pattern.of(pattern, endpoints)
            self._patterns.setdefault(pattern.count("/"), []).append(made)
        else:
            _, known = self._exact.setdefault(pattern, (pattern, {}))
            known.update(endpoints)

    def add_below(self, prefix: str, endpoint: Endpoint) -> None:
        """What answers, by any method, for paths that begin so and are not found: it says so in its own way."""
        self._below[prefix] = endpoint

    def below(self, path: str) -> tuple[str, Endpoint] | None:
        return next(
            ((text, each) for text, each in self._below.items() if path.startswith(text)), None
        )

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Every (method, pattern)."""
        for text, endpoints in self._exact.values():
            yield from ((method, text) for method in endpoints)
        for pattern in chain.from_iterable(self._patterns.values()):
            yield from ((method, pattern.text) for method in pattern.endpoints)

    def find(self, path: str) -> tuple[str, Mapping[str, str], Mapping[str, Endpoint]] | None:
        """The route's pattern, its parameters, its endpoints by method."""
        exact = self._exact.get(path)
        if exact is not None:
            return exact[0], _NO_PARAMETERS, exact[1]
        segments = path.split("/")
        for pattern in self._patterns.get(len(segments) - 1, ()):
            for at, literal in pattern.literals:
                if segments[at] != literal:
                    break
            else:
                parameters = {name: segments[at] for at, name in pattern.names}
                return pattern.text, parameters, pattern.endpoints
        return None
