"""
What is said to a recommender elsewhere, and how its answer is read.

    POST …  {"tracker": "1234-5678", "model": "basket", "user_id": null, "item_ids": ["/p/1"], "size": 50,
             "context": null}
    200     {"items": ["/p/7", "/p/9"]}, or the array alone; also of {"identity": "/p/7", "score": 0.9}
"""

from collections.abc import Sequence

import msgspec

from endcap.wire.placing import ranking_of
from endcap.wire.reading import UNREADABLE
from endcap.wire.recommending import Request

_encode = msgspec.json.encode


class Unreachable(Exception):
    """No answer came: no connection, or one that ended too early."""


class BadAnswer(ValueError):
    """The answer is no ranking; the message says why."""


def question_json(tracker: str, request: Request, *, size: int) -> bytes:
    """One object of a call as a question; `context` is as the call has it, in either spelling."""
    return _encode(
        {
            "tracker": tracker,
            "model": request.model,
            "user_id": request.user,
            "item_ids": request.items,
            "size": size,
            "context": request.context_sent,
        }
    )


def read_answer(body: bytes) -> Sequence[str]:
    """The identities, best first; beyond the bound of a ranking they are left out. Raises BadAnswer."""
    try:
        shape = msgspec.json.decode(body)
    except UNREADABLE as error:
        raise BadAnswer(f"not JSON: {error}") from error
    if isinstance(shape, dict):
        shape = shape.get("items")
    if not isinstance(shape, list):
        raise BadAnswer('neither an array nor {"items": […]}')
    try:
        return ranking_of(shape)
    except ValueError as error:
        raise BadAnswer(f"items: {error}") from error
