"""
What to send and how to read the answer: every verb of the client, once, as a pure function from its arguments to a
`Call`. The shells turn each into a method, sync and async, with this signature (less the tracker) and this docstring.
"""

from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
from msgspec import Struct

from endcap.client._reading import (
    Answer,
    Parser,
    catalog_page,
    chunks,
    customization,
    customizations,
    decoded,
    etag,
    job_id,
    model_table,
    model_told,
    nothing,
    ok_count,
    page,
    problem_of,
    removed_count,
    retry_after_seconds,
    update_progress_of,
)
from endcap.client._values import (
    CatalogPage,
    Criteria,
    Customization,
    Definition,
    Model,
    Page,
    Placement,
    PlacementRequest,
    Recommendation,
    RecommendationRequest,
    Summary,
    UpdateProgress,
)
from endcap.domain import Micros

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Pairs = tuple[tuple[str, str], ...]
Several = str | Sequence[str]
"""One value or many, any of which may match."""

_encode = msgspec.json.encode


class Streamed(Protocol):
    """A body that is made while it is sent, each time anew."""

    def chunks(self) -> Iterator[bytes]: ...
    def awaited(self) -> AsyncIterator[bytes]: ...


class Outgoing(Struct, frozen=True, kw_only=True):
    """
    A request, before it is dated and signed. `understood` are statuses beside 2xx that are an answer; `upload` stands
    in the place of `content`.
    """

    method: str
    path: str
    query: Pairs = ()
    headers: Pairs = ()
    content: bytes | None = None
    upload: Streamed | None = None
    signed: bool = True
    repeatable: bool = True
    understood: tuple[int, ...] = ()

    def is_answered_by(self, status: int) -> bool:
        return 200 <= status < 300 or status in self.understood


class Call(Outgoing, Generic[T_co], frozen=True, kw_only=True):
    """A request, and how to read its answer."""

    read: Callable[[Answer], T_co]


class Download(Outgoing, Generic[T], frozen=True, kw_only=True):
    """A request, and how to read its answer while it arrives; the parser is chosen by the answer's headers."""

    parser: Callable[[Mapping[str, str]], Parser[T]]


class Paged(Protocol[T_co]):
    """An answer that is one page of many."""

    @property
    def results(self) -> tuple[T_co, ...]: ...


Walk = Generator[Call[Paged[T]], Any, None]
"""Asks for page after page; is sent each, of the kind it asked for, before it asks for the next."""

THROTTLED = 429
UNAVAILABLE = 503
RETRY_AFTER_SECONDS_MAX = 60  # a caller that can wait longer does better to plan for it


def pause_before_repeat(
    outgoing: Outgoing, answer: Answer, *, repeats: int, repeats_max: int, now: Micros
) -> int:
    """
    How many seconds to wait before sending again. Raises the answer's problem when that is not to be done.

    A 429 was not carried out. A 503 may have been, unknown to its server, so only what can be said twice is repeated.
    """
    again = answer.status == THROTTLED or (answer.status == UNAVAILABLE and outgoing.repeatable)
    asked = retry_after_seconds(answer, now=now)
    seconds = 2**repeats if asked is None else asked
    if not again or repeats >= repeats_max or seconds > RETRY_AFTER_SECONDS_MAX:
        raise problem_of(answer, now=now)
    return seconds


def create(
    tracker: str,
    definition: Definition | Mapping[str, Any],
    *,
    idempotency_key: str | None = None,
) -> Call[Customization]:
    """
    Creates a customization and returns it as stored.

    With an idempotency key a repetition within 24 hours returns the first answer instead of a second customization.
    """
    return Call(
        method="POST",
        path=f"{_base(tracker)}/scope",
        headers=_headers(Idempotency_Key=idempotency_key),
        content=document(definition),
        repeatable=idempotency_key is not None,
        read=customization,
    )


