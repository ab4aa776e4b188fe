"""
Models in the API's description: what each name means, and the strategies, whose shapes are made of the very strategies.
"""

from typing import Any

import msgspec

from endcap.api.openapi.parameters import IF_MATCH, IF_NONE_MATCH, SEEN_REVISION, TRACKER_ID
from endcap.api.openapi.refusals import BODY, SEEN, TRACKED
from endcap.api.openapi.schema import COUNT, STAMP, Schema, described, optional, ref
from endcap.api.openapi.table import JSON, MODELS, Answer, Body, Operation, unchanged
from endcap.domain import MODEL_CHARACTERS_MAX
from endcap.errors import FaultyFields, RecommenderNotFound, RevisionConflict
from endcap.modelling import one_told
from endcap.recommend.rerank import Personal, Variety
from endcap.recommend.table import FALLBACKS_MAX, INVALID, KINDS

BASE = "/api/trackers/{tracker_id}/models"
NAME: Schema = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "The model's name, percent-encoded. No slash, no control characters, no spaces around it.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MODEL_CHARACTERS_MAX},
    "example": "basket",
}
SENT = {
    "strategy": {"kind": "bought_together", "cheaper": 0.1},
    "fallback": ["bought_with_similar", {"kind": "popular", "span": "recent"}],
    "variety": {"by": "category", "most": 3},
    "personal": False,
}
TOLD: dict[str, Any] = msgspec.to_builtins(one_told({}, "basket"))
UNKNOWN = RecommenderNotFound(details={"model": ["Unknown recommender: no_such_model"]})
CHANGED = RevisionConflict("The model was changed by someone else since you read it")

