"""
How bodies become values: JSON read once, every faulty field reported together.

A `Fields` reads one JSON object by its known keys. It collects faults instead of raising, so that a 422 names them
all; a reader asks it for values of a kind, and for the verdict at the end.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from endcap.domain import Micros
from endcap.errors import MalformedBody

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_ANY = msgspec.json.Decoder()
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
NESTING_MAX = 64  # what is stored is sent again: Ruby's reader gives up at 100 levels, PHP's at 512, ours near 970
TOO_DEEP = f"Nested deeper than {NESTING_MAX} levels"


def json_object(body: bytes) -> dict[str, Raw]:
    """The members of a JSON object, each still raw. Raises MalformedBody."""
    try:
        return _OBJECT.decode(body)
    except UNREADABLE as error:
        raise MalformedBody(details={"body": [f"Must be a JSON object: {error}"]}) from error


def json_value(body: bytes | Raw) -> Any:
    """Any JSON value. Raises MalformedBody."""
    try:
        return _ANY.decode(body)
    except UNREADABLE as error:
        raise MalformedBody(details={"body": [f"Must be JSON: {error}"]}) from error


def instant(text: str) -> Micros | None:
    """An ISO 8601 date or date-time; without a zone it is UTC. None if it is unreadable."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Micros((moment - _EPOCH) // _MICROSECOND)


def seconds_text(at: Micros) -> str:
    """`2025-01-22T08:49:58Z`, as timestamps look on this wire."""
    day, second = divmod(at // 1_000_000, 86_400)
    return f"{_day_text(day)}T{second // 3_600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


@lru_cache(4_096)  # formatting a date costs as much as decoding a small body, and days repeat
def _day_text(days: int) -> str:
    return (_EPOCH + timedelta(days=days)).date().isoformat()


def is_shallow(value: object, levels: int = NESTING_MAX) -> bool:
    """Whether every reader can follow the nesting."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return True
    return levels > 0 and all(is_shallow(each, levels - 1) for each in value)


class Faults:
    """Messages by field, in the order found."""

    def __init__(self) -> None:
        self.by_field: dict[str, list[str]] = {}

    def __bool__(self) -> bool:
        return bool(self.by_field)

    def add(self, field: str, message: str) -> None:
        messages = self.by_field.setdefault(field, [])
        if message not in messages:
            messages.append(message)


class Fields:
    """
    The members of one object. `where` is the field that faults are filed under (default: the member's own name) and
    `suffix` what tells one of many apart, e.g. ` (pin 0)`.
    """

    def __init__(
        self, members: Mapping[str, Any], faults: Faults, *, where: str = "", suffix: str = ""
    ) -> None:
        self.members = members
        self.faults = faults
        self.where = where
        self.suffix = suffix

    def fault(self, key: str, message: str) -> None:
        text = f"{key}: {message}" if self.where and key not in message else message
        self.faults.add(self.where or key, text + self.suffix)

    def value(self, key: str, *, required: bool = False) -> Any:
        """The decoded value; None when absent or null."""
        raw = self.members.get(key)
        try:
            value = _ANY.decode(raw) if isinstance(raw, Raw) else raw
        except UNREADABLE as error:
            self.fault(key, f"Must be JSON: {error}")
            return None
        if not is_shallow(value):
            self.fault(key, TOO_DEEP)
            return None
        if value is None and required:
            self.fault(key, f"Missing required field: {key}")
        return value

    def text(self, key: str, *, characters_max: int, required: bool = False) -> str | None:
        value = self.value(key, required=required)
        return None if value is None else self.checked_text(key, value, characters_max)

    def checked_text(self, key: str, value: object, characters_max: int) -> str | None:
        if not isinstance(value, str) or not value:
            self.fault(key, "Must be a non-empty text")
        elif len(value) > characters_max:
            self.fault(key, f"Must have at most {characters_max} characters")
        elif "\x00" in value:
            self.fault(key, "Must not contain the character U+0000")
        else:
            return value
        return None

    def flag(self, key: str) -> bool:
        value = self.value(key)
        if value is not None and not isinstance(value, bool):
            self.fault(key, "Must be true or false")
        return value is True

    def choice(self, key: str, choices: Sequence[str], *, required: bool = False) -> str | None:
        value = self.value(key, required=required)
        if value is None or value in choices:
            return value if isinstance(value, str) else None
        self.fault(key, f"Must be one of: {', '.join(choices)}")
        return None

    def moment(self, key: str) -> Micros | None:
        value = self.value(key)
        if value is None:
            return None
        at = instant(value) if isinstance(value, str) else None
        if at is None:
            self.fault(key, "Must be an ISO 8601 date-time, e.g. 2025-02-01T00:00:00Z")
        return at

    def parsed(self, key: str, parse: Callable[[bytes], T], *, required: bool = False) -> T | None:
        """A value read from its raw JSON by a parser that raises ValueError with a message for people."""
        raw = self.members.get(key)
        if raw is None or bytes(raw) == b"null":
            if required:
                self.fault(key, f"Missing required field: {key}")
            return None
        try:
            return parse(bytes(raw))
        except ValueError as error:
            self.fault(key, str(error))
            return None
