"""
The verbs about the past and about drafts: paths of Endcap's own, which the vendor's host does not have. See `_calls`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from endcap.client._calls import Call, headers_of, query_of, segment_of
from endcap.client._customization_calls import document
from endcap.client._reading import Answer, customization, decoded, etag, nothing
from endcap.client._values import Customization, Definition, Draft, Drafts, HistoryPage, Reversal


def history(
    tracker: str, id: str, *, limit: int | None = None, before: int | None = None
) -> Call[HistoryPage]:
    """Every change of a customization and of its draft, the newest first; go on with the page's `before`."""
    return Call(
        method="GET",
        path=_one(tracker, id, "history"),
        query=query_of(limit=limit, before=before),
        read=lambda answer: decoded(answer.body, HistoryPage),
    )


def restore_version(
    tracker: str, id: str, revision: int, *, if_match: str | None = None
) -> Call[Customization]:
    """Makes a customization what a revision left, be it deleted since. Raises VersionNotFound, RevisionConflict."""
    return Call(
        method="POST",
        path=_one(tracker, id, "restore"),
        headers=headers_of(If_Match=if_match),
        content=_encode({"revision": revision}),
        read=customization,
    )


def undo(
    tracker: str,
    *,
    revision: int | None = None,
    dry_run: bool = False,
    fingerprint: str | None = None,
) -> Call[Reversal]:
    """
    Takes back what one actor did at one instant: the last action, or that of a revision. Raises NothingToUndo;
    RevisionConflict where the fingerprint of a dry run is given and something else would be done by now.
    """
    return Call(
        method="POST",
        path=_of(tracker, "undo"),
        content=_encode({"revision": revision, "dry_run": dry_run, "fingerprint": fingerprint}),
        repeatable=False,
        read=lambda answer: decoded(answer.body, Reversal),
    )


def restore_tracker(
    tracker: str,
    *,
    at: str | None = None,
    revision: int | None = None,
    dry_run: bool = False,
    fingerprint: str | None = None,
) -> Call[Reversal]:
    """
    Makes all customizations what they were at a moment (ISO 8601) or a revision: all of them, or nothing. Raises
    RevisionConflict as `undo` does.
    """
    asked = {"at": at, "revision": revision, "dry_run": dry_run, "fingerprint": fingerprint}
    return Call(
        method="POST",
        path=_of(tracker, "restore"),
        content=_encode(asked),
        read=lambda answer: decoded(answer.body, Reversal),
    )


def drafts(tracker: str, *, limit: int = 25, page: int = 1) -> Call[Drafts]:
    """A page of drafts, those to be published first."""
    return Call(
        method="GET",
        path=_of(tracker, "drafts"),
        query=query_of(limit=limit, page=page),
        read=lambda answer: decoded(answer.body, Drafts),
    )


def create_draft(tracker: str, definition: Definition | Mapping[str, Any]) -> Call[Draft]:
    """Begins a customization as a draft, under the id that it will have."""
    return Call(
        method="POST",
        path=_of(tracker, "drafts"),
        content=document(definition),
        repeatable=False,
        read=_draft,
    )


def draft(tracker: str, id: str) -> Call[Draft]:
    """Raises DraftNotFound."""
    return Call(method="GET", path=_one(tracker, id, "draft"), read=_draft)


def save_draft(
    tracker: str,
    id: str,
    definition: Definition | Mapping[str, Any],
    *,
    base: int | None = None,
    if_match: str | None = None,
) -> Call[Draft]:
    """
    Keeps what a customization may become. `base` is the revision of what is published that its editor began with, 0 for
    none; `if_match` the tag of the draft that they have seen. Raises DraftConflict.
    """
    return Call(
        method="PUT",
        path=_one(tracker, id, "draft"),
        query=query_of(base=base),
        headers=headers_of(If_Match=if_match),
        content=document(definition),
        read=_draft,
    )


def discard_draft(tracker: str, id: str, *, if_match: str | None = None) -> Call[None]:
    """Raises DraftNotFound, DraftConflict."""
    return Call(
        method="DELETE",
        path=_one(tracker, id, "draft"),
        headers=headers_of(If_Match=if_match),
        read=nothing,
    )


def publish(
    tracker: str, id: str, *, over: int | None = None, if_match: str | None = None
) -> Call[Customization]:
    """
    Publishes a draft now. `over` is the revision of what is published that it may take the place of, though the draft
    was not made from it. Raises DraftNotFound, DraftConflict, PublishConflict.
    """
    return Call(
        method="POST",
        path=_one(tracker, id, "publish"),
        headers=headers_of(If_Match=if_match),
        content=_encode({} if over is None else {"over": over}),
        repeatable=False,
        read=customization,
    )


def publish_at(
    tracker: str, id: str, at: str | None, *, if_match: str | None = None
) -> Call[Draft]:
    """Has a draft published at a moment (ISO 8601), once; None: not by itself. Raises FaultyFields and as `publish`."""
    return Call(
        method="POST",
        path=_one(tracker, id, "publish"),
        headers=headers_of(If_Match=if_match),
        content=_encode({"at": at}),
        read=_draft,
    )


def unpublish(tracker: str, id: str, *, if_match: str | None = None) -> Call[Draft]:
    """It acts no more, and is kept as a draft. Raises CustomizationNotFound, RevisionConflict."""
    return Call(
        method="POST",
        path=_one(tracker, id, "unpublish"),
        headers=headers_of(If_Match=if_match),
        repeatable=False,
        read=_draft,
    )


_encode = msgspec.json.encode


def _of(tracker: str, what: str) -> str:
    return f"/api/trackers/{segment_of(tracker)}/{what}"


def _one(tracker: str, id: str, what: str) -> str:
    return _of(tracker, f"customizations/{segment_of(id)}/{what}")


def _draft(answer: Answer) -> Draft:
    return msgspec.structs.replace(decoded(answer.body, Draft), etag=etag(answer))
