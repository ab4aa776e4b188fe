"""
HTTP for requests that fit in one piece: from the parser to an endpoint and back without ASGI's messages.

ASGI asks for a scope, a task, an event and two messages a request, which is more than half of what a signed GET costs
(docs/decisions/0008-straight-protocol.md). uvicorn's own protocol stays underneath and serves whatever is out of the
ordinary as before: upgrades, `Expect`, long bodies, requests that arrive while another one of their connection is being
answered, clients that do not read what they asked for, answers that are streams. Parsing is httptools' in both cases.
"""

import asyncio
from collections.abc import Coroutine, Generator
from functools import lru_cache
from typing import Any, Protocol, cast

from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from endcap.api.http import BODILESS, Request, Response, send_response


class Answering(Protocol):
    """What the application is to a connection."""

    async def respond(self, request: Request) -> Response: ...


class StraightProtocol(HttpToolsProtocol):
    """One connection. Its methods are called by the parser and the transport, in the order in which they stand."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._answering = cast(Answering, self.app)
        self._address = ""
        self._straight = False
        self._body = b""
        self._idle_since: float | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._default_headers: list[tuple[bytes, bytes]] = []
        self._default_head = b""
        self._is_last = False
        self._is_receiving = False
        self._is_ending = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's is
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""

    def on_message_begin(self) -> None:
        self._idle_since = None
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self._body = b""

    def on_headers_complete(self) -> None:
        self._straight = self._is_receiving = self._is_ordinary()
        if not self._straight:
            self._leave_to_uvicorn()

    def on_body(self, body: bytes) -> None:
        if not self._straight:
            super().on_body(body)
            return
        self._body += body
        if len(self._body) > HIGH_WATER_LIMIT:
            self._straight = self._is_receiving = False
            self._leave_to_uvicorn()
            super().on_body(self._body)

    def on_message_complete(self) -> None:
        if self._straight:
            self._is_receiving = False
            self._answer()
        else:
            super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._idle_timer is not None:
            self._idle_timer.cancel()

    def shutdown(self) -> None:
        """Ends the connection: at once if it is idle, else with the answer to what is on its way."""
        if self._is_receiving:
            self._is_ending = True
        else:
            super().shutdown()

    def _is_ordinary(self) -> bool:
        current = cast("RequestResponseCycle | None", self.cycle)
        return (
            (current is None or current.response_complete)
            and not self.expect_100_continue
            and not self.flow.write_paused
            and not self.parser.should_upgrade()
            and self.parser.get_http_version() == "1.1"
            and self.limit_concurrency is None
            and self.url.startswith(b"/")
            and b"#" not in self.url
        )

    def _leave_to_uvicorn(self) -> None:
        """What it does when a request begins, done late."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers
        super().on_headers_complete()

    def _answer(self) -> None:
        """Runs the endpoint here and now as far as it goes: most need to wait for nothing."""
        if self.transport.is_closing():  # sent behind one that was to be the last
            return
        path, _, query = self.url.partition(b"?")
        request = Request(
            self.parser.get_method().decode("ascii"),
            path,
            query,
            self.headers,
            self._address,
            self._body,
        )
        keeps_alive = self.parser.should_keep_alive() and not self._is_ending
        answering = self._answering.respond(request)
        try:
            waits_for = answering.send(None)
        except StopIteration as ended:
            response: Response = ended.value
            if isinstance(response.body, bytes):
                self._write(request, response, response.body, keeps_alive=keeps_alive)
                return
            whole: Any = _given(response)
        else:
            whole = _Begun(answering, waits_for)
        waiting = _Waiting(keep_alive=keeps_alive)
        self.cycle = cast(Any, waiting)
        task = self.loop.create_task(self._finish(request, whole, waiting))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _finish(self, request: Request, whole: Any, waiting: "_Waiting") -> None:
        """Answers a request that had to wait."""
        response: Response = await whole
        if waiting.disconnected:
            return
        if not isinstance(response.body, bytes):

            async def stream(scope: Any, receive: Any, send: Any) -> None:
                await send_response(request, response, send)

            cycle = self._cycle(request, keeps_alive=waiting.keep_alive)
            if cast(Any, self.cycle) is waiting:
                self.cycle = cycle
            await cycle.run_asgi(stream)
            return
        waiting.response_complete = True
        self._write(request, response, response.body, keeps_alive=waiting.keep_alive)
        if self.pipeline:
            self._idle_since = None
            self.on_response_complete()

    def _cycle(self, request: Request, *, keeps_alive: bool) -> RequestResponseCycle:
        """What sends a stream."""
        scope: Any = {"type": "http", "method": request.method}
        return RequestResponseCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keeps_alive,
            on_response=self.on_response_complete,
        )

    def _write(
        self, request: Request, response: Response, body: bytes, *, keeps_alive: bool
    ) -> None:
        status = response.status
        parts = [STATUS_LINE[status], self._head()]
        for name, value in response.headers:
            parts += (name, b": ", value, b"\r\n")
        if request.always_headers:
            parts.append(_lines(request.always_headers))
        if not keeps_alive and not self._is_last:
            parts.append(b"connection: close\r\n")
        if status in BODILESS:
            parts.append(b"x-request-id: %b\r\n\r\n" % request.request_id.encode())
        else:
            parts.append(
                b"x-request-id: %b\r\ncontent-length: %d\r\n\r\n"
                % (request.request_id.encode(), len(body))
            )
            if request.method != "HEAD":
                parts.append(body)
        self.transport.write(b"".join(parts))
        self.server_state.total_requests += 1
        if keeps_alive and not self._is_last:
            self._rest()
        else:
            self.transport.close()

    def _head(self) -> bytes:
        """The server's own headers; it makes them anew when the second changes, or to end all connections."""
        headers = self.server_state.default_headers
        if headers is not self._default_headers:
            self._default_headers = headers
            self._default_head = b"".join(b"%b: %b\r\n" % each for each in headers)
            self._is_last = (b"connection", b"close") in headers
        return self._default_head

    def _rest(self) -> None:
        """After an answer. One timer looks now and then, instead of one set and cleared a request."""
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._look)

    def _look(self) -> None:
        """Closes the connection if nothing came for as long as it may be idle."""
        idle = 0.0 if self._idle_since is None else self.loop.time() - self._idle_since
        if idle >= self.timeout_keep_alive:
            self.transport.close()
        else:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive - idle, self._look)


