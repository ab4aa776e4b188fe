"""
The words that shapes are made of: JSON Schema as this wire uses it.

`null` for an optional field means that it is absent.
"""

from typing import Any

from endcap.api.revisions import REVISION_MAX
from endcap.domain import IDENTITY_CHARACTERS_MAX, MODEL_CHARACTERS_MAX
from endcap.wire.customizations import TARGET_TYPES

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def optional(schema: Schema, description: str = "") -> Schema:
    """The schema, or null for «absent»."""
    if isinstance(schema.get("type"), str):
        either: Schema = {**schema, "type": [schema["type"], "null"]}
    else:
        either = {"anyOf": [schema, {"type": "null"}]}
    return described(either, description) if description else either


def text(
    description: str = "", *, longest: int | None = None, examples: list[str] | None = None
) -> Schema:
    """A text as this wire wants it: not empty, bounded, without U+0000."""
    schema: Schema = {"type": "string", "minLength": 1}
    if longest is not None:
        schema["maxLength"] = longest
    schema["pattern"] = NO_NUL
    if description:
        schema["description"] = description
    if examples:
        schema["examples"] = examples
    return schema


def closed(properties: dict[str, Schema], *required: str, **more: Any) -> Schema:
    """An object that has no other members; all are required unless some are named."""
    return {
        "type": "object",
        "properties": properties,
        "required": [*required] or [*properties],
        "additionalProperties": False,
        **more,
    }


def target_type(description: str) -> Schema:
    return {"type": "string", "enum": list(TARGET_TYPES), "description": description}


NO_NUL = r"^[^\u0000]*$"
IDENTITY = text(longest=IDENTITY_CHARACTERS_MAX, examples=["/p/123"])
WIDGET = text(longest=IDENTITY_CHARACTERS_MAX, examples=["basket-sidebar"])
MODEL = text(longest=MODEL_CHARACTERS_MAX, examples=["basket"])
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
REVISION: Schema = {**COUNT, "maximum": REVISION_MAX}
OPENS: Schema = {"type": "string", "format": "date-time", "examples": ["2025-02-01T00:00:00Z"]}
CLOSES: Schema = {**OPENS, "examples": ["2025-03-01T00:00:00Z"]}
STAMP: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$",
}
ANY_OBJECT: Schema = {"type": "object"}
ANY_TEXT: Schema = {"type": "string", "pattern": NO_NUL}
