"""
Customizations on the wire: bodies into definitions, records into answers.

Here, and nowhere else, -1 and 0 are positions, `is_block_pin` is a flag, and a target is three keys. What a client
sent is kept as it was spelled: `Definition.document` is assembled from the raw members, so criteria come back byte for
byte and a pin has exactly the fields that it came with.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from msgspec import Raw, Struct

from endcap import criteria
from endcap.criteria import CriteriaFault, Rule
from endcap.domain import (
    ALWAYS,
    BLOCKED,
    EVERYWHERE,
    IDENTITY_CHARACTERS_MAX,
    MODEL_CHARACTERS_MAX,
    PINS_MAX,
    POSITION_MAX,
    TAG_CHARACTERS_MAX,
    TAGS_MAX,
    AllTarget,
    Blocked,
    CriteriaTarget,
    Definition,
    Everywhere,
    ItemId,
    ItemTarget,
    Pin,
    Place,
    Record,
    Slot,
    Target,
    Window,
)
from endcap.errors import FaultyFields, FaultyPins
from endcap.wire.plain import Plain, read_plain
from endcap.wire.reading import (
    TOO_DEEP,
    UNREADABLE,
    Faults,
    Fields,
    is_shallow,
    json_object,
    seconds_text,
)

TARGET_TYPES = ("item", "criteria", "all")
PIN_TYPES = ("item", "criteria")
PIN_FIELDS = (
    "position",
    "pin_type",
    "pin_identity",
    "pin_criteria",
    "widget_id",
    "is_block_pin",
    "is_bundle_pin",
    "active_from",
    "active_to",
)
_PINS = msgspec.json.Decoder(list[dict[str, Raw]])
_MEMBERS = msgspec.json.Decoder(list[Raw])
_FLAT = msgspec.json.Decoder(dict[str, str])
_TAG_LIST = msgspec.json.Decoder(list[str])
_encode = msgspec.json.encode


def read_definition(body: bytes) -> Definition:
    """
    Reads the body of a create or an update.

    Raises MalformedBody for what is not a JSON object; FaultyFields, or FaultyPins when a pin is among the faulty,
    with every fault of every field.
    """
    members = json_object(body)
    plain = read_plain(body)
    return _definition(members) if plain is None else _from_plain(plain, members)


def _from_plain(plain: Plain, members: dict[str, Raw]) -> Definition:
    """The pins' list is kept as it came: it has known members only, and none is null."""
    metadata = _plain_metadata(members)
    document = assembled(members, plain.target_type, plain.tags, bytes(members["pin_definitions"]))
    return Definition(
        plain.model,
        plain.target_type,
        plain.target,
        plain.pins,
        plain.tags,
        document,
        metadata,
        plain.disabled,
    )


def _plain_metadata(members: dict[str, Raw]) -> bytes | None:
    raw = members.get("target_metadata")
    if raw is None:
        return None
    try:
        _FLAT.decode(raw)  # texts alone, as clients send it, need no further look
        return bytes(raw)
    except UNREADABLE:
        faults = Faults()
        metadata = Fields(members, faults).parsed("target_metadata", _metadata)
        if faults:
            raise FaultyFields(details=faults.by_field) from None
        return metadata


def definition_of(record: Record) -> Definition:
    """Understands a kept record again."""
    definition = read_definition(record.document)
    return msgspec.structs.replace(
        definition, metadata=record.metadata, disabled=record.disabled or None
    )


def title_of(metadata: bytes | None) -> str | None:
    """What `target_metadata` calls the target, if it does."""
    if metadata is None:
        return None
    title = msgspec.json.decode(msgspec.json.decode(metadata, type=_Metadata).title or b"null")
    return title if isinstance(title, str) and title else None


