"""
Changes to a kept customization that leave the rest of it as it was spelled: tags, windows, the switch.

Each takes a record and returns the definition to store instead, or None if it says that already.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import partial

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from endcap.domain import TAGS_MAX, Definition, Record
from endcap.errors import FaultyFields
from endcap.wire.customizations import assembled, definition_of
from endcap.wire.reading import UNREADABLE

_PINS = msgspec.json.Decoder(list[dict[str, Raw]])
_encode = msgspec.json.encode


def tagged(record: Record, tags: Iterable[str]) -> Definition | None:
    """With tags at the end of those it has. Raises FaultyFields if they become too many."""
    wanted = tuple(dict.fromkeys((*record.tags, *tags)))
    if len(wanted) > TAGS_MAX:
        raise FaultyFields(details={"tags": [f"Must be at most {TAGS_MAX}"]})
    return _with_tags(record, wanted)


def untagged(record: Record, tags: Iterable[str]) -> Definition | None:
    gone = set(tags)
    return _with_tags(record, tuple(tag for tag in record.tags if tag not in gone))


def switched(record: Record, *, disabled: bool) -> Definition | None:
    if record.disabled is disabled:
        return None
    return replace(definition_of(record), disabled=disabled)


def shifted(record: Record, by: timedelta) -> Definition | None:
    """
    With every beginning and end of its pins' windows moved, in the zone and the spelling that each was sent in. Raises
    FaultyFields where a year beyond 9999, or before 1, would come out.
    """
    return _with_bounds(record, lambda _, name, text: moved_text(text, by))


def moved_by_days(
    record: Record, pins: Collection[int], *, opens: int, closes: int, zone: tzinfo
) -> Definition | None:
    """
    With the windows of some pins (by index) beginning and ending so many days later, at the same time of day in a zone,
    each in the spelling that it was sent in. Raises FaultyFields as `shifted` does, and where an end would not be
    after its beginning.
    """
    by = {"active_from": opens, "active_to": closes}
    return _with_bounds(
        record,
        lambda pin, name, text: text if pin not in pins else day_moved_text(text, by[name], zone),
    )


def _with_bounds(record: Record, moved: Callable[[int, str, str], str]) -> Definition | None:
    """With beginnings and ends of windows as they are told by pin, name and what they are."""
    members = _members(record)
    pins = _PINS.decode(members["pin_definitions"])
    after = [
        {name: _moved(name, raw, partial(moved, index)) for name, raw in pin.items()}
        for index, pin in enumerate(pins)
    ]
    if after == pins:
        return None
    listed = b"[" + b",".join(map(_object, after)) + b"]"
    changed = replace(record, document=assembled(members, record.target_type, record.tags, listed))
    return definition_of(changed)


def _with_tags(record: Record, tags: Sequence[str]) -> Definition | None:
    if tuple(tags) == record.tags:
        return None
    members = _members(record)
    document = assembled(
        members, record.target_type, tuple(tags), bytes(members["pin_definitions"])
    )
    return definition_of(replace(record, document=document))


def _members(record: Record) -> dict[str, Raw]:
    """Raises FaultyFields for what nobody understands."""
    definition_of(record)
    return msgspec.json.decode(record.document, type=dict[str, Raw])


def _object(members: dict[str, Raw]) -> bytes:
    pairs = (b"%b:%b" % (_encode(name), bytes(raw)) for name, raw in members.items())
    return b"{" + b",".join(pairs) + b"}"


def _moved(name: str, raw: Raw, moved: Callable[[str, str], str]) -> Raw:
    if name not in ("active_from", "active_to"):
        return raw
    try:
        text = msgspec.json.decode(raw, type=str)
        after = moved(name, text)
        return raw if after == text else Raw(_encode(after))
    except UNREADABLE:
        return raw
    except OverflowError as error:
        raise FaultyFields(details={name: ["Must stay between the years 1 and 9999"]}) from error


def moved_text(text: str, by: timedelta) -> str:
    """An ISO 8601 moment, moved: a day stays a day if it may, `Z` stays `Z`. Raises OverflowError."""
    moment = datetime.fromisoformat(text) + by
    if len(text) == len("2025-01-22") and not by % timedelta(days=1):
        return moment.date().isoformat()
    if text.endswith(("Z", "z")):
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return moment.isoformat()


def day_moved_text(text: str, days: int, zone: tzinfo) -> str:
    """
    The same time of day in a zone, so many days later; a time that its clock skips is as much later as the clock is put
    forward. A day stays a day, `Z` stays `Z`. Raises OverflowError.
    """
    by = timedelta(days=days)
    if len(text) == len("2025-01-22"):
        return (date.fromisoformat(text) + by).isoformat()
    if not days:
        return text
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    said = moment.astimezone(zone).replace(tzinfo=None, fold=0) + by
    # By way of UTC: of a time that the clock skips this makes one that it shows.
    after = said.replace(tzinfo=zone).astimezone(UTC)
    if text.endswith(("Z", "z")):
        return after.isoformat().replace("+00:00", "Z")
    if "+" not in text[10:] and "-" not in text[10:]:
        return after.replace(tzinfo=None).isoformat()
    return after.astimezone(zone).isoformat()
