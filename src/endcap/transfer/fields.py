"""
Which column of a file is what: `--map target=source`, the source dotted where records are nested.

A map is exact: what it names is taken, the rest is left, unless `*` asks for everything. A source that no record has
is a mistake in the map, and is said so.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from endcap.errors import UsageFault
from endcap.transfer.rows import Record

EVERYTHING = "*"


class FieldMap(Struct, frozen=True):
    """Target → source. `everything`: columns that no source names come along under their own names."""

    sources: Mapping[str, str] = {}
    everything: bool = False

    @classmethod
    def of(cls, pairs: Iterable[str]) -> "FieldMap":
        """From `target=source` texts as on a command line. Raises UsageFault."""
        sources: dict[str, str] = {}
        everything = False
        for pair in pairs:
            target, equals, source = (part.strip() for part in pair.partition("="))
            if target == EVERYTHING and not equals:
                everything = True
            elif not (target and source):
                raise UsageFault(f"--map {pair}: must be target=source, or * for all columns")
            elif target in sources:
                raise UsageFault(f"--map {pair}: {target} is mapped twice")
            else:
                sources[target] = source
        return cls(sources, everything)

    def __bool__(self) -> bool:
        return bool(self.sources)


class Picker:
    """Picks a map's targets out of records, and remembers which sources were ever there."""

    def __init__(self, fields: FieldMap) -> None:
        self._fields = fields
        self.roots = {source.partition(".")[0] for source in fields.sources.values()}
        self.roots.update(fields.sources.values())
        """Columns that a source names, or reaches into."""
        self._unseen = dict(fields.sources)

    def picked(self, record: Record) -> Record:
        """The targets that have a value."""
        found: Record = {}
        if self._fields.everything:
            found.update((key, held) for key, held in record.items() if key not in self.roots)
        for target, source in self._fields.sources.items():
            value = reach(record, source)
            if value is not None:
                found[target] = value
                self._unseen.pop(target, None)
        return found

    def check(self) -> None:
        """Raises UsageFault if a source was in no record."""
        if self._unseen:
            maps = ", ".join(f"{target}={source}" for target, source in self._unseen.items())
            raise UsageFault(f"--map {maps}: no row has a value there")


def reach(record: Record, source: str) -> Any:
    """A value by its column's name, or by a dotted path into it."""
    if source in record:
        return record[source]
    found: Any = record
    for part in source.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found
