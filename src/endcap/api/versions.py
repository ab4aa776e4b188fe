"""
Our own paths for the past: the history of a customization, a version had back, the last action undone, a tracker as it
was at a moment.
"""

import asyncio
import re
from collections.abc import Callable
from urllib.parse import unquote

from endcap.api.auth import Authenticator
from endcap.api.customizations import expected_revisions, id_of
from endcap.api.http import Request, Response, Routes
from endcap.api.revisions import REVISION_MAX, shown_at
from endcap.api.threads import ask
from endcap.api.throttle import Throttle
from endcap.domain import Micros
from endcap.errors import FaultyFields, RevisionConflict
from endcap.service import Service
from endcap.shops import Shop
from endcap.store.port import Place
from endcap.store.states import ChangeRow
from endcap.versions import HISTORY_MAX, Action, Restored, Reversal, Versions
from endcap.wire import past
from endcap.wire.reading import seconds_text

BASE = "/api/trackers/{tracker}"
LIMIT_DEFAULT = 100
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


class VersionEndpoints:
    def __init__(
        self, service: Service, versions: Versions, authenticator: Authenticator, throttle: Throttle
    ) -> None:
        self._service = service
        self._versions = versions
        self._authenticator = authenticator
        self._throttle = throttle
        self._bytes_max = service.settings.body_bytes_max
        self._inline = service.store.inline

    def mount(self, routes: Routes) -> None:
        one = f"{BASE}/customizations/{{id}}"
        routes.add(f"{one}/history", GET=self.history)
        routes.add(f"{one}/restore", POST=self.restore)
        routes.add(f"{BASE}/undo", POST=self.undo)
        routes.add(f"{BASE}/restore", POST=self.restore_tracker)

    async def history(self, request: Request) -> Response:
        shop = await self._shop(request)
        id_, query = id_of(request), dict(request.query())
        limit = number(query.get("limit", str(LIMIT_DEFAULT)), "limit", HISTORY_MAX)
        before = query.get("before")
        place = None if before is None else Place(number(before, "before", REVISION_MAX), 0)
        read = lambda: self._versions.history(  # noqa: E731
            shop.tracker, id_, before=place, limit=limit + 1
        )
        lines = await asyncio.to_thread(read)
        shown, next_ = _whole_revisions([line for _, line in lines], limit)
        body = past.history_json(map(_shown, shown), next_)
        return Response.json(body, 200, (shown_at(shop.revision),))

    async def restore(self, request: Request) -> Response:
        shop = await self._shop(request)
        asked = past.read(await request.json_body(bytes_max=self._bytes_max), past.RestoreVersion)
        id_ = id_of(request)
        await self._versions.restore(
            shop.tracker,
            id_,
            asked.revision,
            actor=self._service.settings.creator,
            now=self._service.clock(),
            expected=expected_revisions(request),
        )
        found = await ask(
            lambda: self._service.get(self._service.shop(shop.tracker), id_), inline=self._inline
        )
        headers = ((b"etag", found.etag.encode()), shown_at(found.revision))
        return Response.json(found.body, 200, headers)

    async def undo(self, request: Request) -> Response:
        shop = await self._shop(request)
        asked = past.read(await request.json_body(bytes_max=self._bytes_max), past.UndoAction)

        def plan() -> tuple[Action, Reversal]:
            tracker = shop.tracker
            action = (
                self._versions.last_action(tracker)
                if asked.revision is None
                else self._versions.action(tracker, asked.revision)
            )
            return action, self._versions.undoing(tracker, action)

        action, reversal = await asyncio.to_thread(plan)
        told = {
            "actor": action.actor,
            "at": seconds_text(action.at),
            "first": action.first,
            "last": action.last,
        }
        return await self._answered(
            shop, reversal, {"action": told}, asked.fingerprint, dry_run=asked.dry_run
        )

    async def restore_tracker(self, request: Request) -> Response:
        shop = await self._shop(request)
        asked = past.read(await request.json_body(bytes_max=self._bytes_max), past.RestoreMoment)
        revision = await asyncio.to_thread(self._wanted(shop, asked))
        reversal = await self._versions.in_turn(
            lambda: self._versions.restoring(shop.tracker, revision)
        )
        return await self._answered(
            shop, reversal, {"to": revision}, asked.fingerprint, dry_run=asked.dry_run
        )

    def _wanted(self, shop: Shop, asked: past.RestoreMoment) -> Callable[[], int]:
        """Raises FaultyFields."""
        if (asked.at is None) is (asked.revision is None):
            told = "Name one of at and revision"
            raise FaultyFields("Invalid request provided", {"at": [told]})
        if asked.revision is not None:
            revision = asked.revision
            return lambda: revision
        at = past.read_moment(asked.at or "", "at")
        if at > self._service.clock():
            told = "Must not lie ahead: nobody knows what will be"
            raise FaultyFields("Invalid request provided", {"at": [told]})
        return lambda: self._versions.revision_at(shop.tracker, Micros(at))

    async def _answered(
        self,
        shop: Shop,
        reversal: Reversal,
        of: dict[str, object],
        fingerprint: str | None,
        *,
        dry_run: bool,
    ) -> Response:
        if fingerprint is not None and fingerprint != reversal.fingerprint:
            raise RevisionConflict("What would be done is not what you have seen any more")
        done: Restored | None = None
        if reversal.steps and not dry_run:
            done = await self._versions.carry_out(
                shop.tracker,
                reversal,
                actor=self._service.settings.creator,
                now=self._service.clock(),
            )
        revision = None if done is None else done.revision
        body = past.reversal_json(
            dry_run=dry_run,
            counts={
                "created": reversal.count("created"),
                "changed": reversal.count("changed"),
                "deleted": reversal.count("deleted"),
            },
            changes=[
                {"id": step.id, "kind": step.kind, "became": step.became}
                for step in reversal.told[: past.STEPS_TOLD_MAX]
            ],
            skipped=reversal.skipped,
            fingerprint=reversal.fingerprint,
            of=of,
            revision=revision,
        )
        return Response.json(
            body, 200, (shown_at(shop.revision if revision is None else revision),)
        )

    async def _shop(self, request: Request) -> Shop:
        return await shop_of(request, self._authenticator, self._throttle)


async def shop_of(request: Request, authenticator: Authenticator, throttle: Throttle) -> Shop:
    """Of a signed request whose path names the tracker. Raises TrackerNotFound, Unauthenticated, TooManyRequests."""
    shop = await authenticator.tracker_of_path(request, unquote(request.parameters["tracker"]))
    throttle.take(shop.tracker)
    return shop


def number(text: str, name: str, most: int) -> int:
    """Raises FaultyFields."""
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
        raise FaultyFields(
            "Invalid request provided", {name: [f"Must be a whole number from 1 to {most}"]}
        )
    return int(text)


def _whole_revisions(lines: list[ChangeRow], limit: int) -> tuple[list[ChangeRow], int | None]:
    """A page that ends between two revisions, and where the next one begins: of one there are two lines at most."""
    if len(lines) <= limit:
        return lines, None
    kept = lines[:limit]
    if len(kept) > 1 and kept[-1].revision == lines[limit].revision:
        kept.pop()
    return kept, kept[-1].revision


def _shown(line: ChangeRow) -> past.LineShown:
    return past.line_shown(
        line.revision, line.kind, line.subject, line.action, line.actor, line.at, line.new
    )
