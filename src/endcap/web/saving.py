"""
Editing, from what is opened to what is saved and published: nothing is written over what somebody else did meanwhile,
and nothing typed is lost.

Every form that saves a customization says which revisions its editor began with. Where somebody was faster, the page
shows both versions beside the one that both began with.
"""

import asyncio

from msgspec import Struct
from msgspec.structs import replace

from endcap.api.http import Response
from endcap.domain import CustomizationId, Definition, Micros
from endcap.drafts import Compared
from endcap.errors import CustomizationNotFound, DraftConflict, PublishConflict
from endcap.shops import Shop
from endcap.web import access, words
from endcap.web.diff import changes
from endcap.web.merge import fields
from endcap.web.modules import Ground
from endcap.web.one import id_of_path, one_url
from endcap.web.past import title_of
from endcap.web.shown import Gallery
from endcap.web.visits import Visit, redirect
from endcap.wire.versions import version_from, version_of

CONFLICT = 409


class Begun(Struct, frozen=True):
    """What an editor began with: revisions of what is published and of the draft; 0: there was none."""

    id: CustomizationId
    base: int
    drafted: int

    @property
    def is_new(self) -> bool:
        """Whether there was nothing to begin with."""
        return self.base == self.drafted == 0


def begun_of(visit: Visit) -> Begun:
    """As the form says that is sent."""
    return Begun(id_of_path(visit), visit.form.number("base"), visit.form.number("draft"))


class Saving:
    """Shared by the pages that edit and save."""

    def __init__(self, ground: Ground) -> None:
        self._service = ground.service
        self._drafts = ground.parts.drafts
        self._versions = ground.parts.versions
        self._pages = ground.pages

    async def opened(self, visit: Visit) -> tuple[Begun, bytes]:
        """
        What is edited: the draft, or else what is published, or a version of it. Raises CustomizationNotFound,
        VersionNotFound.
        """
        shop, id_ = visit.place, id_of_path(visit)
        standing = await asyncio.to_thread(self._drafts.standing, shop.tracker, id_)
        wanted, base = visit.query.number("version"), standing.published
        if wanted:
            document = await asyncio.to_thread(self._versions.version, shop.tracker, id_, wanted)
        elif standing.draft is not None:
            document, base = standing.draft.document, standing.draft.base or 0
        elif standing.record is not None:
            document = version_of(standing.record)
        else:
            raise CustomizationNotFound
        return Begun(id_, base, standing.drafted), document

    async def save(
        self,
        visit: Visit,
        begun: Begun,
        definition: Definition,
        *,
        publishes: bool = False,
        publish_at: Micros | None = None,
    ) -> Response:
        """
        Keeps a draft; publishes it now, or has it published at a time, where that is asked for. Raises RoleLacking,
        DraftConflict, FaultyFields for a time that cannot be.
        """
        shop = visit.place
        if publishes or publish_at is not None:
            access.check(visit.user, "change", shop.tracker)
        self._drafts.check_time(publish_at, now=self._service.clock())
        definition = replace(definition, disabled=bool(definition.disabled))  # all of it was typed
        mine = version_from(definition)
        for expected in (begun.drafted, 0):  # a draft that was discarded meanwhile is made anew
            met = await self._met(shop, begun)
            if met is not None:
                return self._conflict_page(visit, begun, mine, met, publishes=publishes)
            try:
                draft = await self._drafts.save(
                    shop.tracker,
                    begun.id,
                    definition,
                    base=begun.base,
                    actor=visit.user.name,
                    now=self._service.clock(),
                    expected=expected,
                )
            except DraftConflict:
                continue
            if publishes:
                return await self.publish(visit, begun.id, draft.revision)
            if publish_at is not None:
                return await self._schedule(visit, begun.id, draft.revision, publish_at)
            return redirect(f"{one_url(shop, begun.id)}/draft?did=draft&changed=1")
        raise DraftConflict

    async def publish(self, visit: Visit, id_: CustomizationId, drafted: int) -> Response:
        """Raises DraftNotFound, DraftConflict; where somebody changed what is published, both are shown."""
        shop = visit.place
        try:
            await self._drafts.publish(
                shop.tracker,
                id_,
                actor=visit.user.name,
                now=self._service.clock(),
                expected=drafted,
            )
        except PublishConflict:
            draft = (await asyncio.to_thread(self._drafts.standing, shop.tracker, id_)).draft
            if draft is None:
                raise
            begun = Begun(id_, draft.base or 0, draft.revision)
            met = await self._met(shop, begun)
            if met is None:
                raise
            return self._conflict_page(visit, begun, draft.document, met, publishes=True)
        return redirect(f"{one_url(shop, id_)}?did=publish&changed=1")

    async def _schedule(
        self, visit: Visit, id_: CustomizationId, drafted: int, at: Micros
    ) -> Response:
        await self._drafts.schedule(
            visit.place.tracker,
            id_,
            at,
            actor=visit.user.name,
            now=self._service.clock(),
            expected=drafted,
        )
        return redirect(f"{one_url(visit.place, id_)}/draft?did=schedule&changed=1")

    async def _met(self, shop: Shop, begun: Begun) -> Compared | None:
        return await asyncio.to_thread(
            lambda: self._drafts.compared(
                shop.tracker, begun.id, base=begun.base, draft=begun.drafted
            )
        )

    def _conflict_page(
        self,
        visit: Visit,
        begun: Begun,
        mine: bytes,
        met: Compared,
        *,
        publishes: bool,
    ) -> Response:
        """Of two that moved, draft and published, the draft is chosen about first: its base stays what it was."""
        shop, now, theirs = visit.place, self._service.clock(), met.theirs
        gallery = Gallery(shop.snapshot.catalog, now, self._service.settings)
        found = (
            [] if theirs is None else fields(met.common, mine, theirs, gallery.title, gallery.zone)
        )
        return self._pages.answer(
            "conflict",
            visit,
            status=CONFLICT,
            title=title_of(shop, begun.id, gallery, mine),
            fields=found,
            knows_common=met.common is not None,
            is_gone=theirs is None,
            is_draft=met.of == "draft",
            other=met.who or "Somebody",
            when="" if met.when is None else words.ago(met.when, now),
            mine=mine.decode(),
            theirs=(theirs or b"").decode(),
            mine_changes=changes(met.common, mine, gallery.title, gallery.zone)
            if met.common
            else [],
            base_revision=begun.base if met.of == "draft" else met.standing.published,
            draft_revision=met.standing.drafted,
            does_publish=publishes,
            url=one_url(shop, begun.id),
        )
