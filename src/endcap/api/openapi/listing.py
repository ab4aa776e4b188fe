"""
Customizations in the API's description: many at a time, listed, exported and counted.
"""

from endcap.api.openapi.customizations import BASE, STORED
from endcap.api.openapi.parameters import SEEN_REVISION, TRACKER_ID, query
from endcap.api.openapi.refusals import BAD_QUERY, BODY, SEEN, TOO_LARGE, TRACKED
from endcap.api.openapi.schema import ANY_TEXT, COUNT, FLAG, Schema, described, ref
from endcap.api.openapi.table import CUSTOMIZATIONS, JSON, Answer, Body, Operation
from endcap.errors import FaultyFields, UnsupportedMediaType
from endcap.wire.customizations import CSV_COLUMNS, TARGET_TYPES
from endcap.wire.listing import LIMIT_DEFAULT, LIMIT_MAX, OFFSET_MAX, SORT_COLUMNS


def _many(name: str, item: Schema, description: str) -> Schema:
    repeated = f"{description} May be repeated (`{name}=a&{name}=b` or `{name}[]=a`): one of them must hold."
    return query(name, {"type": "array", "items": item}, repeated)


_SELECTIONS = (
    _many("model", {**ANY_TEXT, "examples": ["basket"]}, "Only of this recommender."),
    _many("tag", {**ANY_TEXT, "examples": ["spring"]}, "Only with this tag."),
    _many(
        "target_type",
        {"type": "string", "enum": list(TARGET_TYPES)},
        "Only with this kind of target.",
    ),
    _many("target_identity", {**ANY_TEXT, "examples": ["/p/123"]}, "Only with this target."),
)
_LIST_PARAMETERS = (
    query(
        "limit",
        {"type": "integer", "minimum": 0, "maximum": OFFSET_MAX, "default": LIMIT_DEFAULT},
        f"How many to return, at most {LIMIT_MAX} whatever is asked.",
    ),
    query(
        "offset",
        {"type": "integer", "minimum": 0, "maximum": OFFSET_MAX, "default": 0},
        "How many to leave out before.",
    ),
    query(
        "sort",
        {
            "type": "array",
            "items": {"type": "string", "pattern": f"^({'|'.join(SORT_COLUMNS)})(:(asc|desc)?)?$"},
            "default": ["created_at:desc"],
        },
        f"By {', '.join(f'`{column}`' for column in SORT_COLUMNS)}, with `:asc` or `:desc`. May be repeated. Ties go "
        "by id.",
    ),
    *_SELECTIONS,
)
_EXPORT_PARAMETERS = (
    *_SELECTIONS,
    query(
        "remove_expired_pins",
        FLAG,
        "Leave out pins whose window has closed (`true`, `false`, `1`, `0`).",
    ),
    query(
        "remove_nonexisting_item_pins",
        FLAG,
        "Leave out pins of items that are not in the catalog (`true`, `false`, `1`, `0`).",
    ),
)

