"""
The shapes of the past and of drafts, for the API's description. See `openapi_schemas`.
"""

from typing import Any

from endcap.api.revisions import REVISION_MAX
from endcap.wire.past import STEPS_TOLD_MAX

Schema = dict[str, Any]

_STAMP: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$",
}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_REVISION: Schema = {"type": "integer", "minimum": 0, "maximum": REVISION_MAX}
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_VERSION: Schema = {
    "type": ["object", "null"],
    "description": "As a create takes it; null where it cannot be read.",
}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: dict[str, Schema], *required: str, **more: Any) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [*required] or [*properties],
        "additionalProperties": False,
        **more,
    }


def _or_null(schema: Schema, description: str) -> Schema:
    return {**schema, "type": [schema["type"], "null"], "description": description}


def past_shapes() -> dict[str, Schema]:
    asked: dict[str, Schema] = {
        "dry_run": {
            "type": "boolean",
            "default": False,
            "description": "Only say what would be done.",
        },
        "fingerprint": {
            "type": ["string", "null"],
            "description": "Of a dry run: refused (412) if something else would be done by now.",
        },
    }
    return {
        "History": _object(
            {
                "results": {"type": "array", "items": _ref("HistoryLine")},
                "before": _or_null(
                    _REVISION, "Where the next page begins; null: this is the last."
                ),
            }
        ),
        "HistoryLine": _object(
            {
                "revision": _REVISION,
                "kind": {"enum": ["customization", "draft"]},
                "subject": {**_TEXT, "description": "The customization's id."},
                "action": {"enum": ["create", "replace", "delete"]},
                "actor": {**_TEXT, "description": "A user of the console, `api`, or `cli`."},
                "at": _STAMP,
                "version": _VERSION,
            }
        ),
        "RestoreVersion": _object({"revision": _REVISION}),
        "UndoAction": {
            "type": "object",
            "properties": {
                "revision": _or_null(_REVISION, "One of the action's; left out: the last action."),
                **asked,
            },
            "additionalProperties": False,
        },
        "RestoreTracker": {
            "description": "One of `at` and `revision`.",
            "oneOf": [
                _object({"at": {**_MOMENT, "description": "Must be past."}, **asked}, "at"),
                _object({"revision": _REVISION, **asked}, "revision"),
            ],
        },
        "Reversal": _object(
            {
                "action": _object(
                    {"actor": _TEXT, "at": _STAMP, "first": _REVISION, "last": _REVISION},
                    description="What is undone.",
                ),
                "to": {**_REVISION, "description": "The revision that is had back."},
                "dry_run": {"type": "boolean"},
                "created": _COUNT,
                "changed": _COUNT,
                "deleted": _COUNT,
                "skipped": {
                    "type": "object",
                    "additionalProperties": _TEXT,
                    "description": "Those left alone, by id, and why.",
                },
                "changes": {
                    "type": "array",
                    "maxItems": STEPS_TOLD_MAX,
                    "items": _object(
                        {
                            "id": _TEXT,
                            "kind": {"enum": ["customization", "draft"]},
                            "became": {"enum": ["created", "changed", "deleted"]},
                        }
                    ),
                },
                "fingerprint": {**_TEXT, "description": "Of all that is to be done."},
                "revision": _or_null(_REVISION, "At which it was done; null: nothing was."),
            },
            *("dry_run", "created", "changed", "deleted", "skipped", "changes", "fingerprint"),
            "revision",
        ),
        "Drafts": _object({"total": _COUNT, "results": {"type": "array", "items": _ref("Draft")}}),
        "Draft": _object(
            {
                "id": {"type": "string", "format": "uuid"},
                "definition": _VERSION,
                "base": _or_null(
                    _REVISION, "The revision of what was published when it was made; null: nothing."
                ),
                "author": {**_TEXT, "description": "Who saved it last."},
                "updated_at": _STAMP,
                "creator": {
                    **_TEXT,
                    "description": "Who made the customization, be it as a draft.",
                },
                "created_at": _STAMP,
                "publish_at": _or_null(_STAMP, "When it is to be published."),
                "publisher": _or_null(_TEXT, "Who said so."),
                "held": _or_null(_TEXT, "Why it was not published when it was to be."),
                "revision": _REVISION,
            }
        ),
        "Publish": {
            "type": "object",
            "properties": {
                "at": _or_null(
                    _MOMENT, "When; null: not by itself; left out: now. Must lie ahead."
                ),
                "over": _or_null(
                    _REVISION,
                    "The revision of what is published that it may replace, 0 for nothing.",
                ),
            },
            "additionalProperties": False,
        },
    }
