"""
The catalog in the API's description: objects that are stored, changed, removed, and committed as a generation.
"""

import json

from endcap.api.openapi.parameters import query
from endcap.api.openapi.refusals import NOT_JSON_TYPE, SIGNED, TOO_LARGE
from endcap.api.openapi.schema import (
    ANY_OBJECT,
    CLOSES,
    COUNT,
    IDENTITY,
    OPENS,
    Schema,
    described,
    optional,
    ref,
    text,
)
from endcap.api.openapi.table import CATALOG, JSON, Answer, Body, Operation
from endcap.domain import ItemId
from endcap.errors import CatalogFault
from endcap.wire.catalog import PATCH_OBJECTS_MAX, TYPE_CHARACTERS_MAX, malformed
from endcap.wire.problems import catalog_json, committed_json

_GUITAR = {
    "identity": "/p/123",
    "type": "item",
    "generation": "2025-01-20",
    "fields": {
        "title": "Fender Telecaster",
        "brand": "Fender",
        "price": "1 299,00 €",
        "availability": 1,
        "image_link": "https://doe.com/123.jpg",
        "_margin": 0.31,
    },
    "nested": [
        {
            "identity": "/c/electric",
            "type": "category",
            "fields": {"title": "Electric guitars", "ancestors": [{"title": "Guitars"}]},
        }
    ],
}
_STRAP = {
    "identity": "/p/555",
    "type": "item",
    "generation": "2025-01-20",
    "fields": {
        "title": "Leather strap",
        "brand": "Fender",
        "price": "39,00 €",
        "color": ["black", "brown"],
    },
}
MARKER = text(longest=TYPE_CHARACTERS_MAX)
TYPE = text(
    "`item`, `product`, `category`, `brand`, `article`, `variant` or a type of your own.",
    longest=TYPE_CHARACTERS_MAX,
    examples=["item"],
)
_COMMIT_PARAMETERS = (
    {**query("type", MARKER, "The type of the objects."), "required": True, "example": "item"},
    {
        **query("generation", MARKER, "The generation that they were uploaded with."),
        "required": True,
        "example": "2025-01-20",
    },
)
REFUSALS = (*SIGNED, TOO_LARGE, NOT_JSON_TYPE)
_STORED = Answer(
    status=200,
    description="Everything was done.",
    content={JSON: ref("CatalogAnswer")},
    examples={"done": json.loads(catalog_json(2, {}))},
    headers=("Endcap-Revision",),
)
_FAULTS = Answer(
    status=400,
    description="Something in the batch failed; `errors` says what, by identity. The rest was stored.",
    content={JSON: ref("CatalogAnswer")},
    examples={
        "partly": json.loads(
            catalog_json(1, {ItemId("/p/555"): malformed({"title": ["must be filled"]})})
        ),
        "unreadable": json.loads(
            catalog_json(
                0, {"body": malformed({"objects": ["must be a list of objects under this key"]})}
            )
        ),
    },
    headers=("Endcap-Revision",),
)
_GENERATION_EMPTY = CatalogFault(
    "not_found",
    "No item is of the generation 2025-01-20: nothing was removed",
    {"generation": ["has no objects of this type"]},
)


def _objects(schema: str, *, at_most: int | None = None) -> Schema:
    """The body of a catalog call."""
    listed: Schema = {"type": "array", "items": ref(schema)}
    if at_most is not None:
        listed["maxItems"] = at_most
    return {"type": "object", "required": ["objects"], "properties": {"objects": listed}}


OPERATIONS = (
    Operation(
        method="post",
        path="/v1/content",
        id="putObjects",
        tag=CATALOG,
        summary="Store objects",
        description="Stores objects, each replaced whole. Of two with one identity the later wins. Send large batches "
        "with `Content-Encoding: gzip`: 5 MB as sent, 10 MB inflated, unless set otherwise.",
        signed="yes",
        body=Body(
            schema=_objects("CatalogObject"), examples={"two": {"objects": [_GUITAR, _STRAP]}}
        ),
        answers=(_STORED, _FAULTS),
        refusals=REFUSALS,
    ),
    Operation(
        method="patch",
        path="/v1/content",
        id="patchObjects",
        tag=CATALOG,
        summary="Change objects",
        description="Merges `fields` by name into stored objects; the other members are replaced whole. An identity "
        f"that is not in the catalog is an error. At most {PATCH_OBJECTS_MAX} objects a request.",
        signed="yes",
        body=Body(
            schema=_objects("CatalogPatch", at_most=PATCH_OBJECTS_MAX),
            examples={
                "price": {"objects": [{"identity": "/p/555", "fields": {"price": "29,00 €"}}]}
            },
        ),
        answers=(_STORED, _FAULTS),
        refusals=REFUSALS,
    ),
    Operation(
        method="delete",
        path="/v1/content",
        id="removeObjects",
        tag=CATALOG,
        summary="Remove objects",
        description="Removes objects by identity and type. Pins of them stay and sleep until they are back.",
        signed="yes",
        body=Body(
            schema=_objects("CatalogRemoval"),
            examples={"strap": {"objects": [{"identity": "/p/555", "type": "item"}]}},
        ),
        answers=(_STORED, _FAULTS),
        refusals=REFUSALS,
    ),
    Operation(
        method="delete",
        path="/v1/content/delete",
        id="removeObjectsByPath",
        tag=CATALOG,
        summary="Remove objects, the other way",
        description="The same as `DELETE /v1/content`, where a client in production looks for it.",
        signed="yes",
        body=Body(
            schema=_objects("CatalogRemoval"),
            examples={"guitar": {"objects": [{"url": "/p/123", "type": "item"}]}},
        ),
        answers=(_STORED, _FAULTS),
        refusals=REFUSALS,
    ),
    Operation(
        method="post",
        path="/v1/content/commit",
        id="commitGeneration",
        tag=CATALOG,
        summary="Commit a generation",
        description="Ends an upload of everything: removes the objects of a type that are of another generation, or of "
        "none. Types are committed one by one, those of nested objects as well. A generation without objects of the "
        "type is refused, and nothing is removed.",
        signed="yes",
        parameters=_COMMIT_PARAMETERS,
        answers=(
            Answer(
                status=200,
                description="Done, in one transaction.",
                content={JSON: ref("CatalogCommitted")},
                examples={"done": json.loads(committed_json(99, removed=3))},
                headers=("Endcap-Revision",),
            ),
            Answer(
                status=400,
                description="Nothing was removed.",
                content={JSON: ref("CatalogAnswer")},
                examples={
                    "empty": json.loads(catalog_json(0, {"generation": _GENERATION_EMPTY})),
                },
            ),
        ),
        refusals=SIGNED,
        call="?type=item&generation=2025-01-20",
    ),
)


