"""
The table of operations, the part about the past and about drafts. See `openapi_operations`.
"""

from inspect import cleandoc
from typing import Any

from endcap.api import openapi_parameters as parameters
from endcap.api.drafts import PAGE_DEFAULT, PAGE_MAX
from endcap.api.openapi_examples import INPUT, INPUTS, STORED
from endcap.api.openapi_operations import (
    BODY,
    FAULTY,
    JSON,
    PAST,
    TOO_LARGE,
    TRACKED,
    Answer,
    Body,
    Operation,
)
from endcap.api.openapi_parameters import header, query
from endcap.api.openapi_schemas import CUSTOMIZATION, Schema, ref
from endcap.api.revisions import REVISION_MAX
from endcap.api.versions import LIMIT_DEFAULT
from endcap.errors import (
    CustomizationNotFound,
    DraftConflict,
    DraftNotFound,
    FaultyFields,
    MalformedBody,
    NothingToUndo,
    PublishConflict,
    RevisionConflict,
    UnsupportedMediaType,
    VersionNotFound,
)
from endcap.versions import HISTORY_MAX

BASE = "/api/trackers/{tracker_id}"
ONE = f"{BASE}/customizations/{{customization_id}}"
_FINGERPRINT = "5c3a0de2b9f14c7c8b6f2f0b8a1d7e42"
_NOT_JSON = (
    MalformedBody(details={"body": ["Must be a JSON object: JSON is malformed"]}),
    TOO_LARGE,
    UnsupportedMediaType(details={"content_type": ["Cannot be text/plain"]}),
)
_FAULTY_LIMIT = FaultyFields(
    "Invalid request provided", {"limit": [f"Must be a whole number from 1 to {HISTORY_MAX}"]}
)
_FAULTY_BODY = FaultyFields(
    "Invalid request provided", {"body": ["Expected `int`, got `str` - at `$.revision`"]}
)
_TRACKER = (parameters.TRACKER_ID,)
_PATH = (parameters.TRACKER_ID, parameters.CUSTOMIZATION_ID)
_IF_DRAFT = header(
    "If-Match",
    {"type": "string"},
    "The `ETag` of the draft that you read: refused with 412 if it was saved since, or is gone.",
)
_DRAFT: dict[str, Any] = {
    "id": CUSTOMIZATION,
    "definition": INPUT,
    "base": 1042,
    "author": "ann",
    "updated_at": "2025-01-23T10:00:00Z",
    "creator": "api",
    "created_at": "2025-01-22T08:49:58Z",
    "publish_at": None,
    "publisher": None,
    "held": None,
    "revision": 1050,
}
_COUNTS: dict[str, Any] = {
    "created": 0,
    "changed": 1,
    "deleted": 0,
    "skipped": {},
    "changes": [{"id": CUSTOMIZATION, "kind": "customization", "became": "changed"}],
    "fingerprint": _FINGERPRINT,
}
_TAGS = ("ETag", "Endcap-Revision")
_RESTORE_SHELL = cleandoc(
    f"""
    customization_id="{CUSTOMIZATION}"
    revision=$(signed GET "/api/trackers/$tracker_id/customizations/$customization_id/history" |
      grep -o '"revision":[0-9]*,"kind":"customization"' | tail -n 1 | tr -dc 0-9)
    signed POST "/api/trackers/$tracker_id/customizations/$customization_id/restore" \\
      -d "{{\\"revision\\": $revision}}"
    """
)


def _whole(name: str, most: int, default: int | None, description: str) -> Schema:
    schema: Schema = {"type": "integer", "minimum": 1, "maximum": most}
    if default is not None:
        schema["default"] = default
    return query(name, schema, description)


def _draft(status: int, name: str, description: str, *headers: str) -> Answer:
    return Answer(
        status=status,
        description=description,
        content={JSON: ref("Draft")},
        examples={name: _DRAFT},
        headers=(*_TAGS, *headers),
    )


