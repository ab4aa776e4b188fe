"""
Recommendation requests and answers on the wire (v1 names).

A request is an array; an answer is an array in the same order. Nothing in an answer marks a pin, unless an
explanation was asked for.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypeVar, cast

import msgspec
from msgspec import Meta, Raw, Struct

from endcap import criteria
from endcap.criteria import CriteriaFault, Rule
from endcap.domain import IDENTITY_CHARACTERS_MAX, INPUT_ITEMS_MAX, ItemId, Micros
from endcap.errors import FaultyFields, MalformedBody
from endcap.wire.reading import UNREADABLE, Faults, json_value, seconds_text

OBJECTS_MAX = 20
SIZE_DEFAULT = 10
SIZE_MAX = 50
BLACKLIST_MAX = 10_000
HIT_FIELDS_MAX = 200
INVALID = "Invalid recommendation request"
T = TypeVar("T")


class Request(Struct, frozen=True):
    """One widget's wish. `widget` is `recommender_client_identifier`; `items` the first 10 of `item_ids`."""

    model: str
    widget: str | None = None
    user: str | None = None
    items: tuple[ItemId, ...] = ()
    blacklist: frozenset[ItemId] = frozenset()
    size: int = SIZE_DEFAULT
    context: Rule | None = None
    availability_field: str | None = None
    hit_fields: frozenset[str] | None = None
    mark_fallback: bool = False
    consent: bool | None = None
    """Whether the user agreed to be known, as the request says; None: it does not say."""
    context_sent: Any = None
    """The context as it came, decoded; None where there is none."""


class OutOfTheOrdinary(ValueError):
    """To be read the careful way."""


_Text = Annotated[str, Meta(max_length=IDENTITY_CHARACTERS_MAX)]
_ABSENT = Raw()


class PlainWish(Struct):
    """The usual wish, without a fault: one typed decode costs a third of a look at every member."""

    recommendation_type: Annotated[str, Meta(min_length=1)]
    recommender_client_identifier: _Text | None = None
    user_id: _Text | None = None
    item_ids: list[str] = []
    blacklisted_item_ids: list[str] = []
    size: Annotated[int, Meta(ge=1)] = SIZE_DEFAULT
    hit_fields: Annotated[list[str], Meta(max_length=HIT_FIELDS_MAX)] | None = None
    recommendation_context: Raw = _ABSENT
    settings_override: Raw = _ABSENT
    mark_fallback_results: bool = False
    consent_granted: bool | None = None


_PLAIN = msgspec.json.Decoder(
    Annotated[list[PlainWish], Meta(min_length=1, max_length=OBJECTS_MAX)]
)


def read_requests(body: bytes) -> tuple[Request, ...]:
    """Raises MalformedBody for what is not an array, FaultyFields with every fault of every object."""
    try:
        return tuple([plain_request(each) for each in _PLAIN.decode(body)])
    except (*UNREADABLE, OutOfTheOrdinary):
        return _read_carefully(body)


def plain_request(wish: PlainWish, *, size_max: int = SIZE_MAX) -> Request:
    """Raises OutOfTheOrdinary for what takes more than a look at types."""
    if wish.recommendation_context is not _ABSENT or wish.settings_override is not _ABSENT:
        raise OutOfTheOrdinary
    fields = wish.hit_fields
    return Request(
        wish.recommendation_type,
        wish.recommender_client_identifier,
        wish.user_id,
        cast(tuple[ItemId, ...], tuple(wish.item_ids[:INPUT_ITEMS_MAX])),
        cast(frozenset[ItemId], frozenset(wish.blacklisted_item_ids[:BLACKLIST_MAX])),
        min(wish.size, size_max),
        None,
        None,
        None if fields is None else _stripped(fields),
        wish.mark_fallback_results,
        wish.consent_granted,
    )


def _stripped(names: Sequence[str]) -> frozenset[str]:
    return frozenset(stripped for name in names if (stripped := name.strip()))


def _read_carefully(body: bytes) -> tuple[Request, ...]:
    """Member by member, to be able to name all faults. A test holds the two ways to one result."""
    return read_each(
        json_value(body),
        lambda wish, index, faults: WishReader(wish, index, faults).request(),
    )


def read_each(
    shape: object,
    read: Callable[[object, int, Faults], T],
    *,
    invalid: str = INVALID,
    wanted: str = "Must be a JSON array of request objects",
) -> tuple[T, ...]:
    """
    What `read` makes of each object of a decoded call, its index and where to tell its faults. Raises MalformedBody
    with what is `wanted` for what is no array, FaultyFields with every fault of every object.
    """
    if not isinstance(shape, list):
        raise MalformedBody(details={"body": [wanted]})
    faults = Faults()
    if not 1 <= len(shape) <= OBJECTS_MAX:
        faults.add("body", f"Must hold 1 to {OBJECTS_MAX} objects")
    requests = [read(each, index, faults) for index, each in enumerate(shape[:OBJECTS_MAX])]
    if faults:
        raise FaultyFields(invalid, faults.by_field)
    return tuple(requests)


