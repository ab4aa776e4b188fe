"""
The catalog on its way out: one page of an export, and the cursor to the next.

A cursor holds everything that the next page needs: what was asked for, and the identity that the last page ended with.
The server keeps nothing, so a cursor costs nothing while it waits, and it stands between two identities wherever the
catalog goes meanwhile. Whoever sends one has signed the request, so it is checked for slips and not for forgery.
"""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Raw, Struct

from endcap.domain import CatalogObject, ItemId, Micros, TrackerId
from endcap.errors import FaultyFields
from endcap.wire.catalog import SCALAR_ATTRIBUTES, as_list, attributes
from endcap.wire.listing import Query, values
from endcap.wire.reading import UNREADABLE, Faults

PATH = "/v1/content_export"
SIZE_DEFAULT = 300
SIZE_MAX = 500
SIZE_DIGITS_MAX = 16
NAMES_CHARACTERS_MAX = 2_000  # of all fields, and of all types: they travel in the link
CURSOR_HOURS = 24
"""
The vendor's links live for 10 minutes (https://docs.luigisbox.com/indexing/api/v1/export/). A day lets an export that
broke at night go on in the morning; one that is older would join the halves of two catalogs.
"""
_CURSOR_MICROS = CURSOR_HOURS * 3_600 * 1_000_000
_encode = msgspec.json.encode


class ContentExport(Struct, frozen=True):
    """
    What a page is asked for. `fields` None: all. `after` and `total` are of the pages before: the total is counted
    once, with the first.
    """

    size: int = SIZE_DEFAULT
    fields: frozenset[str] | None = None
    types: tuple[str, ...] = ()
    after: ItemId | None = None
    total: int | None = None


class _Cursor(Struct, frozen=True, array_like=True):
    tracker: TrackerId
    at: Micros
    size: int
    fields: list[str] | None
    types: tuple[str, ...]
    after: ItemId
    total: int


_cursors = msgspec.msgpack.Decoder(_Cursor)
_CHECKSUM_BYTES = 4


def read_content_export(query: Query, tracker: TrackerId, *, now: Micros) -> ContentExport:
    """
    A cursor counts alone: what is asked for beside it, other than `size`, it says itself.

    Raises FaultyFields.
    """
    faults = Faults()
    cursors, sizes = values(query, "cursor"), values(query, "size")
    if cursors and cursors[-1]:
        wanted = _continued(cursors[-1], tracker, now, faults) or ContentExport()
    else:
        fields = _names(query, "hit_fields", faults)
        types = _names(query, "requested_types", faults)
        wanted = ContentExport(fields=frozenset(fields) or None, types=types)
    if sizes and sizes[-1]:
        wanted = msgspec.structs.replace(wanted, size=_size(sizes[-1], faults))
    if faults:
        raise FaultyFields("Invalid content export parameters provided", faults.by_field)
    return wanted


def next_cursor(
    wanted: ContentExport, tracker: TrackerId, *, after: ItemId, total: int, now: Micros
) -> str:
    """The cursor to the page behind an identity."""
    fields = None if wanted.fields is None else sorted(wanted.fields)
    packed = msgspec.msgpack.encode(
        _Cursor(tracker, now, wanted.size, fields, wanted.types, after, total)
    )
    checked = packed + zlib.crc32(packed).to_bytes(_CHECKSUM_BYTES, "big")
    return urlsafe_b64encode(checked).decode().rstrip("=")


def content_page_json(total: int, objects: Sequence[bytes], *, next_href: str | None) -> bytes:
    links = [] if next_href is None else [{"rel": "next", "href": next_href}]
    return _encode({"total": total, "objects": [Raw(each) for each in objects], "links": links})


def next_href(base_url: str, cursor: str) -> str:
    return f"{base_url}{PATH}?{urlencode({'cursor': cursor})}"


class _Nested(Struct):
    """An object inside another, as shops send them."""

    identity: str | None = None
    url: str | None = None
    type: str | None = None
    fields: dict[str, Any] = {}
    nested: list[Any] = []


