"""
Customizations in the API's description: one at a time. Pages of them are in `listing`, their pins in `pins`.
"""

from endcap.api.customizations import IDEMPOTENCY_KEY_CHARACTERS_MAX
from endcap.api.openapi.parameters import (
    CUSTOMIZATION,
    CUSTOMIZATION_ID,
    IF_MATCH,
    IF_NONE_MATCH,
    SEEN_REVISION,
    TRACKER_ID,
    header,
)
from endcap.api.openapi.refusals import BODY, FAULTY, SEEN, TRACKED
from endcap.api.openapi.schema import (
    ANY_OBJECT,
    FLAG,
    IDENTITY,
    MODEL,
    STAMP,
    Schema,
    described,
    optional,
    ref,
    target_type,
    text,
)
from endcap.api.openapi.table import CUSTOMIZATIONS, JSON, Answer, Body, Operation, unchanged
from endcap.domain import PINS_MAX, TAG_CHARACTERS_MAX, TAGS_MAX
from endcap.errors import CustomizationNotFound, IdempotencyConflict, RevisionConflict
from endcap.wire.customizations import TARGET_TYPES

BASE = "/v1/recommender/pin/{tracker_id}"
ONE = BASE + "/scope/{customization_id}"
_IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_CHARACTERS_MAX},
    "A name of your own for this request. Sent again with the same body within 24 hours it returns the first answer "
    "and makes nothing; with another body it is refused.",
)
PIN = {
    "position": 1,
    "pin_type": "item",
    "pin_identity": "/p/555",
    "active_from": "2025-02-01T00:00:00Z",
}
INPUT = {
    "model": "basket",
    "target_type": "item",
    "target_identity": "/p/123",
    "tags": ["guitars"],
    "pin_definitions": [PIN],
}
STORED = {
    "id": CUSTOMIZATION,
    "created_at": "2025-01-22T08:49:58Z",
    "updated_at": "2025-01-22T08:49:58Z",
    **INPUT,
    "target_metadata": {
        "title": "Fender Telecaster",
        "image_link": "https://doe.com/123.jpg",
    },
    "creator": "api",
    "available": True,
}
INPUTS = {
    "item": INPUT,
    "criteria": {
        "model": "item_detail_complements",
        "target_type": "criteria",
        "target_criteria": {
            "brand": {"values": ["Fender", "Squier"]},
            "price_amount": {"values": ["500|"]},
        },
        "tags": ["guitars", "spring"],
        "pin_definitions": [
            {
                "position": 2,
                "pin_type": "criteria",
                "pin_criteria": [{"field": "category", "operator": "=", "value": "Straps"}],
                "widget_id": "detail-bottom",
                "active_to": "2025-06-01T00:00:00+02:00",
            },
            {"position": 0, "pin_type": "item", "pin_identity": "/p/900", "is_block_pin": True},
        ],
    },
    "all": {"model": "basket", "target_type": "all", "pin_definitions": []},
}
_LINKS = {
    name: {
        "operationId": operation,
        "parameters": {
            "tracker_id": "$request.path.tracker_id",
            "customization_id": "$response.body#/id",
        },
    }
    for name, operation in (
        ("get", "getCustomization"),
        ("replace", "replaceCustomization"),
        ("delete", "deleteCustomization"),
    )
}

OPERATIONS = (
    Operation(
        method="post",
        path=f"{BASE}/scope",
        id="createCustomization",
        tag=CUSTOMIZATIONS,
        summary="Create a customization",
        description="Stores a customization and returns it. It is in force for the very next recommendation.",
        signed="yes",
        parameters=(TRACKER_ID, _IDEMPOTENCY_KEY),
        body=Body(schema=ref("CustomizationInput"), examples=INPUTS),
        answers=(
            Answer(
                status=201,
                description="Created.",
                content={JSON: ref("Customization")},
                examples={"created": STORED},
                headers=("ETag", "Endcap-Revision", "Location"),
                links=_LINKS,
            ),
        ),
        refusals=(*BODY, *TRACKED, *FAULTY, IdempotencyConflict()),
        call='-H "Idempotency-Key: $(openssl rand -hex 16)"',
    ),
    Operation(
        method="get",
        path=ONE,
        id="getCustomization",
        tag=CUSTOMIZATIONS,
        summary="Get a customization",
        description="Returns one customization, with what the catalog knows of its target.",
        signed="yes",
        parameters=(
            TRACKER_ID,
            CUSTOMIZATION_ID,
            IF_NONE_MATCH,
            SEEN_REVISION,
        ),
        answers=(
            Answer(
                status=200,
                description="The customization.",
                content={JSON: ref("Customization")},
                examples={"found": STORED},
                headers=("ETag", "Endcap-Revision"),
            ),
            unchanged("Endcap-Revision"),
        ),
        refusals=(*TRACKED, *SEEN, CustomizationNotFound()),
    ),
    Operation(
        method="put",
        path=ONE,
        id="replaceCustomization",
        tag=CUSTOMIZATIONS,
        summary="Update a customization",
        description="Replaces the whole customization but `id`, `created_at` and `creator`: a field that is left "
        "out is gone. To change one field, get, change and put back, with the `ETag` as `If-Match`.",
        signed="yes",
        parameters=(TRACKER_ID, CUSTOMIZATION_ID, IF_MATCH),
        body=Body(schema=ref("CustomizationInput"), examples=INPUTS),
        answers=(
            Answer(
                status=204, description="Replaced. No body.", headers=("ETag", "Endcap-Revision")
            ),
        ),
        refusals=(*BODY, *TRACKED, CustomizationNotFound(), RevisionConflict(), *FAULTY),
    ),
    Operation(
        method="delete",
        path=ONE,
        id="deleteCustomization",
        tag=CUSTOMIZATIONS,
        summary="Delete a customization",
        description="Removes a customization; the next recommendation goes without it.",
        signed="yes",
        parameters=(TRACKER_ID, CUSTOMIZATION_ID, IF_MATCH),
        answers=(
            Answer(status=204, description="Deleted. No body.", headers=("Endcap-Revision",)),
        ),
        refusals=(*TRACKED, CustomizationNotFound(), RevisionConflict()),
    ),
)