def _definition(sent: dict[str, Raw]) -> Definition:
    faults = Faults()
    fields = Fields(sent, faults)
    model = fields.text("model", characters_max=MODEL_CHARACTERS_MAX, required=True)
    target_type = fields.choice("target_type", TARGET_TYPES, required=True)
    target = _target(fields, target_type)
    metadata = fields.parsed("target_metadata", _metadata)
    tags = _tags(fields)
    pins, pins_document = _pins(fields)
    disabled = fields.flag("disabled") if fields.value("disabled") is not None else None
    if faults:
        problem = FaultyPins if "pin_definitions" in faults.by_field else FaultyFields
        raise problem(details=faults.by_field)
    assert model is not None
    assert target_type is not None
    assert target is not None
    document = assembled(sent, target_type, tags, pins_document)
    return Definition(model, target_type, target, pins, tags, document, metadata, disabled)


def _target(fields: Fields, target_type: str | None) -> Target | None:
    match target_type:
        case "item":
            identity = fields.text(
                "target_identity", characters_max=IDENTITY_CHARACTERS_MAX, required=True
            )
            return ItemTarget(ItemId(identity)) if identity else None
        case "criteria":
            rule = fields.parsed("target_criteria", selective_rule, required=True)
            return CriteriaTarget(rule) if rule else None
        case "all":
            return AllTarget()
        case _:
            return None


def selective_rule(sent: bytes) -> Rule:
    """A rule that says something: empty criteria would silently mean the whole catalog."""
    rule = criteria.parse(sent)
    if rule == criteria.ALWAYS_TRUE:
        raise CriteriaFault("Must name at least one attribute")
    return rule


def _metadata(sent: bytes) -> bytes:
    try:
        shape = msgspec.json.decode(sent)
    except UNREADABLE as error:
        raise ValueError(f"Must be JSON: {error}") from error
    if not isinstance(shape, dict):
        raise ValueError("Must be an object")
    if not is_shallow(shape):
        raise ValueError(TOO_DEEP)
    return sent


def _tags(fields: Fields) -> tuple[str, ...]:
    value = fields.value("tags")
    if value is None:
        return ()
    if not isinstance(value, list):
        fields.fault("tags", "Must be a list of texts")
        return ()
    tags = [fields.checked_text("tags", each, TAG_CHARACTERS_MAX) for each in value]
    distinct = tuple(dict.fromkeys(tag for tag in tags if tag))
    if len(distinct) > TAGS_MAX:
        fields.fault("tags", f"Must be at most {TAGS_MAX}")
    return distinct


def _pins(fields: Fields) -> tuple[tuple[Pin, ...], bytes]:
    """The pins, and their list as it is kept."""
    raw = fields.members.get("pin_definitions")
    if raw is None or bytes(raw) == b"null":
        fields.fault("pin_definitions", "Missing required field: pin_definitions")
        return (), b"[]"
    sent = _pin_members(fields, raw)
    if len(sent) > PINS_MAX:
        fields.fault("pin_definitions", f"Must be at most {PINS_MAX}")
        return (), b"[]"
    read = [_pin(members, index, fields.faults) for index, members in enumerate(sent)]
    document = b"[" + b",".join(map(_pin_document, sent)) + b"]"
    return tuple(pin for pin in read if pin is not None), document


def _pin_members(fields: Fields, raw: Raw) -> list[dict[str, Raw]]:
    try:
        return _PINS.decode(raw)
    except UNREADABLE:
        pass
    try:
        listed = _MEMBERS.decode(raw)
    except UNREADABLE:
        fields.fault("pin_definitions", "Must be a list of pin objects")
        return []
    return [_one_pins_members(fields, each, index) for index, each in enumerate(listed)]


