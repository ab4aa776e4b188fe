"""
A content export as files: pages that were saved, or the objects in them, and what an exported object was before.

An export shows more than a shop has sent (`price_amount`, `category_lvl_1`, …) and spells texts as lists. Taken as it
is, an object would keep yesterday's price_amount beside tomorrow's price. So what follows from the rest is left out
again, and a list of one text is that text.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct

from endcap.errors import UsageFault
from endcap.transfer.rows import (
    Format,
    Progress,
    Record,
    Unreadable,
    format_of,
    quietly,
    read_raw,
    read_whole,
)
from endcap.wire.catalog import CATEGORY_LEVELS, attributes
from endcap.wire.reading import UNREADABLE

DERIVED = frozenset(
    {"brand", "category", *(f"category_lvl_{level}" for level in range(1, CATEGORY_LEVELS + 1))}
)
"""Attributes that follow from others, as amounts of prices do, unless the shop had a value of its own."""
ALWAYS_LISTS = frozenset({"ancestors"})
SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
_encode = msgspec.json.encode


class Exported(Struct, frozen=True):
    """One object of an export. `number` counts through all files; `where` is its place for people."""

    number: int
    where: str
    record: Record | Unreadable


class Extent(Struct):
    """How much of an export was there; filled in as it is read."""

    objects: int = 0
    total: int | None = None
    """What the last page said."""
    ends: bool = True
    """Whether the last page was the last."""

    def warnings(self) -> tuple[str, ...]:
        if not self.ends:
            return (
                "the last page links to another one, which is not here: the export is not whole",
            )
        if self.total is not None and self.total != self.objects:
            return (f"the export speaks of {self.total} objects, but {self.objects} are here",)
        return ()


class _Link(Struct):
    rel: str = ""


class _Page(Struct):
    objects: list[Raw]
    total: int | None = None
    links: list[_Link] = []


def is_exported(record: Mapping[str, Any]) -> bool:
    """Whether a record is an object as exports spell it."""
    return isinstance(record.get("attributes"), dict) and "url" in record and "fields" not in record


def read_content_export(
    path: Path, extent: Extent, *, progress: Progress = quietly
) -> Iterator[Exported]:
    """
    The objects of a saved export: one page, a list of pages or of objects, lines of either, or a folder of such files
    in the order of their names.

    Raises UsageFault for what is none of these.
    """
    if not path.is_dir():
        yield from _objects_of_file(path, extent, "", progress)
        return
    files = sorted(each for each in path.iterdir() if _is_page_file(each))
    if not files:
        raise UsageFault(
            f"{path} has no files with pages: their names must end in {', '.join(SUFFIXES)}"
        )
    for place, each in enumerate(files):
        progress("reading", place, len(files))
        yield from _objects_of_file(each, extent, f"{each.name}, ", quietly)
    progress("reading", len(files), len(files))


def exported_members(sent: Record) -> Record:
    """An exported object as it would be sent in."""
    fields = _fields(sent["attributes"])
    nested = sent.get("nested")
    nested = [_nested_members(each) for each in nested] if isinstance(nested, list) else []
    members: Record = {
        "identity": sent.get("identity", sent.get("url")),
        "type": sent.get("type", "item"),
        "fields": _without_derived(fields, nested),
    }
    for name in ("generation", "active_from", "active_to"):
        if sent.get(name) is not None:
            members[name] = sent[name]
    if nested:
        members["nested"] = nested
    return members


def _is_page_file(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.name.endswith(SUFFIXES)


def _objects_of_file(
    path: Path, extent: Extent, prefix: str, progress: Progress
) -> Iterator[Exported]:
    for place, raw in _pieces(path, progress):
        if isinstance(raw, Unreadable):
            extent.objects += 1
            yield Exported(extent.objects, f"{prefix}line {place}: ", raw)
            continue
        page = _page(raw)
        if page is None:
            extent.objects += 1
            yield Exported(extent.objects, prefix, _record(raw))
            continue
        extent.total, extent.ends = page.total, all(link.rel != "next" for link in page.links)
        for number, each in enumerate(page.objects, 1):
            extent.objects += 1
            yield Exported(
                extent.objects, f"{prefix}page {place}, object {number}: ", _record(each)
            )


def _pieces(path: Path, progress: Progress) -> Iterator[tuple[int, bytes | Unreadable]]:
    """The pages or objects of a file."""
    match format_of(path):
        case Format.ANSWER:
            yield 1, read_whole(path, progress=progress)
        case Format.JSON_LINES | Format.JSON_ARRAY:
            yield from read_raw(path, progress=progress)
        case other:
            raise UsageFault(f"{path} is {other}; a content export is JSON")


def _page(raw: bytes) -> _Page | None:
    """The page that this is; None for an object, and for what is neither: it is told as a faulty object."""
    try:
        return msgspec.json.decode(raw, type=_Page)
    except UNREADABLE:
        return None


def _record(raw: bytes | Raw) -> Record | Unreadable:
    try:
        record = msgspec.json.decode(raw, type=Record)
    except UNREADABLE as error:
        return Unreadable(f"must be a JSON object: {error}")
    if is_exported(record) or isinstance(record.get("fields"), dict):
        return record
    return Unreadable("is no object of a content export: these have url, type and attributes")


def _fields(sent: Mapping[str, Any]) -> Record:
    return {name: _plain(name, value) for name, value in sent.items() if value is not None}


def _plain(name: str, value: Any) -> Any:
    """A list of one text as the text; what is always a list stays one."""
    if name in ALWAYS_LISTS or not isinstance(value, list):
        return value
    return value[0] if len(value) == 1 and isinstance(value[0], str) else value


def _nested_members(sent: Any) -> Any:
    if not isinstance(sent, dict) or not is_exported({"url": None, **sent}):
        return sent
    nested = sent.get("nested")
    members = {
        "identity": sent.get("identity", sent.get("url")),
        "type": sent.get("type"),
        "fields": _fields(sent["attributes"]),
        "nested": [_nested_members(each) for each in nested] if isinstance(nested, list) else None,
    }
    return {name: value for name, value in members.items() if value not in (None, [])}


def _without_derived(fields: Record, nested: Sequence[Any]) -> Record:
    """The fields without what would be derived from the others anyway."""
    own = {name: value for name, value in fields.items() if not _is_derived(name)}
    sound = [each for each in nested if isinstance(each, dict)]
    told = attributes(_encode({"identity": "", "type": "", "fields": own, "nested": sound}))
    kept = {name: value for name, value in fields.items() if _is_derived(name)}
    for name in kept.keys() & told.keys():
        rest = _remainder(kept[name], told[name])
        if rest is None:
            del kept[name]
        else:
            kept[name] = rest
    return {**own, **kept}


def _is_derived(name: str) -> bool:
    return name in DERIVED or (name.startswith("price_") and name.endswith("_amount"))


def _remainder(sent: Any, derived: Any) -> Any:
    """What of a value is not derived; None for nothing. A shop may have categories of its own beside nested ones."""
    if not isinstance(derived, list):
        return None if sent == derived else sent
    texts = sent if isinstance(sent, list) else [sent]
    rest = [text for text in texts if text not in derived]
    return _plain("", rest) if rest else None
