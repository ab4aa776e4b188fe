"""
A tracker's rules and items at one revision. Immutable: a newer one replaces it by one reference.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from endcap.criteria import Rule
from endcap.domain import CatalogObject, Customization, CustomizationId, ItemId
from endcap.engine.catalog import Catalog
from endcap.engine.place import claims_of
from endcap.engine.rules import Rules
from endcap.engine.settle import Claim

MEMO_CLAIMS_MAX = 8_192

READY_MAX = (
    256  # criteria of pins that are answered before they are asked, 3 ms each at a million items
)


class Snapshot(Struct, frozen=True):
    """`changed` equals a fresh `build` of the same state; a test with random histories holds it to that."""

    revision: int
    rules: Rules
    catalog: Catalog
    _claims: dict[tuple[str, tuple[str, ...]], tuple[Claim, ...]] = msgspec.field(
        default_factory=dict
    )

    def claims(self, model: str, items: tuple[ItemId, ...]) -> tuple[Claim, ...]:
        """
        The claims of all who speak in a request for a model with these input items, in order of rank.

        Remembered while the snapshot lives: shoppers ask for the same pages again and again.
        """
        found = self._claims.get((model, items))
        if found is None:
            if len(self._claims) >= MEMO_CLAIMS_MAX:
                self._claims.clear()
            speaking = self.rules.speaking(self.catalog, model=model, items=items)
            found = self._claims[model, items] = claims_of(self.catalog, speaking)
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
        )


def _picked(customizations: Iterable[Customization]) -> Iterator[Rule]:
    """The criteria of pins: whoever changes them waits for their matches, not the first shopper."""
    return (pin.rule for each in customizations for pin in each.pins if pin.rule is not None)
