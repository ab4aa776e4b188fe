"""
The past in the API's description: what customizations were, and having it back.
"""

from inspect import cleandoc
from typing import Any

from endcap.api.openapi.customizations import INPUT, STORED
from endcap.api.openapi.parameters import (
    CUSTOMIZATION,
    CUSTOMIZATION_ID,
    IF_MATCH,
    TRACKER_ID,
    query,
)
from endcap.api.openapi.refusals import TOO_LARGE, TRACKED
from endcap.api.openapi.schema import (
    COUNT,
    REVISION,
    STAMP,
    Schema,
    closed,
    described,
    optional,
    ref,
)
from endcap.api.openapi.table import JSON, PAST, Answer, Body, Operation
from endcap.api.revisions import REVISION_MAX
from endcap.api.versions import LIMIT_DEFAULT
from endcap.errors import (
    CustomizationNotFound,
    FaultyFields,
    MalformedBody,
    NothingToUndo,
    RevisionConflict,
    UnsupportedMediaType,
    VersionNotFound,
)
from endcap.versions import HISTORY_MAX
from endcap.wire.past import STEPS_TOLD_MAX

BASE = "/api/trackers/{tracker_id}"
ONE = f"{BASE}/customizations/{{customization_id}}"
OF_ONE = (TRACKER_ID, CUSTOMIZATION_ID)
TAGGED = ("ETag", "Endcap-Revision")
TEXT: Schema = {"type": "string"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
VERSION: Schema = {
    "type": ["object", "null"],
    "description": "As a create takes it; null where it cannot be read.",
}
MALFORMED = (
    MalformedBody(details={"body": ["Must be a JSON object: JSON is malformed"]}),
    TOO_LARGE,
    UnsupportedMediaType(details={"content_type": ["Cannot be text/plain"]}),
)
FAULTY_LIMIT = FaultyFields(
    "Invalid request provided", {"limit": [f"Must be a whole number from 1 to {HISTORY_MAX}"]}
)
_FAULTY_BODY = FaultyFields(
    "Invalid request provided", {"body": ["Expected `int`, got `str` - at `$.revision`"]}
)
_FINGERPRINT = "5c3a0de2b9f14c7c8b6f2f0b8a1d7e42"
_COUNTS: dict[str, Any] = {
    "created": 0,
    "changed": 1,
    "deleted": 0,
    "skipped": {},
    "changes": [{"id": CUSTOMIZATION, "kind": "customization", "became": "changed"}],
    "fingerprint": _FINGERPRINT,
}
_UNDONE: dict[str, Any] = {
    "action": {"actor": "ann", "at": "2025-01-22T08:49:58Z", "first": 1042, "last": 1042},
    "dry_run": False,
    **_COUNTS,
    "revision": 1043,
}
_RESTORED: dict[str, Any] = {"to": 1042, "dry_run": True, **_COUNTS, "revision": None}
_RESTORE_SHELL = cleandoc(
    f"""
    customization_id="{CUSTOMIZATION}"
    revision=$(signed GET "/api/trackers/$tracker_id/customizations/$customization_id/history" |
      grep -o '"revision":[0-9]*,"kind":"customization"' | tail -n 1 | tr -dc 0-9)
    signed POST "/api/trackers/$tracker_id/customizations/$customization_id/restore" \\
      -d "{{\\"revision\\": $revision}}"
    """
)


def whole(name: str, most: int, default: int | None, description: str) -> Schema:
    schema: Schema = {"type": "integer", "minimum": 1, "maximum": most}
    if default is not None:
        schema["default"] = default
    return query(name, schema, description)


def _reversal(name: str, example: dict[str, Any]) -> Answer:
    return Answer(
        status=200,
        description="What was, or would be, done.",
        content={JSON: ref("Reversal")},
        examples={name: example},
        headers=("Endcap-Revision",),
    )


OPERATIONS = (
    Operation(
        method="get",
        path=f"{ONE}/history",
        id="getHistory",
        tag=PAST,
        summary="The history of a customization",
        description="Every change of a customization and of its draft, the newest first, also of one that is gone. "
        "`version` is what a change left: what a GET would show, less what the server says of it.",
        signed="yes",
        parameters=(
            *OF_ONE,
            whole("limit", HISTORY_MAX, LIMIT_DEFAULT, "How many changes."),
            whole(
                "before",
                REVISION_MAX,
                None,
                "Only those before this revision: the last page's `before`.",
            ),
        ),
        answers=(
            Answer(
                status=200,
                description="Changes, the newest first.",
                content={JSON: ref("History")},
                examples={
                    "changes": {
                        "results": [
                            {
                                "revision": 1042,
                                "kind": "customization",
                                "subject": CUSTOMIZATION,
                                "action": "create",
                                "actor": "api",
                                "at": "2025-01-22T08:49:58Z",
                                "version": INPUT,
                            }
                        ],
                        "before": None,
                    }
                },
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(*TRACKED, CustomizationNotFound(), FAULTY_LIMIT),
    ),
    Operation(
        method="post",
        path=f"{ONE}/restore",
        id="restoreVersion",
        tag=PAST,
        summary="Have a version back",
        description="Makes a customization what a revision of its history left, also if it was deleted since: it "
        "keeps its id, its creator and its time of creation.",
        signed="yes",
        parameters=(*OF_ONE, IF_MATCH),
        body=Body(schema=ref("RestoreVersion"), examples={"version": {"revision": 1042}}),
        answers=(
            Answer(
                status=200,
                description="What it is now.",
                content={JSON: ref("Customization")},
                examples={"restored": STORED},
                headers=TAGGED,
            ),
        ),
        refusals=(
            *MALFORMED,
            *TRACKED,
            CustomizationNotFound(),
            VersionNotFound(details={"revision": [f"1041 did not write {CUSTOMIZATION}"]}),
            RevisionConflict(),
            _FAULTY_BODY,
        ),
        shell=_RESTORE_SHELL,
    ),
    Operation(
        method="post",
        path=f"{BASE}/undo",
        id="undoAction",
        tag=PAST,
        summary="Undo an action",
        description="Takes back all that one actor did at one instant to customizations and drafts, be it one or "
        "thousands: of the revision that is named, or the last. What somebody changed since is left alone and told "
        "(`skipped`). All the rest is one revision, or nothing. Undoing an undo does it again.",
        signed="yes",
        parameters=(TRACKER_ID,),
        body=Body(
            schema=ref("UndoAction"),
            examples={
                "what would be done": {"dry_run": True},
                "just that": {"revision": 1042, "fingerprint": _FINGERPRINT},
            },
            required=False,
        ),
        answers=(_reversal("undone", _UNDONE),),
        refusals=(*MALFORMED, *TRACKED, NothingToUndo(), RevisionConflict(), _FAULTY_BODY),
    ),
    Operation(
        method="post",
        path=f"{BASE}/restore",
        id="restoreTracker",
        tag=PAST,
        summary="Have all customizations back as they were",
        description="Makes every customization of the tracker what it was at a moment (`at`, which must be past) or "
        "at a revision: one revision, or nothing. Drafts, catalog and recommenders stay. With `dry_run` it says what "
        "would be done; the `fingerprint` of that, sent along, has just that done, or refuses.",
        signed="yes",
        parameters=(TRACKER_ID,),
        body=Body(
            schema=ref("RestoreTracker"),
            examples={
                "what would be done": {"at": "2025-01-22T08:50:00Z", "dry_run": True},
                "to a revision": {"revision": 1042},
            },
        ),
        answers=(_reversal("would be", _RESTORED),),
        refusals=(
            *MALFORMED,
            *TRACKED,
            RevisionConflict("What would be done is not what you have seen any more"),
            _FAULTY_BODY,
            FaultyFields("Invalid request provided", {"at": ["Name one of at and revision"]}),
        ),
    ),
)


def shapes() -> dict[str, Schema]:
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
        "History": closed(
            {
                "results": {"type": "array", "items": ref("HistoryLine")},
                "before": optional(REVISION, "Where the next page begins; null: this is the last."),
            }
        ),
        "HistoryLine": closed(
            {
                "revision": REVISION,
                "kind": {"enum": ["customization", "draft"]},
                "subject": described(TEXT, "The customization's id."),
                "action": {"enum": ["create", "replace", "delete"]},
                "actor": described(TEXT, "A user of the console, `api`, or `cli`."),
                "at": STAMP,
                "version": VERSION,
            }
        ),
        "RestoreVersion": closed({"revision": REVISION}),
        "UndoAction": {
            "type": "object",
            "properties": {
                "revision": optional(REVISION, "One of the action's; left out: the last action."),
                **asked,
            },
            "additionalProperties": False,
        },
        "RestoreTracker": {
            "description": "One of `at` and `revision`.",
            "oneOf": [
                closed({"at": {**MOMENT, "description": "Must be past."}, **asked}, "at"),
                closed({"revision": REVISION, **asked}, "revision"),
            ],
        },
        "Reversal": closed(
            {
                "action": closed(
                    {"actor": TEXT, "at": STAMP, "first": REVISION, "last": REVISION},
                    description="What is undone.",
                ),
                "to": {**REVISION, "description": "The revision that is had back."},
                "dry_run": {"type": "boolean"},
                "created": COUNT,
                "changed": COUNT,
                "deleted": COUNT,
                "skipped": {
                    "type": "object",
                    "additionalProperties": TEXT,
                    "description": "Those left alone, by id, and why.",
                },
                "changes": {
                    "type": "array",
                    "maxItems": STEPS_TOLD_MAX,
                    "items": closed(
                        {
                            "id": TEXT,
                            "kind": {"enum": ["customization", "draft"]},
                            "became": {"enum": ["created", "changed", "deleted"]},
                        }
                    ),
                },
                "fingerprint": described(TEXT, "Of all that is to be done."),
                "revision": optional(REVISION, "At which it was done; null: nothing was."),
            },
            *("dry_run", "created", "changed", "deleted", "skipped", "changes", "fingerprint"),
            "revision",
        ),
    }