PAST_OPERATIONS: tuple[Operation, ...] = (
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
            *_PATH,
            _whole("limit", HISTORY_MAX, LIMIT_DEFAULT, "How many changes."),
            _whole(
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
        refusals=(*TRACKED, CustomizationNotFound(), _FAULTY_LIMIT),
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
        parameters=(*_PATH, parameters.IF_MATCH),
        body=Body(schema=ref("RestoreVersion"), examples={"version": {"revision": 1042}}),
        answers=(
            Answer(
                status=200,
                description="What it is now.",
                content={JSON: ref("Customization")},
                examples={"restored": STORED},
                headers=_TAGS,
            ),
        ),
        refusals=(
            *_NOT_JSON,
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
        parameters=_TRACKER,
        body=Body(
            schema=ref("UndoAction"),
            examples={
                "what would be done": {"dry_run": True},
                "just that": {"revision": 1042, "fingerprint": _FINGERPRINT},
            },
            required=False,
        ),
        answers=(
            Answer(
                status=200,
                description="What was, or would be, done.",
                content={JSON: ref("Reversal")},
                examples={
                    "undone": {
                        "action": {
                            "actor": "ann",
                            "at": "2025-01-22T08:49:58Z",
                            "first": 1042,
                            "last": 1042,
                        },
                        "dry_run": False,
                        **_COUNTS,
                        "revision": 1043,
                    }
                },
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(*_NOT_JSON, *TRACKED, NothingToUndo(), RevisionConflict(), _FAULTY_BODY),
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
        parameters=_TRACKER,
        body=Body(
            schema=ref("RestoreTracker"),
            examples={
                "what would be done": {"at": "2025-01-22T08:50:00Z", "dry_run": True},
                "to a revision": {"revision": 1042},
            },
        ),
        answers=(
            Answer(
                status=200,
                description="What was, or would be, done.",
                content={JSON: ref("Reversal")},
                examples={"would be": {"to": 1042, "dry_run": True, **_COUNTS, "revision": None}},
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(
            *_NOT_JSON,
            *TRACKED,
            RevisionConflict("What would be done is not what you have seen any more"),
            _FAULTY_BODY,
            FaultyFields("Invalid request provided", {"at": ["Name one of at and revision"]}),
        ),
    ),
    Operation(
        method="get",
        path=f"{BASE}/drafts",
        id="listDrafts",
        tag=PAST,
        summary="List drafts",
        description="Those to be published first, in the order in which they will be; then the last saved first.",
        signed="yes",
        parameters=(
            *_TRACKER,
            _whole("limit", PAGE_MAX, PAGE_DEFAULT, "How many a page."),
            _whole("page", 10**9, 1, "Which page."),
        ),
        answers=(
            Answer(
                status=200,
                description="A page of drafts, and how many there are.",
                content={JSON: ref("Drafts")},
                examples={"drafts": {"total": 1, "results": [_DRAFT]}},
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(*TRACKED, _FAULTY_LIMIT),
    ),
    Operation(
        method="post",
        path=f"{BASE}/drafts",
        id="createDraft",
        tag=PAST,
        summary="Begin a customization as a draft",
        description="Keeps a draft of a new customization, under the id that it will have.",
        signed="yes",
        parameters=_TRACKER,
        body=Body(schema=ref("CustomizationInput"), examples=INPUTS),
        answers=(_draft(201, "created", "The draft.", "Location"),),
        refusals=(*BODY, *TRACKED, *FAULTY),
    ),
    Operation(
        method="put",
        path=f"{ONE}/draft",
        id="saveDraft",
        tag=PAST,
        summary="Save a draft",
        description="Keeps what a customization may become, in the place of the draft that there was. Nothing of it "
        "acts. Where it does not say `disabled`, that stays what it is. Saving takes the time away at which the draft "
        "was to be published.",
        signed="yes",
        parameters=(
            *_PATH,
            query(
                "base",
                {"type": "integer", "minimum": 0, "maximum": REVISION_MAX},
                "The revision of what is published that you began with, 0 for none. Left out: that of the draft that "
                "there is, else what is published now.",
            ),
            _IF_DRAFT,
            header("If-None-Match", {"type": "string"}, "`*`: only if there is no draft yet."),
        ),
        body=Body(schema=ref("CustomizationInput"), examples=INPUTS),
        answers=(_draft(200, "saved", "The draft."),),
        refusals=(*BODY, *TRACKED, CustomizationNotFound(), DraftConflict(), *FAULTY),
    ),
    Operation(
        method="get",
        path=f"{ONE}/draft",
        id="getDraft",
        tag=PAST,
        summary="Get a draft",
        description="What the customization may become.",
        signed="yes",
        parameters=_PATH,
        answers=(_draft(200, "found", "The draft."),),
        refusals=(*TRACKED, CustomizationNotFound(), DraftNotFound()),
    ),
    Operation(
        method="delete",
        path=f"{ONE}/draft",
        id="removeDraft",
        tag=PAST,
        summary="Discard a draft",
        description="What is published stays as it is.",
        signed="yes",
        parameters=(*_PATH, _IF_DRAFT),
        answers=(
            Answer(status=204, description="Discarded. No body.", headers=("Endcap-Revision",)),
        ),
        refusals=(*TRACKED, CustomizationNotFound(), DraftNotFound(), DraftConflict()),
    ),
    Operation(
        method="post",
        path=f"{ONE}/publish",
        id="publishDraft",
        tag=PAST,
        summary="Publish a draft, now or at a time",
        description="Without `at` the draft is what acts from now on, and is gone as a draft. It is refused (409) if "
        "what is published is not what the draft was made from; `over` names the revision of it that you have seen "
        "and let go. With `at` (which must lie ahead) some worker publishes it at that moment, once; if it cannot be, "
        "the draft says why (`held`). `null` takes the moment back.",
        signed="yes",
        parameters=(*_PATH, _IF_DRAFT),
        body=Body(
            schema=ref("Publish"),
            examples={
                "now": {},
                "over what somebody changed": {"over": 1049},
                "not at all": {"at": None},
            },
            required=False,
        ),
        answers=(
            Answer(
                status=200,
                description="The customization, where it was published now; else the draft.",
                content={JSON: {"anyOf": [ref("Customization"), ref("Draft")]}},
                examples={
                    "published": STORED,
                    "to be published": {
                        **_DRAFT,
                        "publish_at": "2025-02-01T06:00:00Z",
                        "publisher": "api",
                    },
                },
                headers=_TAGS,
            ),
        ),
        refusals=(
            *_NOT_JSON,
            *TRACKED,
            CustomizationNotFound(),
            DraftNotFound(),
            PublishConflict(),
            DraftConflict(),
            FaultyFields(
                "It cannot be published at this time",
                {"at": ["Must lie ahead, by 3,650 days at most; to publish now, name no time"]},
            ),
        ),
    ),
    Operation(
        method="post",
        path=f"{ONE}/unpublish",
        id="unpublishCustomization",
        tag=PAST,
        summary="Unpublish a customization",
        description="It acts no more, and is kept as a draft; a draft that there is stays as it is.",
        signed="yes",
        parameters=(*_PATH, parameters.IF_MATCH),
        answers=(_draft(200, "unpublished", "The draft."),),
        refusals=(*TRACKED, CustomizationNotFound(), RevisionConflict()),
    ),
)
