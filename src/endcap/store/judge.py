"""
Whether objects are of the kinds that the first values of a tracker's fields fixed; what they fix themselves.

Knows the fields that a batch names. The writers of a tracker queue on its row, so what is known here is true, and the
first value is the first in the order of revisions, whichever worker or host it came to.
"""

from collections.abc import Collection, Mapping

from endcap.domain import CatalogObject, Field, FieldKind, ItemId, Micros, Shape, TrackerId
from endcap.errors import CatalogFault
from endcap.store.transaction import FieldKey
from endcap.wire.kinds import mismatch


class Judge:
    """Of one batch. `open` are trackers whose stored fields were not looked through yet: there nothing is fixed."""

    def __init__(self, fields: Mapping[FieldKey, Field], *, open: Collection[TrackerId]) -> None:
        self._fields = dict(fields)
        self._open = open
        self._changed: dict[FieldKey, Field | None] = {}
        self._agreed: dict[tuple[TrackerId, int], Shape] = {}

    def fault(
        self, tracker: TrackerId, wanted: CatalogObject, *, now: Micros
    ) -> CatalogFault | None:
        """Why an object is refused; else its fields are fixed. One shape, which thousands share, is judged once."""
        shape = wanted.shape
        if (tracker, id(shape)) in self._agreed:
            return None
        known = {
            name: field
            for name, _ in shape
            if (field := self._fields.get((tracker, name))) is not None
        }
        fault = mismatch(shape, known)
        if fault is not None:
            return fault
        if tracker not in self._open:
            for name, kind in shape:
                self.fix(tracker, Field(name, kind, wanted.identity, now))
        self._agreed[tracker, id(shape)] = shape
        return None

    def fix(self, tracker: TrackerId, field: Field) -> None:
        """Unless the field has a kind."""
        if (tracker, field.name) not in self._fields:
            self._set((tracker, field.name), field)

    def reset(self, tracker: TrackerId, name: str, kind: FieldKind | None, *, now: Micros) -> bool:
        """Forgets or changes a kind; whether there was anything to do."""
        known = self._fields.get((tracker, name))
        if kind is None:
            if known is None:
                return False
            del self._fields[tracker, name]
            self._changed[tracker, name] = None
        elif known is not None and known.kind == kind:
            return False
        else:
            self._set((tracker, name), Field(name, kind, ItemId(""), now))
        self._agreed.clear()
        return True

    def _set(self, key: FieldKey, field: Field) -> None:
        self._fields[key] = self._changed[key] = field

    def fixed(self) -> list[tuple[TrackerId, Field]]:
        """The fields whose kinds are to be kept."""
        return [(key[0], field) for key, field in self._changed.items() if field is not None]

    def forgotten(self) -> list[FieldKey]:
        return [key for key, field in self._changed.items() if field is None]
