"""
Rules in files and in trackers, in a line each; and random ones.
"""

import io
import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from openpyxl import Workbook

from endcap.domain import CustomizationId, Filter, Micros, Record, TrackerId
from endcap.planning.applying import Applied, apply_plan
from endcap.planning.making import make_plan
from endcap.planning.plan import Action, Plan
from endcap.store.port import Store
from endcap.store.writes import CreateCustomization
from endcap.transfer.export import ExportFormat, export_records
from endcap.transfer.rules import Entry, RulesFormat, files_in, read_content, read_files
from endcap.wire.customizations import body_of, definition_of, read_definition
from tests.language.shapes import shapes
from tests.store.writes import NOON

Body = dict[str, Any]
FORMATS: Sequence[ExportFormat] = ("json", "ndjson", "csv", "yaml", "xlsx")
_ids = count(1)


def new_id() -> CustomizationId:
    return CustomizationId(str(UUID(int=next(_ids) | 1 << 127)))


def rule(name: str | None = None, **members: Any) -> Body:
    """One that pins /p/1 first in the basket, unless it says otherwise."""
    body: Body = {
        "model": "basket",
        "target_type": "all",
        "tags": [],
        "pin_definitions": [pin("/p/1")],
        **members,
    }
    return body if name is None else {"name": name, **body}


def pin(identity: str, position: int = 1, **members: Any) -> Body:
    return {"position": position, "pin_type": "item", "pin_identity": identity, **members}


def entries(*bodies: Body) -> list[Entry]:
    """As a JSON file gives them."""
    return list(read_content(json.dumps(bodies).encode(), RulesFormat.JSON, name="rules.json"))


def plan(store: Store, tracker: TrackerId, *bodies: Body, **options: Any) -> Plan:
    return make_plan(store, tracker, entries(*bodies), new_id=new_id, **options)


def apply(store: Store, made: Plan, now: Micros = NOON) -> Applied:
    return apply_plan(made, store.commit_together, actor="ann", creator="team", now=now)


def put(store: Store, tracker: TrackerId, *bodies: Body) -> list[Record]:
    """Stored as a client's; the older first."""
    writes = [
        CreateCustomization(
            tracker, new_id(), read_definition(json.dumps(body).encode()), "api", Micros(NOON + n)
        )
        for n, body in enumerate(bodies)
    ]
    outcomes = store.commit_together(writes)
    return [each.record for each in outcomes if each.record is not None]


def exported(
    store: Store, tracker: TrackerId, format: ExportFormat, filter: Filter | None = None
) -> bytes:
    records = store.records(tracker, filter or Filter())
    return b"".join(export_records(records, format, is_available=lambda _: True))


def plan_file(
    store: Store, tracker: TrackerId, content: bytes, format: str, **options: Any
) -> Plan:
    read = read_content(content, RulesFormat(format), name=f"rules.{format}")
    return make_plan(store, tracker, read, new_id=new_id, **options)


def plan_paths(store: Store, tracker: TrackerId, *paths: Path, **options: Any) -> Plan:
    return make_plan(store, tracker, read_files(files_in(paths)), new_id=new_id, **options)


def said(store: Store, tracker: TrackerId) -> list[Body]:
    """What the tracker's customizations say, oldest first."""
    return [
        json.loads(body_of(definition))
        for record in store.records(tracker, Filter())
        for definition in [definition_of(record)]
    ]


def actions(made: Plan) -> list[tuple[Action, str | None]]:
    return [(step.action, step.name) for step in made.steps]


def workbook(*rows: Sequence[Any]) -> bytes:
    """A spreadsheet as people make them."""
    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


# Random ones. What no sheet holds (control characters, what its escapes look like) is tested by itself.

_TRICKY = (
    "no", "on", "null", "~", "1", "1.0", "1e5", "0x1f", "012", "2025-01-01", "true", "=1+1", "-", "- a", "a: b", "#",
    "''", '"', "a\nb", " a ", "a, b", "[x]", "{", "é", "\u2028", "x" * 300, "<<", "*a", "&a", "!a", "%", "@", "`",
    "_x", "TRUE",
)  # fmt: skip
texts = st.one_of(
    st.sampled_from(_TRICKY),
    st.text(
        st.characters(
            codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
        ),
        min_size=1,
        max_size=20,
    ),
)
_WINDOWS: Sequence[Body] = (
    {},
    {"active_from": "2025-01-01"},
    {"active_to": "2025-06-01T00:00:00+02:00"},
    {"active_from": "2025-01-01T00:00:00Z", "active_to": "2025-01-02"},
)
_FLAGS: Sequence[Body] = (
    {},
    {"is_block_pin": True},
    {"is_block_pin": False, "is_bundle_pin": True},
)
criteria = shapes.filter(lambda shape: shape not in ({}, [], {"criteria": []}))
pins = st.builds(
    lambda position, pick, window, flags, widget: {
        "position": position, **pick, **window, **flags, **widget
    },
    st.sampled_from((1, 3, -1, 0, 1000)),
    st.one_of(
        texts.map(lambda text: {"pin_type": "item", "pin_identity": text}),
        criteria.map(lambda shape: {"pin_type": "criteria", "pin_criteria": shape}),
        texts.map(
            lambda text: {
                "pin_type": "criteria", "pin_identity": text, "pin_criteria": {"brand": text}
            }
        ),
    ),
    st.sampled_from(_WINDOWS),
    st.sampled_from(_FLAGS),
    st.one_of(st.just({}), texts.map(lambda text: {"widget_id": text})),
)  # fmt: skip
_targets: st.SearchStrategy[Body] = st.one_of(
    st.just({"target_type": "all"}),
    texts.map(lambda text: {"target_type": "item", "target_identity": text}),
    criteria.map(lambda shape: {"target_type": "criteria", "target_criteria": shape}),
)
_metadata: st.SearchStrategy[Body] = st.one_of(
    st.just({}),
    st.dictionaries(texts, texts, max_size=2).map(lambda members: {"target_metadata": members}),
)
bodies: st.SearchStrategy[Body] = st.builds(
    lambda model, target, metadata, tags, switch, listed: {
        "model": model, **target, "tags": tags, **metadata, **switch, "pin_definitions": listed
    },
    texts.map(lambda text: text[:100]),
    _targets,
    _metadata,
    st.lists(texts.map(lambda text: text[:100]), max_size=3, unique=True),
    st.sampled_from(({}, {"disabled": True}, {"disabled": False})),
    st.lists(pins, max_size=3),
)  # fmt: skip
