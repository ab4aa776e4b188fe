"""
Catalog objects on the wire: bodies into objects, objects into attributes and hits.

Here live the wire's special fields (availability, ranks, prices, hidden names) and the rule which attribute is a list
in a hit. `attributes` is what criteria look at; `hit_json` is what a shopper's browser gets.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct

from endcap.domain import (
    ALWAYS,
    IDENTITY_CHARACTERS_MAX,
    CatalogObject,
    ItemId,
    Merge,
    Micros,
    Window,
)
from endcap.errors import BodyTooLarge, CatalogFault, CatalogFaults
from endcap.wire.reading import UNREADABLE, Faults, Fields, instant

TYPE_CHARACTERS_MAX = 100
PATCH_OBJECTS_MAX = 300
CATEGORY_LEVELS = 5
UNAVAILABLE_RANK = 15
PRICE_MAX = 1e15  # dearer is a mistake, and far beyond it no number at all
SCALAR_ATTRIBUTES = frozenset(
    {"title", "description", "image_link", "web_url", "price", "price_amount", "condition"}
)
_encode = msgspec.json.encode
_RAW_LIST = msgspec.json.Decoder(list[Raw])
_RAW_OBJECT = msgspec.json.Decoder(dict[str, Raw])


class Batch(Struct, frozen=True):
    """A body of objects, taken apart: what can be stored, and why the rest cannot."""

    objects: dict[ItemId, Any]
    faults: dict[str, CatalogFault]


def read_objects(body: bytes) -> Batch:
    """The body of a POST: whole objects by identity. Raises CatalogFaults if it is no list of objects."""
    return _read(body, _whole, repeats=True)


def read_patches(body: bytes) -> Batch:
    """The body of a PATCH: merges by identity. Raises CatalogFaults, BodyTooLarge."""
    return _read(body, _patch, repeats=False, objects_max=PATCH_OBJECTS_MAX)


def read_removals(body: bytes) -> Batch:
    """The body of a DELETE: types by identity. Raises CatalogFaults."""
    return _read(body, _removal, repeats=True)


def object_from(members: Mapping[str, Any]) -> CatalogObject | CatalogFault:
    """One object from decoded members, as imports have them."""
    return _whole({key: Raw(_encode(value)) for key, value in members.items()})


def _read(body: bytes, read_one: Any, *, repeats: bool, objects_max: int | None = None) -> Batch:
    members = _members(body)
    if objects_max is not None and len(members) > objects_max:
        raise BodyTooLarge(f"At most {objects_max} objects in one request")
    objects: dict[ItemId, Any] = {}
    faults: dict[str, CatalogFault] = {}
    for number, raw in enumerate(members, 1):
        try:
            sent = _RAW_OBJECT.decode(raw)
        except UNREADABLE:
            faults[f"object #{number}"] = malformed({"object": ["must be an object"]})
            continue
        identity = _identity(sent)
        if isinstance(identity, CatalogFault):
            faults[f"object #{number}"] = identity
            continue
        if identity in objects and not repeats:
            faults[identity] = malformed({"identity": ["must not be repeated in one request"]})
            continue
        read = read_one(sent)
        if isinstance(read, CatalogFault):
            faults[identity] = read
        else:
            objects[identity] = read
            faults.pop(identity, None)
    return Batch(objects, faults)


def _members(body: bytes) -> list[Raw]:
    try:
        return _RAW_LIST.decode(_RAW_OBJECT.decode(body)["objects"])
    except (*UNREADABLE, KeyError) as error:
        fault = malformed({"objects": ["must be a list of objects under this key"]})
        raise CatalogFaults(0, {"body": fault}) from error


def malformed(caused_by: Mapping[str, Sequence[str]]) -> CatalogFault:
    return CatalogFault("malformed_input", "incorrect object format", caused_by)


def _identity(sent: Mapping[str, Raw]) -> ItemId | CatalogFault:
    """`identity`, or the older spelling `url` that production clients still send."""
    faults = Faults()
    key = "identity" if "identity" in sent or "url" not in sent else "url"
    if key not in sent:
        return malformed({"identity": ["is missing"]})
    identity = Fields(sent, faults).text(key, characters_max=IDENTITY_CHARACTERS_MAX, required=True)
    return malformed(faults.by_field) if identity is None else ItemId(identity)


def _whole(sent: Mapping[str, Raw]) -> CatalogObject | CatalogFault:
    identity = _identity(sent)
    if isinstance(identity, CatalogFault):
        return identity
    faults = Faults()
    fields = Fields(sent, faults)
    type_ = fields.text("type", characters_max=TYPE_CHARACTERS_MAX, required=True)
    generation = fields.text("generation", characters_max=TYPE_CHARACTERS_MAX)
    opens, closes = fields.moment("active_from"), fields.moment("active_to")
    if opens is not None and closes is not None and opens >= closes:
        faults.add("active_from", "must be before active_to")
    own = _own_fields(fields)
    if own is not None and not (isinstance(own.get("title"), str) and own["title"]):
        faults.add("title", "must be filled")
    _check_nested(fields)
    if faults or type_ is None:
        return malformed(faults.by_field)
    return CatalogObject(identity, type_, generation, _document(identity, sent))


def _own_fields(fields: Fields) -> dict[str, Any] | None:
    own = fields.value("fields")
    if isinstance(own, dict):
        return own
    if "fields" not in fields.faults.by_field:
        fields.faults.add("fields", "must be an object")
    return None


def _check_nested(fields: Fields) -> None:
    nested = fields.value("nested")
    if nested is not None and not (
        isinstance(nested, list) and all(isinstance(each, dict) for each in nested)
    ):
        fields.faults.add("nested", "must be a list of objects")


_KEPT = ("type", "generation", "active_from", "active_to", "fields", "nested")


def _document(identity: ItemId, sent: Mapping[str, Raw]) -> bytes:
    members = [b'"identity":%b' % _encode(identity)]
    members.extend(
        b'"%b":%b' % (key.encode(), bytes(sent[key]))
        for key in _KEPT
        if key in sent and bytes(sent[key]) != b"null"
    )
    return b"{" + b",".join(members) + b"}"


def _patch(sent: Mapping[str, Raw]) -> Merge | CatalogFault:
    """A merge of what was sent into what is stored: `fields` by name, the rest whole."""
    faults = Faults()
    fields = Fields(sent, faults)
    own = fields.value("fields")
    if own is not None and not isinstance(own, dict):
        faults.add("fields", "must be an object")
    _check_nested(fields)
    if faults:
        return malformed(faults.by_field)

    def merge(stored: bytes | None) -> CatalogObject | CatalogFault:
        if stored is None:
            return CatalogFault("not_found", "Identity not in catalog")
        members = _RAW_OBJECT.decode(stored)
        if "type" in sent and fields.value("type") != msgspec.json.decode(members["type"]):
            return malformed({"type": ["cannot be changed"]})
        merged = {**members, **{key: raw for key, raw in sent.items() if key in _KEPT}}
        if isinstance(own, dict):
            known = _RAW_OBJECT.decode(members["fields"])
            changed = _RAW_OBJECT.decode(sent["fields"])
            merged["fields"] = Raw(_encode({**known, **changed}))
        return _whole(merged)

    return merge


def _removal(sent: Mapping[str, Raw]) -> str | CatalogFault:
    faults = Faults()
    type_ = Fields(sent, faults).text("type", characters_max=TYPE_CHARACTERS_MAX, required=True)
    return malformed(faults.by_field) if type_ is None else type_


class Facts(Struct, frozen=True):
    """What the engine keeps of an object beside its document."""

    window: Window
    available: bool
    availability_rank: int
    introduced_at: Micros
    """0 when unknown."""


def understood(document: bytes) -> tuple[Facts, dict[str, Any]]:
    """An object's facts and attributes, decoded once. See `attributes`."""
    body = _BODY.decode(document)
    return _facts(body), _attributes(body)


