"""
History, undoing and drafts on the wire: our own paths, under /api, in the words of this server.

Bodies are small and typed; answers tell moments in seconds, and versions as a GET of the customization tells them, less
what the server says of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from endcap.domain import CustomizationId, Draft, Micros
from endcap.errors import FaultyFields, MalformedBody
from endcap.wire.reading import UNREADABLE, instant, seconds_text
from endcap.wire.versions import read_draft, without_origin

T = TypeVar("T")
STEPS_TOLD_MAX = 1_000
_encode = msgspec.json.encode


_Revision = Annotated[int, Meta(ge=0, le=10**18 - 1)]  # fits wherever a database may keep it


class RestoreVersion(Struct, forbid_unknown_fields=True):
    revision: _Revision


class UndoAction(Struct, forbid_unknown_fields=True):
    """`revision`: of the action; None: the last."""

    revision: _Revision | None = None
    dry_run: bool = False
    fingerprint: str | None = None


class RestoreMoment(Struct, forbid_unknown_fields=True):
    """Exactly one of `at` and `revision`."""

    at: str | None = None
    revision: _Revision | None = None
    dry_run: bool = False
    fingerprint: str | None = None


class PublishAsked(Struct, forbid_unknown_fields=True):
    """`at`: an ISO 8601 moment; None: not by itself any more; left out: now."""

    at: str | UnsetType | None = UNSET
    over: _Revision | None = None


def read(body: bytes, kind: type[T]) -> T:
    """Nothing stands for `{}`. Raises MalformedBody, FaultyFields."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise FaultyFields("Invalid request provided", {"body": [str(error)]}) from error
    except UNREADABLE as error:
        raise MalformedBody(details={"body": [f"Must be a JSON object: {error}"]}) from error


def read_moment(text: str, name: str) -> Micros:
    """Raises FaultyFields."""
    at = instant(text)
    if at is None:
        told = f"Must be an ISO 8601 moment, e.g. 2026-11-27T08:00:00Z, not {text}"
        raise FaultyFields("Invalid request provided", {name: [told]})
    return at


class LineShown(Struct, frozen=True):
    """A line of the log. `version` is what it left; None: nothing, or nothing that can be read."""

    revision: int
    kind: str
    subject: str
    action: str
    actor: str
    at: str
    version: Raw | None = None


def line_shown(
    revision: int,
    kind: str,
    subject: str,
    action: str,
    actor: str,
    at: Micros,
    new: bytes | None,
) -> LineShown:
    version = None
    if new is not None:
        version = _readable(
            read_draft(CustomizationId(subject), new).document
            if kind == "draft"
            else without_origin(new)
        )
    return LineShown(revision, kind, subject, action, actor, seconds_text(at), version)


def history_json(lines: Iterable[LineShown], before: int | None) -> bytes:
    """`before` is where the next page begins; None: there is none."""
    return _encode({"results": list(lines), "before": before})


def reversal_json(
    *,
    dry_run: bool,
    counts: Mapping[str, int],
    changes: Sequence[Mapping[str, str]],
    skipped: Mapping[CustomizationId, str],
    fingerprint: str,
    of: Mapping[str, Any],
    revision: int | None,
) -> bytes:
    """What was, or would be, done; of the changes one by one at most STEPS_TOLD_MAX are handed over."""
    return _encode(
        {
            **of,
            "dry_run": dry_run,
            **counts,
            "skipped": skipped,
            "changes": changes,
            "fingerprint": fingerprint,
            "revision": revision,
        }
    )


def draft_json(draft: Draft) -> bytes:
    return _encode(draft_shown(draft))


def drafts_json(total: int, drafts: Iterable[Draft]) -> bytes:
    return _encode({"total": total, "results": [draft_shown(each) for each in drafts]})


def draft_shown(draft: Draft) -> dict[str, Any]:
    at = draft.publish_at
    return {
        "id": draft.id,
        "definition": _readable(draft.document),
        "base": draft.base,
        "author": draft.author,
        "updated_at": seconds_text(draft.updated_at),
        "creator": draft.creator,
        "created_at": seconds_text(draft.created_at),
        "publish_at": None if at is None else seconds_text(at),
        "publisher": draft.publisher,
        "held": draft.held,
        "revision": draft.revision,
    }


def _readable(document: bytes) -> Raw | None:
    """What was stored by a hand may be no JSON, and would break the answer around it."""
    try:
        msgspec.json.decode(document)
    except UNREADABLE:
        return None
    return Raw(document)
