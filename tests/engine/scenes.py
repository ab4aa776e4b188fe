"""
From the wire's words to the engine's answer: what the server does around the engine, without a server.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from endcap.domain import CatalogObject, Customization, CustomizationId, ItemId, Micros
from endcap.engine.catalog import Catalog
from endcap.engine.place import (
    Eligibility,
    Placement,
    Ranking,
    Scene,
    place_page,
)
from endcap.engine.rules import Rules
from endcap.engine.snapshot import Snapshot
from endcap.wire.customizations import read_definition
from endcap.wire.recommending import Request, read_requests
from tests.cases import Case, PinOutcome, micros

Wire = Mapping[str, Any]


class Ranked(Struct, frozen=True):
    """A ranking in identities; None: the whole order of popularity."""

    primary: Sequence[str] | None = None
    fallback: Sequence[str] = ()


POPULAR = Ranked()


def object_of(sent: Wire) -> CatalogObject:
    """One catalog object as a store may hold it, be it from before fields were judged."""
    return CatalogObject(
        ItemId(sent["identity"]), sent["type"], sent.get("generation"), msgspec.json.encode(sent)
    )


def catalog_of(sent: Iterable[Wire], scores: Mapping[str, float] | None = None) -> Catalog:
    return Catalog.of(map(object_of, sent), scores)


def customization_of(id: str, created_at: Micros, body: Wire) -> Customization:
    """One customization as it is sent, and what the server adds."""
    definition = read_definition(msgspec.json.encode(body))
    return Customization(
        CustomizationId(id),
        definition.model,
        definition.target,
        definition.pins,
        created_at,
        1,
        disabled=definition.disabled is True,
    )


def requests_of(sent: Sequence[Wire]) -> Sequence[Request]:
    """The objects of one call."""
    return read_requests(msgspec.json.encode(sent))


def answer(
    snapshot: Snapshot,
    requests: Sequence[Request],
    *,
    now: Micros,
    rankings: Sequence[Ranked] | None = None,
) -> Sequence[Placement]:
    """The placements of one call."""
    ranked = rankings or [POPULAR] * len(requests)
    scenes = [
        scene(snapshot, request, each, now=now)
        for request, each in zip(requests, ranked, strict=True)
    ]
    return place_page(snapshot.catalog, scenes)


def scene(snapshot: Snapshot, request: Request, ranked: Ranked, *, now: Micros) -> Scene:
    catalog = snapshot.catalog
    return Scene(
        snapshot.claims(request.model, request.items),
        ranking(catalog, ranked),
        Eligibility(
            catalog,
            now=now,
            inputs=request.items,
            blacklist=request.blacklist,
            context=request.context,
            availability_field=request.availability_field,
        ),
        request.size,
        now,
        request.widget,
    )


def ranking(catalog: Catalog, ranked: Ranked) -> Ranking:
    primary = (
        list(catalog.popular())
        if ranked.primary is None
        else list(map(catalog.number, ranked.primary))
    )
    fallback = map(catalog.number, ranked.fallback)
    return Ranking(
        [number for number in primary if number is not None],
        [number for number in fallback if number is not None],
    )


def snapshot_of(
    objects: Iterable[Wire],
    customizations: Iterable[Customization],
    scores: Mapping[str, float] | None = None,
) -> Snapshot:
    return Snapshot(1, Rules.of(customizations), catalog_of(objects, scores))


def items_of(catalog: Catalog, placement: Placement) -> list[ItemId]:
    return [catalog.identity(each.number) for each in placement.shown]


def outcomes_of(placement: Placement, names: Mapping[str, str] | None = None) -> list[PinOutcome]:
    """What became of each pin met; `names` says how a customization is called, where not by its id."""
    return [
        PinOutcome(
            (names or {}).get(each.claim.customization.id, each.claim.customization.id),
            each.claim.index,
            str(each.verdict),
            each.item,
            each.slot,
        )
        for each in placement.judgements
    ]


def labels_by_id(case: Case) -> dict[str, str]:
    """Each customization's label by an id such as a server would make: in no order that a case may rely on."""
    return {
        made.id or f"id {number}": made.label for number, made in enumerate(case.customizations)
    }


def snapshot_of_case(case: Case) -> Snapshot:
    customizations = [
        customization_of(own_id, micros(made.created_at), made.body)
        for own_id, made in zip(labels_by_id(case), case.customizations, strict=True)
    ]
    return snapshot_of(case.catalog, customizations)
