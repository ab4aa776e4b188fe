"""
Catalog objects on the wire: bodies into objects, objects into attributes and hits.

Here live the wire's special fields (availability, ranks, prices, hidden names) and the rule which attribute is a list
in a hit. `attributes` is what criteria look at; `hit_json` is what a shopper's browser gets.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from endcap.domain import (
    ALWAYS,
    IDENTITY_CHARACTERS_MAX,
    CatalogObject,
    ItemId,
    Merge,
    Micros,
    Shape,
    Window,
)
from endcap.errors import BodyTooLarge, CatalogFault, CatalogFaults
from endcap.wire.kinds import as_number, shape_of
from endcap.wire.prices import amount_of
from endcap.wire.reading import UNREADABLE, Faults, Fields, instant

TYPE_CHARACTERS_MAX = 100
PATCH_OBJECTS_MAX = 300
CATEGORY_LEVELS = 5
UNAVAILABLE_RANK = 15
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


def _whole(sent: Mapping[str, Raw], *, check_fields: bool = True) -> CatalogObject | CatalogFault:
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
    if not (isinstance(own.get("title"), str) and own["title"]) and "fields" not in faults.by_field:
        faults.add("title", "must be filled")
    shape = shape_of(own, faults) if check_fields else ()
    nested = _nested(fields)
    if faults or type_ is None:
        return malformed(faults.by_field)
    return CatalogObject(
        identity,
        type_,
        generation,
        _document(identity, sent),
        shape,
        nested_objects(nested, parent=identity, generation=generation),
    )


def _own_fields(fields: Fields) -> dict[str, Any]:
    own = fields.value("fields")
    if isinstance(own, dict):
        return own
    if "fields" not in fields.faults.by_field:
        fields.faults.add("fields", "must be an object")
    return {}


def _nested(fields: Fields) -> list[dict[str, Any]]:
    nested = fields.value("nested")
    if nested is None:
        return []
    if isinstance(nested, list) and all(isinstance(each, dict) for each in nested):
        return nested
    fields.faults.add("nested", "must be a list of objects")
    return []


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
    """A merge of what was sent into what is stored: `fields` by name, the rest whole; what stays is not judged."""
    faults = Faults()
    fields = Fields(sent, faults)
    own = fields.value("fields")
    if own is not None and not isinstance(own, dict):
        faults.add("fields", "must be an object")
    shape = shape_of(own, faults) if isinstance(own, dict) else ()
    nested = nested_objects(_nested(fields))
    if faults:
        return malformed(faults.by_field)
    changed = _RAW_OBJECT.decode(sent["fields"]) if isinstance(own, dict) else {}

    def merge(stored: bytes | None) -> CatalogObject | CatalogFault:
        if stored is None:
            return CatalogFault("not_found", "Identity not in catalog")
        members = _RAW_OBJECT.decode(stored)
        if "type" in sent and fields.value("type") != msgspec.json.decode(members["type"]):
            return malformed({"type": ["cannot be changed"]})
        rest = {key: raw for key, raw in sent.items() if key in _KEPT and key != "fields"}
        made = _merged({**members, **rest}, changed, shape)
        if "nested" in sent or isinstance(made, CatalogFault):
            return made
        return replace(made, nested=())

    names = tuple(each.identity for each in nested)
    return Merge(merge, frozenset(name for name, _ in shape), names)


def merged_fields(
    stored: bytes, changed: Mapping[str, Raw], shape: Shape
) -> CatalogObject | CatalogFault:
    """A stored object with some fields changed, and the shape of these alone: what stays is not judged again."""
    made = _merged(_RAW_OBJECT.decode(stored), changed, shape)
    return made if isinstance(made, CatalogFault) else replace(made, nested=())


def _merged(
    members: Mapping[str, Raw], changed: Mapping[str, Raw], shape: Shape
) -> CatalogObject | CatalogFault:
    fields = Raw(_encode({**_RAW_OBJECT.decode(members["fields"]), **changed}))
    made = _whole({**members, "fields": fields}, check_fields=False)
    return made if isinstance(made, CatalogFault) else replace(made, shape=shape)


def _removal(sent: Mapping[str, Raw]) -> str | CatalogFault:
    faults = Faults()
    type_ = Fields(sent, faults).text("type", characters_max=TYPE_CHARACTERS_MAX, required=True)
    return malformed(faults.by_field) if type_ is None else type_


# Nested objects


INNER_TYPES = frozenset({"item", "product", "variant"})
"""Nested objects of these types are parts of the object around them alone; all others are objects themselves, too."""
_DERIVED = (
    b',"derived":true}'  # ends the document of an object that nested ones made; no sent one ends so
)
_NESTED_MAX = 16_384  # objects kept to be shared: a shop's categories and brands
_nested_shared: dict[bytes, CatalogObject] = {}


def nested_objects(
    nested: Iterable[Mapping[str, Any]], *, parent: str = "", generation: str | None = None
) -> tuple[CatalogObject, ...]:
    """
    The objects that nested ones make: categories, brands and the like with an identity and a title, each under the
    generation of the object around it. The vendor keeps them as objects of the catalog, whose types are committed one
    by one (https://docs.luigisbox.com/indexing/api/v1/commit-generation).
    """
    made: dict[ItemId, CatalogObject] = {}
    for each in nested:
        identity, type_, fields = (
            each.get("identity", each.get("url")),
            each.get("type"),
            each.get("fields"),
        )
        if (
            is_name(identity, IDENTITY_CHARACTERS_MAX)
            and is_name(type_, TYPE_CHARACTERS_MAX)
            and type_ not in INNER_TYPES
            and identity != parent
            and isinstance(fields, dict)
            and is_name(fields.get("title"), None)
        ):
            members = {"identity": identity, "type": type_, "generation": generation}
            made[identity] = _derived({**members, "fields": fields, "nested": each.get("nested")})
    return tuple(made.values())


def is_name(value: object, characters_max: int | None) -> bool:
    """Whether a value is a text that can name something."""
    if not isinstance(value, str) or not value or "\x00" in value:
        return False
    return characters_max is None or len(value) <= characters_max


def _derived(members: Mapping[str, Any]) -> CatalogObject:
    said = {key: value for key, value in members.items() if value is not None}
    document = _encode(said)[:-1] + _DERIVED
    known = _nested_shared.get(document)
    if known is None:
        if len(_nested_shared) >= _NESTED_MAX:
            _nested_shared.clear()
        known = _nested_shared[document] = CatalogObject(
            members["identity"], members["type"], members["generation"], document
        )
    return known


def settled(nested: CatalogObject, before: CatalogObject | None) -> CatalogObject:
    """
    What is kept of an object that a nested one makes. One that was sent by itself stays as it is, and so does one of
    another type; but whoever is nested in an object is of its generation. A parent without one takes none away.
    """
    if before is None:
        return nested
    if before.type != nested.type:
        return before
    generation = before.generation if nested.generation is None else nested.generation
    kept = nested if before.document.endswith(_DERIVED) else before
    return kept if kept.generation == generation else _of_generation(kept, generation)


def _of_generation(held: CatalogObject, generation: str | None) -> CatalogObject:
    members = _RAW_OBJECT.decode(held.document)
    ordered: dict[str, Any] = {key: members[key] for key in ("identity", "type") if key in members}
    rest = {key: raw for key, raw in members.items() if key not in (*ordered, "generation")}
    said: dict[str, Any] = {**ordered, "generation": generation, **rest}
    return replace(held, generation=generation, document=_encode(said))


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
    rank = as_number(fields.get("availability_rank"))
    if rank is not None:
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
    nested: Raw = Raw()
    active_from: str | None = None
    active_to: str | None = None


_BODY = msgspec.json.Decoder(_Body)
_LIST = msgspec.json.Decoder(list[Any])


def shape_of_document(document: bytes) -> Shape:
    """The kinds of a stored object's fields; what is faulty by today's rules has none."""
    return shape_of(_BODY.decode(document).fields, Faults())


def attributes(document: bytes) -> dict[str, Any]:
    """
    Everything criteria can look at: the fields, hidden ones included; `identity` and `type`; `price_amount`,
    `price_old_amount` and other amounts derived from the texts of `price`, `price_old` and `price_…`; `category`
    (titles) and `category_lvl_1` … `category_lvl_5` (the path, top first) from nested categories, `brand` from nested
    brands.
    """
    return _attributes(_BODY.decode(document))


def _attributes(body: _Body) -> dict[str, Any]:
    fields = body.fields
    found: dict[str, Any] = {"identity": body.identity, "type": body.type, **fields}
    for name in [name for name in fields if name.startswith("price")]:
        if _is_price(name):
            amount_name = f"{name}_amount"
            if found.get(amount_name) is None and (amount := amount_of(fields[name])) is not None:
                found[amount_name] = amount
    if body.nested:
        for name, titles in _nested_titles(bytes(body.nested)).items():
            found[name] = _joined(found.get(name), titles)
    return found


def _is_price(name: str) -> bool:
    return name == "price" or (name.startswith("price_") and not name.endswith("_amount"))


@lru_cache(4_096)  # items share their categories and brands, and these are most of a document
def _nested_titles(nested: bytes) -> Mapping[str, list[str]]:
    """What the nested objects of a document add to its attributes, by name. Shared: not to be changed."""
    found: dict[str, list[str]] = {}
    objects = [each for each in _LIST.decode(nested) if isinstance(each, dict)]
    titles = {identity: title for each in objects for identity, title in _titles(each)}
    for each in objects:
        title = _title(each)
        if title is None:
            continue
        if each.get("type") == "brand":
            _append(found, "brand", title)
        elif each.get("type") == "category":
            _append(found, "category", title)
            for level, name in enumerate([*_above(each, titles), title][:CATEGORY_LEVELS], 1):
                if name is not None:
                    _append(found, f"category_lvl_{level}", name)
    return found


def _titles(nested: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What is said of titles: by a nested object of itself, and of those above it."""
    for each in (nested, *_ancestors(nested)):
        title = _title(each)
        if title is not None and isinstance(each, dict):
            identity = each.get("identity", each.get("url"))
            if isinstance(identity, str):
                yield identity, title


def _above(category: Mapping[str, Any], titles: Mapping[str, str]) -> Iterable[str | None]:
    """
    Titles of the ancestors, top first. One without a title keeps its level: it may be told elsewhere in the object, or
    stays unknown. What is no ancestor at all has no level.
    """
    for each in _ancestors(category):
        title = _title(each)
        if title is None and isinstance(each, dict):
            identity = each.get("identity", each.get("url"))
            if not isinstance(identity, str):
                continue
            yield titles.get(identity)
        elif title is not None:
            yield title


def _ancestors(nested: Mapping[str, Any]) -> Iterable[Any]:
    fields = nested.get("fields")
    ancestors = fields.get("ancestors") if isinstance(fields, dict) else None
    return ancestors if isinstance(ancestors, list) else ()


def _title(ancestor: object) -> str | None:
    """A title: plain, as `{"title": …}` or as a nested object with fields."""
    if isinstance(ancestor, str):
        return ancestor
    if not isinstance(ancestor, dict):
        return None
    fields = ancestor.get("fields")
    title = ancestor.get("title", fields.get("title") if isinstance(fields, dict) else None)
    return title if isinstance(title, str) else None


def _append(found: dict[str, list[str]], key: str, text: str) -> None:
    values = found.setdefault(key, [])
    if text not in values:
        values.append(text)


def _joined(known: Any, titles: list[str]) -> Any:
    """What the object says itself, and then what is nested in it says besides."""
    if known is None:
        return titles
    values = known if isinstance(known, list) else [known]
    besides = [title for title in titles if title not in values]
    return [*values, *besides] if besides else known


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
