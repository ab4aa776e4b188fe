"""
What the client takes and gives: the wire's own words, typed.

Read leniently, since two servers and their next versions must be understood: unknown members are ignored, and what
some answer was seen to leave out has a default. Texts of time stay texts, as they were sent; -1 and 0 are positions.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from endcap.errors import CatalogFault
from endcap.wire.recommending import Explanation as Explanation
from endcap.wire.recommending import ItemShown as ItemShown
from endcap.wire.recommending import PinShown as PinShown

Criteria = dict[str, Any] | list[Any]
"""Either spelling: `{"brand": "Fender"}` or `[{"field": "brand", "operator": "=", "value": "Fender"}]`."""


class Pin(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One pin. `position` counts from 1; -1 is everywhere, 0 blocks."""

    position: int
    pin_type: str
    pin_identity: str | None = None
    pin_criteria: Criteria | None = None
    widget_id: str | None = None
    is_block_pin: bool | None = None
    is_bundle_pin: bool | None = None
    active_from: str | None = None
    active_to: str | None = None


class Definition(Struct, frozen=True, kw_only=True):
    """The part of a customization that you say, and that a replacement replaces."""

    model: str
    target_type: str
    target_identity: str | None = None
    target_criteria: Criteria | None = None
    target_metadata: dict[str, Any] | None = None
    tags: tuple[str, ...] = ()
    disabled: bool | None = None
    """Whether it has no say for now; None, of a replacement, leaves that as it is. Endcap alone knows it."""
    pin_definitions: tuple[Pin, ...] = ()


class Customization(Definition, frozen=True, kw_only=True):
    """
    A customization as the server gives it; it is a Definition, so it can be changed and sent back.

    `etag` is the answer's header, for `if_match`; customizations out of lists and exports have none.
    """

    id: str
    created_at: str | None = None
    updated_at: str | None = None
    creator: str | None = None
    available: bool | None = None
    etag: str | None = None


class Page(Struct, frozen=True):
    """Some of the customizations that match; `total` counts all that do."""

    total: int
    results: tuple[Customization, ...]


class Summary(Struct, frozen=True):
    """How many customizations each recommender has, and every tag in use."""

    scope_counts: dict[str, int] = {}
    user_tags: tuple[str, ...] = ()


class Model(Struct, frozen=True, kw_only=True):
    """
    What a recommender's name means. `model` is the document: strategy, fallback, variety, personal; `origin` tells
    whether the tracker set it (`own`) or the reference did. `etag` is the answer's header, for `if_match`.
    """

    name: str
    origin: str
    model: dict[str, Any]
    updated_at: str | None = None
    revision: int = 0
    etag: str | None = None


class UpdateProgress(Struct, frozen=True):
    """How an update by query goes on; `failures` are problems by identity, of the first that failed."""

    status: str
    """`in progress`, `complete` or `failed`."""
    updates_count: int
    failures_count: int
    failures: Mapping[str, CatalogFault]
    checked_count: int
    """Objects looked at so far. Endcap only."""

    @property
    def is_over(self) -> bool:
        return self.status in ("complete", "failed")


class ExportedObject(Struct, frozen=True, kw_only=True):
    """One object of the catalog on its way out. `url` is its identity, whatever that looks like."""

    url: str
    type: str = "item"
    attributes: dict[str, Any] = {}
    nested: tuple[Any, ...] = ()
    exact: bool | None = None
    generation: str | None = None
    active_from: str | None = None
    active_to: str | None = None


class CatalogPage(Struct, frozen=True):
    """Some of the catalog's objects; `total` counts all. `next_link` leads to the page behind, and lives a while."""

    total: int
    results: tuple[ExportedObject, ...]
    next_link: str | None = None


class Imported(Struct, frozen=True):
    """What an upload of past order lines held. `repeated` name an item of an order once more: they count once."""

    lines: int
    stored: int = 0
    returns: int = 0
    repeated: int = 0
    orders: int = 0
    items: int = 0
    users: int = 0
    earliest: str | None = None
    latest: str | None = None
    warnings: tuple[str, ...] = ()


class HistoryLine(Struct, frozen=True, kw_only=True):
    """One change of a customization, or of its draft. `version` is what it left; None: nothing."""

    revision: int
    kind: str
    subject: str
    action: str
    actor: str
    at: str
    version: Definition | None = None


class HistoryPage(Struct, frozen=True):
    """Changes, the newest first. `before` is where the next page begins; None: there is none."""

    results: tuple[HistoryLine, ...]
    before: int | None = None


class Step(Struct, frozen=True):
    """What became, or would become, of one customization or draft: `created`, `changed` or `deleted`."""

    id: str
    kind: str
    became: str


class Reversal(Struct, frozen=True, kw_only=True):
    """What undoing or restoring did, or would do. `revision` is at which it was done; None: nothing was."""

    dry_run: bool
    created: int
    changed: int
    deleted: int
    skipped: dict[str, str] = {}
    changes: tuple[Step, ...] = ()
    fingerprint: str = ""
    revision: int | None = None


class Draft(Struct, frozen=True, kw_only=True):
    """What a customization may become. `etag` is the answer's header, for `if_match`."""

    id: str
    revision: int
    definition: Definition | None = None
    base: int | None = None
    author: str | None = None
    updated_at: str | None = None
    creator: str | None = None
    created_at: str | None = None
    publish_at: str | None = None
    publisher: str | None = None
    held: str | None = None
    etag: str | None = None


class Drafts(Struct, frozen=True):
    """One page of drafts, and how many there are."""

    total: int
    results: tuple[Draft, ...] = ()


class RecommendationRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one widget asks for."""

    recommendation_type: str
    recommender_client_identifier: str | None = None
    user_id: str | None = None
    item_ids: tuple[str, ...] = ()
    blacklisted_item_ids: tuple[str, ...] = ()
    size: int | None = None
    recommendation_context: Criteria | None = None
    settings_override: dict[str, Any] | None = None
    hit_fields: tuple[str, ...] | None = None
    mark_fallback_results: bool = False
    consent_granted: bool | None = None


class Ranked(Struct, frozen=True, omit_defaults=True):
    """An item of a caller's ranking; either all items of one have a score or none."""

    identity: str
    score: float | None = None


class PlacementRequest(RecommendationRequest, frozen=True, kw_only=True, omit_defaults=True):
    """
    What one widget asks for, as the caller ranked it: identities, best first. `fill` goes on with what the server
    would recommend where the ranking ends.
    """

    ranking: tuple[str | Ranked, ...]
    fill: bool = False


class Hit(Struct, frozen=True, kw_only=True):
    """One recommended object. `url` is its identity in the catalog, whatever that looks like."""

    url: str
    type: str = "item"
    attributes: dict[str, Any] = {}
    nested: tuple[Any, ...] = ()
    exact: bool | None = None
    fallback: bool | None = None


class Recommendation(Struct, frozen=True, kw_only=True):
    """The answer to one request of a call."""

    hits: tuple[Hit, ...]
    recommendation_id: str | None = None
    recommendation_type: str | None = None
    recommender: str | None = None
    recommender_client_identifier: str | None = None
    recommender_version: str | None = None
    model_version: int | None = None
    user_id: str | int | None = None
    generated_at: str | None = None
    explanation: Explanation | None = None


class Placement(Recommendation, frozen=True, kw_only=True):
    """A caller's ranking with the customizations applied; `not_in_catalog` is what of it could not be placed."""

    not_in_catalog: tuple[str, ...] = ()