def object_shapes() -> dict[str, Schema]:
    identity = described(
        IDENTITY, "What pins and requests call it. `url` is accepted in its place."
    )
    nested = optional(
        {"type": "array", "items": ANY_OBJECT},
        "Categories, brands and the like, of the same shape; a category may carry `fields.ancestors`, top first. All "
        "but variants and items become objects of the catalog, too, of this one's generation.",
    )
    generation = optional(MARKER, "The upload that it belongs to, for a later clean-up.")
    window = {
        "active_from": optional(OPENS, "Shown from this moment."),
        "active_to": optional(CLOSES, "Shown until just before this moment."),
    }
    url: Schema = {"description": "Older spelling of `identity`; looked at only without it."}
    named: list[Schema] = [
        {"required": ["identity"]},
        {
            "not": {"required": ["identity"]},
            "required": ["url"],
            "properties": {"url": IDENTITY},
        },
    ]
    return {
        "CatalogObject": {
            "type": "object",
            "required": ["type", "fields"],
            "anyOf": named,
            "properties": {
                "identity": identity,
                "url": url,
                "type": TYPE,
                "generation": generation,
                **window,
                "fields": {
                    "type": "object",
                    "required": ["title"],
                    "properties": {"title": {"type": "string", "minLength": 1}},
                    "description": "Its attributes. A list is of the type of its elements, and the first value of a "
                    "field fixes its type. Special: `availability` 1 or 0; `availability_rank` 1 to 15, where 15 is "
                    "unavailable; `price`, `price_old`, `price_…`, texts or numbers from which `…_amount` is derived; "
                    "`introduced_at`, a date; `geo_…`, a place with `lat` and `lon`; names with a leading `_` can be "
                    "filtered by and are never shown.",
                },
                "nested": nested,
            },
        },
        "CatalogPatch": {
            "type": "object",
            "description": "What to change in an object: `fields` by name, the rest whole.",
            "anyOf": named,
            "properties": {
                "identity": identity,
                "url": url,
                "type": described(TYPE, "Must be what it is."),
                "generation": generation,
                **window,
                "fields": optional(
                    {
                        "type": "object",
                        "properties": {"title": {"type": "string", "minLength": 1}},
                    },
                    "Attributes to set; the others stay.",
                ),
                "nested": nested,
            },
        },
        "CatalogRemoval": {
            "type": "object",
            "required": ["type"],
            "anyOf": named,
            "properties": {
                "identity": identity,
                "url": url,
                "type": TYPE,
            },
        },
    }


def commit_shapes() -> dict[str, Schema]:
    return {
        "CatalogCommitted": {
            "allOf": [ref("CatalogAnswer")],
            "required": ["removed_count"],
            "properties": {
                "ok_count": {"description": "Objects of the type that are of the generation."},
                "removed_count": described(
                    COUNT, "Objects of the type that were of another one, or of none."
                ),
            },
        },
    }


def answer_shapes() -> dict[str, Schema]:
    """Of what every call of the catalog may be answered."""
    return {
        "CatalogAnswer": {
            "type": "object",
            "required": ["ok_count", "errors_count", "errors"],
            "properties": {
                "ok_count": COUNT,
                "errors_count": COUNT,
                "errors": {
                    "type": "object",
                    "additionalProperties": ref("CatalogFault"),
                    "description": "By identity; an object without one is `object #31`, a body that cannot be read "
                    "`body`.",
                },
            },
        },
        "CatalogFault": {
            "type": "object",
            "required": ["type", "reason"],
            "properties": {
                "type": {"type": "string", "examples": ["malformed_input"]},
                "reason": {"type": "string", "examples": ["incorrect object format"]},
                "caused_by": ref("Details"),
            },
        },
    }
