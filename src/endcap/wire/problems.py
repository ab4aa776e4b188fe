"""
Problems on the wire: two shapes, never mixed, and one table from codes to statuses that is read in both directions.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from endcap import errors
from endcap.errors import CatalogFault, Problem
from endcap.wire.reading import UNREADABLE

STATUSES: Mapping[type[Problem], int] = {
    errors.MalformedBody: 400,
    errors.CatalogFaults: 400,
    errors.Unauthenticated: 401,
    errors.TrackerNotFound: 404,
    errors.CustomizationNotFound: 404,
    errors.DraftNotFound: 404,
    errors.VersionNotFound: 404,
    errors.NothingToUndo: 404,
    errors.RecommenderNotFound: 404,
    errors.JobNotFound: 404,
    errors.PathNotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.PublishConflict: 409,
    errors.RevisionConflict: 412,
    errors.DraftConflict: 412,
    errors.BodyTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.FaultyFields: 422,
    errors.FaultyPins: 422,
    errors.IdempotencyConflict: 422,
    errors.FaultyRows: 422,
    errors.TooManyRequests: 429,
    errors.StoreUnavailable: 503,
    errors.StillLoading: 503,
    errors.RevisionNotReached: 503,
}
INTERNAL = 500
_PLAIN = tuple(
    kind
    for kind in STATUSES
    if kind
    not in (
        errors.CatalogFaults,
        errors.FaultyRows,
        errors.MethodNotAllowed,
        errors.TooManyRequests,
    )
)
"""Those that a reason and details make whole."""


def status_of(problem: Problem) -> int:
    """The status of a problem; what is not in the table is ours to fix."""
    return STATUSES.get(type(problem), INTERNAL)


def problem_json(problem: Problem) -> bytes:
    """The shape of customizations and recommender."""
    return msgspec.json.encode(
        {"reason": problem.reason, "exception_details": dict(problem.details)}
    )


def internal_json(request_id: str) -> bytes:
    """What a reader sees of an escape; the rest is in the log under the same id."""
    return msgspec.json.encode(
        {"reason": "internal error", "exception_details": {"request_id": [request_id]}}
    )


def catalog_json(ok_count: int, faults: Mapping[str, CatalogFault]) -> bytes:
    """The shape of the catalog, for success and for failure."""
    return msgspec.json.encode(_catalog_shape(ok_count, faults))


def committed_json(kept: int, *, removed: int) -> bytes:
    """The same of a generation that was committed: how many objects it has, and how many others went."""
    return msgspec.json.encode({**_catalog_shape(kept, {}), "removed_count": removed})


def _catalog_shape(ok_count: int, faults: Mapping[str, CatalogFault]) -> dict[str, object]:
    return {
        "ok_count": ok_count,
        "errors_count": len(faults),
        "errors": {key: fault_shape(fault) for key, fault in faults.items()},
    }


def fault_shape(fault: CatalogFault) -> dict[str, object]:
    """What an answer of the catalog says of one object."""
    shape: dict[str, object] = {"type": fault.kind, "reason": fault.reason}
    if fault.details:
        shape["caused_by"] = dict(fault.details)
    return shape


def problem_from(status: int, body: bytes) -> Problem:
    """
    The problem that an answer speaks of, in either shape; the client's way back.

    Reads leniently: another server, or a proxy before it, may say anything at all.
    """
    shape = _object(body)
    if "errors_count" in shape:
        if status == STATUSES[errors.JobNotFound]:  # the one thing that the catalog does not find
            return errors.JobNotFound()
        return _catalog_problem(shape)
    reason = shape.get("reason")
    said = reason if isinstance(reason, str) and reason else None
    details = _details(shape.get("exception_details"))
    if status == STATUSES[errors.TooManyRequests]:
        return errors.TooManyRequests(_first_number(details))
    if said == errors.FaultyRows({}).reason:
        return _faulty_rows(details)
    problem = _kind(status, said)
    problem.reason = said or f"HTTP status {status}"
    problem.details = details
    return problem


def _object(body: bytes) -> dict[str, Any]:
    try:
        shape = msgspec.json.decode(body)
    except UNREADABLE:
        return {}
    return shape if isinstance(shape, dict) else {}


def _details(sent: object) -> dict[str, list[str]]:
    """Messages by field, whatever stood there."""
    if not isinstance(sent, dict):
        return {} if sent in (None, "", []) else {"details": [str(sent)]}
    return {
        str(field): [str(each) for each in (messages if isinstance(messages, list) else [messages])]
        for field, messages in sent.items()
    }


def _faulty_rows(details: Mapping[str, Sequence[str]]) -> errors.FaultyRows:
    """Lines come as `line 7`, and how many there are first in what is said of the file."""
    lines = {key: said for key, said in details.items() if key.startswith("line ")}
    problem = errors.FaultyRows(
        {_first_number(key): "; ".join(said) for key, said in lines.items()},
        total=_first_number(details.get("file", len(lines))),
    )
    problem.details = details
    return problem


def _kind(status: int, reason: str | None) -> Problem:
    """The class that has this status and says this by itself, or the one class of the status."""
    if status == STATUSES[errors.MethodNotAllowed]:
        return errors.MethodNotAllowed(())
    kinds = [kind for kind in _PLAIN if STATUSES[kind] == status]
    for kind in kinds:
        if kind().reason == reason:
            return kind()
    for general in (errors.FaultyFields, errors.RevisionConflict, errors.StoreUnavailable):
        if general in kinds:
            return general()
    return kinds[0]() if len(kinds) == 1 else Problem()


def _catalog_problem(shape: Mapping[str, Any]) -> Problem:
    faults = shape.get("errors")
    ok_count = shape.get("ok_count")
    return errors.CatalogFaults(
        ok_count if isinstance(ok_count, int) else 0,
        {
            str(key): catalog_fault(fault)
            for key, fault in (faults if isinstance(faults, dict) else {}).items()
        },
    )


def catalog_fault(sent: object) -> CatalogFault:
    """What an answer says of one object."""
    if not isinstance(sent, dict):
        return CatalogFault("", str(sent))
    caused_by = _details(sent.get("caused_by"))
    return CatalogFault(str(sent.get("type") or ""), str(sent.get("reason") or ""), caused_by)


def _first_number(details: object) -> int:
    found = re.search(r"\d{1,9}", str(details), re.ASCII)
    return int(found[0]) if found else 1
