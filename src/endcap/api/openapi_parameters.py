"""
What operations take beside their path: parameters of the path, the query and the head, for the API's description.
"""

from endcap.api.customizations import IDEMPOTENCY_KEY_CHARACTERS_MAX
from endcap.api.openapi_schemas import (
    CUSTOMIZATION,
    FLAG,
    NO_NUL,
    TRACKER,
    Schema,
    objects,
    ref,
)
from endcap.api.revisions import REVISION_MAX
from endcap.wire.catalog import PATCH_OBJECTS_MAX, TYPE_CHARACTERS_MAX
from endcap.wire.catalog_export import (
    NAMES_CHARACTERS_MAX,
    SIZE_DEFAULT,
    SIZE_DIGITS_MAX,
    SIZE_MAX,
)
from endcap.wire.customizations import TARGET_TYPES
from endcap.wire.listing import LIMIT_DEFAULT, LIMIT_MAX, OFFSET_MAX, SORT_COLUMNS
from endcap.wire.recommending import OBJECTS_MAX


def query(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def header(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "header", "description": description, "schema": schema}


def _many(name: str, item: Schema, description: str) -> Schema:
    repeated = f"{description} May be repeated (`{name}=a&{name}=b` or `{name}[]=a`): one of them must hold."
    return query(name, {"type": "array", "items": item}, repeated)


_SOME_TEXT: Schema = {"type": "string", "pattern": NO_NUL}
_SELECTIONS = (
    _many("model", {**_SOME_TEXT, "examples": ["basket"]}, "Only of this recommender."),
    _many("tag", {**_SOME_TEXT, "examples": ["spring"]}, "Only with this tag."),
    _many(
        "target_type",
        {"type": "string", "enum": list(TARGET_TYPES)},
        "Only with this kind of target.",
    ),
    _many("target_identity", {**_SOME_TEXT, "examples": ["/p/123"]}, "Only with this target."),
)

TRACKER_ID: Schema = {
    "name": "tracker_id",
    "in": "path",
    "required": True,
    "description": "Your tracker.",
    "schema": {"type": "string"},
    "example": TRACKER,
}
CUSTOMIZATION_ID: Schema = {
    "name": "customization_id",
    "in": "path",
    "required": True,
    "description": "The customization's id. What is no UUID names no customization: 404.",
    "schema": {"type": "string", "format": "uuid"},
    "example": CUSTOMIZATION,
}
IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_CHARACTERS_MAX},
    "A name of your own for this request. Sent again with the same body within 24 hours it returns the first answer "
    "and makes nothing; with another body it is refused.",
)
IF_MATCH = header(
    "If-Match",
    {"type": "string"},
    "The `ETag` that you read: refused with 412 if the customization was written since. `*` for any.",
)
IF_NONE_MATCH = header(
    "If-None-Match",
    {"type": "string"},
    "The `ETag` that you have: answered with 304 while it is current.",
)
SEEN_REVISION = header(
    "Endcap-Revision",
    {"type": "integer", "minimum": 0, "maximum": REVISION_MAX},
    "The highest that an answer named: what you are shown is not older. Waits for up to two seconds, then refuses with "
    "503.",
)
LIST_PARAMETERS = (
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
EXPORT_PARAMETERS = (
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
_MARKER: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": TYPE_CHARACTERS_MAX,
    "pattern": NO_NUL,
}
COMMIT_PARAMETERS = (
    {**query("type", _MARKER, "The type of the objects."), "required": True, "example": "item"},
    {
        **query("generation", _MARKER, "The generation that they were uploaded with."),
        "required": True,
        "example": "2025-01-20",
    },
)
JOB_ID: Schema = {
    **query("job_id", _MARKER, "The number in the `status_url`."),
    "required": True,
    "example": "12345",
}
CONTENT_EXPORT_PARAMETERS = (
    query(
        "size",
        {
            "type": "integer",
            "minimum": 1,
            "maximum": 10**SIZE_DIGITS_MAX - 1,
            "default": SIZE_DEFAULT,
        },
        f"How many objects a page has, at most {SIZE_MAX} whatever is asked.",
    ),
    query(
        "hit_fields",
        {**_SOME_TEXT, "maxLength": NAMES_CHARACTERS_MAX, "examples": ["title,web_url,price"]},
        "Only these attributes, with commas between; absent or empty: all.",
    ),
    query(
        "requested_types",
        {**_SOME_TEXT, "maxLength": NAMES_CHARACTERS_MAX, "examples": ["item,category"]},
        "Only objects of these types, with commas between; absent or empty: all.",
    ),
    query(
        "cursor",
        {"type": "string"},
        "Where the last page ended, as its link says. It holds the other parameters too; of those, only `size` is "
        "looked at beside it. Absent or empty: the first page.",
    ),
)
RECOMMEND_PARAMETERS = (
    SEEN_REVISION,
    {
        **query("tracker_id", {"type": "string", "minLength": 1}, "Your tracker."),
        "required": True,
        "example": TRACKER,
    },
    query(
        "explain",
        FLAG,
        "Add to each object why every pin and item is where it is. Shows rules, so the request must be signed.",
    ),
)
PLACE_PARAMETERS = (
    *RECOMMEND_PARAMETERS[:-1],
    query(
        "explain", {**FLAG, "default": True}, "Whether each object tells why all is where it is."
    ),
)
PLACE_BODY: Schema = {
    "anyOf": [
        ref("PlacementRequest"),
        {
            "type": "array",
            "minItems": 1,
            "maxItems": OBJECTS_MAX,
            "items": ref("PlacementRequest"),
        },
    ]
}
RECOMMEND_BODY: Schema = {
    "type": "array",
    "minItems": 1,
    "maxItems": OBJECTS_MAX,
    "items": ref("RecommendRequest"),
}
RECOMMEND_BODY_V2: Schema = {**RECOMMEND_BODY, "items": ref("RecommendRequestV2")}
PATCH_OBJECTS = objects("CatalogPatch", at_most=PATCH_OBJECTS_MAX)
