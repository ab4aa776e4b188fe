"""
Shoppers' events and uploads of past transactions in the API's description.
"""

from inspect import cleandoc

from endcap.api.openapi.parameters import TRACKER, TRACKER_ID
from endcap.api.openapi.refusals import ALWAYS, TOO_LARGE, TRACKED
from endcap.api.openapi.schema import COUNT, Schema, ref, text
from endcap.api.openapi.table import EVENTS, JSON, Answer, Body, Operation, preflight
from endcap.domain import IDENTITY_CHARACTERS_MAX
from endcap.errors import (
    FaultyFields,
    FaultyRows,
    MalformedBody,
    TrackerNotFound,
    UnsupportedMediaType,
)
from endcap.transfer.uploads import FAULTS_TOLD_MAX
from endcap.wire.events import (
    INTEGER_MAX,
    LINES_MAX,
    NAME_CHARACTERS_MAX,
    NUMBER_MAX,
    NUMBER_TEXT,
    TYPES,
)

_SENT = {
    "tracker_id": TRACKER,
    "client_id": 6874509173,
    "customer_id": "ann@shop.example",
    "platform": "web",
    "consent_granted": True,
}
_EXAMPLES = {
    "view": {
        **_SENT,
        "id": "9ad1f5ec-4f2e-4b70-8b2d-5c9d3c1f7f10",
        "type": "pv",
        "url": "/p/123",
    },
    "click": {
        **_SENT,
        "id": "9ad1f5ec-4f2e-4b70-8b2d-5c9d3c1f7f11",
        "type": "click",
        "action": {"type": "click", "resource_identifier": "/p/555"},
    },
    "wishlist": {
        **_SENT,
        "id": "9ad1f5ec-4f2e-4b70-8b2d-5c9d3c1f7f12",
        "type": "click",
        "action": {"type": "wishlist", "resource_identifier": "/p/555"},
    },
    "recommendations": {
        **_SENT,
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
        **_SENT,
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
    operation = Operation(
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
    )
    return operation, preflight(operation, to="tell", what="an event")


OPERATIONS = (
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
        parameters=(TRACKER_ID,),
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

_WHOLE: Schema = {"type": "integer", "minimum": 1 - INTEGER_MAX, "maximum": INTEGER_MAX - 1}
_NAME: Schema = {"anyOf": [text(longest=NAME_CHARACTERS_MAX), _WHOLE]}
_ABSENT: Schema = {"enum": ["", None]}
_IDENTITY: Schema = {
    "anyOf": [text(longest=IDENTITY_CHARACTERS_MAX), _WHOLE],
    "description": "The item's identity in the catalog; of a page that is no item its address.",
    "examples": ["/p/123"],
}
_NUMBER: Schema = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": NUMBER_MAX},
        {"type": "string", "pattern": f"^{NUMBER_TEXT.replace(chr(92) + 'd', '[0-9]')}$"},
        {"type": "null"},
    ]
}
_COUNT: Schema = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0, "maximum": NUMBER_MAX},
        {"type": "string", "pattern": "^[1-9][0-9]{0,14}$"},
        {"type": "null"},
    ],
    "default": 1,
    "description": "Pieces.",
}
_COMMON: dict[str, Schema] = {
    "id": {
        **_NAME,
        "description": "Names this event among all of the tracker, e.g. a UUID: told twice, it is kept once.",
    },
    "tracker_id": {**text(longest=NAME_CHARACTERS_MAX), "description": "Your tracker."},
    "client_id": {**_NAME, "description": "The shopper's device, always."},
    "customer_id": {
        "anyOf": [_NAME, _ABSENT],
        "description": "Who is logged in, beside the device.",
    },
    "local_timestamp": {
        **_NUMBER,
        "description": "The page's clock, in seconds since 1970; missing: now.",
        "examples": [1737535798],
    },
    "consent_granted": {
        "type": ["boolean", "null"],
        "description": "Whether the shopper agreed to be known.",
    },
}
_REQUIRED = ["id", "type", "tracker_id", "client_id"]


def shapes() -> dict[str, Schema]:
    """Every component, in the order in which a reader meets them."""
    return {
        "Event": {
            "description": "One thing that a shopper did or was shown. Other members (`platform`, `user_agent`, "
            "`context`, …) are kept as they are sent.",
            "anyOf": [
                ref(f"{name}Event")
                for name in ("View", "Click", "Conversion", "List", "Transaction", "Other")
            ],
        },
        "ViewEvent": _event("pv", "A page was seen.", {"url": _IDENTITY}),
        "ClickEvent": _event(
            "click",
            "An item was clicked, in a recommendation or in another list.",
            {
                "action": {
                    "type": "object",
                    "properties": {
                        "type": {"const": "click"},
                        "resource_identifier": _IDENTITY,
                    },
                    "required": ["type", "resource_identifier"],
                }
            },
        ),
        "ConversionEvent": _event(
            "click",
            "Something else was done with an item: `buy`, `wishlist`, whatever the shop calls it.",
            {
                "action": {
                    "type": "object",
                    "properties": {
                        "type": {**_NAME, "not": {"const": "click"}},
                        "resource_identifier": {"anyOf": [_IDENTITY, _ABSENT]},
                    },
                    "required": ["type"],
                }
            },
        ),
        "ListEvent": _event(
            "event",
            "Items were shown: `Recommendation`, `Search Results`, `Autocomplete`, `Product Listing`.",
            {
                "lists": {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {
                        "type": "object",
                        "properties": {"items": {"type": "array", "items": {"type": "object"}}},
                        "required": ["items"],
                    },
                }
            },
        ),
        "TransactionEvent": _event(
            "transaction",
            "Items were bought. `total_price` is of a whole line.",
            {
                "items": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": LINES_MAX,
                    "items": {
                        "type": "object",
                        "properties": {
                            "url": _IDENTITY,
                            "count": _COUNT,
                            "total_price": _NUMBER,
                        },
                        "required": ["url"],
                    },
                }
            },
            {
                "order_id": {
                    "anyOf": [_NAME, _ABSENT],
                    "description": "The shop's own number: an order that is imported too counts once.",
                }
            },
        ),
        "OtherEvent": {
            "type": "object",
            "description": "Of a type that nobody knows: answered, counted, and not kept.",
            "properties": {
                **_COMMON,
                "type": {**text(longest=NAME_CHARACTERS_MAX), "not": {"enum": list(TYPES)}},
            },
            "required": _REQUIRED,
        },
        "TransactionsReport": {
            "type": "object",
            "description": "What a file held. `repeated` lines name an item of an order once more and count once.",
            "properties": {
                **dict.fromkeys(
                    ("lines", "stored", "returns", "repeated", "orders", "items", "users"), COUNT
                ),
                "earliest": {"type": ["string", "null"]},
                "latest": {"type": ["string", "null"]},
                "warnings": {"type": "array", "items": {"type": "string"}},
                "file": {"type": ["string", "null"]},
            },
            "required": ["lines", "stored", "orders", "items", "users"],
        },
    }


def _event(
    kind: str,
    description: str,
    required: dict[str, Schema],
    optional: dict[str, Schema] | None = None,
) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": {"type": {"const": kind}, **_COMMON, **required, **(optional or {})},
        "required": [*_REQUIRED, *required],
    }
