"""
Customizations of one tracker as entries for another one, whose items may have other identities.

A copy keeps the id, so that a later copy finds it again, and who made it and when, so that the copies rank among
themselves as the originals do. Identities are looked up in targets and pins; criteria name attributes and stay.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Raw

from endcap.domain import (
    IDENTITY_CHARACTERS_MAX,
    Definition,
    ItemId,
    Record,
    TrackerId,
)
from endcap.errors import Problem, UsageFault
from endcap.transfer.rows import Faults, Progress, Unreadable, csv_header, quietly, read_rows
from endcap.transfer.rows import Record as Row
from endcap.transfer.rules import Entry
from endcap.wire.customizations import body_of, read_definition
from endcap.wire.reading import UNREADABLE

IdentityMap = Mapping[ItemId, ItemId]
"""What an item is called in one tracker → what it is called in the other."""
PAIRS_MAX = 10_000_000
COLUMNS = ("from", "to")
_PINS = msgspec.json.Decoder(list[dict[str, Raw]])
_encode = msgspec.json.encode


def read_identities(path: Path, *, progress: Progress = quietly) -> IdentityMap:
    """
    A table with the columns `from` and `to`. Raises FaultyRows, with every row that does not say both or says another
    than an earlier one; UsageFault for another kind of file.
    """
    if missing := [each for each in COLUMNS if each not in csv_header(path).columns]:
        raise UsageFault(
            f"{path} must be a table (CSV) with the columns from and to; it lacks {', '.join(missing)}"
        )
    return _identities(path, read_rows(path, progress=progress))


def read_identity_text(text: str) -> IdentityMap:
    """The same of a table that was typed or pasted: two columns will do, without their names. Raises as above."""
    with tempfile.NamedTemporaryFile(prefix=".map-", suffix=".csv") as file:
        file.write(text.encode())
        file.flush()
        path = Path(file.name)
        try:
            columns = csv_header(path).columns
            is_named = set(COLUMNS) <= set(columns)
            if not is_named and len(columns) != len(COLUMNS):
                raise UsageFault(
                    "The map must be a table (CSV) of two columns, what an item is called here and what it is called "
                    f"there; this one has {len(columns)}"
                )
            return _identities(path, read_rows(path, columns=None if is_named else COLUMNS))
        except UsageFault as fault:
            raise UsageFault(fault.reason.replace(str(path), "The map"), fault.details) from fault


def _identities(path: Path, rows: Iterable[tuple[int, Row | Unreadable]]) -> IdentityMap:
    found: dict[ItemId, ItemId] = {}
    faults = Faults()
    for line, record in rows:
        if isinstance(record, Unreadable):
            faults.add(line, record.reason)
            continue
        one, other = record.get("from", ""), record.get("to", "")
        if not one or not other:
            faults.add(line, "must say both from and to")
        elif len(other) > IDENTITY_CHARACTERS_MAX:
            faults.add(line, f"to: must have at most {IDENTITY_CHARACTERS_MAX} characters")
        elif found.setdefault(ItemId(one), ItemId(other)) != other:
            faults.add(line, f"{one} is {found[ItemId(one)]} in an earlier line")
        elif len(found) > PAIRS_MAX:
            raise UsageFault(f"{path} has more than {PAIRS_MAX:,} pairs")
    faults.refuse()
    return found


class Copying:
    """
    Customizations of a tracker, in their order, for another tracker. Without a map every item is called the same there.
    `unmapped` counts, once they were read, the identities that the map does not have: customizations with any are
    refused, or, if `keep` says so, come with these as they are.
    """

    def __init__(
        self,
        source: TrackerId,
        records: Iterable[Record],
        *,
        identities: IdentityMap | None = None,
        keep: bool = False,
    ) -> None:
        self._source = source
        self._records = records
        self._identities = identities
        self._keep = keep
        self.unmapped: Counter[ItemId] = Counter()

    def entries(self) -> Iterator[Entry]:
        for record in self._records:
            yield self._entry(record)

    def _entry(self, record: Record) -> Entry:
        where = f"{self._source}:{record.id}"
        try:
            definition, missing = self._translated(record)
        except (Problem, *UNREADABLE) as problem:
            return Entry(where, record.id, faults=(str(problem),))
        self.unmapped.update(missing)
        faults: tuple[str, ...] = ()
        if missing and not self._keep:
            faults = tuple(f"{each} is not in the map" for each in dict.fromkeys(missing))
        return Entry(
            where,
            record.id,
            definition=None if faults else definition,
            faults=faults,
            created_at=record.created_at,
            creator=record.creator,
        )

    def _translated(self, record: Record) -> tuple[Definition, list[ItemId]]:
        """What the record says in the other tracker, and what the map does not have."""
        known = read_definition(record.document)
        whole = msgspec.structs.replace(known, metadata=record.metadata, disabled=record.disabled)
        if self._identities is None:
            return whole, []
        members = msgspec.json.decode(body_of(whole), type=dict[str, Raw])
        missing: list[ItemId] = []
        if record.target_type == "item":
            self._translate(members, "target_identity", missing)
        pins = _PINS.decode(members["pin_definitions"])
        for pin, understood in zip(pins, known.pins, strict=True):
            if understood.item is not None:
                self._translate(pin, "pin_identity", missing)
        members["pin_definitions"] = Raw(_encode(pins))
        return read_definition(_encode(members)), missing

    def _translate(self, members: dict[str, Raw], field: str, missing: list[ItemId]) -> None:
        assert self._identities is not None
        here = ItemId(msgspec.json.decode(members[field], type=str))
        there = self._identities.get(here)
        if there is None:
            missing.append(here)
        else:
            members[field] = Raw(_encode(there))
