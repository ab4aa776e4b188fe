"""
Endpoint 10, the way out: the whole catalog in pages, each with a link to the next.
"""

import asyncio
import re

from endcap.api.auth import Authenticator
from endcap.api.http import Request, Response, Routes
from endcap.api.revisions import shown_at
from endcap.api.throttle import Throttle
from endcap.objects import Objects
from endcap.service import Service
from endcap.wire.catalog_export import PATH, read_content_export

_HOST = re.compile(r"[A-Za-z0-9.\-_]+(?::[0-9]+)?|\[[0-9A-Fa-f:.]+\](?::[0-9]+)?")


class ContentExportEndpoint:
    def __init__(
        self,
        service: Service,
        objects: Objects,
        authenticator: Authenticator,
        throttle: Throttle,
    ) -> None:
        self._service = service
        self._objects = objects
        self._authenticator = authenticator
        self._throttle = throttle
        self._public_url = service.settings.public_url.rstrip("/")

    def mount(self, routes: Routes) -> None:
        routes.add(PATH, GET=self.page)

    async def page(self, request: Request) -> Response:
        shop = await self._authenticator.tracker_of_header(request)
        self._throttle.take(shop.tracker)
        service, objects = self._service, self._objects
        wanted = read_content_export(request.query(), shop.tracker, now=service.clock())
        base_url = self._public_url or _base_url(request)

        def read() -> tuple[bytes, int]:
            return objects.content_page(shop, wanted, base_url=base_url), service.revision(shop)

        body, revision = await asyncio.to_thread(read)
        return Response.json(body, 200, (shown_at(revision),))


def _base_url(request: Request) -> str:
    """
    What the client called, as far as the request tells; empty, for a link without a host, where it does not.

    Who asks is who gets the link, so a false header misleads its sender alone.
    """
    host = request.header(b"host") or ""
    if not _HOST.fullmatch(host):
        return ""
    is_secure = (request.header(b"x-forwarded-proto") or "").strip().lower() == "https"
    return f"{'https' if is_secure else 'http'}://{host}"