@lru_cache(64)
def _lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    return b"".join(b"%b: %b\r\n" % each for each in headers)


async def _given(response: Response) -> Response:
    return response


class _Waiting:
    """Stands for an answer to come where uvicorn looks for its own: is one under way, and is it wanted?"""

    __slots__ = ("disconnected", "keep_alive", "message_event", "response_complete")

    def __init__(self, *, keep_alive: bool) -> None:
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = keep_alive
        self.message_event = _NOBODY_WAITS


class _NobodyWaits:
    """An event for which nobody waits."""

    def set(self) -> None:
        """Says nothing to nobody."""


_NOBODY_WAITS = _NobodyWaits()


class _Begun:
    """A coroutine that ran up to its first wait outside of any task: that wait, then the rest of it."""

    __slots__ = ("_coroutine", "_waits_for")

    def __init__(self, coroutine: Coroutine[Any, Any, Response], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Response]:
        coroutine, waits_for = self._coroutine, self._waits_for
        try:
            while True:
                try:
                    yield waits_for
                except GeneratorExit:
                    coroutine.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - the coroutine's to take: what it waits for has failed
                    waits_for = coroutine.throw(error)
                else:
                    waits_for = coroutine.send(None)
        except StopIteration as ended:
            response: Response = ended.value
            return response
