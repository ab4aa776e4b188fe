"""
What a tracker's models mean: read, said, and changed one by one or by a file, for whoever asks: API and commands.

A tracker's own table lies over the reference: a name in it means what the table says, and what it meant before when it
leaves the table.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from endcap.domain import Micros, TrackerId
from endcap.errors import FaultyFields, RecommenderNotFound
from endcap.recommend.external import objection
from endcap.recommend.models import REFERENCE, Model
from endcap.recommend.rerank import Personal, Variety
from endcap.recommend.strategies import External
from endcap.recommend.table import (
    INVALID,
    KINDS,
    Described,
    described,
    kept,
    name_faults,
    read_model,
    shown,
    stored,
)
from endcap.store.states import ModelRow
from endcap.store.writes import ModelWrite, PutModel, RemoveModel
from endcap.wire.reading import json_value, seconds_text

Origin = Literal["own", "reference"]


class ModelShown(Struct, frozen=True):
    """A model as it is told: `origin` says whose word holds; times and revisions are of the tracker's own."""

    name: str
    origin: Origin
    model: Mapping[str, Any]
    updated_at: str | None = None
    revision: int = 0

    @property
    def etag(self) -> str:
        """Of a reference model it is `"0"`, which a PUT may name to say: not if somebody has set it meanwhile."""
        return f'"{self.revision}"'


def told(rows: Mapping[str, ModelRow]) -> Sequence[ModelShown]:
    """Every name that means something without a number, by name."""
    return [one_told(rows, name) for name in sorted({*rows, *REFERENCE})]


def one_told(rows: Mapping[str, ModelRow], name: str) -> ModelShown:
    """Raises RecommenderNotFound."""
    row = rows.get(name)
    if row is not None:
        return row_told(row)
    if name not in REFERENCE:
        raise RecommenderNotFound(details={"model": [f"Unknown recommender: {name}"]})
    return ModelShown(name, "reference", shown(REFERENCE[name]))


def row_told(row: ModelRow) -> ModelShown:
    """What this version of the program cannot read is told as it is kept."""
    try:
        document: Mapping[str, Any] = shown(stored(row.document))
    except FaultyFields:
        document = msgspec.json.decode(row.document)
    return ModelShown(row.name, "own", document, seconds_text(row.updated_at), row.revision)


def put(
    tracker: TrackerId,
    name: str,
    body: bytes,
    *,
    actor: str,
    now: Micros,
    expected: frozenset[int] | None,
    hosts: Collection[str],
) -> PutModel:
    """The write of one document; `hosts` are those that a model may ask. Raises MalformedBody, FaultyFields."""
    faults = list(name_faults(name))
    if faults:
        raise FaultyFields(INVALID, {"name": faults})
    model = _allowed(read_model(json_value(body)), hosts)
    return PutModel(tracker, name, kept(model), actor, now, expected)


def _allowed(model: Model, hosts: Collection[str]) -> Model:
    """The model, unless it asks where the operator does not let it. Raises FaultyFields."""
    if isinstance(model.strategy, External):
        reason = objection(model.strategy, hosts)
        if reason is not None:
            field, _, message = reason.partition(": ")
            raise FaultyFields(INVALID, {f"strategy.{field}": [message]})
    return model


class Change(Struct, frozen=True):
    """What a file does to one name."""

    name: str
    does: Literal["set", "unchanged", "unset"]


class Plan(Struct, frozen=True):
    """What a file asks for: the changes told, and the writes that make them."""

    changes: Sequence[Change]
    writes: Sequence[ModelWrite]


def plan(
    rows: Sequence[ModelRow],
    wanted: Any,
    *,
    tracker: TrackerId,
    actor: str,
    now: Micros,
    prune: bool,
    hosts: Collection[str],
) -> Plan:
    """
    From a decoded file, `{name: document, …}` or the same under `models`, to what changes. With `prune` what the file
    does not name leaves the table. Raises FaultyFields with the faults of all its documents.
    """
    models = _models_of(wanted, hosts)
    present = {row.name: row.document for row in rows}
    changes: list[Change] = []
    writes: list[ModelWrite] = []
    for name, model in models.items():
        document = kept(model)
        changes.append(Change(name, "unchanged" if present.get(name) == document else "set"))
        if present.get(name) != document:
            writes.append(PutModel(tracker, name, document, actor, now))
    for name in present if prune else ():
        if name not in models:
            changes.append(Change(name, "unset"))
            writes.append(RemoveModel(tracker, name, actor, now))
    return Plan(changes, writes)


def _models_of(wanted: Any, hosts: Collection[str]) -> Mapping[str, Model]:
    if isinstance(wanted, Mapping) and wanted.keys() == {"models"}:
        wanted = wanted["models"]
    if not isinstance(wanted, Mapping):
        raise FaultyFields(INVALID, {"models": ["Must be an object of documents by name"]})
    models: dict[str, Model] = {}
    faults: dict[str, list[str]] = {}
    for name, document in wanted.items():
        if wrong := list(name_faults(str(name))):
            faults[str(name)] = wrong
        try:
            models[str(name)] = _allowed(read_model(document), hosts)
        except FaultyFields as problem:
            faults.update({f"{name}.{path}": list(m) for path, m in problem.details.items()})
    if faults:
        raise FaultyFields(INVALID, faults)
    return models


class Strategies(Struct, frozen=True):
    """What a document may hold, for people and forms."""

    strategies: Sequence[Described]
    variety: Described
    personal: Described


def strategies() -> Strategies:
    return Strategies(
        [described(kind) for kind in KINDS.values()], described(Variety), described(Personal)
    )
