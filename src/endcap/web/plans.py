"""
Plans of what people brought, made beside the event loop, one at a time, and kept for who turns the pages of one.

What is kept is only quicker than making it again: another worker, or this one later, comes to the same plan from the
upload in the database. Whether it is still the same is told by its mark.
"""

import asyncio
from collections import OrderedDict

from msgspec import Struct

from endcap.domain import Micros
from endcap.errors import TooManyRequests
from endcap.planning.making import Objection, no_objection
from endcap.planning.orders import mark_of, plan_order
from endcap.planning.plan import Plan
from endcap.service import Service
from endcap.shops import Shop
from endcap.store.accounts import Upload

KEPT_MAX = 2  # some 200 MB at the most
KEPT_MICROS = 10 * 60 * 1_000_000
WAITING_MAX = 4  # behind the one that is being made
WAIT_SECONDS = 10  # what a sixth is told


class Planned(Struct, frozen=True):
    plan: Plan
    mark: str
    at: Micros


class Plans:
    """One a process."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0
        self._kept: OrderedDict[str, Planned] = OrderedDict()

    async def of(self, upload: Upload, shop: Shop) -> Planned:
        """As it was made lately, if it was. Raises UsageFault, FaultyRows, TooManyRequests."""
        return self._known(upload) or await self.anew(upload, shop)

    async def anew(self, upload: Upload, shop: Shop) -> Planned:
        """By what is in the tracker now."""
        if self._waiting > WAITING_MAX:
            raise TooManyRequests(WAIT_SECONDS)
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                planned = await asyncio.to_thread(self._made, upload, shop)
        finally:
            self._waiting -= 1
        self._kept[upload.id] = planned
        self._kept.move_to_end(upload.id)
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return planned

    def forget(self, upload: Upload) -> None:
        self._kept.pop(upload.id, None)

    def _known(self, upload: Upload) -> Planned | None:
        since = self._service.clock() - KEPT_MICROS
        for id_ in [each for each, planned in self._kept.items() if planned.at < since]:
            del self._kept[id_]
        return self._kept.get(upload.id)

    def _made(self, upload: Upload, shop: Shop) -> Planned:
        now = self._service.clock()
        plan = plan_order(self._service.store, upload, objection=self._objection(shop))
        return Planned(plan, mark_of(plan), now)

    def _objection(self, shop: Shop) -> Objection:
        if self._service.settings.unknown_models != "refuse":
            return no_objection
        return lambda definition: self._service.objection(shop, definition)
