"""
What the table of operations is made of: its rows, and the subjects that they are sorted by.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from endcap.api.openapi.schema import Schema
from endcap.errors import Problem

JSON = "application/json"


class Answer(Struct, frozen=True, kw_only=True):
    """One status that an operation answers with. `content` is media type → schema, `examples` name → value."""

    status: int
    description: str
    content: Mapping[str, Schema] = {}
    examples: Mapping[str, Any] = {}
    headers: Sequence[str] = ()
    links: Mapping[str, Schema] = {}


class Body(Struct, frozen=True, kw_only=True):
    schema: Schema
    examples: Mapping[str, Any]
    required: bool = True
    media: str = JSON


class Operation(Struct, frozen=True, kw_only=True):
    """
    One row of the table. `call` is what the shell example asks for: query string and options of curl; `shell` is the
    whole example where that does not do.
    """

    method: Literal["get", "put", "post", "patch", "delete", "options"]
    path: str
    id: str
    tag: str
    summary: str
    description: str
    signed: Literal["yes", "no", "for an explanation"] = "no"
    parameters: Sequence[Schema] = ()
    body: Body | None = None
    answers: Sequence[Answer]
    refusals: Sequence[Problem] = ()
    call: str = ""
    shell: str = ""


def unchanged(*headers: str) -> Answer:
    """What a GET with `If-None-Match` is answered."""
    return Answer(
        status=304,
        description="It is still what `If-None-Match` names. No body.",
        headers=("ETag", *headers),
    )


def preflight(operation: Operation, *, to: str, what: str) -> Operation:
    """What a browser asks before a page of another origin may use an operation."""
    return Operation(
        method="options",
        path=operation.path,
        id=f"preflight{operation.id[0].upper()}{operation.id[1:]}",
        tag=operation.tag,
        summary=f"Ask whether a browser may {to}",
        description=f"The browser's preflight of {what} from a page of another origin.",
        answers=(
            Answer(
                status=204,
                description="It may. No body.",
                headers=(
                    "Access-Control-Allow-Origin",
                    "Access-Control-Allow-Methods",
                    "Access-Control-Allow-Headers",
                    "Access-Control-Max-Age",
                ),
            ),
        ),
        call="-i",
    )


CUSTOMIZATIONS = "Customizations"
PAST = "History and drafts"
RECOMMENDATIONS = "Recommendations"
MODELS = "Models"
CATALOG = "Catalog"
EVENTS = "Events"
OPERATION = "Operation"

TAGS = {
    CUSTOMIZATIONS: "What merchandisers want: pins for a target, laid over what a recommender answers.",
    PAST: "What customizations were, having it back, and what they may become. Paths of this server's own.",
    RECOMMENDATIONS: "What a shop's pages ask for. Public, so that browsers may ask.",
    MODELS: "What each recommender does: strategy, settings, fallback. The reference names work without any of it.",
    CATALOG: "The items that can be recommended, with everything that criteria look at.",
    EVENTS: "What shoppers do, and what they bought in the past: recommenders learn from it.",
    OPERATION: "For operators and their machines. Public; shield these from the internet as you see fit.",
}
