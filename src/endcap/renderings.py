"""
Customizations as they were last rendered, for as long as they would be rendered the same.

Kept only of what the mirror holds, so whoever asks must know that the mirror is current. A rendering holds until its
customization is replaced, its target's item is, or a window opens or closes that its `available` depends on.
"""

import math

from msgspec import Struct

from endcap.domain import Customization, CustomizationId, ItemTarget, Micros, TrackerId
from endcap.engine.catalog import Item
from endcap.shops import Shop

RENDERINGS_MAX = 10_000  # a kilobyte each, more or less


class Rendered(Struct, frozen=True):
    """A customization ready to send; `revision` is the tracker's at which it was last written."""

    id: CustomizationId
    body: bytes
    etag: str
    revision: int


class _Kept(Struct):
    """A rendering with what it was made of. `checked_at` is the tracker's revision at which that was still so."""

    rendered: Rendered
    customization: Customization
    item: Item | None
    since: Micros
    until: float
    checked_at: int


class Renderings:
    """A bounded memory; the oldest goes first."""

    def __init__(self, count_max: int = RENDERINGS_MAX) -> None:
        self._count_max = count_max
        self._kept: dict[tuple[TrackerId, CustomizationId], _Kept] = {}

    def get(self, shop: Shop, id: CustomizationId, now: Micros) -> Rendered | None:
        """The rendering of now, if it is known."""
        kept = self._kept.get((shop.tracker, id))
        if kept is None or not kept.since <= now < kept.until:
            return None
        if kept.checked_at != shop.snapshot.revision:
            customization = shop.snapshot.rules.customization(id)
            if (
                customization is not kept.customization
                or _item(shop, customization) is not kept.item
            ):
                return None
            kept.checked_at = shop.snapshot.revision
        return kept.rendered

    def keep(self, shop: Shop, rendered: Rendered, now: Micros) -> None:
        """Remembers what was just rendered over this shop, if the shop holds that very revision."""
        customization = shop.snapshot.rules.customization(rendered.id)
        if customization is None or customization.revision != rendered.revision:
            return
        item = _item(shop, customization)
        until = min(
            customization.changes_at(now), math.inf if item is None else item.window.changes_at(now)
        )
        if len(self._kept) >= self._count_max:
            del self._kept[next(iter(self._kept))]
        key = (shop.tracker, rendered.id)
        revision = shop.snapshot.revision
        self._kept[key] = _Kept(rendered, customization, item, now, until, revision)


def _item(shop: Shop, customization: Customization | None) -> Item | None:
    """What a rendering shows of the catalog."""
    if customization is None or not isinstance(customization.target, ItemTarget):
        return None
    catalog = shop.snapshot.catalog
    number = catalog.number(customization.target.identity)
    return None if number is None else catalog.item(number)
