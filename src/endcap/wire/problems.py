"""
Problems on the wire: two shapes, never mixed, and one table from codes to statuses that is read in both directions.
"""

from collections.abc import Mapping

import msgspec

from endcap import errors
from endcap.errors import CatalogFault, Problem

STATUSES: Mapping[type[Problem], int] = {
    errors.MalformedBody: 400,
    errors.CatalogFaults: 400,
    errors.Unauthenticated: 401,
    errors.TrackerNotFound: 404,
    errors.CustomizationNotFound: 404,
    errors.RecommenderNotFound: 404,
    errors.PathNotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.RevisionConflict: 412,
    errors.BodyTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.FaultyFields: 422,
    errors.FaultyPins: 422,
    errors.IdempotencyConflict: 422,
    errors.TooManyRequests: 429,
    errors.StoreUnavailable: 503,
}
INTERNAL = 500


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
    return msgspec.json.encode(
        {
            "ok_count": ok_count,
            "errors_count": len(faults),
            "errors": {key: _fault(fault) for key, fault in faults.items()},
        }
    )


def _fault(fault: CatalogFault) -> dict[str, object]:
    shape: dict[str, object] = {"type": fault.kind, "reason": fault.reason}
    if fault.details:
        shape["caused_by"] = dict(fault.details)
    return shape


def problem_from(status: int, body: bytes) -> Problem:
    """The problem that an answer speaks of, in either shape; the client's way back."""
    try:
        shape = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        shape = None
    if isinstance(shape, dict) and "errors_count" in shape:
        return _catalog_problem(shape)
    reason = str(shape.get("reason", "")) if isinstance(shape, dict) else ""
    details = shape.get("exception_details", {}) if isinstance(shape, dict) else {}
    if status == 429:
        return errors.TooManyRequests(_first_number(details))
    if status == 405:
        problem = errors.MethodNotAllowed(())
        problem.reason, problem.details = reason or problem.reason, details
        return problem
    return _kind(status, reason)(reason or f"HTTP status {status}", details)


def _kind(status: int, reason: str) -> type[Problem]:
    kinds = [kind for kind, number in STATUSES.items() if number == status]
    for kind in kinds:
        if (kind.__doc__ or "").strip().rstrip(".") == reason:
            return kind
    if status == 422:
        return errors.FaultyFields
    return kinds[0] if len(kinds) == 1 else Problem


def _catalog_problem(shape: dict[str, object]) -> Problem:
    faults = shape.get("errors")
    ok_count = shape.get("ok_count")
    return errors.CatalogFaults(
        ok_count if isinstance(ok_count, int) else 0,
        {
            key: CatalogFault(
                fault.get("type", ""), fault.get("reason", ""), fault.get("caused_by")
            )
            for key, fault in (faults if isinstance(faults, dict) else {}).items()
        },
    )


def _first_number(details: object) -> int:
    digits = "".join(ch for ch in str(details) if ch.isdigit())
    return int(digits) if digits else 1
