"""
Whether objects are of the kinds that the first values of a tracker's fields fixed; what they fix themselves.

Knows the fields that a batch names. The writers of a tracker queue on its row, so what is known here is true, and the
first value is the first in the order of revisions, whichever worker or host it came to.
"""

from collections.abc import Collection, Iterable, Mapping

from endcap.domain import CatalogObject, Field, FieldKind, ItemId, Micros, Shape, TrackerId
from endcap.errors import CatalogFault
from endcap.wire.kinds import agrees

FieldKey = tuple[TrackerId, str]

_WORDS: Mapping[FieldKind, str] = {
    "text": "a text",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date, e.g. 2025-01-22",
    "object": "an object",
}


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
        clashes = dict(self._clashes(tracker, shape))
        if clashes:
            reason = "a field is of another type than its first value"
            return CatalogFault("data_schema_mismatch", reason, clashes)
        if tracker not in self._open:
            for name, kind in shape:
                self.fix(tracker, Field(name, kind, wanted.identity, now))
        self._agreed[tracker, id(shape)] = shape
        return None

    def _clashes(self, tracker: TrackerId, shape: Shape) -> Iterable[tuple[str, list[str]]]:
        for name, kind in shape:
            field = self._fields.get((tracker, name))
            if field is not None and not agrees(kind, field.kind):
                since = f": its first value is, in {field.identity}" if field.identity else ""
                yield name, [f"must be {_WORDS[field.kind]}{since}"]

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
