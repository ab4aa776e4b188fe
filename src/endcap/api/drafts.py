"""
Our own paths for drafts: saved, read, discarded, published now or at a time; and unpublishing.
"""

import asyncio
from typing import Any

from msgspec import UNSET

from endcap.api.auth import Authenticator
from endcap.api.customizations import expected_revisions, id_of
from endcap.api.http import Request, Response, Routes
from endcap.api.revisions import REVISION_MAX, shown_at
from endcap.api.throttle import Throttle
from endcap.api.versions import BASE, number, shop_of
from endcap.domain import CustomizationId, Draft
from endcap.drafts import Drafts
from endcap.errors import DraftConflict, FaultyFields
from endcap.service import Service
from endcap.shops import Shop
from endcap.wire import past

PAGE_DEFAULT = 25
PAGE_MAX = 1_000


class DraftEndpoints:
    def __init__(
        self, service: Service, drafts: Drafts, authenticator: Authenticator, throttle: Throttle
    ) -> None:
        self._service = service
        self._drafts = drafts
        self._authenticator = authenticator
        self._throttle = throttle
        self._bytes_max = service.settings.body_bytes_max

    def mount(self, routes: Routes) -> None:
        one = f"{BASE}/customizations/{{id}}"
        routes.add(f"{BASE}/drafts", GET=self.list, POST=self.create)
        routes.add(f"{one}/draft", GET=self.get, PUT=self.save, DELETE=self.discard)
        routes.add(f"{one}/publish", POST=self.publish)
        routes.add(f"{one}/unpublish", POST=self.unpublish)

    async def list(self, request: Request) -> Response:
        shop = await self._shop(request)
        query = dict(request.query())
        limit = number(query.get("limit", str(PAGE_DEFAULT)), "limit", PAGE_MAX)
        page = number(query.get("page", "1"), "page", 10**9)
        store, tracker = self._drafts.store, shop.tracker

        def read() -> bytes:
            found = store.drafts(tracker, limit=limit, offset=(page - 1) * limit)
            return past.drafts_json(store.count_drafts(tracker), found)

        return Response.json(await asyncio.to_thread(read), 200, (shown_at(shop.revision),))

    async def create(self, request: Request) -> Response:
        shop = await self._shop(request)
        draft = await self._saved(shop, request, None, None, 0)
        location = f"/api/trackers/{shop.tracker}/customizations/{draft.id}/draft".encode()
        return _answer(draft, 201, (b"location", location))

    async def get(self, request: Request) -> Response:
        shop, id_ = await self._shop(request), id_of(request)
        return _answer(await asyncio.to_thread(self._drafts.draft, shop.tracker, id_))

    async def save(self, request: Request) -> Response:
        shop, id_ = await self._shop(request), id_of(request)
        base = dict(request.query()).get("base")
        standing = await asyncio.to_thread(self._drafts.standing, shop.tracker, id_)
        if base is not None:
            known: int | None = 0 if base == "0" else number(base, "base", REVISION_MAX)
        elif standing.draft is not None:
            known = standing.draft.base
        else:
            known = standing.published
        expected = (
            0 if request.header(b"if-none-match") == "*" else _only(request, standing.drafted)
        )
        return _answer(await self._saved(shop, request, id_, known, expected))

    async def discard(self, request: Request) -> Response:
        shop, id_ = await self._shop(request), id_of(request)
        expected = _only(request, await self._drafted(shop, id_))
        revision = await self._drafts.discard(shop.tracker, id_, expected=expected, **self._who())
        return Response(204, headers=(shown_at(revision),))

    async def publish(self, request: Request) -> Response:
        shop, id_ = await self._shop(request), id_of(request)
        asked = past.read(await request.json_body(bytes_max=self._bytes_max), past.PublishAsked)
        expected = _only(request, await self._drafted(shop, id_))
        if asked.at is not UNSET:
            at = None if asked.at is None else past.read_moment(asked.at, "at")
            if asked.over is not None:
                told = "What is published at that time has to be what the draft was made from"
                raise FaultyFields("Invalid request provided", {"over": [told]})
            return _answer(
                await self._drafts.schedule(shop.tracker, id_, at, expected=expected, **self._who())
            )
        record = await self._drafts.publish(
            shop.tracker, id_, expected=expected, over=asked.over, **self._who()
        )
        made = self._service.render(self._service.shop(shop.tracker), record)
        headers = ((b"etag", made.etag.encode()), shown_at(made.revision))
        return Response.json(made.body, 200, headers)

    async def unpublish(self, request: Request) -> Response:
        shop, id_ = await self._shop(request), id_of(request)
        await request.body(bytes_max=self._bytes_max)
        draft = await self._drafts.unpublish(
            shop.tracker, id_, expected=expected_revisions(request), **self._who()
        )
        return _answer(draft)

    async def _saved(
        self,
        shop: Shop,
        request: Request,
        id_: CustomizationId | None,
        base: int | None,
        expected: int | None,
    ) -> Draft:
        body = await request.json_body(bytes_max=self._bytes_max)
        definition = self._service.read(shop, body)
        return await self._drafts.save(
            shop.tracker, id_, definition, base=base, expected=expected, **self._who()
        )

    async def _drafted(self, shop: Shop, id_: CustomizationId) -> int:
        return (await asyncio.to_thread(self._drafts.standing, shop.tracker, id_)).drafted

    def _who(self) -> dict[str, Any]:
        return {"actor": self._service.settings.creator, "now": self._service.clock()}

    async def _shop(self, request: Request) -> Shop:
        return await shop_of(request, self._authenticator, self._throttle)


def _only(request: Request, drafted: int) -> int | None:
    """The revision that the draft must have still, if If-Match asks for one. Raises DraftConflict."""
    expected = expected_revisions(request)
    if expected is None:
        return None
    if drafted not in expected:
        raise DraftConflict
    return drafted


def _answer(draft: Draft, status: int = 200, *headers: tuple[bytes, bytes]) -> Response:
    etag = (b"etag", f'"{draft.revision}"'.encode())
    return Response.json(past.draft_json(draft), status, (etag, shown_at(draft.revision), *headers))