class WishReader:
    """Reads one object of a call member by member; its index is in every message."""

    def __init__(self, shape: object, index: int, faults: Faults) -> None:
        self.faults = faults
        self.index = index
        self.members: dict[str, Any] = shape if isinstance(shape, dict) else {}
        if not isinstance(shape, dict):
            self.fault("body", "Must be an object")

    def fault(self, key: str, message: str) -> None:
        self.faults.add(key, f"{message} (object {self.index})")

    def request(self) -> Request:
        get = self.members.get
        context = self.context() if get("recommendation_context") is not None else None
        return Request(
            self.model(),
            self.text("recommender_client_identifier"),
            self.text("user_id"),
            self.identities("item_ids", INPUT_ITEMS_MAX),
            frozenset(self.identities("blacklisted_item_ids", BLACKLIST_MAX)),
            self.size(),
            context,
            self.availability_field() if get("settings_override") is not None else None,
            self.hit_fields() if get("hit_fields") is not None else None,
            self.flag("mark_fallback_results"),
            self.consent(),
            None if context is None else get("recommendation_context"),
        )

    def model(self) -> str:
        value = self.members.get("recommendation_type")
        if value is None:
            self.fault("recommendation_type", "Missing required field: recommendation_type")
        elif not isinstance(value, str) or not value:
            self.fault("recommendation_type", "Must be a non-empty text")
        else:
            return value
        return ""

    def text(self, key: str) -> str | None:
        """A text; numbers are taken for one, since shop systems number their users."""
        value = self.members.get(key)
        if value is None or isinstance(value, str):
            if value is not None and len(value) > IDENTITY_CHARACTERS_MAX:
                self.fault(key, f"Must have at most {IDENTITY_CHARACTERS_MAX} characters")
            return value
        if type(value) is int:
            return str(value)
        self.fault(key, "Must be a text")
        return None

    def identities(self, key: str, count_max: int) -> tuple[ItemId, ...]:
        """Identities beyond the bound are left out without a fault, as the vendor does."""
        value = self.members.get(key)
        if not value and (value is None or isinstance(value, list)):
            return ()
        if not isinstance(value, list) or not all(type(each) in (str, int) for each in value):
            self.fault(key, "Must be a list of texts")
            return ()
        return tuple(ItemId(str(each)) for each in value[:count_max])

    def size(self) -> int:
        value = self.members.get("size")
        if value is None:
            return SIZE_DEFAULT
        if type(value) is not int or value < 1:
            self.fault("size", f"Must be a whole number from 1 (more than {SIZE_MAX} is capped)")
            return SIZE_DEFAULT
        return min(value, SIZE_MAX)

    def context(self) -> Rule | None:
        try:
            rule = criteria.read(self.members["recommendation_context"])
        except CriteriaFault as fault:
            self.fault("recommendation_context", str(fault))
            return None
        return None if rule == criteria.ALWAYS_TRUE else rule

    def availability_field(self) -> str | None:
        settings = self.members["settings_override"]
        if not isinstance(settings, dict):
            self.fault("settings_override", "Must be an object")
            return None
        name = settings.get("availability_field")
        if name is None or (isinstance(name, str) and name):
            return name
        self.fault("settings_override", "availability_field: Must be a non-empty text")
        return None

    def hit_fields(self) -> frozenset[str] | None:
        value = self.members["hit_fields"]
        names = value.split(",") if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self.fault("hit_fields", "Must be a list of texts, or one text with commas")
            return None
        if len(names) > HIT_FIELDS_MAX:
            self.fault("hit_fields", f"Must be at most {HIT_FIELDS_MAX}")
            return None
        return _stripped(names)

    def flag(self, key: str) -> bool:
        value = self.members.get(key)
        if value is not None and not isinstance(value, bool):
            self.fault(key, "Must be true or false")
        return value is True

    def consent(self) -> bool | None:
        value = self.members.get("consent_granted")
        if value is None or isinstance(value, bool):
            return value
        self.fault("consent_granted", "Must be true or false")
        return None


_encode = msgspec.json.encode


def answer_json(
    request: Request,
    hits: Sequence[bytes],
    *,
    now: Micros,
    recommendation_id: str,
    recommender: str,
    model_version: int | None,
    recommender_version: str,
    explanation: bytes | None = None,
) -> bytes:
    """One object of the answer; the hits come ready encoded."""
    head = _encode(
        {
            "generated_at": _generated_at(now),
            "model_version": model_version,
            "recommendation_id": recommendation_id,
            "recommendation_type": request.model,
            "recommender": recommender,
            "recommender_client_identifier": request.widget or request.model,
            "recommender_version": recommender_version,
            "user_id": request.user,
        }
    )
    tail = b',"explanation":%b}' % explanation if explanation is not None else b"}"
    return b'%b,"hits":[%b]%b' % (head[:-1], b",".join(hits), tail)


def marked(hit: bytes, *, fallback: bool) -> bytes:
    """A hit that tells whether the model or its fallback gave it."""
    return hit[:-1] + (b',"fallback":true}' if fallback else b',"fallback":false}')


def with_missing(answer: bytes, missing: Sequence[str]) -> bytes:
    """An answer that tells which identities of the caller's ranking the catalog lacks."""
    return b'%b,"not_in_catalog":%b}' % (answer[:-1], _encode(missing))


def answers_json(answers: Iterable[bytes]) -> bytes:
    return b"[%b]" % b",".join(answers)


def _generated_at(now: Micros) -> str:
    """`2025-01-06T23:34:59.585570`: microseconds and no zone, as live answers have it."""
    return f"{seconds_text(now)[:-1]}.{now % 1_000_000:06}"


class PinShown(Struct, frozen=True):
    """A pin in an explanation, in the wire's words."""

    customization_id: str
    pin: int
    target_type: str
    position: int
    verdict: str
    item: str | None
    slot: int | None
    because: str


class ItemShown(Struct, frozen=True, omit_defaults=True):
    """
    An item in an explanation: `from_` is pin, ranking or fallback, told more closely by the others. `stage` is the
    kind of strategy that gave it.
    """

    slot: int
    url: str
    from_: str = msgspec.field(name="from")
    pin: int | None = None
    customization_id: str | None = None
    place: int | None = None
    stage: str | None = None


class Explanation(Struct, frozen=True):
    pins: Sequence[PinShown]
    items: Sequence[ItemShown]
