"""
The verbs about the catalog. See `_calls`.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from endcap.client._calls import Call, Several, query_of
from endcap.client._reading import (
    catalog_page,
    job_id,
    ok_count,
    removed_count,
    update_progress_of,
)
from endcap.client._values import CatalogPage, UpdateProgress

_encode = msgspec.json.encode
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
        query=query_of(type=type, generation=generation),
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
        query=query_of(job_id=job_id),
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
    query = query_of(
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


def _content(method: str, objects: Objects) -> Call[int]:
    return Call(
        method=method, path="/v1/content", content=_encode({"objects": objects}), read=ok_count
    )


def _with_commas(names: Several) -> Several:
    return names if isinstance(names, str) or not names else ",".join(names)
