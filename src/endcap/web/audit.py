"""
The audit log: a page with filters, and the same as a file.

A tracker's own log is for its administrators; that of accounts and of signing in for those of every tracker.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Literal
from urllib.parse import urlencode

from msgspec import Struct

from endcap.accounts import EVERY_TRACKER, Role
from endcap.api.http import CSV, NDJSON, Response
from endcap.api.threads import begun, in_thread
from endcap.audit import ACTIONS, EVENTS, KINDS, Audit, Line, Wanted, csv_head, csv_line, json_line
from endcap.domain import CustomizationId, Micros
from endcap.errors import RoleLacking
from endcap.store.port import Place
from endcap.web import times, words
from endcap.web.modules import TRACKER, Ground, PageModule, Route
from endcap.web.one import one_url
from endcap.web.pages import base_of
from endcap.web.sections import Section
from endcap.web.visits import Form, Visit

AUDIT = Section("/audit", "Audit log", 900, "audit")
PAGE_SIZE = 100
_PLACE = re.compile(r"(\d{1,18})\.([0-9a-f]{1,32})", re.ASCII)
_ORDINAL = re.compile(r"\d{1,18}", re.ASCII)
Source = Literal["changes", "accounts"]
ACTION_WORDS = {
    "create": "created",
    "replace": "changed",
    "delete": "deleted",
    "signed_in": "signed in",
    "failed": "failed to sign in",
    "signed_out": "signed out",
    "signed_out_everywhere": "signed out everywhere",
    "linked": "linked to a provider",
    "link_made": "sign-in link made",
    "password": "new password",
    "role": "role changed",
}


class Row(Struct, frozen=True):
    when: str
    when_iso: str
    who: str
    what: str
    kind: str
    subject: str
    url: str
    detail: str


class Asked(Struct, frozen=True):
    source: Source
    wanted: Wanted
    since: str
    until: str


class AuditPages(PageModule):
    sections = (AUDIT,)

    def __init__(self, ground: Ground) -> None:
        self._audit = Audit(ground.parts.store, ground.accounts.store)
        self._pages = ground.pages
        self._zone = ground.service.settings.zone
        self._zone_name = ground.service.settings.console_time_zone

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", f"{TRACKER}/audit", "audit", self.page, AUDIT),
            Route("GET", f"{TRACKER}/audit/export", "audit", self.export, AUDIT),
        )

    async def page(self, visit: Visit) -> Response:
        """Raises FaultyFields, RoleLacking."""
        asked = self._asked(visit)
        before = _PLACE.fullmatch(visit.query.get("before"))
        lines, next_ = await asyncio.to_thread(self._page, visit, asked, before)
        base = f"{base_of(visit.place.tracker)}/audit"
        query = _query(asked)
        return self._pages.answer(
            "audit",
            visit,
            rows=[_row(visit, line, self._zone) for line in lines],
            zone=self._zone_name,
            asked=asked,
            kinds=KINDS,
            actions=[(each, ACTION_WORDS.get(each, each)) for each in _actions(asked.source)],
            may_accounts=_may_see_accounts(visit),
            url=base,
            csv=f"{base}/export?{urlencode([*query, ('format', 'csv')])}",
            lines=f"{base}/export?{urlencode([*query, ('format', 'jsonl')])}",
            next=f"{base}?{urlencode([*query, ('before', next_)])}" if next_ else "",
            is_first=before is None,
            first=f"{base}?{urlencode(query)}",
        )

    def _page(
        self, visit: Visit, asked: Asked, before: re.Match[str] | None
    ) -> tuple[list[Line], str]:
        limit = PAGE_SIZE + 1
        if asked.source == "accounts":
            at = None if before is None else (Micros(int(before[1])), before[2])
            signed = self._audit.sign_ins(asked.wanted, before=at, limit=limit)
            keys = [f"{key[0]}.{key[1]}" for key, _ in signed[:PAGE_SIZE]]
            lines = [line for _, line in signed[:PAGE_SIZE]]
            return lines, keys[-1] if len(signed) > PAGE_SIZE else ""
        place = None
        if before is not None and _ORDINAL.fullmatch(before[2]):
            place = Place(int(before[1]), int(before[2]))
        changed = self._audit.changes(visit.place.tracker, asked.wanted, before=place, limit=limit)
        keys = [f"{key.revision}.{key.ordinal}" for key, _ in changed[:PAGE_SIZE]]
        lines = [line for _, line in changed[:PAGE_SIZE]]
        return lines, keys[-1] if len(changed) > PAGE_SIZE else ""

    async def export(self, visit: Visit) -> Response:
        """All that match, the newest first, as it is read. Raises FaultyFields, RoleLacking."""
        asked, tracker = self._asked(visit), visit.place.tracker
        is_csv = visit.query.get("format") != "jsonl"

        def lines() -> Iterator[bytes]:
            if is_csv:
                yield csv_head()
            found = (
                self._audit.every_sign_in(asked.wanted)
                if asked.source == "accounts"
                else self._audit.every_change(tracker, asked.wanted)
            )
            yield from map(csv_line if is_csv else json_line, found)

        chunks = await begun(in_thread(lines))
        kind = "csv" if is_csv else "jsonl"
        name = f"audit-{asked.source if asked.source == 'accounts' else tracker}.{kind}"
        disposition = f'attachment; filename="{name}"'.encode()
        return Response(
            200,
            (b"".join(chunk) async for chunk in chunks),
            (CSV if is_csv else NDJSON, (b"content-disposition", disposition)),
        )

    def _asked(self, visit: Visit) -> Asked:
        query = visit.query
        source: Source = "accounts" if query.get("source") == "accounts" else "changes"
        if source == "accounts" and not _may_see_accounts(visit):
            told = "The log of accounts is for administrators of every tracker"
            raise RoleLacking(details={"role": [told]})
        kind, action = query.get("kind"), query.get("action")
        wanted = Wanted(
            actor=query.get("who"),
            kind=kind if kind in KINDS and source == "changes" else "",
            action=action if action in _actions(source) else "",
            subject=query.get("subject"),
            since=_moment(query, "since", self._zone),
            until=_moment(query, "until", self._zone),
        )
        return Asked(source, wanted, query.get("since"), query.get("until"))


def _actions(source: Source) -> tuple[str, ...]:
    return EVENTS if source == "accounts" else ACTIONS


def _may_see_accounts(visit: Visit) -> bool:
    return visit.user.roles.get(EVERY_TRACKER) is Role.ADMIN


def _moment(query: Form, name: str, zone: tzinfo) -> Micros | None:
    """Raises FaultyFields."""
    text = query.get(name)
    return times.read_field(text, zone, name) if text else None


def _query(asked: Asked) -> list[tuple[str, str]]:
    wanted = asked.wanted
    pairs = [
        ("source", asked.source if asked.source == "accounts" else ""),
        ("who", wanted.actor),
        ("kind", wanted.kind),
        ("action", wanted.action),
        ("subject", wanted.subject),
        ("since", asked.since),
        ("until", asked.until),
    ]
    return [(name, value) for name, value in pairs if value]


def _row(visit: Visit, line: Line, zone: tzinfo) -> Row:
    url = ""
    if line.kind in ("customization", "draft"):
        url = one_url(visit.place, CustomizationId(line.subject)) + "/history"
    detail = line.address or ("" if line.revision is None else f"revision {line.revision}")
    return Row(
        words.full_text(line.at, zone),
        words.iso(line.at),
        line.actor,
        ACTION_WORDS.get(line.action, line.action),
        line.kind,
        line.subject,
        url,
        detail,
    )
