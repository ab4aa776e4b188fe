"""
Endpoints of the table of models, for signed clients: outside of the vendor's paths, because the vendor has none.
"""

from urllib.parse import unquote

from endcap.api.auth import Authenticator
from endcap.api.customizations import expected_revisions, names_tag
from endcap.api.http import Request, Response, Routes
from endcap.api.revisions import REVISION_HEADER, as_seen, shown_at
from endcap.api.throttle import Throttle
from endcap.recommend.table import DOCUMENT_BYTES_MAX
from endcap.service import Service, TaggedModel
from endcap.shops import Shop

BASE = "/api/trackers/{tracker}/models"


class ModelEndpoints:
    def __init__(self, service: Service, authenticator: Authenticator, throttle: Throttle) -> None:
        self._service = service
        self._authenticator = authenticator
        self._throttle = throttle

    def mount(self, routes: Routes) -> None:
        routes.add(BASE, GET=self.list)
        routes.add(f"{BASE}/{{name}}", GET=self.get, PUT=self.put, DELETE=self.delete)
        routes.add("/api/strategies", GET=self.strategies)

    async def list(self, request: Request) -> Response:
        shop = await self._seen_shop(request)
        return Response.json(self._service.models(shop), 200, (shown_at(shop.revision),))

    async def get(self, request: Request) -> Response:
        shop = await self._seen_shop(request)
        found = self._service.model(shop, _name(request))
        wanted = request.header(b"if-none-match")
        if wanted is not None and names_tag(wanted, found.etag):
            return Response(304, headers=_tags(found))
        return Response.json(found.body, 200, _tags(found))

    async def put(self, request: Request) -> Response:
        shop = await self._shop(request)
        body = await request.json_body(bytes_max=DOCUMENT_BYTES_MAX)
        expected = expected_revisions(request)
        made = await self._service.put_model(shop, _name(request), body, expected=expected)
        return Response.json(made.body, 200, _tags(made))

    async def delete(self, request: Request) -> Response:
        shop = await self._shop(request)
        expected = expected_revisions(request)
        revision = await self._service.remove_model(shop, _name(request), expected=expected)
        return Response(204, headers=(shown_at(revision),))

    async def strategies(self, request: Request) -> Response:
        return Response.json(self._service.strategies())

    async def _seen_shop(self, request: Request) -> Shop:
        """For reads: as new as their sender has seen it."""
        shop = await self._shop(request)
        if request.header(REVISION_HEADER) is None:
            return shop
        return await as_seen(request, shop, self._service.mirror)

    async def _shop(self, request: Request) -> Shop:
        tracker = unquote(request.parameters["tracker"])
        shop = await self._authenticator.tracker_of_path(request, tracker)
        self._throttle.take(tracker)
        return shop


def _name(request: Request) -> str:
    return unquote(request.parameters["name"])


def _tags(tagged: TaggedModel) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"etag", tagged.etag.encode()), shown_at(tagged.revision))
