"""
The pins of customizations in the API's description.
"""

from endcap.api.openapi.schema import (
    CLOSES,
    FLAG,
    IDENTITY,
    OPENS,
    WIDGET,
    Schema,
    described,
    optional,
    ref,
)
from endcap.domain import POSITION_MAX
from endcap.wire.customizations import PIN_TYPES


def shapes() -> dict[str, Schema]:
    return {
        "Pin": {
            "description": "One wish: an item, or whatever matches criteria, in a place, within a window.",
            "oneOf": [ref("ItemPin"), ref("CriteriaPin")],
            "discriminator": {
                "propertyName": "pin_type",
                "mapping": {"item": ref("ItemPin")["$ref"], "criteria": ref("CriteriaPin")["$ref"]},
            },
        },
        "ItemPin": _pin(
            "item",
            "Puts one item.",
            {"pin_identity": described(IDENTITY, "Catalog identity of the item to put.")},
        ),
        "CriteriaPin": _pin(
            "criteria",
            "Puts the best item that satisfies criteria.",
            {"pin_criteria": described(ref("Criteria"), "What the item to put must satisfy.")},
        ),
        "Position": {
            "type": "integer",
            "minimum": -1,
            "maximum": POSITION_MAX,
            "description": f"A slot from 1 to {POSITION_MAX}; `-1` for every slot that no other pin takes; `0` to "
            "block.",
            "examples": [1],
        },
    }


def _pin(pin_type: str, description: str, pick: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "description": description,
        "required": ["position", "pin_type", *pick],
        "properties": {
            "position": ref("Position"),
            "pin_type": {
                "const": pin_type,
                "description": f"Must be one of: {', '.join(PIN_TYPES)}.",
            },
            **pick,
            "widget_id": optional(
                WIDGET,
                "The pin acts only for this widget: `recommender_client_identifier` of the request.",
            ),
            "is_block_pin": optional(FLAG, "Keeps what it names out, whatever the position."),
            "is_bundle_pin": optional(
                FLAG, "The bundle pins of a customization stand together, side by side."
            ),
            "active_from": optional(OPENS, "In force from this moment; without a zone it is UTC."),
            "active_to": optional(
                CLOSES, "In force until just before this moment; must be after `active_from`."
            ),
        },
    }
