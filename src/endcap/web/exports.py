"""
What a list shows, as a file: streamed from the database in a thread of its own, however long it is.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from typing import Literal, cast, get_args

from endcap.api.http import CSV, JSON, Response
from endcap.api.threads import begun, in_thread
from endcap.domain import Record
from endcap.errors import FaultyFields, TooManyRequests
from endcap.shops import Shop
from endcap.transfer.export import export_records
from endcap.web import words
from endcap.web.lists import Asked, found_ids, read_asked
from endcap.web.modules import TRACKER, Ground, PageModule, Route
from endcap.web.sections import CUSTOMIZATIONS
from endcap.web.visits import Visit

Format = Literal["csv", "xlsx", "json", "yaml"]
IDS_AT_ONCE = 500
EXPORTS_MAX = 2  # at once, in this worker: each takes as much of a core as it gets
WAIT_SECONDS = 10  # what a third is told
_TYPES = {
    "csv": CSV,
    "json": JSON,
    "xlsx": (
        b"content-type",
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    "yaml": (b"content-type", b"application/yaml; charset=utf-8"),
}


class ExportPages(PageModule):
    def __init__(self, ground: Ground) -> None:
        self._service = ground.service
        self._rosters = ground.rosters
        self._exports = 0

    def routes(self) -> Sequence[Route]:
        return (Route("GET", f"{TRACKER}/export", "look", self.export, CUSTOMIZATIONS),)

    async def export(self, visit: Visit) -> Response:
        """Raises FaultyFields; UsageFault where a spreadsheet cannot hold one; TooManyRequests."""
        format_ = read_format(visit.query.get("format", "csv"))
        if self._exports >= EXPORTS_MAX:
            raise TooManyRequests(WAIT_SECONDS)
        shop, asked = visit.place, read_asked(visit.query)

        def chunks() -> Iterator[bytes]:
            return export_records(
                self._records(shop, asked),
                format_,
                is_available=lambda record: self._service.is_available(shop, record),
            )

        name = _file_name(shop, words.iso(self._service.clock())[:10], format_)
        headers = (
            _TYPES[format_],
            (b"content-disposition", f'attachment; filename="{name}"'.encode()),
        )
        if visit.request.method == "HEAD":
            return Response(200, b"", headers)
        return Response(200, await begun(self._counted(in_thread(chunks))), headers)

    async def _counted(self, chunks: AsyncIterator[list[bytes]]) -> AsyncIterator[bytes]:
        self._exports += 1
        try:
            async for each in chunks:
                yield b"".join(each)
        finally:
            self._exports -= 1

    def _records(self, shop: Shop, asked: Asked) -> Iterator[Record]:
        """All that the list finds, in its order; without what is deleted while it is read."""
        ids = iter(found_ids(self._rosters.of(shop), asked, self._service.clock()))
        while batch := list(islice(ids, IDS_AT_ONCE)):
            found = self._service.store.customizations(shop.tracker, batch)
            yield from (found[each] for each in batch if each in found)


def read_format(text: str) -> Format:
    """Raises FaultyFields."""
    if text not in get_args(Format):
        told = f"Must be one of {', '.join(get_args(Format))}"
        raise FaultyFields("There is no such format", {"format": [told]})
    return cast(Format, text)


def _file_name(shop: Shop, day: str, format: Format) -> str:
    tracker = re.sub(r"[^A-Za-z0-9._-]+", "-", shop.tracker)
    return f"customizations-{tracker}-{day}.{format}"
