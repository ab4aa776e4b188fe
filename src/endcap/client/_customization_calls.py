"""
The verbs about customizations. See `_calls`.
"""

from collections.abc import Generator, Mapping
from typing import Any, Literal

import msgspec

from endcap.client._calls import Call, Download, Several, headers_of, query_of, segment_of
from endcap.client._reading import (
    Answer,
    chunks,
    customization,
    customizations,
    decoded,
    etag,
    nothing,
    page,
)
from endcap.client._values import Criteria, Customization, Definition, Page, Summary

_encode = msgspec.json.encode


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
        headers=headers_of(Idempotency_Key=idempotency_key),
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
        headers=headers_of(If_None_Match=etag),
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
        headers=headers_of(If_Match=if_match),
        content=document(definition),
        read=etag,
    )


def delete(tracker: str, id: str, *, if_match: str | None = None) -> Call[None]:
    """Deletes a customization. With `if_match` only if nobody changed it; else raises RevisionConflict."""
    return Call(
        method="DELETE",
        path=_one(tracker, id),
        headers=headers_of(If_Match=if_match),
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
        query=query_of(
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
        query=query_of(
            model=model or (),
            tag=tag or (),
            target_type=target_type or (),
            target_identity=target_identity or (),
            remove_expired_pins="true" if remove_expired_pins else (),
            remove_nonexisting_item_pins="true" if remove_nonexisting_item_pins else (),
        ),
        headers=headers_of(Accept="application/x-ndjson, application/json;q=0.9"),
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
        headers=headers_of(Accept=_MEDIA_TYPES[format]),
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


def document(definition: Definition | Mapping[str, Any]) -> bytes:
    """A definition as a body. A customization is sent without what the server made."""
    if isinstance(definition, Mapping):
        return _encode(definition)
    said = {name: getattr(definition, name) for name in Definition.__struct_fields__}
    return _encode({name: value for name, value in said.items() if value is not None})


def _base(tracker: str) -> str:
    return f"/v1/recommender/pin/{segment_of(tracker)}"


def _one(tracker: str, id: str) -> str:
    return f"{_base(tracker)}/scope/{segment_of(id)}"
