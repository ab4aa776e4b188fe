"""
Imports a catalog: rows become objects as `POST /v1/content` takes them.

Records that are shaped like objects are taken as they are, whether spelled like the API's requests (`identity`,
`fields`) or like its export (`url`, `attributes`). Flat records become items: some columns have a place of their own,
all others are fields.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from endcap.domain import CatalogObject, Field, ItemId, Micros, Shape, TrackerId
from endcap.errors import CatalogFault, Problem
from endcap.store.port import Committed, PutObjects, Store
from endcap.transfer.fields import FieldMap, Picker
from endcap.transfer.rows import Faults, Progress, Record, Unreadable, quietly, read_rows
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
    """One line of a file: an object, or the reason why there is none. `untitled`: the identity stands in."""

    line: int
    object: CatalogObject | None
    fault: str = ""
    untitled: bool = False


class CatalogReport(Struct, frozen=True):
    """What an import did, or would do. `revision` is the tracker's after it; None for a dry run."""

    lines: int
    objects: int
    types: Mapping[str, int]
    untitled: int
    repeated: int
    warnings: tuple[str, ...]
    revision: int | None


def read_catalog(
    path: Path, fields: FieldMap = _NO_FIELDS, *, progress: Progress = quietly
) -> Iterator[CatalogRow]:
    """The objects of a file, line by line. Raises UsageFault for a file or map that cannot work."""
    picker = Picker(fields)
    seen = False
    for line, record in read_rows(path, progress=progress):
        if isinstance(record, Unreadable):
            yield CatalogRow(line, None, record.reason)
            continue
        seen = True
        yield _row(line, _mapped(record, fields, picker) if fields else _shaped(record))
    if seen:
        picker.check()


def import_catalog(
    store: Store,
    tracker: TrackerId,
    path: Path,
    *,
    fields: FieldMap = _NO_FIELDS,
    actor: str,
    now: Micros,
    dry_run: bool = False,
    progress: Progress = quietly,
) -> CatalogReport:
    """
    Puts all objects of a file into the catalog at once, each replacing the one of its identity.

    Raises FaultyRows, with nothing stored; UsageFault; what the store refuses.
    """
    faults = Faults()
    objects: dict[ItemId, CatalogObject] = {}
    lines = untitled = 0
    kinds = FieldKinds(store, tracker)
    for row in read_catalog(path, fields, progress=progress):
        lines += 1
        untitled += row.untitled
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
        revision = _stored(store, write)
        progress("storing", len(objects), len(objects))
    types = dict(sorted(Counter(each.type for each in objects.values()).items()))
    repeated = lines - len(objects)
    return CatalogReport(
        lines, len(objects), types, untitled, repeated, _warnings(untitled, repeated), revision
    )


class FieldKinds:
    """
    The kinds of a tracker's fields as an import finds and fixes them, so that every clash is named by its line. The
    store judges again, and refuses the whole file, should another writer have fixed one meanwhile.
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


def _warnings(untitled: int, repeated: int) -> tuple[str, ...]:
    return tuple(
        text
        for count, text in (
            (untitled, f"{untitled} without a title: the identity is shown instead"),
            (repeated, f"{repeated} with an identity that comes again later: the last one counts"),
        )
        if count
    )


def _row(line: int, members: Record) -> CatalogRow:
    untitled = _entitle(members)
    made = object_from(members)
    if isinstance(made, CatalogFault):
        return CatalogRow(line, None, _reason(made))
    return CatalogRow(line, made, untitled=untitled)


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
    elif isinstance(record.get("attributes"), dict) and "url" in record:
        members = {**record, "fields": record["attributes"]}
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
