"""
Strategies whose rankings are made elsewhere: by a service that is asked over HTTP before a page is placed, or by a
pipeline that writes a file now and then.

A strategy does no I/O. Who asks (`api.asking`) puts the answer into the query, who reads files (`list_watch`) puts them
into the knowledge, and the strategy makes item numbers of either; where there is nothing it has nothing to say, and
what follows it in the model fills the page.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from endcap.recommend.artifact import user_digest
from endcap.recommend.knowledge import Knowledge
from endcap.recommend.neighbour_list import item_digest
from endcap.recommend.strategies.common import SPARE, Query, allowed_in

TIMEOUT_MS_MAX = 5_000
COUNT_MAX = 1_000  # what a ranking may hold

_Seconds = Annotated[float, Meta(ge=0.1, le=3_600)]


class External(Struct, frozen=True, tag="external", tag_field="kind", omit_defaults=True):
    """
    What a service of the shop's own answers to an HTTP request, within a bound. One that fails is left alone for a
    while.
    """

    url: Annotated[
        Annotated[str, Meta(min_length=1, max_length=2_000)],
        Meta(description="Where to `POST` the question, on a host that the operator allows."),
    ]
    timeout_ms: Annotated[
        Annotated[int, Meta(ge=1, le=TIMEOUT_MS_MAX)],
        Meta(description="How long a page may wait for it, connecting included."),
    ] = 100
    count: Annotated[
        Annotated[int, Meta(ge=1, le=COUNT_MAX)],
        Meta(description="How many items to ask for, or the page's size if that is more."),
    ] = 50
    headers: Annotated[
        Annotated[Mapping[str, Annotated[str, Meta(max_length=2_000)]], Meta(max_length=20)],
        Meta(
            description="Sent along. `${RECOMMENDER_TOKEN}` stands for the environment variable of that name."
        ),
    ] = {}
    failures: Annotated[
        Annotated[int, Meta(ge=1, le=1_000)],
        Meta(
            description="So many failures in a window, and half of its questions at least, and it is left alone."
        ),
    ] = 5
    window_seconds: Annotated[_Seconds, Meta(description="How long a window is.")] = 10.0
    open_seconds: Annotated[
        _Seconds, Meta(description="How long it is left alone before one question tries again.")
    ] = 5.0

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        numbers = query.catalog.numbers_of(query.brought)
        return list(dict.fromkeys(number for number in numbers if number is not None))


class Listed(Struct, frozen=True, tag="neighbour_list", tag_field="kind", omit_defaults=True):
    """
    What a file of somebody else's lists for the input items, or for the user; of several items the scores are added up.
    """

    list: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,100}$")],
        Meta(
            description="Its name: of a file in `neighbours/TRACKER/` of the data directory, or as it was imported."
        ),
    ]
    columns: Annotated[
        Annotated[Mapping[str, str], Meta(max_length=4)],
        Meta(
            description="What the file calls `item`, `neighbour`, `user` and `score`, where not that."
        ),
    ] = {}

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        found = knowledge.lists.get(self.list)
        if found is None:
            return ()
        if found.source.kind == "users":
            keys = [] if query.user is None else [user_digest(query.user)]
        else:
            keys = [item_digest(query.catalog.identity(item)) for item in query.items]
        if not keys:
            return ()
        allowed, inputs = allowed_in(query, knowledge), set(query.items)
        ranked = [
            number
            for number in found.ranked_for(keys)
            if number in allowed and number not in inputs
        ]
        return ranked[: query.count + SPARE]