def _facts(body: "_Body") -> Facts:
    """
    The special fields, understood: `availability` 1/0 (missing: available); `availability_rank` 1 (best) to 15
    (unavailable) wins over it (https://docs.luigisbox.com/indexing/data_layout.html).
    """
    fields = body.fields
    available = is_available(fields.get("availability"))
    rank = fields.get("availability_rank")
    if isinstance(rank, int | float) and not isinstance(rank, bool):
        available = rank < UNAVAILABLE_RANK
    else:
        rank = 1 if available else UNAVAILABLE_RANK
    window = ALWAYS
    if body.active_from or body.active_to:
        window = Window(_moment(body.active_from), _moment(body.active_to))
    introduced = fields.get("introduced_at", fields.get("_introduced_at"))
    introduced_at = _moment(introduced) if isinstance(introduced, str) else None
    return Facts(window, available, int(rank), introduced_at or Micros(0))


def is_available(value: object) -> bool:
    """What an availability field says: 0, "0" and false are no; anything else, and nothing, is yes."""
    return value not in (0, "0", False)


@lru_cache(8_192)  # days repeat, and of a million items those of one day shall share their number
def _moment(text: str | None) -> Micros | None:
    return instant(text) if text else None


class _Body(Struct):
    identity: str
    type: str
    fields: dict[str, Any]
    nested: list[Any] = []
    active_from: str | None = None
    active_to: str | None = None


