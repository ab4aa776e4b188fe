"""
Endpoint 12: past transactions as a file, all of it or nothing.

The body goes to disk as it arrives, within a bound; what it holds is then checked and stored beside the event loop. One
file at a time: checking a million lines takes seconds and half a gigabyte.
"""

import asyncio
import tempfile
from pathlib import Path

import msgspec

from endcap.api.auth import Authenticator
from endcap.api.http import Request, Response, Routes
from endcap.api.multipart import FilePart, boundary_of
from endcap.api.throttle import Throttle
from endcap.clock import random_id
from endcap.domain import TrackerId
from endcap.errors import TooManyRequests
from endcap.service import Service
from endcap.transfer.transactions import TransactionsReport
from endcap.transfer.uploads import import_upload

UPLOADS_MAX = 4  # on their way, in this worker: so many times the bound may be on disk
WAIT_SECONDS = 10  # what a fifth is told
CHUNK_BYTES = 1 << 20


class InteractionEndpoints:
    def __init__(self, service: Service, authenticator: Authenticator, throttle: Throttle) -> None:
        self._service = service
        self._authenticator = authenticator
        self._throttle = throttle
        self._uploads = 0
        self._one_at_a_time = asyncio.Lock()

    def mount(self, routes: Routes) -> None:
        routes.add("/v1/interactions/{tracker_id}/files", POST=self.upload)

    async def upload(self, request: Request) -> Response:
        tracker = request.parameters["tracker_id"]
        shop = await self._authenticator.tracker_of_path(request, tracker)
        self._throttle.take(shop.tracker)
        if self._uploads >= UPLOADS_MAX:
            raise TooManyRequests(WAIT_SECONDS)
        self._uploads += 1
        try:
            report = await self._imported(request, shop.tracker)
        finally:
            self._uploads -= 1
        return Response.json(msgspec.json.encode(report))

    async def _imported(self, request: Request, tracker: TrackerId) -> TransactionsReport:
        boundary = boundary_of(request)
        data_dir = self._service.settings.data_dir
        with tempfile.TemporaryDirectory(prefix=".upload-", dir=data_dir) as scratch:
            path = Path(scratch) / "file"
            await self._spool(request, boundary, path)
            async with self._one_at_a_time:
                return await asyncio.to_thread(
                    import_upload,
                    data_dir,
                    tracker,
                    path,
                    now=self._service.clock(),
                    new_id=random_id,
                )

    async def _spool(self, request: Request, boundary: bytes, path: Path) -> None:
        with path.open("wb") as file:
            part = FilePart(boundary, "file", file)
            held = bytearray()
            async for chunk in request.chunks(
                bytes_max=self._service.settings.transactions_bytes_max
            ):
                held += chunk
                if len(held) >= CHUNK_BYTES:
                    await asyncio.to_thread(part.write, bytes(held))
                    held.clear()
            await asyncio.to_thread(part.write, bytes(held))
            part.end()
