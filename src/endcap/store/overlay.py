"""
What a decision works on: rows as they were under those written since, and a record made of what somebody wants.
"""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from endcap.domain import CustomizationId, Definition, Micros, Record

K = TypeVar("K")
V = TypeVar("V")


class Overlay(Generic[K, V]):
    """Present rows under those written since."""

    def __init__(self, present: Mapping[K, V]) -> None:
        self.present = present
        self.written: dict[K, V | None] = {}

    def get(self, key: K) -> V | None:
        return self.written[key] if key in self.written else self.present.get(key)

    def put(self, key: K, row: V) -> None:
        self.written[key] = row

    def drop(self, key: K) -> None:
        self.written[key] = None

    def puts(self) -> Iterator[tuple[K, V]]:
        return ((key, row) for key, row in self.written.items() if row is not None)

    def drops(self) -> list[K]:
        return [key for key, row in self.written.items() if row is None and key in self.present]


def record_of(
    id: CustomizationId,
    definition: Definition,
    revision: int,
    *,
    creator: str,
    created_at: Micros,
    updated_at: Micros,
    disabled: bool = False,
) -> Record:
    """`disabled` counts where the definition leaves it open."""
    return Record(
        id=id,
        model=definition.model,
        target_type=definition.target_type,
        target_identity=definition.target_identity,
        tags=definition.tags,
        document=definition.document,
        metadata=definition.metadata,
        creator=creator,
        created_at=created_at,
        updated_at=updated_at,
        revision=revision,
        disabled=disabled if definition.disabled is None else definition.disabled,
    )