_BODY = msgspec.json.Decoder(_Body)


def attributes(document: bytes) -> dict[str, Any]:
    """
    Everything criteria can look at: the fields, hidden ones included; `identity` and `type`; `price_amount` and
    `price_old_amount` derived from the texts; `category` (titles) and `category_lvl_1` … `category_lvl_5` (the path,
    top first) from nested categories.
    """
    return _attributes(_BODY.decode(document))


def _attributes(body: _Body) -> dict[str, Any]:
    found: dict[str, Any] = {"identity": body.identity, "type": body.type, **body.fields}
    for text, amount in (("price", "price_amount"), ("price_old", "price_old_amount")):
        if amount not in found and (number := _amount(found.get(text))) is not None:
            found[amount] = number
    for path in _category_paths(body.nested):
        _append(found, "category", path[-1])
        for level, title in enumerate(path[:CATEGORY_LEVELS], 1):
            _append(found, f"category_lvl_{level}", title)
    return found


def _category_paths(nested: Iterable[Any]) -> Iterable[list[str]]:
    for each in nested:
        if isinstance(each, dict) and each.get("type") == "category":
            fields = each.get("fields")
            if isinstance(fields, dict) and isinstance(fields.get("title"), str):
                ancestors = fields.get("ancestors")
                above = ancestors if isinstance(ancestors, list) else []
                yield [title for one in above if (title := _title(one))] + [fields["title"]]


def _title(ancestor: object) -> str | None:
    """An ancestor's title, plain, as `{"title": …}` or as a nested object with fields."""
    if isinstance(ancestor, str):
        return ancestor
    if not isinstance(ancestor, dict):
        return None
    fields = ancestor.get("fields")
    title = ancestor.get("title", fields.get("title") if isinstance(fields, dict) else None)
    return title if isinstance(title, str) else None


def _append(found: dict[str, Any], key: str, text: str) -> None:
    known = found.get(key)
    values = known if isinstance(known, list) else [] if known is None else [known]
    if text not in values:
        found[key] = [*values, text]


# The space that groups thousands is mostly one that does not break, so no re.ASCII here.
_PRICE = re.compile(r"[0-9][0-9\s.,'’]*")


def _amount(price: object) -> float | None:
    """The number in a price text, e.g. 1299.0 from `1.299,00 €` or `$1,299.00`."""
    if isinstance(price, int | float) and not isinstance(price, bool):
        return float(price) if abs(price) < PRICE_MAX else None
    if not isinstance(price, str) or not (found := _PRICE.search(price)):
        return None
    digits = re.sub(r"[\s'’]", "", found.group()).rstrip(".,")
    whole, separator, decimals = _split_decimals(digits)
    number = re.sub(r"[.,]", "", whole) + ("." + decimals if separator else "")
    amount = float(number)
    return amount if amount < PRICE_MAX else None


def _split_decimals(digits: str) -> tuple[str, str, str]:
    """The last separator is the decimal one, unless it groups thousands (three digits behind, or it repeats)."""
    position = max(digits.rfind("."), digits.rfind(","))
    if position < 0:
        return digits, "", ""
    mark, behind = digits[position], digits[position + 1 :]
    other = "," if mark == "." else "."
    groups = len(behind) == 3 and other not in digits[:position]
    if digits.count(mark) > 1 or (groups and mark == ","):
        return digits, "", ""
    return digits[:position], mark, behind


def hit_json(
    document: bytes,
    *,
    fields: frozenset[str] | None = None,
    scalars: frozenset[str] = SCALAR_ATTRIBUTES,
) -> bytes:
    """
    A hit as `/v1/recommend` gives it, without its closing brace's extras: `url` is the identity; texts are lists but
    for the scalar attributes; hidden fields (leading `_`) stay hidden. `fields` (None: all) selects attributes.
    """
    body = _BODY.decode(document)
    own = {"identity", "type"} - body.fields.keys()  # a shop may well have fields of these names
    shown = {
        name: value if name in scalars else as_list(value)
        for name, value in _attributes(body).items()
        if not name.startswith("_") and name not in own and (fields is None or name in fields)
    }
    return _encode(
        {"url": body.identity, "type": body.type, "attributes": shown, "nested": [], "exact": True}
    )


def as_list(value: Any) -> Any:
    """Texts travel as lists on this wire; numbers, booleans and objects as they are."""
    return [value] if isinstance(value, str) else value
