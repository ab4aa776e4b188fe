"""
Recommendations in the API's description.
"""

from collections.abc import Mapping
from typing import Any

from endcap.api.openapi.parameters import CUSTOMIZATION, SEEN_REVISION, TRACKER, query
from endcap.api.openapi.refusals import (
    ALWAYS,
    BAD_QUERY,
    NOT_JSON_TYPE,
    SEEN,
    TOO_LARGE,
    UNSIGNED,
)
from endcap.api.openapi.schema import (
    ANY_OBJECT,
    COUNT,
    FLAG,
    Schema,
    described,
    optional,
    ref,
    target_type,
)
from endcap.api.openapi.table import JSON, RECOMMENDATIONS, Answer, Body, Operation, preflight
from endcap.domain import IDENTITY_CHARACTERS_MAX, INPUT_ITEMS_MAX
from endcap.engine.place import Source, Verdict
from endcap.errors import FaultyFields, MalformedBody, RecommenderNotFound, TrackerNotFound
from endcap.wire.recommending import (
    HIT_FIELDS_MAX,
    INVALID,
    OBJECTS_MAX,
    SIZE_DEFAULT,
    SIZE_MAX,
)

FOR_TRACKER = (
    SEEN_REVISION,
    {
        **query("tracker_id", {"type": "string", "minLength": 1}, "Your tracker."),
        "required": True,
        "example": TRACKER,
    },
)
_PARAMETERS = (
    *FOR_TRACKER,
    query(
        "explain",
        FLAG,
        "Add to each object why every pin and item is where it is. Shows rules, so the request must be signed.",
    ),
)
_WISH = {
    "recommendation_type": "basket",
    "recommender_client_identifier": "basket-sidebar",
    "item_ids": ["/p/123"],
    "size": 3,
    "hit_fields": ["title", "brand", "price"],
}
GIVEN: dict[str, Any] = {
    "generated_at": "2025-02-03T23:34:59.585570",
    "model_version": None,
    "recommendation_id": "6a0c5ab6-2a0e-4a8c-9b0f-0d6a4d1c7b11",
    "recommendation_type": "basket",
    "recommender": "basket",
    "recommender_client_identifier": "basket-sidebar",
    "recommender_version": "b36705710",
    "user_id": None,
    "hits": [
        {
            "url": "/p/555",
            "type": "item",
            "attributes": {"title": "Leather strap", "brand": ["Fender"], "price": "39,00 €"},
            "nested": [],
            "exact": True,
        }
    ],
}
EXPLAINED: dict[str, Any] = {
    **GIVEN,
    "explanation": {
        "pins": [
            {
                "customization_id": CUSTOMIZATION,
                "pin": 0,
                "target_type": "item",
                "position": 1,
                "verdict": "placed",
                "item": "/p/555",
                "slot": 1,
                "because": "",
            }
        ],
        "items": [
            {"slot": 1, "url": "/p/555", "from": "pin", "pin": 0, "customization_id": CUSTOMIZATION}
        ],
    },
}
SOME_TEXT: Schema = {"type": ["string", "integer"], "maxLength": IDENTITY_CHARACTERS_MAX}


def page_of(wish: str) -> Schema:
    """The body of a call, by the shape of its objects."""
    return {"type": "array", "minItems": 1, "maxItems": OBJECTS_MAX, "items": ref(wish)}


