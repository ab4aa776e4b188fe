"""
Refusals that several operations share, as the server raises them, and the shapes that every refusal has.
"""

from endcap.api.openapi.parameters import TRACKER
from endcap.api.openapi.schema import Schema, described, ref
from endcap.errors import (
    BodyTooLarge,
    FaultyFields,
    FaultyPins,
    MalformedBody,
    RevisionNotReached,
    StillLoading,
    StoreUnavailable,
    TooManyRequests,
    TrackerNotFound,
    Unauthenticated,
    UnsupportedMediaType,
)

UNSIGNED = (
    Unauthenticated(details={"authorization": ["The Authorization header is missing"]}),
    Unauthenticated(
        details={
            "date": [
                "The clock is off by -73 s (at most 5 s); the server's time is Mon, 20 Jan 2025 12:01:13 GMT"
            ]
        }
    ),
    Unauthenticated(
        details={
            "authorization": [
                (
                    "The signature does not match. The server signed this text (JSON-escaped): "
                    "GET\\napplication/json; charset=utf-8\\nMon, 20 Jan 2025 12:00:00 GMT\\n"
                    f"/v1/recommender/pin/{TRACKER}/summary"
                )
            ]
        }
    ),
)
ALWAYS = (TooManyRequests(1), StoreUnavailable(), StillLoading())
BEHIND = RevisionNotReached(details={"Endcap-Revision": ["1041 is shown, 1042 is asked for"]})
BAD_REVISION = FaultyFields(
    "Invalid Endcap-Revision provided",
    {"Endcap-Revision": ["Must be a whole number, as an answer gave it"]},
)
SEEN = (BEHIND, BAD_REVISION)
SIGNED = (*UNSIGNED, *ALWAYS)
TRACKED = (*SIGNED, TrackerNotFound())
NOT_JSON = MalformedBody(
    details={"body": ["Must be a JSON object: Expected `object`, got `array`"]}
)
TOO_LARGE = BodyTooLarge(details={"body": ["At most 1000000 bytes"]})
NOT_JSON_TYPE = UnsupportedMediaType(details={"content_type": ["Cannot be text/plain"]})
BAD_QUERY = MalformedBody(
    "Invalid query provided",
    {
        "query": [
            "Cannot be read: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"
        ]
    },
)
BODY = (NOT_JSON, TOO_LARGE, NOT_JSON_TYPE)
FAULTY = (
    FaultyPins(
        details={
            "target_type": ["Must be one of: item, criteria, all"],
            "pin_definitions": ["Missing required field: position (pin 0)"],
        }
    ),
    FaultyFields(details={"model": ["Missing required field: model"]}),
)


def shapes() -> dict[str, Schema]:
    return {
        "Problem": {
            "type": "object",
            "required": ["reason", "exception_details"],
            "properties": {
                "reason": {"type": "string", "description": "What is wrong, in one sentence."},
                "exception_details": described(
                    ref("Details"), "`{}` when there is nothing to add."
                ),
            },
            "additionalProperties": False,
        },
        "Details": {
            "type": "object",
            "description": "Messages by field.",
            "additionalProperties": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        },
    }
