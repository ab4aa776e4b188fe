"""
What a field may be filled with, while one types: products, attributes, and values that exist.

Answers are lists of options, bounded, the likeliest first; a script puts them below the field. Nothing needs them: what
one knows can be typed whole.
"""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct

from endcap.api.http import Response
from endcap.engine.values import attributes, range_of, values
from endcap.finders import Finders
from endcap.shops import Shop
from endcap.web import words
from endcap.web.conditions import spelled
from endcap.web.modules import TRACKER, Ground, PageModule, Route
from endcap.web.shown import Gallery, Thing
from endcap.web.trial import price_of
from endcap.web.visits import Visit

TEXT_CHARACTERS_MAX = 200
OPTIONS_MAX = 12


class Option(Struct, frozen=True):
    """`value` is what the field gets, `text` and `more` what one reads."""

    value: str
    text: str
    more: str = ""
    thing: Thing | None = None


class Offer(Struct, frozen=True):
    options: Sequence[Option]
    note: str = ""


class PickPages(PageModule):
    def __init__(self, ground: Ground) -> None:
        self._service = ground.service
        self._pages = ground.pages
        self._finders: Finders = ground.finders

    def routes(self) -> Sequence[Route]:
        path = f"{TRACKER}/pick"
        return (
            Route("GET", f"{path}/items", "look", self.items),
            Route("GET", f"{path}/attributes", "look", self.attributes),
            Route("GET", f"{path}/values", "look", self.values),
        )

    async def items(self, visit: Visit) -> Response:
        """By words of titles, or identities."""
        return await self._offered(visit, self._items)

    async def attributes(self, visit: Visit) -> Response:
        return await self._offered(visit, _attributes)

    async def values(self, visit: Visit) -> Response:
        """Of the attribute that the query names."""
        attribute = visit.query.get("attribute")
        return await self._offered(visit, lambda shop, text: _values(shop, attribute, text))

    async def _offered(self, visit: Visit, ask: Callable[[Shop, str], Offer]) -> Response:
        text = visit.query.get("q")[:TEXT_CHARACTERS_MAX]
        offer = await asyncio.to_thread(ask, visit.place, text)
        return self._pages.answer("options", visit, offer=offer)

    def _items(self, shop: Shop, text: str) -> Offer:
        finder = self._finders.of(shop)
        found = finder.find(text, OPTIONS_MAX)
        catalog = shop.snapshot.catalog
        gallery = Gallery(catalog, self._service.clock(), self._service.settings)
        options = []
        for number in found.numbers:
            identity = finder.catalog.identity(number)
            price = price_of(catalog, identity)
            more = f"{identity} · {price}" if price else identity
            thing = gallery.item(identity)
            options.append(Option(identity, thing.title, more, thing))
        note = "There are more: type another word" if found.is_cut else ""
        return Offer(options, note if options or not text else "No product has these words")


def _attributes(shop: Shop, text: str) -> Offer:
    found = attributes(shop.snapshot.catalog, text, OPTIONS_MAX)
    return Offer([Option(each.name, each.name, _count(each.count)) for each in found])


def _values(shop: Shop, attribute: str, text: str) -> Offer:
    catalog = shop.snapshot.catalog
    found = values(catalog, attribute, text, OPTIONS_MAX)
    options = [
        Option(spelled(each.value), spelled(each.value), _count(each.count)) for each in found
    ]
    ends = range_of(catalog, attribute)
    note = "" if ends is None else f"Numbers from {ends.low:,g} to {ends.high:,g}"
    return Offer(options, note)


def _count(count: int) -> str:
    return words.plural(count, "object")