OPERATIONS = (
    Operation(
        method="post",
        path=f"{BASE}/scopes",
        id="listCustomizations",
        tag=CUSTOMIZATIONS,
        summary="List customizations",
        description="One page of customizations, newest first unless told. Query parameters select; rules in the body "
        "narrow further, over the customizations' own attributes, with dotted paths into `target_criteria`, "
        "`target_metadata` and `pin_definitions` (any pin).",
        signed="yes",
        parameters=(TRACKER_ID, *_LIST_PARAMETERS, SEEN_REVISION),
        body=Body(
            schema=ref("ListBody"),
            examples={
                "everything": {},
                "rules": {
                    "criteria": [
                        {
                            "field": "pin_definitions.pin_identity",
                            "operator": "=",
                            "value": "/p/555",
                        },
                        {"field": "available", "operator": "=", "value": True},
                    ]
                },
            },
            required=False,
        ),
        answers=(
            Answer(
                status=200,
                description="The page, and how many match on all pages.",
                content={JSON: ref("CustomizationPage")},
                examples={"page": {"pagination": {"total": 1}, "results": [STORED]}},
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(
            *BODY,
            BAD_QUERY,
            *TRACKED,
            *SEEN,
            FaultyFields(
                "Invalid list parameters provided",
                {
                    "limit": ["Must be a whole number, 0 or more"],
                    "criteria": ["Unknown field: colour"],
                },
            ),
        ),
        call="?model=basket&limit=25",
    ),
    Operation(
        method="post",
        path=f"{BASE}/scopes/export",
        id="exportCustomizations",
        tag=CUSTOMIZATIONS,
        summary="Export customizations",
        description="Every matching customization as GET gives it, oldest first, streamed. The `Accept` header chooses "
        f"among a JSON array, JSON Lines (`application/x-ndjson`) and CSV (`text/csv`, one row a pin: "
        f"{', '.join(CSV_COLUMNS)}). A body is not looked at. A customization whose pins were all left out stays, "
        "with `[]`.",
        signed="yes",
        parameters=(TRACKER_ID, *_EXPORT_PARAMETERS, SEEN_REVISION),
        answers=(
            Answer(
                status=200,
                description="All of them.",
                content={
                    JSON: {"type": "array", "items": ref("Customization")},
                    "application/x-ndjson": {"type": "string"},
                    "text/csv": {"type": "string"},
                },
                examples={"export": [STORED]},
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(
            BAD_QUERY,
            *TRACKED,
            *SEEN,
            TOO_LARGE,
            UnsupportedMediaType(
                "The body's Content-Encoding must be gzip, deflate or none",
                {"content_encoding": ["Cannot be br"]},
            ),
            FaultyFields(
                "Invalid export parameters provided",
                {"remove_expired_pins": ["Must be true, false, 1 or 0"]},
            ),
        ),
        call='?remove_expired_pins=true -H "Accept: application/x-ndjson"',
    ),
    Operation(
        method="get",
        path=f"{BASE}/summary",
        id="getSummary",
        tag=CUSTOMIZATIONS,
        summary="Count customizations",
        description="How many customizations each recommender has, and every tag in use.",
        signed="yes",
        parameters=(TRACKER_ID, SEEN_REVISION),
        answers=(
            Answer(
                status=200,
                description="The counts and tags.",
                content={JSON: ref("Summary")},
                examples={
                    "summary": {
                        "scope_counts": {"basket": 2, "item_detail_complements": 1},
                        "user_tags": ["guitars", "spring"],
                    }
                },
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(*TRACKED, *SEEN),
    ),
)


def shapes() -> dict[str, Schema]:
    return {
        "CustomizationPage": {
            "type": "object",
            "required": ["pagination", "results"],
            "properties": {
                "pagination": {
                    "type": "object",
                    "required": ["total"],
                    "properties": {
                        "total": described(COUNT, "How many match, on all pages together.")
                    },
                },
                "results": {"type": "array", "maxItems": LIMIT_MAX, "items": ref("Customization")},
            },
        },
        "Summary": {
            "type": "object",
            "required": ["scope_counts", "user_tags"],
            "properties": {
                "scope_counts": {
                    "type": "object",
                    "additionalProperties": {"type": "integer", "minimum": 1},
                    "description": "Customizations by model; models without any are left out.",
                },
                "user_tags": {
                    "type": "array",
                    "uniqueItems": True,
                    "items": {"type": "string"},
                    "description": "Every tag in use, sorted.",
                },
            },
        },
        "ListBody": {
            "type": "object",
            "properties": {
                "criteria": {
                    "description": "Rules over the customizations themselves, in either spelling; all must hold. "
                    "Empty or absent for all.",
                    "anyOf": [ref("OwnCriteria"), ref("NoCriteria"), {"type": "null"}],
                }
            },
        },
    }
