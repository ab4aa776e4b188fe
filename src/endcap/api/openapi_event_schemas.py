"""
Shoppers' events and uploads of orders as JSON Schema, for the API's description. See `openapi_schemas`.
"""

from typing import Any

from endcap.domain import IDENTITY_CHARACTERS_MAX
from endcap.wire.events import (
    INTEGER_MAX,
    LINES_MAX,
    NAME_CHARACTERS_MAX,
    NUMBER_MAX,
    NUMBER_TEXT,
    TYPES,
)

Schema = dict[str, Any]
_NO_NUL = r"^[^\u0000]*$"


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _text(longest: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": _NO_NUL}


_WHOLE: Schema = {"type": "integer", "minimum": 1 - INTEGER_MAX, "maximum": INTEGER_MAX - 1}
_NAME: Schema = {"anyOf": [_text(NAME_CHARACTERS_MAX), _WHOLE]}
_ABSENT: Schema = {"enum": ["", None]}
_IDENTITY: Schema = {
    "anyOf": [_text(IDENTITY_CHARACTERS_MAX), _WHOLE],
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
    "tracker_id": {**_text(NAME_CHARACTERS_MAX), "description": "Your tracker."},
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


def event_shapes() -> dict[str, Schema]:
    """Every component, in the order in which a reader meets them."""
    return {
        "Event": {
            "description": "One thing that a shopper did or was shown. Other members (`platform`, `user_agent`, "
            "`context`, …) are kept as they are sent.",
            "anyOf": [
                _ref(f"{name}Event")
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
                "type": {**_text(NAME_CHARACTERS_MAX), "not": {"enum": list(TYPES)}},
            },
            "required": _REQUIRED,
        },
        "TransactionsReport": {
            "type": "object",
            "description": "What a file held. `repeated` lines name an item of an order once more and count once.",
            "properties": {
                **{
                    name: {"type": "integer", "minimum": 0}
                    for name in ("lines", "stored", "returns", "repeated", "orders", "items", "users")
                },
                "earliest": {"type": ["string", "null"]},
                "latest": {"type": ["string", "null"]},
                "warnings": {"type": "array", "items": {"type": "string"}},
                "file": {"type": ["string", "null"]},
            },
            "required": ["lines", "stored", "orders", "items", "users"],
        },
    }  # fmt: skip


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