def recommendation(
    *,
    path: str,
    id: str,
    summary: str,
    description: str,
    wish: str,
    wished: Mapping[str, Any],
    answer: str,
    given: Mapping[str, Any],
    unknown: Mapping[str, list[str]],
    faulty: Mapping[str, list[str]],
) -> tuple[Operation, Operation]:
    """
    Recommending under one of its paths, and the preflight of that. `wish` and `answer` name shapes, of which `wished`
    and `given` are examples; `unknown` and `faulty` are details of refusals. What versions have in common is said here.
    """
    operation = Operation(
        method="post",
        path=path,
        id=id,
        tag=RECOMMENDATIONS,
        summary=summary,
        description=description,
        signed="for an explanation",
        parameters=_PARAMETERS,
        body=Body(schema=page_of(wish), examples={"one": [wished]}),
        answers=(
            Answer(
                status=200,
                description="One object for each wish, in the same order.",
                content={JSON: {"type": "array", "items": ref(answer)}},
                examples=given,
                headers=(
                    "Endcap-Revision",
                    "Access-Control-Allow-Origin",
                    "Access-Control-Expose-Headers",
                ),
            ),
        ),
        refusals=(
            MalformedBody(details={"body": ["Must be a JSON array of request objects"]}),
            TOO_LARGE,
            NOT_JSON_TYPE,
            BAD_QUERY,
            *UNSIGNED,
            *ALWAYS,
            *SEEN,
            TrackerNotFound(),
            RecommenderNotFound(details=unknown),
            FaultyFields(INVALID, faulty),
        ),
        call=f"?tracker_id={TRACKER}",
    )
    return operation, preflight(operation, to="ask", what="a recommendation")


OPERATIONS = recommendation(
    path="/v1/recommend",
    id="recommend",
    summary="Recommend",
    description=f"Answers up to {OBJECTS_MAX} wishes of one page, in order. Nothing is shown twice on a page, "
    "and nothing in an answer tells a pin from the ranking: ask for an explanation to see why every item is where "
    "it is.",
    wish="RecommendRequest",
    wished=_WISH,
    answer="RecommendAnswer",
    given={"answer": [GIVEN], "explained": [EXPLAINED]},
    unknown={"recommendation_type": ["Unknown recommender: no_such_model"]},
    faulty={"recommendation_type": ["Missing required field: recommendation_type (object 1)"]},
)


