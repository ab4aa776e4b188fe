"""
The audit log: who did what, when, and to which; of one tracker, of all, or of the accounts.

Two logs are read as one: that of changes, which each tracker has, and that of signing in and of accounts, which belongs
to none. Both are read backwards in pages, so that an export holds a page in memory and no more. What was typed where
somebody failed to sign in may be anything, also what a spreadsheet takes for a formula: cells never begin like one.
"""

import csv
import heapq
import io
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from endcap.domain import Micros, TrackerId
from endcap.store.accounts import AccountStore, SignIn, SignInFilter
from endcap.store.port import LogFilter, Place, Store
from endcap.store.states import ChangeRow
from endcap.wire.reading import seconds_text

KINDS = ("customization", "draft", "object", "field", "model", "tracker", "key", "artifact")
ACTIONS = ("create", "replace", "delete")
EVENTS = (
    "signed_in",
    "failed",
    "signed_out",
    "signed_out_everywhere",
    "linked",
    "link_made",
    "created",
    "deleted",
    "disabled",
    "enabled",
    "password",
    "role",
)
COLUMNS = ("at", "actor", "action", "kind", "subject", "tracker", "revision", "address")
PAGE = 1_000
PAGE_LEAST = 50
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Line(Struct, frozen=True, omit_defaults=True):
    """What was done. Of an account: `subject` is its name as it was typed, and there is no tracker."""

    at: Micros
    actor: str
    action: str
    kind: str
    subject: str
    tracker: str | None = None
    revision: int | None = None
    address: str | None = None


class Wanted(Struct, frozen=True):
    """Filters of either log; an empty field selects everything. `until` is without its instant."""

    actor: str = ""
    kind: str = ""
    action: str = ""
    subject: str = ""
    since: Micros | None = None
    until: Micros | None = None


class Audit:
    """Reads; blocks."""

    def __init__(self, store: Store, accounts: AccountStore) -> None:
        self._store = store
        self._accounts = accounts

    def changes(
        self, tracker: TrackerId, wanted: Wanted, *, before: Place | None = None, limit: int
    ) -> Sequence[tuple[Place, Line]]:
        """Of a tracker, the newest first."""
        filter_ = LogFilter(
            kinds=_given(wanted.kind),
            actors=_given(wanted.actor),
            actions=_given(wanted.action),
            subject=wanted.subject or None,
            since=wanted.since,
            until=wanted.until,
        )
        found = self._store.lines(tracker, filter_, before=before, limit=limit)
        return [(place, _changed(tracker, line)) for place, line in found]

    def sign_ins(
        self, wanted: Wanted, *, before: tuple[Micros, str] | None = None, limit: int
    ) -> Sequence[tuple[tuple[Micros, str], Line]]:
        """Of accounts and of signing in, the newest first."""
        filter_ = SignInFilter(
            wanted.actor or wanted.subject or None,
            _given(wanted.action),
            wanted.since,
            wanted.until,
        )
        found = self._accounts.lines(filter_, before=before, limit=limit)
        return [((line.at, line.id), _signed(line)) for line in found]

    def every(
        self, wanted: Wanted, trackers: Sequence[TrackerId], *, accounts: bool
    ) -> Iterator[Line]:
        """Of several, merged, the newest first; they share a page's worth of memory, if they are not too many."""
        page = max(PAGE_LEAST, PAGE // (len(trackers) + 1))
        sources = [self.every_change(tracker, wanted, page=page) for tracker in trackers]
        if accounts:
            sources.append(self.every_sign_in(wanted, page=page))
        yield from heapq.merge(*sources, key=lambda line: line.at, reverse=True)

    def every_change(
        self, tracker: TrackerId, wanted: Wanted, *, page: int = PAGE
    ) -> Iterator[Line]:
        before: Place | None = None
        while found := self.changes(tracker, wanted, before=before, limit=page):
            yield from (line for _, line in found)
            before = found[-1][0]

    def every_sign_in(self, wanted: Wanted, *, page: int = PAGE) -> Iterator[Line]:
        before: tuple[Micros, str] | None = None
        while found := self.sign_ins(wanted, before=before, limit=page):
            yield from (line for _, line in found)
            before = found[-1][0]


def json_line(line: Line) -> bytes:
    """With its newline."""
    shown = {"at": seconds_text(line.at)} | {
        name: value for name in COLUMNS[1:] if (value := getattr(line, name)) is not None
    }
    return msgspec.json.encode(shown) + b"\n"


def csv_head() -> bytes:
    return _row(COLUMNS)


def csv_line(line: Line) -> bytes:
    values = [getattr(line, name) for name in COLUMNS[1:]]
    return _row([seconds_text(line.at), *map(_cell, values)])


def _row(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _given(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


def _changed(tracker: TrackerId, line: ChangeRow) -> Line:
    return Line(line.at, line.actor, line.action, line.kind, line.subject, tracker, line.revision)


def _signed(line: SignIn) -> Line:
    return Line(
        line.at, line.actor, line.event, "account", line.account, address=line.address or None
    )
