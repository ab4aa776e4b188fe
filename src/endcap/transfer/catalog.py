"""
Imports a catalog: rows become objects as `POST /v1/content` takes them.

Records that are shaped like objects are taken as they are; those of an export (`url`, `attributes`) become what they
were. Flat records become items: some columns have a place of their own, all others are fields. Products of a Merchant
feed become flat records first.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from endcap.domain import CatalogObject, Field, ItemId, Micros, Shape, TrackerId
from endcap.errors import CatalogFault, CatalogFaults, FaultyRows, Problem, UsageFault
from endcap.store.port import Store
from endcap.store.writes import Committed, PutObjects
from endcap.transfer.content_export import (
    Extent,
    exported_members,
    is_exported,
    read_content_export,
)
from endcap.transfer.fields import FieldMap, Picker
from endcap.transfer.formats import CatalogFormat, catalog_format, check_format
from endcap.transfer.merchant import Unmapped, merchant_columns, merchant_name
from endcap.transfer.rows import (
    Faults,
    Progress,
    Record,
    Unreadable,
    head_of,
    quietly,
    read_rows,
)
from endcap.transfer.xml_items import is_xml, read_xml_items
from endcap.wire.catalog import object_from
from endcap.wire.kinds import mismatch

TYPE_DEFAULT = "item"
IDENTITY_COLUMNS = ("identity", "id", "item_id", "sku", "url")
"""Where the identity is looked for when no map says it; the first that a record has."""
OWN_PLACES = ("type", "generation", "active_from", "active_to")
NUMBERS = frozenset({"price_amount", "price_old_amount", "availability", "availability_rank"})
"""Fields that are numbers also where a file has texts only."""
PATH_SEPARATOR = " > "
_NO_FIELDS = FieldMap()


class CatalogRow(Struct, frozen=True):
    """
    One line of a file: an object, or the reason why there is none. `untitled`: the identity stands in. `notes` say what
    is odd about it and yet no fault.
    """

    line: int
    object: CatalogObject | None
    fault: str = ""
    untitled: bool = False
    notes: tuple[str, ...] = ()


class CatalogReport(Struct, frozen=True):
    """What an import did, or would do. `revision` is the tracker's after it; None for a dry run."""

    format: CatalogFormat
    lines: int
    objects: int
    types: Mapping[str, int]
    untitled: int
    repeated: int
    warnings: tuple[str, ...]
    revision: int | None


class CatalogFile:
    """A file of objects, line by line. `unit` is what its lines are, `warnings` what it lacks as a whole."""

    def __init__(
        self,
        path: Path,
        fields: FieldMap = _NO_FIELDS,
        *,
        format: CatalogFormat | None = None,
        now: Micros,
        progress: Progress = quietly,
    ) -> None:
        """`format` None: as its content says. Raises UsageFault."""
        if format is not None:
            check_format(path, format)
        self.format = format or catalog_format(path, mapped=bool(fields))
        self.unit = "object" if self.format is CatalogFormat.CONTENT_EXPORT else "line"
        self._path = path
        self._fields = fields
        self._now = now
        self._progress = progress
        self._extent = Extent()
        if fields and self.format is CatalogFormat.CONTENT_EXPORT:
            raise UsageFault("--map: a content export says itself what its fields are")

    @property
    def warnings(self) -> tuple[str, ...]:
        """Once all is read."""
        return self._extent.warnings()

    def rows(self) -> Iterator[CatalogRow]:
        """Raises UsageFault for a file or map that cannot work."""
        match self.format:
            case CatalogFormat.RECORDS:
                return self._records()
            case CatalogFormat.MERCHANT:
                return self._products()
            case CatalogFormat.CONTENT_EXPORT:
                return self._exported()

    def _records(self) -> Iterator[CatalogRow]:
        fields, picker = self._fields, Picker(self._fields)
        seen = False
        for line, record in read_rows(self._path, progress=self._progress):
            if isinstance(record, Unreadable):
                yield CatalogRow(line, None, record.reason)
                continue
            seen = True
            yield _row(line, _mapped(record, fields, picker) if fields else _shaped(record))
        if seen:
            picker.check()

    def _products(self) -> Iterator[CatalogRow]:
        """Products of a feed; what a map names, it takes away from the table of attributes."""
        sources = FieldMap(self._fields.sources)
        picker = Picker(sources)
        seen = False
        for line, product in self._feed():
            if isinstance(product, Unreadable):
                yield CatalogRow(line, None, product.reason)
                continue
            seen = True
            named = {merchant_name(name): value for name, value in product.items()}
            picked = picker.picked(named)
            rest = {name: value for name, value in named.items() if name not in picker.roots}
            try:
                columns, notes = merchant_columns(rest, now=self._now)
            except Unmapped as fault:
                yield CatalogRow(line, None, str(fault))
                continue
            yield _row(line, _flat({**columns, **picked}), notes)
        if seen:
            picker.check()

    def _feed(self) -> Iterator[tuple[int, Record | Unreadable]]:
        if is_xml(head_of(self._path)):
            yield from read_xml_items(self._path, progress=self._progress)
        else:
            yield from read_rows(self._path, progress=self._progress)

    def _exported(self) -> Iterator[CatalogRow]:
        for each in read_content_export(self._path, self._extent, progress=self._progress):
            if isinstance(each.record, Unreadable):
                yield CatalogRow(each.number, None, each.where + each.record.reason)
                continue
            row = object_of_record(each.number, each.record)
            yield msgspec.structs.replace(row, fault=each.where + row.fault) if row.fault else row