OPERATIONS = (
    Operation(
        method="get",
        path=BASE,
        id="listModels",
        tag=MODELS,
        summary="List models",
        description="What every name means, the tracker's own and the reference's.",
        signed="yes",
        parameters=(TRACKER_ID, SEEN_REVISION),
        answers=(
            Answer(
                status=200,
                description="All of them, by name.",
                content={JSON: ref("ModelTable")},
                examples={"table": {"models": [TOLD]}},
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(*TRACKED, *SEEN),
    ),
    Operation(
        method="get",
        path=f"{BASE}/{{name}}",
        id="getModel",
        tag=MODELS,
        summary="Get a model",
        description="What one name means, with every setting.",
        signed="yes",
        parameters=(
            TRACKER_ID,
            NAME,
            IF_NONE_MATCH,
            SEEN_REVISION,
        ),
        answers=(
            Answer(
                status=200,
                description="The model.",
                content={JSON: ref("ModelShown")},
                examples={"reference": TOLD},
                headers=("ETag", "Endcap-Revision"),
            ),
            unchanged("Endcap-Revision"),
        ),
        refusals=(*TRACKED, *SEEN, UNKNOWN),
    ),
    Operation(
        method="put",
        path=f"{BASE}/{{name}}",
        id="putModel",
        tag=MODELS,
        summary="Set a model",
        description="Says what a name means from the very next recommendation on, over the reference or as a name of "
        "your own. What is left out has its default. With the `ETag` that was read as `If-Match` nothing of somebody "
        'else\'s is overwritten; `"0"` is the tag of a name that nobody has set.',
        signed="yes",
        parameters=(TRACKER_ID, NAME, IF_MATCH),
        body=Body(schema=ref("Model"), examples={"settings": SENT, "kind": "popular"}),
        answers=(
            Answer(
                status=200,
                description="The model as it is now.",
                content={JSON: ref("ModelShown")},
                examples={"set": {**TOLD, "origin": "own", "revision": 1042}},
                headers=("ETag", "Endcap-Revision"),
            ),
        ),
        refusals=(
            *BODY,
            *TRACKED,
            CHANGED,
            FaultyFields(INVALID, {"strategy.cheaper": ["Must be a number from -2 to 2"]}),
        ),
    ),
    Operation(
        method="delete",
        path=f"{BASE}/{{name}}",
        id="deleteModel",
        tag=MODELS,
        summary="Unset a model",
        description="Takes a name out of the tracker's table: it means again what it means by itself, or nothing.",
        signed="yes",
        parameters=(TRACKER_ID, NAME, IF_MATCH),
        answers=(Answer(status=204, description="Unset. No body.", headers=("Endcap-Revision",)),),
        refusals=(
            *TRACKED,
            RecommenderNotFound(details={"model": ["Not in the table: basket"]}),
            CHANGED,
        ),
    ),
    Operation(
        method="get",
        path="/api/strategies",
        id="listStrategies",
        tag=MODELS,
        summary="List strategies",
        description="Every kind of strategy with its settings, what each takes and does: for forms and for people.",
        answers=(
            Answer(
                status=200,
                description="The strategies, and the other parts of a model.",
                content={JSON: ref("Strategies")},
            ),
        ),
    ),
)


def shapes() -> dict[str, Schema]:
    """The shapes of models, strategy by strategy."""
    refs, parts = msgspec.json.schema_components(
        [*KINDS.values(), Variety, Personal], ref_template="#/components/schemas/{name}"
    )
    parts = msgspec.json.decode(
        msgspec.json.encode(parts)
    )  # a default that is a tuple is a list in JSON
    strategies = list(refs)[: len(KINDS)]
    strategy: Schema = {
        "description": "A strategy with its settings; one without settings may be its kind alone.",
        "anyOf": [{"type": "string", "enum": list(KINDS)}, *strategies],
    }
    switch: Schema = {"type": ["boolean", "null"]}
    document: Schema = {
        "type": "object",
        "required": ["strategy"],
        "properties": {
            "strategy": strategy,
            "fallback": optional(
                {"type": "array", "maxItems": FALLBACKS_MAX, "items": strategy},
                "What goes on where the strategy's ranking ends, in this order; then everything by popularity.",
            ),
            "variety": {
                "description": "What keeps the first places from being all of one kind; false or null: nothing.",
                "anyOf": [ref("Variety"), switch],
            },
            "personal": {
                "description": "How the ranking is fitted to shoppers who consented; false or null: never.",
                "anyOf": [ref("Personal"), switch],
            },
        },
    }
    part = _part()
    return {
        "Model": {
            "description": "What a name means.",
            "anyOf": [{"type": "string", "enum": list(KINDS)}, document],
        },
        "ModelShown": {
            "type": "object",
            "required": ["name", "origin", "model", "updated_at", "revision"],
            "properties": {
                "name": {"type": "string"},
                "origin": {
                    "type": "string",
                    "enum": ["own", "reference"],
                    "description": "Whose word holds: the tracker's table, or what the name means by itself.",
                },
                "model": document,
                "updated_at": {**STAMP, "type": ["string", "null"]},
                "revision": described(COUNT, "That last set it; 0 of the reference."),
            },
        },
        "ModelTable": {
            "type": "object",
            "required": ["models"],
            "properties": {"models": {"type": "array", "items": ref("ModelShown")}},
        },
        "Strategies": {
            "type": "object",
            "required": ["strategies", "variety", "personal"],
            "properties": {
                "strategies": {"type": "array", "items": part},
                "variety": part,
                "personal": part,
            },
        },
        **parts,
    }


def _part() -> Schema:
    text: Schema = {"type": "string"}
    setting: Schema = {
        "type": "object",
        "required": ["name", "takes", "default", "does"],
        "properties": {
            "name": text,
            "takes": {**text, "description": "Such as `a number from 0 to 2`."},
            "default": {"type": ["string", "null"], "description": "As JSON; null: required."},
            "does": text,
        },
    }
    return {
        "type": "object",
        "required": ["kind", "does", "settings"],
        "properties": {
            "kind": text,
            "does": text,
            "settings": {"type": "array", "items": setting},
        },
    }