def shapes() -> dict[str, Schema]:
    identities: Schema = {"type": "array", "items": {"type": ["string", "integer"]}}
    return {
        "RecommendRequest": {
            "type": "object",
            "description": "What one widget wishes to show. Unknown fields are ignored.",
            "required": ["recommendation_type"],
            "properties": {
                "recommendation_type": described(
                    {"type": "string", "minLength": 1, "examples": ["basket"]},
                    "The recommender. A numbered name such as `basket_2` falls back to its stem.",
                ),
                "recommender_client_identifier": _optional_text(
                    SOME_TEXT, "The widget, for pins that name one."
                ),
                "user_id": _optional_text(SOME_TEXT, "The shopper."),
                "item_ids": optional(
                    identities,
                    f"Input items; the first {INPUT_ITEMS_MAX} count. They are not shown.",
                ),
                "blacklisted_item_ids": optional(identities, "Never shown, whatever is pinned."),
                "size": optional(
                    {"type": "integer", "minimum": 1, "default": SIZE_DEFAULT},
                    f"How many hits: {SIZE_DEFAULT} unless told, at most {SIZE_MAX} whatever is asked.",
                ),
                "recommendation_context": {
                    "description": "Only items that satisfy these criteria are shown; empty for all.",
                    "anyOf": [ref("Criteria"), ref("NoCriteria"), {"type": "null"}],
                },
                "settings_override": optional(
                    {
                        "type": "object",
                        "properties": {
                            "availability_field": optional(
                                {"type": "string", "minLength": 1},
                                "The field that says whether an item is available, instead of `availability`.",
                            )
                        },
                    },
                    "Settings of this request.",
                ),
                "hit_fields": {
                    "description": "The attributes to return; all unless told. A list, or one text with commas. "
                    f"At most {HIT_FIELDS_MAX}.",
                    "anyOf": [
                        {"type": "array", "maxItems": HIT_FIELDS_MAX, "items": {"type": "string"}},
                        {"type": "string"},
                        {"type": "null"},
                    ],
                },
                "mark_fallback_results": optional(
                    FLAG,
                    "Mark each hit with `fallback`: whether the model gave it or its fallback.",
                ),
                "consent_granted": optional(
                    FLAG,
                    "Whether the shopper agreed to be known, for this request; without it what events said last "
                    "holds. Only with consent is a ranking fitted to them; who refused is a stranger.",
                ),
            },
        },
        "RecommendAnswer": {
            "type": "object",
            "required": [
                *(
                    "generated_at",
                    "model_version",
                    "recommendation_id",
                    "recommendation_type",
                    "recommender",
                ),
                *("recommender_client_identifier", "recommender_version", "user_id", "hits"),
            ],
            "properties": {
                "generated_at": {
                    "type": "string",
                    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}$",
                    "description": "UTC, without a zone.",
                },
                "model_version": {
                    "type": ["integer", "null"],
                    "description": "When the model was built; null: never.",
                },
                "recommendation_id": {
                    "type": "string",
                    "format": "uuid",
                    "description": "To tell in shopper events what was shown.",
                },
                "recommendation_type": {"type": "string", "description": "As asked."},
                "recommender": {"type": "string", "description": "The recommender that answered."},
                "recommender_client_identifier": {
                    "type": "string",
                    "description": "The widget as sent; without one, the recommender's name.",
                },
                "recommender_version": {"type": "string"},
                "user_id": {"type": ["string", "null"], "description": "As sent."},
                "hits": {"type": "array", "maxItems": SIZE_MAX, "items": ref("Hit")},
                "explanation": described(ref("Explanation"), "Only where it was asked for."),
            },
        },
        "Hit": {
            "type": "object",
            "required": ["url", "type", "attributes", "nested", "exact"],
            "properties": {
                "url": {"type": "string", "description": "The item's identity."},
                "type": {"type": "string"},
                "attributes": described(
                    ANY_OBJECT,
                    "Texts are lists but for a few that are set (`title`, `price`, …); numbers and booleans are plain; "
                    "names with a leading `_` are never shown.",
                ),
                "nested": {"type": "array"},
                "exact": FLAG,
                "fallback": described(FLAG, "Only with `mark_fallback_results`."),
            },
        },
        "Explanation": {
            "type": "object",
            "required": ["pins", "items"],
            "properties": {
                "pins": {
                    "type": "array",
                    "items": ref("PinExplained"),
                    "description": "Every pin that was met, highest in rank first.",
                },
                "items": {
                    "type": "array",
                    "items": ref("ItemExplained"),
                    "description": "Why each item is where it is.",
                },
            },
        },
        "PinExplained": {
            "type": "object",
            "required": [
                *(
                    "customization_id",
                    "pin",
                    "target_type",
                    "position",
                    "verdict",
                    "item",
                    "slot",
                    "because",
                )
            ],
            "properties": {
                "customization_id": {"type": "string", "format": "uuid"},
                "pin": described(COUNT, "Its index in `pin_definitions`."),
                "target_type": target_type("Of the customization."),
                "position": ref("Position"),
                "verdict": {
                    "type": "string",
                    "enum": [each.value for each in Verdict],
                    "description": "What became of it.",
                },
                "item": {
                    "type": ["string", "null"],
                    "description": "The item that it names or picked.",
                },
                "slot": {
                    "type": ["integer", "null"],
                    "minimum": 1,
                    "description": "Where that is shown.",
                },
                "because": {
                    "type": "string",
                    "description": "The reason, for people; may be empty.",
                },
            },
        },
        "ItemExplained": {
            "type": "object",
            "required": ["slot", "url", "from"],
            "properties": {
                "slot": {"type": "integer", "minimum": 1},
                "url": {"type": "string"},
                "from": {"type": "string", "enum": [each.value for each in Source]},
                "pin": described(COUNT, "From a pin: its index."),
                "customization_id": {
                    "type": "string",
                    "format": "uuid",
                    "description": "From a pin: whose.",
                },
                "place": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "From the ranking: its place there.",
                },
                "stage": {
                    "type": "string",
                    "description": "From ranking or fallback: the kind of strategy that gave it.",
                },
            },
        },
    }


def _optional_text(schema: Schema, description: str) -> Schema:
    return {**schema, "type": [*schema["type"], "null"], "description": description}
