"""
Shopper events on the wire: what a shop's pages tell, one JSON object each.

Checks what we work with, names every fault at once, and leaves the rest alone: an event is kept as it was sent. What it
means (who looked at, clicked, ordered which items) is read from that, here and nowhere else, when it comes in, when
another process follows, and when it is archived.

Common members: https://docs.luigisbox.com/analytics/api.html. Knows nothing of what time it is.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from endcap.domain import IDENTITY_CHARACTERS_MAX, ItemId
from endcap.errors import FaultyFields, MalformedBody
from endcap.wire.reading import UNREADABLE, Faults, json_value

TYPES = ("pv", "event", "click", "transaction")
NAME_CHARACTERS_MAX = (
    200  # of an event's id, a client, a customer, an order: UUIDs, numbers, e-mail addresses
)
LINES_MAX = 1_000  # of one transaction
INTEGER_MAX = 2**63  # below it a whole number is taken for a name; JSON readers differ beyond
NUMBER_MAX = 1e15  # of pieces, of a price
NUMBER_TEXT = r"\d{1,15}(\.\d{1,15})?"
"""How a number may be spelled as a text."""
_NUMBER_TEXT = re.compile(NUMBER_TEXT, re.ASCII)
_INVALID = "Invalid event provided"

Kind = Literal["view", "click", "conversion", "list", "order"]


class Line(Struct, frozen=True):
    """An item that an event is about. `unit_price` is None where nothing was said of it."""

    identity: ItemId
    quantity: float = 1.0
    unit_price: float | None = None


class Meaning(Struct, frozen=True):
    """What an event says. `lines` are the items it is about, none for a list; `order` is the shop's own number."""

    kind: Kind
    lines: tuple[Line, ...] = ()
    order: str | None = None
    consent: bool | None = None


class Sent(Struct, frozen=True):
    """
    An event that was sent. `timestamp` is the page's clock, in whatever unit it came; `meaning` is None for a type that
    nobody knows.
    """

    tracker: str
    id: str
    type: str
    client: str
    customer: str | None
    timestamp: float | None
    meaning: Meaning | None


_Name = Annotated[str, Meta(min_length=1, max_length=NAME_CHARACTERS_MAX)]
_Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Identity = Annotated[str, Meta(min_length=1, max_length=IDENTITY_CHARACTERS_MAX)]


class _Action(Struct):
    type: _Name
    resource_identifier: _Identity


class _Line(Struct):
    url: _Identity
    count: Annotated[float, Meta(gt=0, le=NUMBER_MAX)] = 1.0
    total_price: Annotated[float, Meta(ge=0, le=NUMBER_MAX)] | None = None


class _Shown(Struct):
    """An item of a list: looked at by analysts, not by us."""


class _List(Struct):
    items: list[_Shown]


class _Plain(Struct):
    """The usual event, without a fault: one typed decode instead of a look at every member."""

    id: _Name | _Number
    type: Literal["pv", "event", "click", "transaction"]
    tracker_id: _Name
    client_id: _Name | _Number
    customer_id: _Name | _Number | None = None
    local_timestamp: Annotated[float, Meta(ge=0, le=NUMBER_MAX)] | None = None
    consent_granted: bool | None = None
    url: _Identity | None = None
    action: _Action | None = None
    items: Annotated[list[_Line], Meta(min_length=1, max_length=LINES_MAX)] | None = None
    order_id: _Name | _Number | None = None
    lists: Annotated[dict[str, _List], Meta(min_length=1)] | None = None


_PLAIN = msgspec.json.Decoder(_Plain)


def read_event(body: bytes) -> Sent:
    """Raises MalformedBody for what is not a JSON object, FaultyFields with every fault."""
    try:
        plain = _PLAIN.decode(body)
    except UNREADABLE:
        return _read_carefully(body)
    sent = _plain_sent(plain)
    return _read_carefully(body) if sent is None else sent


