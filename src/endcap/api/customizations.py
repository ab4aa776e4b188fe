"""
Endpoints 1 to 7: customizations, for signed clients.
"""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Callable
from urllib.parse import unquote

from endcap.api.auth import Authenticator
from endcap.api.http import CSV, JSON, NDJSON, Request, Response, Routes
from endcap.api.revisions import REVISION_HEADER, as_seen, shown_at
from endcap.api.threads import ask, begun, in_thread
from endcap.api.throttle import Throttle
from endcap.domain import CustomizationId
from endcap.errors import CustomizationNotFound, FaultyFields
from endcap.renderings import Rendered
from endcap.service import Service, Tag
from endcap.shops import Shop
from endcap.wire.customizations import CSV_COLUMNS, csv_rows, one_line
from endcap.wire.listing import read_export, read_listing

BASE = "/v1/recommender/pin/{tracker}"
IDEMPOTENCY_KEY_CHARACTERS_MAX = 255
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_ETAG = re.compile(r'(?:W/)?"(\d{1,19})(?:-[0-9a-f]*)?"')


class CustomizationEndpoints:
    def __init__(self, service: Service, authenticator: Authenticator, throttle: Throttle) -> None:
        self._service = service
        self._authenticator = authenticator
        self._throttle = throttle
        self._bytes_max = service.settings.body_bytes_max
        self._inline = service.store.inline

    def mount(self, routes: Routes) -> None:
        routes.add(f"{BASE}/scope", POST=self.create)
        routes.add(f"{BASE}/scope/{{id}}", GET=self.get, PUT=self.replace, DELETE=self.delete)
        routes.add(f"{BASE}/scopes", POST=self.list)
        routes.add(f"{BASE}/scopes/export", POST=self.export)
        routes.add(f"{BASE}/summary", GET=self.summary)

    async def create(self, request: Request) -> Response:
        shop = await self._shop(request)
        key = request.header(b"idempotency-key")
        if key is not None and not 1 <= len(key) <= IDEMPOTENCY_KEY_CHARACTERS_MAX:
            details = {
                "Idempotency-Key": [f"Must have 1 to {IDEMPOTENCY_KEY_CHARACTERS_MAX} characters"]
            }
            raise FaultyFields("Invalid Idempotency-Key provided", details)
        body = await request.json_body(bytes_max=self._bytes_max)
        made = await self._service.create(shop, body, idempotency_key=key)
        location = f"{request.path}/{made.id}".encode("latin-1")
        return Response.json(made.body, 201, (*_tags(made), (b"location", location)))

    async def get(self, request: Request) -> Response:
        shop = self._plain_shop(request) or await self._seen_shop(request)
        wanted_id = id_of(request)
        found = self._service.get_mirrored(shop, wanted_id)
        if found is None:
            found = await ask(lambda: self._service.get(shop, wanted_id), inline=self._inline)
        wanted = request.header(b"if-none-match")
        if wanted is not None and names_tag(wanted, found.etag):
            return Response(304, headers=_tags(found))
        return Response.json(found.body, 200, _tags(found))

    async def replace(self, request: Request) -> Response:
        shop = await self._shop(request)
        body = await request.json_body(bytes_max=self._bytes_max)
        made = await self._service.replace(
            shop, id_of(request), body, expected=expected_revisions(request)
        )
        return Response(204, headers=_tags(made))

    async def delete(self, request: Request) -> Response:
        shop = await self._shop(request)
        revision = await self._service.delete(
            shop, id_of(request), expected=expected_revisions(request)
        )
        return Response(204, headers=(shown_at(revision),))

    async def list(self, request: Request) -> Response:
        shop = await self._seen_shop(request)
        listing = read_listing(request.query(), await request.json_body(bytes_max=self._bytes_max))
        return await self._told(shop, lambda: self._service.page(shop, listing))

    async def export(self, request: Request) -> Response:
        shop = await self._seen_shop(request)
        await request.body(bytes_max=self._bytes_max)
        export = read_export(request.query())
        header, encode = _format(request.header(b"accept") or "")
        chunks = await begun(in_thread(lambda: self._service.export(shop, export)))
        revision = await ask(lambda: self._service.revision(shop), inline=self._inline)
        return Response(200, encode(chunks), (header, shown_at(revision)))

    async def summary(self, request: Request) -> Response:
        shop = await self._seen_shop(request)
        return await self._told(shop, lambda: self._service.summary(shop))

    async def _told(self, shop: Shop, read: Callable[[], bytes]) -> Response:
        """What a long read of the store finds, and a revision that holds all of it."""

        def both() -> tuple[bytes, int]:
            return read(), self._service.revision(shop)

        body, revision = await asyncio.to_thread(both)
        return Response.json(body, 200, (shown_at(revision),))

    def _plain_shop(self, request: Request) -> Shop | None:
        """What `_seen_shop` would give, where nothing is out of the ordinary."""
        if REVISION_HEADER in request.headers:
            return None
        tracker = request.parameters["tracker"]
        shop = self._authenticator.plainly_signed(request, tracker)
        if shop is not None:
            self._throttle.take(tracker)
        return shop

    async def _seen_shop(self, request: Request) -> Shop:
        """For reads: as new as their sender has seen it."""
        shop = await self._shop(request)
        if request.header(REVISION_HEADER) is None:
            return shop
        return await as_seen(request, shop, self._service.mirror)

    async def _shop(self, request: Request) -> Shop:
        tracker = request.parameters["tracker"]
        if "%" in tracker:
            tracker = unquote(tracker)
        shop = await self._authenticator.tracker_of_path(request, tracker)
        self._throttle.take(tracker)
        return shop


def id_of(request: Request) -> CustomizationId:
    """A path id that is no UUID names no customization."""
    text = request.parameters["id"]
    if not _UUID.fullmatch(text):
        raise CustomizationNotFound
    return CustomizationId(text.lower())


def _tags(tagged: Rendered | Tag) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"etag", tagged.etag.encode()),
        shown_at(tagged.revision),
    )


def expected_revisions(request: Request) -> frozenset[int] | None:
    """
    The revisions that If-Match allows; None for no condition (`*` asks only that it exists, which PUT and DELETE do).

    Only the revision in a tag counts: the rest tells whether what is *shown* changed, by time or catalog. A proxy may
    have weakened the tag (`W/`) when it compressed the body; the revision in it is as exact as before.
    """
    header = request.header(b"if-match")
    if header is None or header.strip() == "*":
        return None
    return frozenset(int(revision) for revision in _ETAG.findall(header))


def names_tag(header: str, etag: str) -> bool:
    """Whether If-None-Match names a tag."""
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags


_Chunks = AsyncIterator[list[bytes]]
_Encoder = Callable[[_Chunks], AsyncIterator[bytes]]


def _format(accept: str) -> tuple[tuple[bytes, bytes], _Encoder]:
    if "application/x-ndjson" in accept:
        return NDJSON, _as_lines
    if "text/csv" in accept:
        return CSV, _as_csv
    return JSON, _as_array


async def _as_array(chunks: _Chunks) -> AsyncIterator[bytes]:
    separator = b"["
    async for chunk in chunks:
        yield separator + b",".join(chunk)
        separator = b","
    yield b"]" if separator == b"," else b"[]"


async def _as_lines(chunks: _Chunks) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield b"".join(one_line(each) + b"\n" for each in chunk)


async def _as_csv(chunks: _Chunks) -> AsyncIterator[bytes]:
    yield _csv([list(CSV_COLUMNS)])
    async for chunk in chunks:
        yield _csv([row for each in chunk for row in csv_rows(each)])


def _csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