def get(tracker: str, id: str) -> Call[Customization]:
    """Reads one customization. Raises CustomizationNotFound."""
    return Call(method="GET", path=_one(tracker, id), read=customization)


def get_if_changed(tracker: str, id: str, etag: str) -> Call[Customization | None]:
    """Reads one customization, or None if it still is as `etag` says."""

    def read(answer: Answer) -> Customization | None:
        return None if answer.status == 304 else customization(answer)

    return Call(
        method="GET",
        path=_one(tracker, id),
        headers=_headers(If_None_Match=etag),
        understood=(304,),
        read=read,
    )


def replace(
    tracker: str,
    id: str,
    definition: Definition | Mapping[str, Any],
    *,
    if_match: str | None = None,
) -> Call[str | None]:
    """
    Replaces the whole definition of a customization and returns its new etag, if the server has any.

    With `if_match` only if nobody changed it since that etag was read; else raises RevisionConflict.
    """
    return Call(
        method="PUT",
        path=_one(tracker, id),
        headers=_headers(If_Match=if_match),
        content=document(definition),
        read=etag,
    )


def delete(tracker: str, id: str, *, if_match: str | None = None) -> Call[None]:
    """Deletes a customization. With `if_match` only if nobody changed it; else raises RevisionConflict."""
    return Call(
        method="DELETE",
        path=_one(tracker, id),
        headers=_headers(If_Match=if_match),
        read=nothing,
    )


def list_page(
    tracker: str,
    *,
    model: Several = (),
    tag: Several = (),
    target_type: Several = (),
    target_identity: Several = (),
    criteria: Criteria | None = None,
    sort: Several = (),
    limit: int | None = None,
    offset: int | None = None,
) -> Call[Page]:
    """
    One page of the customizations that match every filter given; of several values any may match.

    `criteria` are rules over a customization's own attributes; `sort` is e.g. `created_at:desc`, the default.
    """
    return Call(
        method="POST",
        path=f"{_base(tracker)}/scopes",
        query=_query(
            model=model,
            tag=tag,
            target_type=target_type,
            target_identity=target_identity,
            sort=sort,
            limit=limit,
            offset=offset,
        ),
        content=_encode({} if criteria is None else {"criteria": criteria}),
        read=page,
    )


def every_page(
    tracker: str,
    *,
    model: Several = (),
    tag: Several = (),
    target_type: Several = (),
    target_identity: Several = (),
    criteria: Criteria | None = None,
    sort: Several = "created_at:asc",
    page_size: int = 100,
) -> Generator[Call[Page], Page, None]:
    """
    Every customization that matches, page by page; filters as in `list`.

    Oldest first unless told otherwise, so that one created meanwhile comes last and moves no other to another page.
    One deleted meanwhile may hide another; `export` reads them all at once.
    """
    offset = 0
    while True:
        page = yield list_page(
            tracker,
            model=model,
            tag=tag,
            target_type=target_type,
            target_identity=target_identity,
            criteria=criteria,
            sort=sort,
            limit=page_size,
            offset=offset,
        )
        offset += len(page.results)  # the server may have capped the limit
        if not page.results or offset >= page.total:
            return


ExportFormat = Literal["json", "ndjson", "csv"]
_MEDIA_TYPES: Mapping[ExportFormat, str] = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
}


def export(
    tracker: str,
    *,
    model: str | None = None,
    tag: str | None = None,
    target_type: str | None = None,
    target_identity: str | None = None,
    remove_expired_pins: bool = False,
    remove_nonexisting_item_pins: bool = False,
) -> Download[Customization]:
    """Every customization that matches, each as soon as it arrives, oldest first."""
    return Download(
        method="POST",
        path=f"{_base(tracker)}/scopes/export",
        query=_query(
            model=model or (),
            tag=tag or (),
            target_type=target_type or (),
            target_identity=target_identity or (),
            remove_expired_pins="true" if remove_expired_pins else (),
            remove_nonexisting_item_pins="true" if remove_nonexisting_item_pins else (),
        ),
        headers=_headers(Accept="application/x-ndjson, application/json;q=0.9"),
        content=b"{}",
        parser=customizations,
    )