def meaning_of(document: bytes) -> Meaning | None:
    """What a stored event says; None for one that cannot be understood any more."""
    try:
        return read_event(document).meaning
    except (MalformedBody, FaultyFields):
        return None


def _plain_sent(plain: _Plain) -> Sent | None:
    """None: it lacks something, or holds what a look at types does not see."""
    meaning = _plain_meaning(plain)
    customer = None if plain.customer_id is None else str(plain.customer_id)
    sent = Sent(
        plain.tracker_id,
        str(plain.id),
        plain.type,
        str(plain.client_id),
        customer,
        plain.local_timestamp,
        meaning,
    )
    if meaning is None or "\x00" in f"{sent.tracker}{sent.id}{sent.client}{customer}":
        return None
    if "\x00" in f"{meaning.order}{''.join([each.identity for each in meaning.lines])}":
        return None
    return sent


def _plain_meaning(plain: _Plain) -> Meaning | None:
    consent = plain.consent_granted
    match plain.type:
        case "pv":
            if plain.url is not None:
                return Meaning("view", (Line(ItemId(plain.url)),), None, consent)
        case "click":
            action = plain.action
            if action is not None and "\x00" not in action.type:
                kind: Kind = "click" if action.type == "click" else "conversion"
                return Meaning(kind, (Line(ItemId(action.resource_identifier)),), None, consent)
        case "event":
            if plain.lists is not None:
                return Meaning("list", (), None, consent)
        case "transaction":
            if plain.items is not None:
                lines = [_line(each.url, each.count, each.total_price) for each in plain.items]
                order = None if plain.order_id is None else str(plain.order_id)
                return Meaning("order", tuple(lines), order, consent)
    return None


def _line(identity: str, count: float, total: float | None) -> Line:
    """`total_price` is of the whole line."""
    return Line(ItemId(identity), float(count), None if total is None else total / count)


def _read_carefully(body: bytes) -> Sent:
    """Member by member, to be able to name all faults. A test holds the two ways to one result."""
    try:
        shape = json_value(body)
    except MalformedBody as problem:
        problem.reason = _INVALID
        raise
    if not isinstance(shape, dict):
        raise MalformedBody(_INVALID, {"body": ["Must be a JSON object: one event"]})
    faults = Faults()
    sent = _Reader(shape, faults).sent()
    if faults:
        raise FaultyFields(_INVALID, faults.by_field)
    return sent


