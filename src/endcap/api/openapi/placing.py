"""
Placing the caller's own rankings in the API's description: recommending, with a ranking in the question.
"""

from endcap.api.openapi import recommending
from endcap.api.openapi.parameters import TRACKER, query
from endcap.api.openapi.recommending import EXPLAINED, FOR_TRACKER, GIVEN, page_of
from endcap.api.openapi.refusals import BAD_QUERY, NOT_JSON_TYPE, SEEN, TOO_LARGE, TRACKED
from endcap.api.openapi.schema import FLAG, MODEL, WIDGET, Schema, described, optional, ref
from endcap.api.openapi.table import JSON, RECOMMENDATIONS, Answer, Body, Operation
from endcap.errors import FaultyFields, MalformedBody
from endcap.wire.placing import INVALID, RANKING_MAX, SIZE_MAX
from endcap.wire.recommending import OBJECTS_MAX, SIZE_DEFAULT

_PARAMETERS = (
    *FOR_TRACKER,
    query(
        "explain", {**FLAG, "default": True}, "Whether each object tells why all is where it is."
    ),
)
_BODY: Schema = {"anyOf": [ref("PlacementRequest"), page_of("PlacementRequest")]}
_RANKED = {
    "model": "basket",
    "widget_id": "basket-sidebar",
    "item_ids": ["/p/123"],
    "size": 2,
    "hit_fields": ["title", "brand", "price"],
    "ranking": ["/p/124", "/p/gone", "/p/555"],
}
_SCORED = {
    "model": "basket",
    "item_ids": ["/p/123"],
    "ranking": [{"identity": "/p/555", "score": 0.71}, {"identity": "/p/124", "score": 0.93}],
    "fill": True,
}
_PLACED = {
    **EXPLAINED,
    "hits": [
        *GIVEN["hits"],
        {
            "url": "/p/124",
            "type": "item",
            "attributes": {"title": "Les Paul", "brand": ["Gibson"], "price": "999,00 €"},
            "nested": [],
            "exact": True,
        },
    ],
    "explanation": {
        "pins": EXPLAINED["explanation"]["pins"],
        "items": [
            *EXPLAINED["explanation"]["items"],
            {"slot": 2, "url": "/p/124", "from": "ranking", "place": 1},
        ],
    },
    "not_in_catalog": ["/p/gone"],
}

OPERATIONS = (
    Operation(
        method="post",
        path="/api/place",
        id="place",
        tag=RECOMMENDATIONS,
        summary="Place a ranking of your own",
        description=f"For a shop that has a recommender already. Takes your ranking, or up to {OBJECTS_MAX} for one "
        "page, and answers it with the customizations applied, each pin and item explained. What is not in the catalog "
        "is told, and not shown. Always an array, for one object as well.",
        signed="yes",
        parameters=_PARAMETERS,
        body=Body(schema=_BODY, examples={"one": _RANKED, "page": [_SCORED]}),
        answers=(
            Answer(
                status=200,
                description="One object for each ranking, in the same order.",
                content={JSON: {"type": "array", "items": ref("PlacementAnswer")}},
                examples={"placed": [_PLACED]},
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(
            MalformedBody(
                details={"body": ["Must be a JSON object with a ranking, or an array of them"]}
            ),
            TOO_LARGE,
            NOT_JSON_TYPE,
            BAD_QUERY,
            *TRACKED,
            *SEEN,
            FaultyFields(
                INVALID,
                {"ranking": ["Either all have a score or none (object 0)"]},
            ),
        ),
        call=f"?tracker_id={TRACKER}",
    ),
)


def shapes() -> dict[str, Schema]:
    """The shapes of a recommendation, with a ranking asked with and what of it is missing answered."""
    v1 = recommending.shapes()
    request, answer = v1["RecommendRequest"], v1["RecommendAnswer"]
    identity: Schema = {"type": ["string", "integer"]}
    widgets = ("recommender_client_identifier", "widget_id")
    wished = {
        **request["properties"],
        "recommendation_type": optional(
            MODEL,
            "The model whose customizations apply. Any name: no recommender needs to have it.",
        ),
        "model": optional(MODEL, "The same in the words of customizations."),
        "widget_id": optional(WIDGET, "As `recommender_client_identifier`."),
        "ranking": {
            "anyOf": [
                {"type": "array", "maxItems": RANKING_MAX, "items": items}
                for items in ({"anyOf": [identity, ref("RankedItem")]}, ref("ScoredItem"))
            ],
            "description": "Your ranking, best first; with scores, the highest first. Of an item that is named again "
            "the first place counts.",
            "examples": [["/p/124", "/p/125"]],
        },
        "size": optional(
            {
                "type": "integer",
                "minimum": 1,
                "maximum": SIZE_MAX,
                "default": SIZE_DEFAULT,
            },
            f"How many hits: {SIZE_DEFAULT} unless told.",
        ),
        "fill": optional(
            FLAG,
            "Go on with what the server would recommend where the ranking ends; without it the answer ends there.",
        ),
    }
    given = {
        **answer["properties"],
        "recommender": {"type": "string", "description": "The model as asked."},
        "hits": {"type": "array", "maxItems": SIZE_MAX, "items": ref("Hit")},
        "explanation": described(ref("Explanation"), "Unless it was asked to leave it out."),
        "not_in_catalog": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What of the ranking the catalog lacks, and so nobody can be shown.",
        },
    }
    return {
        "PlacementRequest": {
            "type": "object",
            "description": "What one widget wishes to show, as you ranked it. Unknown fields are ignored.",
            "required": ["ranking"],
            "oneOf": [
                {"required": [name], "properties": {name: {"type": "string"}}}
                for name in ("recommendation_type", "model")
            ],
            "not": {
                "required": [*widgets],
                "properties": {name: {"not": {"type": "null"}} for name in widgets},
            },
            "properties": wished,
        },
        "RankedItem": {
            "type": "object",
            "required": ["identity"],
            "properties": {"identity": identity, "score": {"type": "null"}},
        },
        "ScoredItem": {
            "type": "object",
            "description": "All items of a ranking have a score, or none.",
            "required": ["identity", "score"],
            "properties": {"identity": identity, "score": {"type": "number"}},
        },
        "PlacementAnswer": {
            "type": "object",
            "required": [*answer["required"], "not_in_catalog"],
            "properties": given,
        },
    }
