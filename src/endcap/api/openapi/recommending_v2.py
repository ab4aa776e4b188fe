"""
Recommendations in the words of v2, made of those of v1.
"""

from typing import Any

from endcap.api.openapi import recommending
from endcap.api.openapi.recommending import GIVEN, SOME_TEXT, recommendation
from endcap.api.openapi.schema import Schema, described, ref
from endcap.wire.recommending import SIZE_MAX
from endcap.wire.recommending_v2 import V1_NAMES

_WISH = {
    "model": "basket",
    "widget_id": "basket-sidebar",
    "device_user_id": "7138",
    "identities": ["/p/123"],
    "size": 3,
}
_GIVEN: dict[str, Any] = {
    **{name: GIVEN[name] for name in ("generated_at", "model_version", "recommendation_id")},
    "model": "basket",
    "recommender": "basket",
    "widget_id": "basket-sidebar",
    "recommender_version": "b36705710",
    "user_id": "7138",
    "hits": [{"identity": "/p/555", **each} for each in GIVEN["hits"]],
}

OPERATIONS = recommendation(
    path="/v2/recommend",
    id="recommendV2",
    summary="Recommend, in the words of v2",
    description="Experimental. As `POST /v1/recommend`, under the names that customizations use with `identity` "
    "in every hit.",
    wish="RecommendRequestV2",
    wished=_WISH,
    answer="RecommendAnswerV2",
    given={"answer": [_GIVEN]},
    unknown={"model": ["Unknown recommender: no_such_model"]},
    faulty={"widget_id": ["Missing required field: widget_id (object 1)"]},
)


def shapes() -> dict[str, Schema]:
    """The same shapes under other names; those of v1 are taken too."""
    v1 = recommending.shapes()
    request, answer, hit = (v1[name] for name in ("RecommendRequest", "RecommendAnswer", "Hit"))
    asked, told = dict(request["properties"]), dict(answer["properties"])
    model, shopper = (asked.pop(V1_NAMES[name]) for name in ("model", "auth_user_id"))
    del asked[V1_NAMES["widget_id"]]
    wished = {
        "model": model,
        "widget_id": described(SOME_TEXT, "The widget, for pins that name one."),
        "auth_user_id": described(shopper, "The shopper, where they are signed in to the shop."),
        "device_user_id": described(shopper, "The shopper's device, where they are not."),
        "identities": asked.pop(V1_NAMES["identities"]),
        "blacklisted_identities": asked.pop(V1_NAMES["blacklisted_identities"]),
        **asked,
    }
    given = {name: told.pop(V1_NAMES[name]) for name in ("model", "widget_id")} | told
    given["hits"] = {"type": "array", "maxItems": SIZE_MAX, "items": ref("HitV2")}
    renamed = {V1_NAMES[name]: name for name in ("model", "widget_id")}
    identity: Schema = {"type": "string", "description": "The same as `url`."}
    return {
        "RecommendRequestV2": {
            **request,
            "description": "What one widget wishes to show. Unknown fields are ignored; those of v1 are taken, too.",
            "required": ["model", "widget_id"],
            "properties": wished,
        },
        "RecommendAnswerV2": {
            **answer,
            "required": [renamed.get(name, name) for name in answer["required"]],
            "properties": given,
        },
        "HitV2": {
            **hit,
            "required": ["identity", *hit["required"]],
            "properties": {"identity": identity, **hit["properties"]},
        },
    }
