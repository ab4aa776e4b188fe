"""
The table of operations, the part about events and past transactions. See `openapi_operations`.
"""

from inspect import cleandoc

from endcap.api import openapi_parameters as parameters
from endcap.api.openapi_operations import (
    ALWAYS,
    EVENTS,
    JSON,
    TOO_LARGE,
    TRACKED,
    Answer,
    Body,
    Operation,
)
from endcap.api.openapi_schemas import TRACKER, Schema, ref
from endcap.errors import (
    FaultyFields,
    FaultyRows,
    MalformedBody,
    TrackerNotFound,
    UnsupportedMediaType,
)
from endcap.transfer.uploads import FAULTS_TOLD_MAX

_COMMON = {
    "tracker_id": TRACKER,
    "client_id": 6874509173,
    "customer_id": "ann@shop.example",
    "platform": "web",
    "consent_granted": True,
}
_EXAMPLES = {
    "view": {
        **_COMMON,
        "id": "9ad1f5ec-4f2e-4b70-8b2d-5c9d3c1f7f10",
        "type": "pv",
        "url": "/p/123",
    },
    "click": {
        **_COMMON,
        "id": "9ad1f5ec-4f2e-4b70-8b2d-5c9d3c1f7f11",
        "type": "click",
        "action": {"type": "click", "resource_identifier": "/p/555"},
    },
    "wishlist": {
        **_COMMON,
        "id": "9ad1f5ec-4f2e-4b70-8b2d-5c9d3c1f7f12",
        "type": "click",
        "action": {"type": "wishlist", "resource_identifier": "/p/555"},
    },
    "recommendations": {
        **_COMMON,
        "id": "9ad1f5ec-4f2e-4b70-8b2d-5c9d3c1f7f13",
        "type": "event",
        "lists": {
            "Recommendation": {
                "items": [
                    {"title": "Leather strap", "type": "item", "url": "/p/555", "position": 1}
                ],
                "query": {
                    "filters": {
                        "RecommenderClientId": "basket-sidebar",
                        "RecommendationId": "0b8f3a53-93f6-4cc5-9a73-5a3a3f0d1e11",
                    }
                },
            }
        },
    },
    "transaction": {
        **_COMMON,
        "id": "9ad1f5ec-4f2e-4b70-8b2d-5c9d3c1f7f14",
        "type": "transaction",
        "order_id": "2025-4711",
        "items": [{"title": "Leather strap", "url": "/p/555", "count": 2, "total_price": 58.0}],
    },
}
_REFUSALS = (
    MalformedBody("Invalid event provided", {"body": ["Must be a JSON object: one event"]}),
    TOO_LARGE,
    UnsupportedMediaType(
        "An event must be JSON: send Content-Type application/json or text/plain",
        {"content_type": ["Cannot be application/x-www-form-urlencoded"]},
    ),
    *ALWAYS,
    TrackerNotFound(),
    FaultyFields(
        "Invalid event provided",
        {"client_id": ["Missing required field: client_id"], "url": ["Missing or no text"]},
    ),
)
_PREFLIGHT = Answer(
    status=204,
    description="It may. No body.",
    headers=(
        "Access-Control-Allow-Origin",
        "Access-Control-Allow-Methods",
        "Access-Control-Allow-Headers",
        "Access-Control-Max-Age",
    ),
)
_UPLOAD: Schema = {
    "type": "object",
    "properties": {
        "file": {
            "type": "string",
            "contentMediaType": "application/octet-stream",
            "description": "JSON Lines, or CSV without a header: order_id, identity, auth_user_id, created_at.",
        }
    },
    "required": ["file"],
}
_UPLOAD_SHELL = cleandoc(
    """
    content_type="multipart/form-data"   # signed so; curl sends it with a boundary
    echo '{"order_id":"1","identity":"/p/123","created_at":"2025-01-05T10:00:00"}' |
      signed POST "/v1/interactions/$tracker_id/files" -F "file=@-;filename=orders.jsonl"
    """
)


def _recorded(path: str, id_: str) -> tuple[Operation, Operation]:
    """The operation of one of its two paths, and its preflight."""
    return (
        Operation(
            method="post",
            path=path,
            id=id_,
            tag=EVENTS,
            summary="Tell what a shopper did",
            description="Keeps one event. Answered when it is durable; one that was told before, by its `id`, is "
            "kept once. An event is dropped in silence, and counted for the operator, if its clock is more than an "
            "hour ahead or a week behind (both are settings), or if its type is unknown. A text with the type "
            "`text/plain` is read as JSON too, for `navigator.sendBeacon`.",
            body=Body(schema=ref("Event"), examples=_EXAMPLES),
            answers=(
                Answer(
                    status=200,
                    description="It was taken.",
                    content={JSON: {"type": "object", "maxProperties": 0}},
                    examples={"taken": {}},
                    headers=("Access-Control-Allow-Origin",),
                ),
            ),
            refusals=_REFUSALS,
        ),
        Operation(
            method="options",
            path=path,
            id=f"preflight{id_[0].upper()}{id_[1:]}",
            tag=EVENTS,
            summary="Ask whether a browser may tell",
            description="The browser's preflight of an event from a page of another origin.",
            answers=(_PREFLIGHT,),
            call="-i",
        ),
    )


EVENT_OPERATIONS: tuple[Operation, ...] = (
    *_recorded("/v1", "recordEvent"),
    *_recorded("/", "recordEventAtRoot"),
    Operation(
        method="post",
        path="/v1/interactions/{tracker_id}/files",
        id="uploadTransactions",
        tag=EVENTS,
        summary="Upload past transactions",
        description="Adds the order lines of a file, to learn from: JSON Lines with `order_id`, `identity` (or `url`), "
        "`auth_user_id` (or `user_id`) and `created_at`, or CSV without a header in this order. `created_at` is UTC "
        "and has no zone. One faulty line cancels the whole file, and the "
        f"answer names the first {FAULTS_TOLD_MAX}. Lines that overlap with an earlier file count once. "
        "The boundary of the Content-Type is not signed.",
        signed="yes",
        parameters=(parameters.TRACKER_ID,),
        body=Body(schema=_UPLOAD, examples={}, media="multipart/form-data"),
        answers=(
            Answer(
                status=200,
                description="All lines are stored.",
                content={JSON: ref("TransactionsReport")},
                examples={
                    "stored": {
                        "lines": 3,
                        "stored": 3,
                        "returns": 0,
                        "repeated": 0,
                        "orders": 2,
                        "items": 2,
                        "users": 1,
                        "earliest": "2025-01-05 10:00:00",
                        "latest": "2025-01-06 00:00:00",
                        "warnings": [],
                        "file": "20250122T084958Z-199620b4.parquet",
                    }
                },
            ),
        ),
        refusals=(
            MalformedBody(
                "Invalid upload provided",
                {
                    "body": [
                        "Cannot be read as multipart/form-data: It is cut short: the last boundary is missing"
                    ]
                },
            ),
            *TRACKED,
            TOO_LARGE,
            UnsupportedMediaType(
                "The body must be a form with a file: send Content-Type multipart/form-data",
                {"content_type": ["Cannot be application/json"]},
            ),
            FaultyRows(
                {
                    2: "created_at: must have no zone, not 2025-01-05T10:00:00Z",
                    7: "identity: is missing",
                }
            ),
            FaultyFields("Invalid upload provided", {"file": ["Missing required part: file"]}),
        ),
        shell=_UPLOAD_SHELL,
    ),
)