def _one_pins_members(fields: Fields, raw: Raw, index: int) -> dict[str, Raw]:
    """The slow way, pin by pin, so that one that is no object does not hide the faults of the others."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Raw])
    except UNREADABLE:
        fields.fault("pin_definitions", f"Must be an object (pin {index})")
        return {}


def _pin(members: dict[str, Raw], index: int, faults: Faults) -> Pin | None:
    pin = Fields(members, faults, where="pin_definitions", suffix=f" (pin {index})")
    before = sum(map(len, faults.by_field.values()))
    position = _position(pin)
    item, rule = _pick(pin)
    blocks = pin.flag("is_block_pin")
    bundled = pin.flag("is_bundle_pin")
    widget = pin.text("widget_id", characters_max=IDENTITY_CHARACTERS_MAX)
    window = _window(pin)
    if sum(map(len, faults.by_field.values())) > before:
        return None
    assert position is not None
    return Pin(_place(position, blocks=blocks), item, rule, window, widget, bundled)


def _position(pin: Fields) -> int | None:
    value = pin.value("position", required=True)
    if value is None:
        return None
    if type(value) is not int or not -1 <= value <= POSITION_MAX:
        pin.fault(
            "position", f"Must be an integer: 1 to {POSITION_MAX}, -1 for everywhere, 0 to block"
        )
        return None
    return value


def _pick(pin: Fields) -> tuple[ItemId | None, Rule | None]:
    """What applies is understood; what does not is returned as sent all the same, so it must at least be readable."""
    match pin.choice("pin_type", PIN_TYPES, required=True):
        case "item":
            identity = pin.text(
                "pin_identity", characters_max=IDENTITY_CHARACTERS_MAX, required=True
            )
            pin.value("pin_criteria")
            return (ItemId(identity) if identity else None), None
        case "criteria":
            pin.value("pin_identity")
            return None, pin.parsed("pin_criteria", selective_rule, required=True)
        case _:
            return None, None


def _window(pin: Fields) -> Window:
    opens, closes = pin.moment("active_from"), pin.moment("active_to")
    if opens is None and closes is None:
        return ALWAYS
    if opens is not None and closes is not None and opens >= closes:
        pin.fault("active_from", "Must be before active_to")
    return Window(opens, closes)


def _place(position: int, *, blocks: bool) -> Place:
    if blocks or position == 0:
        return BLOCKED
    return EVERYWHERE if position == -1 else Slot(position)


def position_of(place: Place) -> int:
    """The wire's number for a place."""
    match place:
        case Slot(position):
            return position
        case Everywhere():
            return -1
        case Blocked():
            return 0


def _pin_document(members: dict[str, Raw]) -> bytes:
    return (
        b"{"
        + b",".join(
            b'"%b":%b' % (key.encode(), bytes(raw))
            for key, raw in members.items()
            if key in PIN_FIELDS and bytes(raw) != b"null"
        )
        + b"}"
    )


_TARGET_FIELD = {"item": "target_identity", "criteria": "target_criteria"}


def assembled(
    sent: Mapping[str, Raw], target_type: str, tags: tuple[str, ...], pins_document: bytes
) -> bytes:
    """A document of the members that were sent, tags as they are understood, and the list of pins as it is kept."""
    parts = [b'"model":%b,"target_type":"%b"' % (bytes(sent["model"]), target_type.encode())]
    if field := _TARGET_FIELD.get(target_type):
        parts.append(b'"%b":%b' % (field.encode(), bytes(sent[field])))
    parts.append(b'"tags":%b,"pin_definitions":%b' % (_encode(tags), pins_document))
    return b"{" + b",".join(parts) + b"}"


class Shown(Struct, frozen=True):
    """What a target looks like in the catalog: fills `target_metadata` where the client sent nothing."""

    title: str | None = None
    image_link: str | None = None


def customization_json(record: Record, *, available: bool, shown: Shown | None) -> bytes:
    """A customization as GET gives it."""
    metadata = _filled(record.metadata, shown)
    return b"".join(
        (
            b'{"id":"',
            record.id.encode(),
            b'","created_at":"',
            seconds_text(record.created_at).encode(),
            b'","updated_at":"',
            seconds_text(record.updated_at).encode(),
            b'",',
            record.document[1:-1],
            b',"target_metadata":' + metadata if metadata else b"",
            b',"creator":',
            _encode(record.creator),
            b',"disabled":true' if record.disabled else b"",
            b',"available":true}' if available else b',"available":false}',
        )
    )


def _filled(metadata: bytes | None, shown: Shown | None) -> bytes | None:
    """`target_metadata` as sent, with title and image_link from the catalog where they are missing."""
    if shown is None:
        return metadata
    sent = msgspec.json.decode(metadata, type=_Metadata) if metadata else _NO_METADATA
    missing = {}
    if shown.title and sent.title in _NOT_SENT:
        missing["title"] = shown.title
    if shown.image_link and sent.image_link in _NOT_SENT:
        missing["image_link"] = shown.image_link
    if not missing:
        return metadata
    if metadata is None:
        return _encode(missing)
    members = msgspec.json.decode(metadata, type=dict[str, Raw])
    return _encode({**members, **missing})


