"""
A tracker's rules and items at one revision. Immutable: a newer one replaces it by one reference.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from endcap.criteria import Rule
from endcap.domain import CatalogObject, Customization, CustomizationId, ItemId
from endcap.engine.catalog import Catalog
from endcap.engine.place import claims_of
from endcap.engine.rules import Rules
from endcap.engine.settle import Claim

MEMO_PAGES_MAX = 8_192

READY_MAX = (
    256  # criteria of pins that are answered before they are asked, 3 ms each at a million items
)


class _Remembered:
    """Who claims what, by model and input items: what snapshots find out, and hand on where it stays true."""

    __slots__ = ("_count", "_pages")

    def __init__(self) -> None:
        self._pages: dict[str, dict[tuple[ItemId, ...], tuple[Claim, ...]]] = {}
        self._count = 0

    def get(self, model: str, items: tuple[ItemId, ...]) -> tuple[Claim, ...] | None:
        pages = self._pages.get(model)
        return None if pages is None else pages.get(items)

    def keep(self, model: str, items: tuple[ItemId, ...], claims: tuple[Claim, ...]) -> None:
        if self._count >= MEMO_PAGES_MAX:
            self._pages.clear()
            self._count = 0
        self._pages.setdefault(model, {})[items] = claims
        self._count += 1

    def without(self, models: Collection[str]) -> "_Remembered":
        """A successor's, which knows nothing yet of these models. The others' pages are shared."""
        left = _Remembered()
        # A copy: a reader of the older snapshot may add a model meanwhile.
        pages = self._pages.copy()
        left._pages = {model: pages[model] for model in pages if model not in models}
        left._count = sum(map(len, left._pages.values()))
        return left


class Snapshot(Struct, frozen=True):
    """`changed` equals a fresh `build` of the same state; a test with random histories holds it to that."""

    revision: int
    rules: Rules
    catalog: Catalog
    _remembered: _Remembered = msgspec.field(default_factory=_Remembered)

    def claims(self, model: str, items: tuple[ItemId, ...]) -> tuple[Claim, ...]:
        """
        The claims of all who speak in a request for a model with these input items, in order of rank.

        Remembered until the catalog or a customization of the model changes: shoppers ask for the same pages again
        and again.
        """
        found = self._remembered.get(model, items)
        if found is None:
            speaking = self.rules.speaking(self.catalog, model=model, items=items)
            found = claims_of(self.catalog, speaking)
            self._remembered.keep(model, items, found)
        return found

    @classmethod
    def build(
        cls,
        revision: int,
        customizations: Iterable[Customization],
        objects: Iterable[CatalogObject],
        scores: Mapping[str, float] | None = None,
    ) -> "Snapshot":
        rules, catalog = Rules.of(customizations), Catalog.of(objects, scores)
        for rule, _ in Counter(_picked(rules.all())).most_common(READY_MAX):
            catalog.matches(rule)
        return cls(revision, rules, catalog)

    def changed(
        self,
        revision: int,
        customizations: Mapping[CustomizationId, Customization | None],
        objects: Mapping[ItemId, CatalogObject | None],
    ) -> "Snapshot":
        catalog = self.catalog.changed(objects) if objects else self.catalog
        if len(customizations) <= READY_MAX:
            for rule in set(_picked(each for each in customizations.values() if each)):
                catalog.matches(rule)
        return Snapshot(
            revision,
            self.rules.changed(customizations) if customizations else self.rules,
            catalog,
            _Remembered() if objects else self._remembered.without(self._models(customizations)),
        )

    def with_candidate(self, candidate: Customization) -> "Snapshot":
        """
        The same with a customization as it might be, in the place of the one with its id if there is one. Who asks it
        gets what shoppers would get after that was saved; nothing that it finds out is kept for them.
        """
        rules = self.rules.changed({candidate.id: candidate})
        return Snapshot(self.revision, rules, self.catalog.apart())

    def _models(
        self, customizations: Mapping[CustomizationId, Customization | None]
    ) -> Collection[str]:
        """The models that changed customizations had or have."""
        before = (self.rules.customization(each) for each in customizations)
        return {each.model for each in (*before, *customizations.values()) if each is not None}


def _picked(customizations: Iterable[Customization]) -> Iterator[Rule]:
    """The criteria of pins: whoever changes them waits for their matches, not the first shopper."""
    return (
        pin.rule
        for each in customizations
        if not each.is_silent
        for pin in each.pins
        if pin.rule is not None
    )