def export_as(
    tracker: str,
    format: ExportFormat,
    *,
    model: str | None = None,
    tag: str | None = None,
    target_type: str | None = None,
    target_identity: str | None = None,
    remove_expired_pins: bool = False,
    remove_nonexisting_item_pins: bool = False,
) -> Download[bytes]:
    """The bytes of an export, in chunks as they arrive: for files and pipes."""
    parsed = export(
        tracker,
        model=model,
        tag=tag,
        target_type=target_type,
        target_identity=target_identity,
        remove_expired_pins=remove_expired_pins,
        remove_nonexisting_item_pins=remove_nonexisting_item_pins,
    )
    return Download(
        method=parsed.method,
        path=parsed.path,
        query=parsed.query,
        headers=_headers(Accept=_MEDIA_TYPES[format]),
        content=parsed.content,
        parser=chunks,
    )


def summary(tracker: str) -> Call[Summary]:
    """How many customizations each recommender has, and every tag in use."""
    return Call(
        method="GET",
        path=f"{_base(tracker)}/summary",
        read=lambda answer: decoded(answer.body, Summary),
    )


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
    explained = _query(explain="true") if explain else ()
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
    unexplained = () if explain else _query(explain="false")
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
        headers=_headers(If_Match=if_match),
        content=_encode(document),
        read=model_told,
    )


def delete_model(tracker: str, name: str, *, if_match: str | None = None) -> Call[None]:
    """Takes a name out of the tracker's table: it means again what it means by itself. Endcap only."""
    return Call(
        method="DELETE",
        path=_model(tracker, name),
        headers=_headers(If_Match=if_match),
        read=nothing,
    )


Objects = Sequence[Mapping[str, Any]]


def put_objects(tracker: str, objects: Objects) -> Call[int]:
    """
    Stores whole catalog objects, each in the place of what had its identity, and returns how many.

    Raises CatalogFaults if some were not stored; the others were, and the problem tells which are which.
    """
    return _content("POST", objects)


def patch_objects(tracker: str, objects: Objects) -> Call[int]:
    """
    Merges fields into catalog objects, at most 300, and returns how many.

    Raises CatalogFaults if some were not stored, as objects that are not in the catalog.
    """
    return _content("PATCH", objects)


def delete_objects(tracker: str, objects: Objects) -> Call[int]:
    """Takes objects out of the catalog; of each only type and identity are sent. Raises CatalogFaults."""
    names = ("type", "identity", "url")
    return _content(
        "DELETE", [{name: each[name] for name in names if name in each} for each in objects]
    )


def commit_generation(tracker: str, type: str, generation: str) -> Call[int]:
    """
    Takes the objects of a type out of the catalog that are of another generation, or of none, and returns how many.

    Raises CatalogFaults if no object of the type is of the generation. The vendor does not say how many went: 0 there.
    """
    return Call(
        method="POST",
        path="/v1/content/commit",
        query=_query(type=type, generation=generation),
        read=removed_count,
    )


def update_by_query(
    tracker: str,
    types: Several,
    search: Mapping[str, Any],
    update: Mapping[str, Any],
) -> Call[int]:
    """
    Has `update`'s fields set in all objects of some types whose fields are as `search` says, in the background.

    Returns the job's number, for `update_progress`. Raises CatalogFaults.
    """
    wanted = {"types": [types] if isinstance(types, str) else types, "partial": {"fields": search}}
    return Call(
        method="PATCH",
        path="/v1/update_by_query",
        content=_encode({"search": wanted, "update": {"fields": update}}),
        repeatable=False,
        read=job_id,
    )