class _Reader:
    def __init__(self, members: Mapping[str, Any], faults: Faults) -> None:
        self._members = members
        self._faults = faults

    def sent(self) -> Sent:
        kind = self._named("type")
        return Sent(
            self._named("tracker_id"),
            self._named("id", numbers=True),
            kind,
            self._named("client_id", numbers=True),
            self._optional_name("customer_id"),
            self._timestamp(),
            self._meaning(kind),
        )

    def _meaning(self, kind: str) -> Meaning | None:
        consent = self._members.get("consent_granted")
        if consent is not None and not isinstance(consent, bool):
            self._faults.add("consent_granted", "Must be true or false")
            consent = None
        readers: Mapping[str, Callable[[bool | None], Meaning]] = {
            "pv": self._view,
            "click": self._click,
            "event": self._lists,
            "transaction": self._order,
        }
        read = readers.get(kind)
        return None if read is None else read(consent)

    def _view(self, consent: bool | None) -> Meaning:
        return Meaning("view", self._one_line("url", self._members.get("url")), None, consent)

    def _click(self, consent: bool | None) -> Meaning:
        action = self._members.get("action")
        if not isinstance(action, dict):
            said = "Missing required field: action" if action is None else "Must be an object"
            self._faults.add("action", said)
            return Meaning("click", (), None, consent)
        act = _name(action.get("type"))
        if act is None:
            self._faults.add(
                "action", f"type: {_must_be_named(action.get('type'), 'action.type', numbers=True)}"
            )
        resource = action.get("resource_identifier")
        if act != "click" and resource in (None, ""):  # of a conversion without an item
            return Meaning("conversion", (), None, consent)
        lines = self._one_line("action", resource, "resource_identifier: ")
        return Meaning("click" if act == "click" else "conversion", lines, None, consent)

    def _lists(self, consent: bool | None) -> Meaning:
        lists = self._members.get("lists")
        if not isinstance(lists, dict) or not lists:
            self._faults.add("lists", "Must be an object of lists by name, e.g. Recommendation")
            lists = {}
        for name, each in lists.items():
            items = each.get("items") if isinstance(each, dict) else None
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                self._faults.add("lists", f"{str(name)[:100]}: items must be a list of objects")
        return Meaning("list", (), None, consent)

    def _order(self, consent: bool | None) -> Meaning:
        order = self._optional_name("order_id")
        items = self._members.get("items")
        if not isinstance(items, list) or not 1 <= len(items) <= LINES_MAX:
            self._faults.add("items", f"Must be a list of 1 to {LINES_MAX} objects")
            items = []
        lines = [line for at, each in enumerate(items) for line in self._order_line(at, each)]
        return Meaning("order", tuple(lines), order, consent)

    def _order_line(self, at: int, item: object) -> tuple[Line, ...]:
        if not isinstance(item, dict):
            self._faults.add("items", f"Must be an object (item {at})")
            return ()
        found = self._one_line("items", item.get("url"), "url: ", f" (item {at})")
        count = 1.0 if item.get("count") is None else _number(item["count"])
        if not count:
            self._faults.add("items", f"count: Must be a number above 0 (item {at})")
        total = item.get("total_price")
        price = None if total is None else _number(total)
        if total is not None and price is None:
            self._faults.add("items", f"total_price: Must be a number from 0 (item {at})")
        return tuple(_line(each.identity, count or 1.0, price) for each in found)

    def _one_line(
        self, field: str, value: object, prefix: str = "", suffix: str = ""
    ) -> tuple[Line, ...]:
        is_whole = type(value) is int and abs(value) < INTEGER_MAX
        identity = str(value) if is_whole else value
        if not isinstance(identity, str) or not identity or "\x00" in identity:
            said = "Missing or no text: the identity of an item, or an address"
        elif len(identity) > IDENTITY_CHARACTERS_MAX:
            said = f"Must have at most {IDENTITY_CHARACTERS_MAX} characters"
        else:
            return (Line(ItemId(identity)),)
        self._faults.add(field, f"{prefix}{said}{suffix}")
        return ()

    def _named(self, key: str, *, numbers: bool = False) -> str:
        value = self._members.get(key)
        name = _name(value) if numbers or isinstance(value, str) else None
        if name is None:
            self._faults.add(key, _must_be_named(value, key, numbers=numbers))
        return name or ""

    def _optional_name(self, key: str) -> str | None:
        value = self._members.get(key)
        if value is None or value == "":  # what pages send of nobody who is logged in
            return None
        return self._named(key, numbers=True)

    def _timestamp(self) -> float | None:
        value = self._members.get("local_timestamp")
        if value is None:
            return None
        number = _number(value)
        if number is None:
            self._faults.add("local_timestamp", "Must be a number of seconds since 1970")
        return number


def _name(value: object) -> str | None:
    """A text or a whole number as a name; None for what is neither."""
    if type(value) is int and abs(value) < INTEGER_MAX:
        return str(value)
    if isinstance(value, str) and 0 < len(value) <= NAME_CHARACTERS_MAX and "\x00" not in value:
        return value
    return None


def _must_be_named(value: object, key: str, *, numbers: bool) -> str:
    if value is None or value == "":
        return f"Missing required field: {key}"
    said = f"Must be a text of at most {NAME_CHARACTERS_MAX} characters"
    return f"{said}, or a whole number" if numbers else said


def _number(value: object) -> float | None:
    """A number from 0 to NUMBER_MAX, also as text; None for what is none."""
    if isinstance(value, str):
        return float(value) if _NUMBER_TEXT.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= NUMBER_MAX else None
