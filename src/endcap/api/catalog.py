"""
Endpoint 10, the part of every day: objects put, merged and removed, with the catalog's own error shape.
"""

from collections.abc import Awaitable, Callable

from endcap.api.auth import Authenticator
from endcap.api.http import Request, Response, Routes
from endcap.api.revisions import shown_at
from endcap.api.throttle import Throttle
from endcap.errors import CatalogFault, CatalogFaults, MalformedBody
from endcap.mirror import Shop
from endcap.service import Service, Written
from endcap.wire.problems import catalog_json

_Verb = Callable[[Shop, bytes], Awaitable[Written]]


class CatalogEndpoints:
    def __init__(self, service: Service, authenticator: Authenticator, throttle: Throttle) -> None:
        self._service = service
        self._authenticator = authenticator
        self._throttle = throttle

    def mount(self, routes: Routes) -> None:
        routes.add("/v1/content", POST=self.put, PATCH=self.patch, DELETE=self.remove)

    async def put(self, request: Request) -> Response:
        return await self._written(request, self._service.put_objects)

    async def patch(self, request: Request) -> Response:
        return await self._written(request, self._service.patch_objects)

    async def remove(self, request: Request) -> Response:
        return await self._written(request, self._service.remove_objects)

    async def _written(self, request: Request, verb: _Verb) -> Response:
        shop = await self._authenticator.tracker_of_header(request)
        self._throttle.take(shop.tracker)
        settings = self._service.settings
        try:
            body = await request.json_body(
                bytes_max=settings.catalog_body_bytes_max,
                inflated_bytes_max=settings.inflated_bytes_max,
            )
            written = await verb(shop, body)
        except MalformedBody as problem:  # the catalog has its own shape for the same news
            fault = CatalogFault("malformed_input", problem.reason, problem.details)
            return Response.json(catalog_json(0, {"body": fault}), 400)
        except CatalogFaults as problem:
            return Response.json(catalog_json(problem.ok_count, problem.faults), 400)
        return Response.json(
            catalog_json(written.ok_count, written.faults),
            400 if written.faults else 200,
            (shown_at(written.revision),),
        )