def import_catalog(
    store: Store,
    tracker: TrackerId,
    path: Path,
    *,
    fields: FieldMap = _NO_FIELDS,
    format: CatalogFormat | None = None,
    actor: str,
    now: Micros,
    dry_run: bool = False,
    progress: Progress = quietly,
) -> CatalogReport:
    """
    Puts all objects of a file into the catalog at once, each replacing the one of its identity. `format` None: as the
    content says.

    Raises FaultyRows, with nothing stored; UsageFault; what the store refuses.
    """
    file = CatalogFile(path, fields, format=format, now=now, progress=progress)
    faults = Faults(file.unit)
    objects: dict[ItemId, CatalogObject] = {}
    notes: Counter[str] = Counter()
    lines = untitled = 0
    kinds = FieldKinds(store, tracker)
    for row in file.rows():
        lines += 1
        untitled += row.untitled
        notes.update(row.notes)
        fault = row.fault if row.object is None else kinds.fault(row.object)
        if row.object is None or fault:
            faults.add(row.line, fault)
        else:
            objects[row.object.identity] = row.object
    faults.refuse()
    revision = None
    if objects and not dry_run:
        progress("storing", 0, len(objects))
        write = PutObjects(tracker, tuple(objects.values()), actor, now, whole=True)
        try:
            revision = _stored(store, write)
        except CatalogFaults as clashes:
            raise _by_line(file, clashes) from clashes
        progress("storing", len(objects), len(objects))
    types = dict(sorted(Counter(each.type for each in objects.values()).items()))
    repeated = lines - len(objects)
    warnings = (*_warnings(untitled, repeated, notes), *file.warnings)
    return CatalogReport(
        file.format, lines, len(objects), types, untitled, repeated, warnings, revision
    )


def object_of_record(line: int, record: Record) -> CatalogRow:
    """A record without a map: an object of the API, one of an export, or a flat one."""
    return _row(line, _shaped(record))


class FieldKinds:
    """
    The kinds of a tracker's fields as an import finds and fixes them, so that every clash is named by its line, also in
    a dry run. The store judges again, and refuses the whole file, should another writer have fixed one meanwhile.
    """

    def __init__(self, store: Store, tracker: TrackerId) -> None:
        self._fields = {each.name: each for each in store.fields(tracker)}
        self._agreed: dict[int, Shape] = {}

    def fault(self, wanted: CatalogObject) -> str:
        """What is wrong with an object's fields; empty if nothing. Shapes are shared: each is looked at once."""
        if id(wanted.shape) in self._agreed:
            return ""
        clash = mismatch(wanted.shape, self._fields)
        if clash is not None:
            return _reason(clash)
        for name, kind in wanted.shape:
            self._fields.setdefault(name, Field(name, kind, wanted.identity, Micros(0)))
        if wanted.shape:
            self._agreed[id(wanted.shape)] = wanted.shape
        return ""


def _stored(store: Store, write: PutObjects) -> int:
    (outcome,) = store.commit([write])
    if not isinstance(outcome, Committed):
        raise outcome
    return outcome.revision


def _by_line(file: CatalogFile, clashes: CatalogFaults) -> FaultyRows:
    """What the store refused, which knows no lines: the file is read once more."""
    faults = Faults(file.unit)
    for row in file.rows():
        if row.object is not None and (fault := clashes.faults.get(row.object.identity)):
            faults.add(row.line, _reason(fault))
    return FaultyRows(faults.first, total=faults.total, unit=faults.unit)