def shapes() -> dict[str, Schema]:
    """
    Of a customization as it is sent and as it is answered. Said in words alone: a window opens before it closes.
    """
    return {
        "CustomizationInput": {
            "description": "What a create or an update takes. Fields that the server makes (`id`, `created_at`, "
            "`updated_at`, `creator`, `available`) and unknown ones are ignored, so the answer of a GET may be sent "
            "back unchanged.",
            "oneOf": [ref(f"{name}CustomizationInput") for name in ("Item", "Criteria", "All")],
            "discriminator": {
                "propertyName": "target_type",
                "mapping": {
                    "item": ref("ItemCustomizationInput")["$ref"],
                    "criteria": ref("CriteriaCustomizationInput")["$ref"],
                    "all": ref("AllCustomizationInput")["$ref"],
                },
            },
        },
        "ItemCustomizationInput": _input(
            "item",
            "Speaks when the item is among the input items of a request.",
            {
                "target_identity": described(
                    IDENTITY, "Catalog identity of the item; it may be unknown yet."
                )
            },
        ),
        "CriteriaCustomizationInput": _input(
            "criteria",
            "Speaks when one of the input items satisfies the criteria.",
            {"target_criteria": described(ref("Criteria"), "What an input item must satisfy.")},
        ),
        "AllCustomizationInput": _input("all", "Always speaks.", {}),
        "Customization": {
            "type": "object",
            "required": [
                *(
                    "id",
                    "created_at",
                    "updated_at",
                    "model",
                    "target_type",
                    "tags",
                    "pin_definitions",
                ),
                *("creator", "available"),
            ],
            "properties": {
                "id": {"type": "string", "format": "uuid", "description": "Made by the server."},
                "created_at": described(STAMP, "When it was created; seconds, UTC."),
                "updated_at": described(STAMP, "When it was last written."),
                "model": described(MODEL, "The recommender that it belongs to."),
                "target_type": target_type("What it is about."),
                "target_identity": described(IDENTITY, "Only where `target_type` is `item`."),
                "target_criteria": described(
                    ref("Criteria"),
                    "Only where `target_type` is `criteria`; byte for byte as sent.",
                ),
                "tags": _tags("In the order sent, without repeats; `[]` if there are none."),
                "pin_definitions": {
                    "type": "array",
                    "maxItems": PINS_MAX,
                    "items": ref("Pin"),
                    "description": "The pins, each with exactly the fields that it was sent with.",
                },
                "target_metadata": described(
                    ANY_OBJECT,
                    "As sent; for an item target `title` and `image_link` are filled from the catalog where missing.",
                ),
                "creator": {
                    "type": "string",
                    "description": "Who made it: `api`, unless set otherwise.",
                },
                "disabled": described(
                    {"const": True}, "There while it is switched off: nothing of it acts."
                ),
                "available": described(
                    FLAG,
                    "Whether at least one pin is inside its window now and, for an item target, the item is in the "
                    "catalog and available.",
                ),
            },
        },
    }


def _input(kind: str, description: str, target: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "description": description,
        "required": ["model", "target_type", *target, "pin_definitions"],
        "properties": {
            "model": described(
                MODEL,
                "The recommender that it belongs to. A name that the server does not know is accepted, since rules "
                "may be there before the recommender; a setting refuses it.",
            ),
            "target_type": {
                "const": kind,
                "description": f"Must be one of: {', '.join(TARGET_TYPES)}.",
            },
            **target,
            "target_metadata": optional(
                ANY_OBJECT, "Anything to show with the target, e.g. its `title` and `image_link`."
            ),
            "disabled": optional(
                FLAG,
                "Whether it is switched off: it is kept, and nothing of it acts. Left out, a new one is on and another "
                "stays as it is.",
            ),
            "tags": optional(_tags(f"To find it by: at most {TAGS_MAX}, repeats not counted.")),
            "pin_definitions": {
                "type": "array",
                "maxItems": PINS_MAX,
                "items": ref("Pin"),
                "description": f"What to put where; may be empty, at most {PINS_MAX}.",
            },
        },
    }


def _tags(description: str) -> Schema:
    tag = text(longest=TAG_CHARACTERS_MAX)
    return {
        "type": "array",
        "items": tag,
        "description": description,
        "examples": [["spring", "guitars"]],
    }