class _Metadata(Struct):
    title: Raw = Raw()
    image_link: Raw = Raw()


_NO_METADATA = _Metadata()
_NOT_SENT = (Raw(), Raw(b"null"))


def without_pins(record: Record, keeps: Callable[[int, Pin], bool]) -> Record:
    """The record with only the pins that the test keeps, told index and pin; the rest of the document stays."""
    definition = definition_of(record)
    stays = [keeps(index, pin) for index, pin in enumerate(definition.pins)]
    if all(stays):
        return record
    members = msgspec.json.decode(record.document, type=dict[str, Raw])
    pins = _MEMBERS.decode(members["pin_definitions"])
    kept = [bytes(raw) for raw, is_kept in zip(pins, stays, strict=True) if is_kept]
    document = assembled(
        members, definition.target_type, definition.tags, b"[" + b",".join(kept) + b"]"
    )
    return msgspec.structs.replace(record, document=document)


def page_json(total: int, customizations: Iterable[bytes]) -> bytes:
    """The answer of a list."""
    return b'{"pagination":{"total":%d},"results":[%b]}' % (total, b",".join(customizations))


def summary_json(counts: dict[str, int], tags: Sequence[str]) -> bytes:
    return _encode({"scope_counts": counts, "user_tags": tags})


def one_line(customization: bytes) -> bytes:
    """The same customization without line breaks, for one-per-line formats."""
    return (
        msgspec.json.format(customization, indent=-1) if b"\n" in customization else customization
    )


CSV_COLUMNS = (
    "id",
    "created_at",
    "updated_at",
    "model",
    "target_type",
    "target_identity",
    "target_criteria",
    "tags",
    "creator",
    "disabled",
    "available",
    *PIN_FIELDS,
)


def csv_rows(customization: bytes) -> list[list[str]]:
    """One row a pin (or one without pin cells), in the order of CSV_COLUMNS; objects and lists as JSON text."""
    members = msgspec.json.decode(customization, type=dict[str, Raw])
    head = [_cell(members.get(column)) for column in CSV_COLUMNS[: -len(PIN_FIELDS)]]
    pins = _PINS.decode(members["pin_definitions"])
    return [[*head, *(_cell(pin.get(field)) for field in PIN_FIELDS)] for pin in pins or [{}]]


def _cell(raw: Raw | None) -> str:
    if raw is None:
        return ""
    value = msgspec.json.decode(raw)
    return value if isinstance(value, str) else bytes(raw).decode()


def own_attributes(customization: bytes) -> dict[str, object]:
    """A customization's attributes for the rules of a list body: dotted paths, any pin for `pin_definitions`."""
    flat: dict[str, object] = {}
    _flatten("", msgspec.json.decode(customization), flat)
    return flat


def _flatten(path: str, value: object, flat: dict[str, object]) -> None:
    if isinstance(value, dict):
        for key, member in value.items():
            _flatten(f"{path}.{key}" if path else key, member, flat)
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        for each in value:
            _flatten(path, each, flat)
    else:
        _extend(flat, path, value)


def _extend(flat: dict[str, object], path: str, value: object) -> None:
    if path not in flat:
        flat[path] = value
        return
    known = flat[path]
    flat[path] = [
        *(known if isinstance(known, list) else [known]),
        *(value if isinstance(value, list) else [value]),
    ]


_OWN_FIELDS = frozenset(
    {
        "id",
        "created_at",
        "updated_at",
        "model",
        "target_type",
        "target_identity",
        "tags",
        "creator",
        "available",
    }
)
_OWN_BRANCHES = ("target_criteria", "target_metadata", "pin_definitions")


def is_own_field(name: str) -> bool:
    """Whether a rule of a list body may name this field."""
    return name in _OWN_FIELDS or name.split(".", 1)[0] in _OWN_BRANCHES
