"""
A tracker's rules and items at one revision. Immutable: a newer one replaces it by one reference.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from endcap.domain import CatalogObject, Customization, CustomizationId, ItemId
from endcap.engine.catalog import Catalog
from endcap.engine.rules import Rules


class Snapshot(Struct, frozen=True):
    """`changed` equals a fresh `build` of the same state; a test with random histories holds it to that."""

    revision: int
    rules: Rules
    catalog: Catalog

    @classmethod
    def build(
        cls,
        revision: int,
        customizations: Iterable[Customization],
        objects: Iterable[CatalogObject],
        scores: Mapping[str, float] | None = None,
    ) -> "Snapshot":
        return cls(revision, Rules.of(customizations), Catalog.of(objects, scores))

    def changed(
        self,
        revision: int,
        customizations: Mapping[CustomizationId, Customization | None],
        objects: Mapping[ItemId, CatalogObject | None],
    ) -> "Snapshot":
        return Snapshot(
            revision,
            self.rules.changed(customizations) if customizations else self.rules,
            self.catalog.changed(objects) if objects else self.catalog,
        )
