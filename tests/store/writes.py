"""
Shorthand for writes, so that a test shows what it is about and nothing else.
"""

from collections.abc import Sequence
from uuid import uuid4

from endcap.domain import (
    AllTarget,
    CatalogObject,
    CustomizationId,
    Definition,
    ItemId,
    ItemTarget,
    Micros,
    Record,
    TrackerId,
)
from endcap.store.port import Store
from endcap.store.writes import (
    Committed,
    CreateCustomization,
    CreateTracker,
    DeleteCustomization,
    Idempotency,
    Outcome,
    PutObjects,
    ReplaceCustomization,
    Write,
)

NOON = Micros(1_763_726_400_000_000)
SECOND = 1_000_000
HOUR = 3_600 * SECOND


def some_id() -> CustomizationId:
    return CustomizationId(str(uuid4()))


def some_tracker() -> TrackerId:
    return TrackerId(f"shop-{uuid4().hex[:12]}")


def at(seconds: float) -> Micros:
    """An instant after noon."""
    return Micros(NOON + round(seconds * SECOND))


def definition(
    document: bytes = b'{"model":"basket"}',
    *,
    model: str = "basket",
    identity: str | None = None,
    tags: Sequence[str] = (),
    metadata: bytes | None = None,
) -> Definition:
    """Of an item target when there is an identity, else of everything."""
    target = AllTarget() if identity is None else ItemTarget(ItemId(identity))
    target_type = "all" if identity is None else "item"
    return Definition(model, target_type, target, (), tuple(tags), document, metadata)


def create(
    tracker: TrackerId,
    id: CustomizationId | None = None,
    wanted: Definition | None = None,
    *,
    creator: str = "api",
    now: Micros = NOON,
    key: str | None = None,
    fingerprint: str = "body",
) -> CreateCustomization:
    idempotency = None if key is None else Idempotency(key, fingerprint)
    return CreateCustomization(
        tracker, id or some_id(), wanted or definition(), creator, now, idempotency
    )


def replace(
    tracker: TrackerId,
    id: CustomizationId,
    wanted: Definition | None = None,
    *,
    now: Micros = NOON,
    expected: frozenset[int] | None = None,
) -> ReplaceCustomization:
    return ReplaceCustomization(tracker, id, wanted or definition(), "ann", now, expected)


def delete(
    tracker: TrackerId, id: CustomizationId, *, expected: frozenset[int] | None = None
) -> DeleteCustomization:
    return DeleteCustomization(tracker, id, "ann", NOON, expected)


def thing(
    identity: str,
    document: bytes = b"{}",
    *,
    type: str = "item",
    generation: str | None = None,
) -> CatalogObject:
    return CatalogObject(ItemId(identity), type, generation, document)


def put(tracker: TrackerId, *objects: CatalogObject) -> PutObjects:
    return PutObjects(tracker, objects, "feed", NOON)


def new_tracker(tracker: TrackerId) -> CreateTracker:
    return CreateTracker(tracker, "A shop", b"sealed key", "admin", NOON)


def commit(store: Store, *writes: Write) -> list[Outcome]:
    return list(store.commit(writes))


def committed(store: Store, *writes: Write) -> list[Committed]:
    """The outcomes of writes that all succeed."""
    outcomes = []
    for outcome in store.commit(writes):
        assert isinstance(outcome, Committed), outcome
        outcomes.append(outcome)
    return outcomes


def recorded(store: Store, write: Write) -> Record:
    """The record that a write which succeeds leads to."""
    (outcome,) = committed(store, write)
    assert outcome.record is not None
    return outcome.record
