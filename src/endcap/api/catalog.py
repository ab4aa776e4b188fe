"""
Endpoint 10: objects put, merged and removed, generations committed, updates by query. Errors have the catalog's shape.

The cursor export is in `api.catalog_export`.
"""

from collections.abc import Awaitable, Callable

from endcap.api.auth import Authenticator
from endcap.api.http import Request, Response, Routes
from endcap.api.revisions import shown_at
from endcap.api.throttle import Throttle
from endcap.config import Settings
from endcap.errors import CatalogFault, CatalogFaults, JobNotFound, MalformedBody
from endcap.objects import Objects, Written
from endcap.shops import Shop
from endcap.wire.catalog import TYPE_CHARACTERS_MAX, malformed
from endcap.wire.problems import catalog_json, committed_json
from endcap.wire.updates import started_json

JOB_DIGITS_MAX = 18
_Verb = Callable[[Shop, bytes], Awaitable[Written]]


class CatalogEndpoints:
    def __init__(
        self,
        settings: Settings,
        objects: Objects,
        authenticator: Authenticator,
        throttle: Throttle,
    ) -> None:
        self._settings = settings
        self._objects = objects
        self._authenticator = authenticator
        self._throttle = throttle

    def mount(self, routes: Routes) -> None:
        routes.add("/v1/content", POST=self.put, PATCH=self.patch, DELETE=self.remove)
        routes.add("/v1/content/delete", DELETE=self.remove)
        routes.add("/v1/content/commit", POST=self.commit)
        routes.add("/v1/update_by_query", PATCH=self.update, GET=self.progress)

    async def put(self, request: Request) -> Response:
        return await self._written(request, self._objects.put)

    async def patch(self, request: Request) -> Response:
        return await self._written(request, self._objects.patch)

    async def remove(self, request: Request) -> Response:
        return await self._written(request, self._objects.remove)

    async def commit(self, request: Request) -> Response:
        return await self._answered(request, self._commit)

    async def update(self, request: Request) -> Response:
        return await self._answered(request, self._update)

    async def progress(self, request: Request) -> Response:
        return await self._answered(request, self._progress)

    async def _written(self, request: Request, verb: _Verb) -> Response:
        async def answer(request: Request, shop: Shop) -> Response:
            written = await verb(shop, await self._body(request))
            return Response.json(
                catalog_json(written.ok_count, written.faults),
                400 if written.faults else 200,
                (shown_at(written.revision),),
            )

        return await self._answered(request, answer)

    async def _commit(self, request: Request, shop: Shop) -> Response:
        asked = _parameters(request, "type", "generation")
        committed = await self._objects.commit_generation(
            shop, type_=asked["type"], generation=asked["generation"]
        )
        body = committed_json(committed.kept, removed=committed.removed)
        return Response.json(body, headers=(shown_at(committed.revision),))

    async def _update(self, request: Request, shop: Shop) -> Response:
        job_id = await self._objects.start_update(shop, await self._body(request))
        return Response.json(started_json(job_id))

    async def _progress(self, request: Request, shop: Shop) -> Response:
        text = _parameters(request, "job_id")["job_id"]
        is_number = text.isascii() and text.isdigit() and len(text) <= JOB_DIGITS_MAX
        if not is_number:
            raise JobNotFound
        return Response.json(await self._objects.update_progress(shop, int(text)))

    async def _body(self, request: Request) -> bytes:
        settings = self._settings
        return await request.json_body(
            bytes_max=settings.catalog_body_bytes_max,
            inflated_bytes_max=settings.inflated_bytes_max,
        )

    async def _answered(
        self, request: Request, answer: Callable[[Request, Shop], Awaitable[Response]]
    ) -> Response:
        """The answer to who may ask, with problems of the catalog in its own shape."""
        shop = await self._authenticator.tracker_of_header(request)
        self._throttle.take(shop.tracker)
        try:
            return await answer(request, shop)
        except MalformedBody as problem:
            fault = CatalogFault("malformed_input", problem.reason, problem.details)
            return Response.json(catalog_json(0, {"body": fault}), 400)
        except CatalogFaults as problem:
            return Response.json(catalog_json(problem.ok_count, problem.faults), 400)
        except JobNotFound as problem:
            fault = CatalogFault("not_found", problem.reason)
            return Response.json(catalog_json(0, {"job_id": fault}), 404)


def _parameters(request: Request, *names: str) -> dict[str, str]:
    """The query's parameters, of several of one name the last. Raises CatalogFaults that name every faulty one."""
    sent = dict(request.query())
    faulty = {
        name: ["must be given in the query, with at most 100 characters"]
        for name in names
        if not 1 <= len(sent.get(name, "")) <= TYPE_CHARACTERS_MAX or "\x00" in sent[name]
    }
    if faulty:
        raise CatalogFaults(0, {"query": malformed(faulty)})
    return {name: sent[name] for name in names}