def _warnings(untitled: int, repeated: int, notes: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(
        text
        for count, text in (
            (untitled, f"{untitled} without a title: the identity is shown instead"),
            (repeated, f"{repeated} with an identity that comes again later: the last one counts"),
            *((count, f"{count} {text}") for text, count in notes.items()),
        )
        if count
    )


def _row(line: int, members: Record, notes: tuple[str, ...] = ()) -> CatalogRow:
    untitled = _entitle(members)
    made = object_from(members)
    if isinstance(made, CatalogFault):
        return CatalogRow(line, None, _reason(made))
    return CatalogRow(line, made, untitled=untitled, notes=notes)


def _reason(fault: Problem) -> str:
    if not fault.details:
        return fault.reason
    return "; ".join(f"{field}: {', '.join(texts)}" for field, texts in fault.details.items())


def _entitle(members: Record) -> bool:
    """Gives an object without a title its identity for one; whether it had none."""
    own = members.get("fields")
    if not isinstance(own, dict):
        return False
    title = own.get("title")
    if isinstance(title, int | float) and not isinstance(title, bool):
        own["title"] = str(title)
    elif title is None or (isinstance(title, str) and not title.strip()):
        own["title"] = members.get("identity", "")
        return True
    return False


def _mapped(record: Record, fields: FieldMap, picker: Picker) -> Record:
    """A record's members with a map; one that does not say what the identity is leaves that to the columns."""
    picked = picker.picked(record)
    if "identity" not in fields.sources:
        column = next((column for column in IDENTITY_COLUMNS if column in record), None)
        if column is not None:
            picked["identity"] = record[column]
    return _flat(picked)


def _shaped(record: Record) -> Record:
    """A record's members without a map: an object's own, or a flat record's columns."""
    if isinstance(record.get("fields"), dict):
        members = dict(record)
    elif is_exported(record):
        members = exported_members(record)
    else:
        return _flat(_identified(record))
    if "identity" not in members and "url" in members:
        members["identity"] = members["url"]
    members["fields"] = dict(members["fields"])
    members.setdefault("type", TYPE_DEFAULT)
    return members


def _identified(record: Record) -> Record:
    for column in IDENTITY_COLUMNS:
        if column in record:
            rest = {key: value for key, value in record.items() if key != column}
            return {"identity": record[column], **rest}
    return record


def _flat(picked: Record) -> Record:
    """An object of a flat record: the columns with a place of their own, categories nested, the rest as fields."""
    members: Record = {"type": TYPE_DEFAULT}
    own: Record = {}
    nested: list[Any] = []
    for name, value in picked.items():
        if value is None or value == "":
            continue
        if name == "identity":
            members[name] = _text_of_number(value)
        elif name in OWN_PLACES:
            members[name] = value
        elif name == "category" and (paths := _paths(value)):
            nested += [_category(path) for path in paths]
        elif name == "nested" and isinstance(value, list):
            nested += value
        else:
            own[name] = _number_of_text(value) if name in NUMBERS else value
    members["fields"] = own
    if nested:
        members["nested"] = nested
    return members


def _text_of_number(value: Any) -> Any:
    """Identities are texts; many files have numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _number_of_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    if not math.isfinite(number):
        return value
    return int(number) if number.is_integer() else number


def _paths(value: Any) -> list[list[str]]:
    """
    The category paths in a cell, top first: `["Strings", "Bass"]` or `Strings > Bass` is one path, a list of such is
    several.
    """
    if isinstance(value, str):
        path = [title for part in value.split(PATH_SEPARATOR) if (title := part.strip())]
        return [path] if path else []
    if not isinstance(value, list):
        return []
    titles = [each.strip() for each in value if isinstance(each, str)]
    if len(titles) == len(value) and not any(PATH_SEPARATOR in each for each in titles):
        path = [title for title in titles if title]
        return [path] if path else []
    return [path for each in value for path in _paths(each)]


def _category(path: list[str]) -> Record:
    """A category as objects nest it: the innermost, with those around it from the top."""
    around = [
        {"type": "category", "identity": PATH_SEPARATOR.join(path[:depth]), "title": title}
        for depth, title in enumerate(path[:-1], 1)
    ]
    fields: Record = {"title": path[-1], **({"ancestors": around} if around else {})}
    return {"type": "category", "identity": PATH_SEPARATOR.join(path), "fields": fields}
