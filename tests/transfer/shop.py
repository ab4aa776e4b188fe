"""
A store with one tracker, for imports, and what is in its catalog afterwards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from endcap.domain import Micros, TrackerId
from endcap.store import open_store
from endcap.store.port import Store
from endcap.store.writes import CreateTracker
from endcap.transfer.catalog import CatalogReport, import_catalog
from endcap.transfer.fields import FieldMap
from endcap.transfer.formats import CatalogFormat
from endcap.wire.catalog import attributes

SHOP = TrackerId("1234-5678")
NOW = Micros(1_737_374_400_000_000)  # Mon, 20 Jan 2025 12:00:00 GMT
Json = Any


class Catalog:
    """What imports made."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def run(
        self, path: Path, *pairs: str, format: CatalogFormat | None = None, dry_run: bool = False
    ) -> CatalogReport:
        fields = FieldMap.of(pairs)
        return import_catalog(
            self.store,
            SHOP,
            path,
            fields=fields,
            format=format,
            actor="test",
            now=NOW,
            dry_run=dry_run,
        )

    def stored(self) -> dict[str, Json]:
        """The documents by identity."""
        with self.store.load(SHOP) as load:
            return {held.identity: msgspec.json.decode(held.document) for held in load.objects()}

    def attributes(self) -> dict[str, Json]:
        """What criteria look at, by identity."""
        with self.store.load(SHOP) as load:
            return {held.identity: attributes(held.document) for held in load.objects()}


@contextmanager
def catalog_in(folder: Path) -> Iterator[Catalog]:
    store = open_store(f"sqlite:///{folder / 'endcap.db'}")
    store.migrate()
    store.commit([CreateTracker(SHOP, "shop", b"sealed", "test", NOW)])
    try:
        yield Catalog(store)
    finally:
        store.close()
