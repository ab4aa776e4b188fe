"""
Drafts in the API's description: what customizations may become, and publishing it.
"""

from typing import Any

from endcap.api.drafts import PAGE_DEFAULT, PAGE_MAX
from endcap.api.openapi.customizations import INPUT, INPUTS, STORED
from endcap.api.openapi.history import (
    BASE,
    FAULTY_LIMIT,
    MALFORMED,
    MOMENT,
    OF_ONE,
    ONE,
    TAGGED,
    TEXT,
    VERSION,
    whole,
)
from endcap.api.openapi.parameters import CUSTOMIZATION, IF_MATCH, TRACKER_ID, header, query
from endcap.api.openapi.refusals import BODY, FAULTY, TRACKED
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
from endcap.errors import (
    CustomizationNotFound,
    DraftConflict,
    DraftNotFound,
    FaultyFields,
    PublishConflict,
    RevisionConflict,
)

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


def _draft(status: int, name: str, description: str, *headers: str) -> Answer:
    return Answer(
        status=status,
        description=description,
        content={JSON: ref("Draft")},
        examples={name: _DRAFT},
        headers=(*TAGGED, *headers),
    )


OPERATIONS = (
    Operation(
        method="get",
        path=f"{BASE}/drafts",
        id="listDrafts",
        tag=PAST,
        summary="List drafts",
        description="Those to be published first, in the order in which they will be; then the last saved first.",
        signed="yes",
        parameters=(
            TRACKER_ID,
            whole("limit", PAGE_MAX, PAGE_DEFAULT, "How many a page."),
            whole("page", 10**9, 1, "Which page."),
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
        refusals=(*TRACKED, FAULTY_LIMIT),
    ),
    Operation(
        method="post",
        path=f"{BASE}/drafts",
        id="createDraft",
        tag=PAST,
        summary="Begin a customization as a draft",
        description="Keeps a draft of a new customization, under the id that it will have.",
        signed="yes",
        parameters=(TRACKER_ID,),
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
            *OF_ONE,
            query(
                "base",
                REVISION,
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
        parameters=OF_ONE,
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
        parameters=(*OF_ONE, _IF_DRAFT),
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
        parameters=(*OF_ONE, _IF_DRAFT),
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
                headers=TAGGED,
            ),
        ),
        refusals=(
            *MALFORMED,
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
        parameters=(*OF_ONE, IF_MATCH),
        answers=(_draft(200, "unpublished", "The draft."),),
        refusals=(*TRACKED, CustomizationNotFound(), RevisionConflict()),
    ),
)


def shapes() -> dict[str, Schema]:
    return {
        "Drafts": closed({"total": COUNT, "results": {"type": "array", "items": ref("Draft")}}),
        "Draft": closed(
            {
                "id": {"type": "string", "format": "uuid"},
                "definition": VERSION,
                "base": optional(
                    REVISION, "The revision of what was published when it was made; null: nothing."
                ),
                "author": described(TEXT, "Who saved it last."),
                "updated_at": STAMP,
                "creator": described(TEXT, "Who made the customization, be it as a draft."),
                "created_at": STAMP,
                "publish_at": optional(STAMP, "When it is to be published."),
                "publisher": optional(TEXT, "Who said so."),
                "held": optional(TEXT, "Why it was not published when it was to be."),
                "revision": REVISION,
            }
        ),
        "Publish": {
            "type": "object",
            "properties": {
                "at": optional(MOMENT, "When; null: not by itself; left out: now. Must lie ahead."),
                "over": optional(
                    REVISION,
                    "The revision of what is published that it may replace, 0 for nothing.",
                ),
            },
            "additionalProperties": False,
        },
    }
