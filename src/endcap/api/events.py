"""
Endpoint 11: what shoppers do, told by the shop's pages. Public, for browsers.

`navigator.sendBeacon` sends a text as `text/plain`, which saves the preflight, so that is read as JSON too.
"""

import re

from endcap.api import cors
from endcap.api.auth import Authenticator
from endcap.api.http import Request, Response, Routes
from endcap.api.throttle import Throttle
from endcap.errors import TooManyRequests, UnsupportedMediaType
from endcap.recording import Recorder
from endcap.service import Service
from endcap.wire.events import read_event

CLIENT_SECONDS = 15.0  # the vendor's window (30 events a client)
_BEACON_TYPES = re.compile(r"text/plain\s*(?:;.*)?", re.IGNORECASE)
_DONE = b"{}"


class EventEndpoints:
    def __init__(
        self, service: Service, recorder: Recorder, authenticator: Authenticator, throttle: Throttle
    ) -> None:
        settings = service.settings
        self._recorder = recorder
        self._authenticator = authenticator
        self._by_address = throttle
        self._by_client = Throttle(settings.throttle_client_events, seconds=CLIENT_SECONDS)
        self._bytes_max = settings.event_bytes_max
        self._cors = cors.allowing(settings.cors_origin)

    def mount(self, routes: Routes) -> None:
        for path in ("/", "/v1"):
            routes.add(path, POST=self.record, OPTIONS=self.preflight)

    async def record(self, request: Request) -> Response:
        request.always_headers = self._cors
        self._by_address.take(request.address)
        body = await self._body(request)
        sent = read_event(body)
        tracker = (await self._authenticator.known(sent.tracker)).tracker
        try:
            self._by_client.take(f"{tracker} {sent.client}")
        except TooManyRequests:
            self._recorder.count(tracker, "throttled")
            raise
        await self._recorder.record(tracker, sent, body)
        return Response.json(_DONE)

    async def preflight(self, request: Request) -> Response:
        return cors.preflight(request, self._cors)

    async def _body(self, request: Request) -> bytes:
        """Raises UnsupportedMediaType, BodyTooLarge."""
        if _BEACON_TYPES.fullmatch(request.header(b"content-type") or ""):
            return await request.body(bytes_max=self._bytes_max)
        try:
            return await request.json_body(bytes_max=self._bytes_max)
        except UnsupportedMediaType as problem:
            problem.reason = (
                "An event must be JSON: send Content-Type application/json or text/plain"
            )
            raise
