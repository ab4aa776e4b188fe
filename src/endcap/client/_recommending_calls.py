"""
The verbs about recommendations, the server's or the caller's own, and about the models that give them. See
`_calls`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from endcap.client._calls import Call, headers_of, query_of, segment_of
from endcap.client._reading import decoded, model_table, model_told, nothing
from endcap.client._values import (
    Model,
    Placement,
    PlacementRequest,
    Recommendation,
    RecommendationRequest,
)

_encode = msgspec.json.encode


def recommend(
    tracker: str,
    requests: Sequence[RecommendationRequest | Mapping[str, Any]],
    *,
    explain: bool = False,
) -> Call[tuple[Recommendation, ...]]:
    """
    Recommendations for the widgets of one page, in the order asked for; no object appears twice on the page.

    With `explain` each comes with the verdict of every pin; such a call is signed, others are public.
    """
    explained = query_of(explain="true") if explain else ()
    return Call(
        method="POST",
        path="/v1/recommend",
        query=(("tracker_id", tracker), *explained),
        content=_encode(requests),
        signed=explain,
        read=lambda answer: decoded(answer.body, tuple[Recommendation, ...]),
    )


def place(
    tracker: str,
    requests: Sequence[PlacementRequest | Mapping[str, Any]],
    *,
    explain: bool = True,
) -> Call[tuple[Placement, ...]]:
    """
    The caller's own rankings for the widgets of one page, with the customizations applied. Endcap only.

    Each comes with the verdict of every pin, unless told otherwise. No object appears twice on the page.
    """
    unexplained = () if explain else query_of(explain="false")
    return Call(
        method="POST",
        path="/api/place",
        query=(("tracker_id", tracker), *unexplained),
        content=_encode(requests),
        read=lambda answer: decoded(answer.body, tuple[Placement, ...]),
    )


def models(tracker: str) -> Call[tuple[Model, ...]]:
    """What every recommender's name means, the tracker's own and the reference's. Endcap only."""
    return Call(method="GET", path=_models(tracker), read=model_table)


def model(tracker: str, name: str) -> Call[Model]:
    """What one name means, with every setting. Raises RecommenderNotFound. Endcap only."""
    return Call(method="GET", path=_model(tracker, name), read=model_told)


def put_model(
    tracker: str, name: str, document: str | Mapping[str, Any], *, if_match: str | None = None
) -> Call[Model]:
    """
    Sets what a name means; a document may be a kind of strategy alone. Endcap only.

    With `if_match` only if nobody changed it since that etag was read (`"0"`: nobody had set it); else raises
    RevisionConflict.
    """
    return Call(
        method="PUT",
        path=_model(tracker, name),
        headers=headers_of(If_Match=if_match),
        content=_encode(document),
        read=model_told,
    )


def delete_model(tracker: str, name: str, *, if_match: str | None = None) -> Call[None]:
    """Takes a name out of the tracker's table: it means again what it means by itself. Endcap only."""
    return Call(
        method="DELETE",
        path=_model(tracker, name),
        headers=headers_of(If_Match=if_match),
        read=nothing,
    )


def _models(tracker: str) -> str:
    return f"/api/trackers/{segment_of(tracker)}/models"


def _model(tracker: str, name: str) -> str:
    return f"{_models(tracker)}/{segment_of(name)}"
