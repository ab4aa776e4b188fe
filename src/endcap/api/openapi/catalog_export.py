"""
The export of the catalog in the API's description.
"""

from endcap.api.openapi.catalog import TYPE
from endcap.api.openapi.parameters import query
from endcap.api.openapi.refusals import BAD_QUERY, SIGNED
from endcap.api.openapi.schema import (
    ANY_OBJECT,
    ANY_TEXT,
    CLOSES,
    COUNT,
    IDENTITY,
    OPENS,
    Schema,
    described,
    ref,
)
from endcap.api.openapi.table import CATALOG, JSON, Answer, Operation
from endcap.errors import FaultyFields
from endcap.wire.catalog_export import (
    CURSOR_HOURS,
    NAMES_CHARACTERS_MAX,
    PATH,
    SIZE_DEFAULT,
    SIZE_DIGITS_MAX,
    SIZE_MAX,
)

_PARAMETERS = (
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
        {**ANY_TEXT, "maxLength": NAMES_CHARACTERS_MAX, "examples": ["title,web_url,price"]},
        "Only these attributes, with commas between; absent or empty: all.",
    ),
    query(
        "requested_types",
        {**ANY_TEXT, "maxLength": NAMES_CHARACTERS_MAX, "examples": ["item,category"]},
        "Only objects of these types, with commas between; absent or empty: all.",
    ),
    query(
        "cursor",
        {"type": "string"},
        "Where the last page ended, as its link says. It holds the other parameters too; of those, only `size` is "
        "looked at beside it. Absent or empty: the first page.",
    ),
)
_PAGE = {
    "total": 2,
    "objects": [
        {
            "url": "/p/123",
            "type": "item",
            "attributes": {
                "title": "Fender Telecaster",
                "brand": ["Fender"],
                "price": "1 299,00 €",
                "availability": 1,
                "image_link": "https://doe.com/123.jpg",
                "price_amount": 1299.0,
                "category": ["Electric guitars"],
                "category_lvl_1": ["Guitars"],
                "category_lvl_2": ["Electric guitars"],
            },
            "nested": [
                {
                    "url": "/c/electric",
                    "type": "category",
                    "attributes": {
                        "title": "Electric guitars",
                        "ancestors": [{"title": "Guitars"}],
                    },
                    "nested": [],
                    "exact": True,
                }
            ],
            "exact": True,
            "generation": "2025-01-20",
        }
    ],
    "links": [
        {
            "rel": "next",
            "href": "https://reco.example.com/v1/content_export?cursor=l6kxMjM0LTU2Nzj",
        }
    ],
}

OPERATIONS = (
    Operation(
        method="get",
        path=PATH,
        id="exportObjects",
        tag=CATALOG,
        summary="Export the catalog",
        description="One page of all objects, in no order that means anything. Follow the link `next` as it is given "
        f"until there is none; it is good for {CURSOR_HOURS} hours. An object that stays in the catalog meanwhile "
        "comes exactly once, whatever else is written. Hidden attributes (leading `_`) are never given.",
        signed="yes",
        parameters=_PARAMETERS,
        answers=(
            Answer(
                status=200,
                description="The page.",
                content={JSON: ref("ContentPage")},
                examples={"first": _PAGE},
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(
            *SIGNED,
            BAD_QUERY,
            FaultyFields(
                "Invalid content export parameters provided",
                {"cursor": [f"Is older than {CURSOR_HOURS} hours: begin again without a cursor"]},
            ),
        ),
        call="?size=500&requested_types=item",
    ),
)


def shapes() -> dict[str, Schema]:
    exported: Schema = {
        "type": "object",
        "required": ["url", "type", "attributes", "nested", "exact"],
        "properties": {
            "url": described(IDENTITY, "The identity, whatever it looks like."),
            "type": TYPE,
            "attributes": {
                "type": "object",
                "description": "As hits give them: texts as lists but for a few, derived ones too.",
            },
            "nested": {"type": "array", "items": ANY_OBJECT, "description": "In the same form."},
            "exact": {"const": True},
            "generation": {"type": "string"},
            "active_from": OPENS,
            "active_to": CLOSES,
        },
    }
    page: Schema = {
        "type": "object",
        "required": ["total", "objects", "links"],
        "properties": {
            "total": described(
                COUNT, "How many objects there were of these types when the export began."
            ),
            "objects": {"type": "array", "items": exported},
            "links": {
                "type": "array",
                "maxItems": 1,
                "items": {
                    "type": "object",
                    "required": ["rel", "href"],
                    "properties": {
                        "rel": {"const": "next"},
                        "href": {"type": "string", "description": "The next page, as it is."},
                    },
                },
            },
        },
    }
    return {"ContentPage": page}
