"""
A database, a data folder, a told clock, and as many workers over them as a test wants.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from endcap.archive.places import open_place
from endcap.archive.reading import EventSource
from endcap.config import Settings
from endcap.domain import (
    CatalogObject,
    CustomizationId,
    Definition,
    ItemId,
    Micros,
    Record,
    TrackerId,
)
from endcap.mirror import Mirror
from endcap.shops import Shop
from endcap.store import open_events, open_store
from endcap.store.port import Store
from endcap.store.writes import (
    AddKey,
    Committed,
    CreateCustomization,
    CreateTracker,
    DeleteCustomization,
    PutObjects,
    RemoveObjects,
    ReplaceCustomization,
    RevokeKey,
    Write,
)
from endcap.vault import Vault
from endcap.wire.catalog import object_from
from endcap.wire.customizations import read_definition

SHOP = TrackerId("1234-5678")
KEY = "your_private_api_key"
NOON = Micros(1_737_547_200_000_000)
SECONDS_MAX = 10.0
POLL_SECONDS = 0.01


class World:
    """One database seen by two processes: `here` and `elsewhere`. Closed at the end with all that was opened."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self.url = url
        self.data_dir = data_dir
        self.vault = Vault("a master key of some length")
        self.now = NOON
        self._stores: list[Store] = []
        self._mirrors: list[Mirror] = []
        self.here = self.store()
        self.here.migrate()
        self.elsewhere = self.store()
        self.events = open_events(url)
        self.events.migrate()
        self.source = EventSource(self.events, open_place(Settings(data_dir=data_dir)))

    def close(self) -> None:
        for mirror in self._mirrors:
            mirror.stop()
        for store in self._stores:
            store.close()
        self.events.close()

    def store(self) -> Store:
        """Another process's."""
        store = open_store(self.url)
        self._stores.append(store)
        return store

    def mirror(
        self, store: Store | None = None, vault: Vault | None = None, **seconds: float
    ) -> Mirror:
        """Of `here`, unless said otherwise; neither loaded nor started."""
        mirror = Mirror(
            store or self.here,
            vault or self.vault,
            self.data_dir,
            poll_seconds=POLL_SECONDS,
            **seconds,
        )
        self._mirrors.append(mirror)
        return mirror

    def tick(self) -> Micros:
        """Each write has a moment of its own."""
        self.now = Micros(self.now + 1)
        return self.now

    # Writes

    def tracker(self, id: TrackerId = SHOP, *, key: str = KEY) -> CreateTracker:
        return CreateTracker(id, id, self.vault.seal(key), "test", self.tick())

    def create(
        self, id: str, item: str = "/p/1", *, tracker: TrackerId = SHOP
    ) -> CreateCustomization:
        return CreateCustomization(tracker, CustomizationId(id), pinning(item), "test", self.tick())

    def replace(
        self, id: str, item: str, *, expected: frozenset[int] | None = None
    ) -> ReplaceCustomization:
        return ReplaceCustomization(
            SHOP, CustomizationId(id), pinning(item), "test", self.tick(), expected
        )

    def delete(self, id: str) -> DeleteCustomization:
        return DeleteCustomization(SHOP, CustomizationId(id), "test", self.tick())

    def put(self, *identities: str, **fields: Any) -> PutObjects:
        objects = [item(identity, **fields) for identity in identities]
        return PutObjects(SHOP, objects, "test", self.tick())

    def remove(self, identity: str) -> RemoveObjects:
        return RemoveObjects(SHOP, {ItemId(identity): "item"}, "test", self.tick())

    def add_key(self, key: str) -> AddKey:
        return AddKey(SHOP, self.vault.seal(key), "test", self.tick())

    def revoke_key(self, sealed: bytes) -> RevokeKey:
        return RevokeKey(SHOP, sealed, "test", self.tick())


def pinning(item: str, model: str = "trends") -> Definition:
    """An item at the top of everything that a model shows."""
    pin = {"position": 1, "pin_type": "item", "pin_identity": item}
    body = {"model": model, "target_type": "all", "pin_definitions": [pin]}
    return read_definition(msgspec.json.encode(body))


def item(identity: str, **fields: Any) -> CatalogObject:
    made = object_from(
        {"identity": identity, "type": "item", "fields": {"title": identity, **fields}}
    )
    assert isinstance(made, CatalogObject)
    return made


def broken(id: str) -> Definition:
    """What an older version, or a hand, might have left in the database."""
    return msgspec.structs.replace(pinning("/p/1"), document=b'{"model": 5}')


def committed(store: Store, *writes: Write) -> Sequence[Committed]:
    """The outcomes of writes that all succeed."""
    outcomes = store.commit(writes)
    for outcome in outcomes:
        assert isinstance(outcome, Committed), outcome
    return [outcome for outcome in outcomes if isinstance(outcome, Committed)]


def shop(mirror: Mirror, tracker: TrackerId = SHOP) -> Shop:
    found = mirror.shop(tracker)
    assert found is not None
    return found


def pinned(mirror: Mirror) -> dict[str, str]:
    """Customization → the item that it pins, of all that the mirror knows."""
    rules = shop(mirror).snapshot.rules
    found = ((each, rules.customization(each)) for each in IDS)
    return {each: str(known.pins[0].item) for each, known in found if known and known.pins}


IDS = [CustomizationId(letter) for letter in "abcdefgh"]
"""Those that tests use: rules are looked up by id."""


def items(mirror: Mirror) -> set[ItemId]:
    catalog = shop(mirror).snapshot.catalog
    return {catalog.identity(number) for number in catalog.popular()}


def eventually(holds: Callable[[], bool]) -> None:
    """Waits until something holds, which another thread sees to."""
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.002)


def record(store: Store, id: str) -> Record | None:
    return store.customization(SHOP, CustomizationId(id))