class _Document(Struct):
    """What of a stored document attributes do not tell."""

    fields: dict[str, Any]
    nested: list[Any] = []
    active_from: str | None = None
    active_to: str | None = None


_documents = msgspec.json.Decoder(_Document)


def exported_json(
    each: CatalogObject,
    *,
    fields: frozenset[str] | None = None,
    scalars: frozenset[str] = SCALAR_ATTRIBUTES,
) -> bytes:
    """
    An object as the export gives it: attributes in the form of hits, derived ones too, hidden ones (leading `_`) never;
    nested objects in the same form. `generation`, `active_from` and `active_to` are there where they were set.
    """
    body = _documents.decode(each.document)
    own = {"identity", "type"} - body.fields.keys()
    known = {name: held for name, held in attributes(each.document).items() if name not in own}
    members: dict[str, Any] = {
        "url": each.identity,
        "type": each.type,
        "attributes": _shown(known, fields, scalars),
        "nested": [_nested(one, fields, scalars) for one in body.nested],
        "exact": True,
    }
    rest = {
        "generation": each.generation,
        "active_from": body.active_from,
        "active_to": body.active_to,
    }
    return _encode(members | {name: value for name, value in rest.items() if value is not None})


def _shown(
    known: Mapping[str, Any], fields: frozenset[str] | None, scalars: frozenset[str]
) -> dict[str, Any]:
    return {
        name: value if name in scalars else as_list(value)
        for name, value in known.items()
        if not name.startswith("_") and (fields is None or name in fields)
    }


def _nested(sent: Any, fields: frozenset[str] | None, scalars: frozenset[str]) -> Any:
    """One that has no such form is given as it is, but for what is hidden."""
    try:
        one = msgspec.convert(sent, _Nested)
    except msgspec.ValidationError:
        return {name: each for name, each in sent.items() if not name.startswith("_")}
    named = {"url": one.url if one.identity is None else one.identity, "type": one.type}
    return {
        **{name: value for name, value in named.items() if value is not None},
        "attributes": _shown(one.fields, fields, scalars),
        "nested": [_nested(each, fields, scalars) for each in one.nested if isinstance(each, dict)],
        "exact": True,
    }


def _continued(text: str, tracker: TrackerId, now: Micros, faults: Faults) -> ContentExport | None:
    cursor = _read_cursor(text)
    if cursor is None or cursor.size < 1:
        faults.add(
            "cursor",
            "Cannot be read: take the link to the next page as it was given, or begin again without a cursor",
        )
        return None
    if cursor.tracker != tracker:
        faults.add("cursor", "Is of another tracker")
        return None
    if now - cursor.at > _CURSOR_MICROS:
        faults.add("cursor", f"Is older than {CURSOR_HOURS} hours: begin again without a cursor")
        return None
    fields = None if cursor.fields is None else frozenset(cursor.fields)
    return ContentExport(
        min(cursor.size, SIZE_MAX), fields, cursor.types, cursor.after, cursor.total
    )


def _read_cursor(text: str) -> _Cursor | None:
    try:
        checked = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        packed, checksum = checked[:-_CHECKSUM_BYTES], checked[-_CHECKSUM_BYTES:]
        if zlib.crc32(packed) != int.from_bytes(checksum, "big"):
            return None
        return _cursors.decode(packed)
    except (ValueError, *UNREADABLE):
        return None


def _names(query: Query, name: str, faults: Faults) -> tuple[str, ...]:
    """Texts with commas between, also repeated; none for an empty text."""
    texts = values(query, name)
    if sum(map(len, texts)) > NAMES_CHARACTERS_MAX:
        faults.add(name, f"Must have at most {NAMES_CHARACTERS_MAX} characters")
    if any("\x00" in text for text in texts):
        faults.add(name, "Must not contain the character U+0000")
    names = (part.strip() for text in texts for part in text.split(","))
    return tuple(dict.fromkeys(part for part in names if part))


def _size(text: str, faults: Faults) -> int:
    if text.isascii() and text.isdigit() and len(text) <= SIZE_DIGITS_MAX and int(text):
        return min(int(text), SIZE_MAX)
    faults.add("size", "Must be a whole number from 1")
    return SIZE_DEFAULT
