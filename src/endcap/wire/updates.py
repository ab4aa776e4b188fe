"""
Updates by query on the wire: which objects, what of them, and how it went.

    {"search": {"types": ["product"], "partial": {"fields": {"color": "olive"}}},
     "update": {"fields": {"color": "green"}}}

A field matches if its value, or an element of it, is the one asked for, letter case and type included; of a list asked
for every element must be there, of an object every member. Null asks for a field that is not there.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from endcap.domain import CatalogObject, Merge, Shape
from endcap.errors import CatalogFault, CatalogFaults, MalformedBody
from endcap.wire.catalog import TYPE_CHARACTERS_MAX, is_name, malformed, merged_fields
from endcap.wire.kinds import shape_of
from endcap.wire.problems import fault_shape
from endcap.wire.reading import Faults, Fields, json_object

TYPES_MAX = 20
FIELDS_MAX = 100  # of one search, and of one update

_encode = msgspec.json.encode


class Update(Struct, frozen=True):
    """An update by query, understood."""

    types: tuple[str, ...]
    search: Mapping[str, Any]
    """Field → value asked for."""
    merge: Merge
    """What is done to a document that matches; others are left alone."""
    shape: Shape
    """Of the fields that it sets."""

    def selects(self, document: bytes) -> bool:
        """Whether a stored object is one of those."""
        own = _SELECTED.decode(document)
        return own.type in self.types and matches(self.search, own.fields)


class _Selected(Struct):
    """What a search looks at."""

    type: str
    fields: dict[str, Any]


_SELECTED = msgspec.json.Decoder(_Selected)


def read_update(body: bytes) -> Update:
    """The body of an update by query. Raises CatalogFaults that name all that is wrong, under `body`."""
    faults = Faults()
    try:
        members: Mapping[str, Raw] | None = json_object(body)
    except MalformedBody as problem:
        fault = CatalogFault("malformed_input", problem.reason, problem.details)
        raise CatalogFaults(0, {"body": fault}) from problem
    search = _member(members, "search", faults)
    types = _types(search, faults)
    wanted = _fields(_member(search, "search.partial", faults), "search.partial.fields", faults)
    changed = _fields(_member(members, "update", faults), "update.fields", faults)
    if not (faults or changed):
        faults.add("update.fields", "must name at least one field")
    shape = shape_of(changed, faults)
    if "title" in changed and not (isinstance(changed["title"], str) and changed["title"]):
        faults.add("title", "must be filled")
    if faults:
        raise CatalogFaults(0, {"body": malformed(faults.by_field)})
    sent = {name: Raw(_encode(value)) for name, value in changed.items()}

    def merge(stored: bytes | None) -> CatalogObject | CatalogFault | None:
        if stored is None or not update.selects(stored):
            return None
        return merged_fields(stored, sent, shape)

    names = frozenset(name for name, _ in shape)
    update = Update(types, wanted, Merge(merge, names), shape)
    return update


def matches(wanted: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    """Whether an object's fields are what a search asks for."""
    return all(_meets(value, fields.get(name)) for name, value in wanted.items())


def _meets(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, list):
        return all(_meets(each, value) for each in wanted)
    if wanted is None:
        return value in (None, [])
    elements = value if isinstance(value, list) else [value]
    return any(_is(wanted, each) for each in elements)


def _is(wanted: Any, element: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(element, dict) and all(
            name in element and _meets(value, element[name]) for name, value in wanted.items()
        )
    if isinstance(wanted, bool) or isinstance(element, bool):
        return wanted is element
    return bool(wanted == element)


def _member(
    members: Mapping[str, Raw] | None, path: str, faults: Faults
) -> Mapping[str, Raw] | None:
    """The object under the last name of a path; None where there is none, which is a fault, or was one above."""
    if members is None:
        return None
    raw = members.get(path.rpartition(".")[2])
    try:
        return json_object(b"" if raw is None else bytes(raw))
    except MalformedBody:
        faults.add(path, "must be an object")
        return None


def _fields(members: Mapping[str, Raw] | None, path: str, faults: Faults) -> dict[str, Any]:
    if members is None:
        return {}
    inner = Faults()
    value = Fields(members, inner).value("fields")
    if inner:
        faults.add(path, *inner.by_field["fields"][:1])
    elif not isinstance(value, dict):
        faults.add(path, "must be an object")
    elif len(value) > FIELDS_MAX:
        faults.add(path, f"must have at most {FIELDS_MAX} fields")
    else:
        return value
    return {}


def _types(search: Mapping[str, Raw] | None, faults: Faults) -> tuple[str, ...]:
    if search is None:
        return ()
    value = Fields(search, Faults()).value("types")
    if (
        isinstance(value, list)
        and 1 <= len(value) <= TYPES_MAX
        and all(is_name(each, TYPE_CHARACTERS_MAX) for each in value)
    ):
        return tuple(dict.fromkeys(value))
    said = f"must be a list of 1 to {TYPES_MAX} types, of at most {TYPE_CHARACTERS_MAX} characters each"
    faults.add("search.types", said)
    return ()


class Progress(Struct, frozen=True):
    """How a job goes on."""

    tracker: str
    status: str
    updates: int
    failures: int
    faults: Mapping[str, CatalogFault]
    checked: int
    """Objects looked at so far."""
    reason: str
    """Why it failed."""


def started_json(job_id: int) -> bytes:
    return _encode({"status_url": f"/v1/update_by_query?job_id={job_id}"})


def progress_json(progress: Progress) -> bytes:
    """
    In the words of https://docs.luigisbox.com/indexing/api/v1/query-update; `checked_count`, and `reason` where a job
    failed as a whole, are ours.
    """
    told: dict[str, Any] = {
        "tracker_id": progress.tracker,
        "status": progress.status,
        "updates_count": progress.updates,
        "failures_count": progress.failures,
        "failures": {key: fault_shape(fault) for key, fault in progress.faults.items()},
        "checked_count": progress.checked,
    }
    if progress.reason:
        told["reason"] = progress.reason
    return _encode(told)