def update_progress(tracker: str, job_id: int) -> Call[UpdateProgress]:
    """How an update by query goes on. Raises JobNotFound."""
    return Call(
        method="GET",
        path="/v1/update_by_query",
        query=_query(job_id=job_id),
        read=update_progress_of,
    )


def export_page(
    tracker: str,
    *,
    requested_types: Several = (),
    hit_fields: Several = (),
    size: int | None = None,
    link: str | None = None,
) -> Call[CatalogPage]:
    """
    One page of the whole catalog, 300 objects unless `size` says otherwise, at most 500.

    With the `next_link` of a page, the one behind it. Raises FaultyFields for one that has expired.
    """
    query = _query(
        requested_types=_with_commas(requested_types),
        hit_fields=_with_commas(hit_fields),
        size=size,
    )
    if (
        link is not None
    ):  # of this host, whatever name it gives itself: what is signed goes nowhere else
        query = tuple(parse_qsl(urlsplit(link).query, keep_blank_values=True))
    return Call(method="GET", path="/v1/content_export", query=query, read=catalog_page)


def export_catalog(
    tracker: str,
    *,
    requested_types: Several = (),
    hit_fields: Several = (),
    size: int | None = None,
) -> Generator[Call[CatalogPage], CatalogPage, None]:
    """
    Every object of the catalog, page by page; only of some types, and only some of their attributes, if asked.

    An object that stays in the catalog meanwhile comes exactly once. Raises FaultyFields if so much time passes between
    two pages that the link has expired.
    """
    page = yield export_page(
        tracker, requested_types=requested_types, hit_fields=hit_fields, size=size
    )
    while page.next_link is not None:
        page = yield export_page(tracker, link=page.next_link)


def health(tracker: str) -> Call[bool]:
    """Whether the process answers. Endcap only."""
    return Call(method="GET", path="/healthz", signed=False, read=lambda answer: True)


def ready(tracker: str) -> Call[bool]:
    """Whether the process has every rule in memory. Endcap only."""
    return Call(
        method="GET",
        path="/readyz",
        signed=False,
        understood=(UNAVAILABLE,),
        read=lambda answer: answer.status != UNAVAILABLE,
    )


def _content(method: str, objects: Objects) -> Call[int]:
    return Call(
        method=method, path="/v1/content", content=_encode({"objects": objects}), read=ok_count
    )


def _base(tracker: str) -> str:
    return f"/v1/recommender/pin/{_segment(tracker)}"


def _one(tracker: str, id: str) -> str:
    return f"{_base(tracker)}/scope/{_segment(id)}"


def _models(tracker: str) -> str:
    return f"/api/trackers/{_segment(tracker)}/models"


def _model(tracker: str, name: str) -> str:
    return f"{_models(tracker)}/{_segment(name)}"


def _segment(text: str) -> str:
    """A text as one segment of a path; dots alone would be taken for steps up the path."""
    return text.replace(".", "%2E") if text in (".", "..") else quote(text, safe="")


def _query(**parameters: Several | int | None) -> Pairs:
    """Repeated by plain key, as the wire has it; what was not given is not sent."""
    pairs: list[tuple[str, str]] = []
    for name, value in parameters.items():
        if value is None:
            continue
        values = [str(value)] if isinstance(value, str | int) else value
        pairs.extend((name, each) for each in values)
    return tuple(pairs)


def _with_commas(names: Several) -> Several:
    return names if isinstance(names, str) or not names else ",".join(names)


def _headers(**headers: str | None) -> Pairs:
    return tuple(
        (name.replace("_", "-"), value) for name, value in headers.items() if value is not None
    )


def document(definition: Definition | Mapping[str, Any]) -> bytes:
    """A definition as a body. A customization is sent without what the server made."""
    if isinstance(definition, Mapping):
        return _encode(definition)
    said = {name: getattr(definition, name) for name in Definition.__struct_fields__}
    return _encode({name: value for name, value in said.items() if value is not None})
