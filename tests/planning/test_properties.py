"""
What holds of every plan: an export plans to nothing, what was applied plans to nothing, and a refusal stops all of it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.domain import Filter, TrackerId
from endcap.errors import FaultyFields, UsageFault
from endcap.planning.plan import Action, plan_json, read_plan
from endcap.store import open_store
from endcap.store.port import Store
from endcap.transfer.export import ExportFormat, export_folder
from endcap.wire.customizations import read_definition
from tests.planning import rules
from tests.planning.rules import Body, apply, bodies, plan, plan_file, put
from tests.store.writes import committed, new_tracker, some_tracker

EXAMPLES = 25


@contextmanager
def trackers(database: str, count: int = 1) -> Iterator[tuple[Store, list[TrackerId]]]:
    """New ones for every example, in the database that the examples share."""
    store = open_store(database)
    try:
        made = [some_tracker() for _ in range(count)]
        committed(store, *map(new_tracker, made))
        yield store, made
    finally:
        store.close()


def is_taken(body: Body) -> bool:
    """Criteria are drawn in every shape, and a few of them say nothing."""
    try:
        read_definition(json.dumps(body).encode())
    except FaultyFields:
        return False
    return True


lists = st.lists(bodies.filter(is_taken), min_size=1, max_size=4)


@settings(max_examples=EXAMPLES)
@given(lists, st.sampled_from(rules.FORMATS))
def test_an_export_plans_to_no_changes(
    database: str, drawn: list[Body], format: ExportFormat
) -> None:
    """In every format, whatever the texts; and in an empty tracker it makes the same again, ids and all."""
    with trackers(database, 2) as (store, (tracker, other)):
        put(store, tracker, *drawn)
        try:
            content = rules.exported(store, tracker, format)
        except UsageFault:
            assert format == "xlsx"  # it says so rather than spoil a text
            return

        here = plan_file(store, tracker, content, format)
        apply(store, plan_file(store, other, content, format))
        again = plan_file(store, other, content, format)

        assert (here.steps, here.refused, here.unchanged) == ((), (), len(drawn))
        assert (again.steps, again.refused) == ((), ())
        originals = list(store.records(tracker, Filter()))
        copies = list(store.records(other, Filter()))
        assert [each.id for each in copies] == [each.id for each in originals]
        assert [each.creator for each in copies] == [each.creator for each in originals]


@settings(max_examples=EXAMPLES)
@given(lists, st.sampled_from(("yaml", "json")))
def test_a_folder_plans_to_no_changes(
    database: str, tmp_path_factory: pytest.TempPathFactory, drawn: list[Body], format: Any
) -> None:
    """One file each, with names that no two share."""
    with trackers(database) as (store, (tracker,)):
        put(store, tracker, *drawn)
        folder = tmp_path_factory.mktemp("rules")

        export_folder(store.records(tracker, Filter()), format, folder, replace=False)
        made = rules.plan_paths(store, tracker, folder)

        assert len(list(folder.iterdir())) == len(drawn)
        assert (made.steps, made.refused, made.unchanged) == ((), (), len(drawn))


@settings(max_examples=EXAMPLES)
@given(lists, lists, st.booleans())
def test_what_was_applied_plans_to_no_changes(
    database: str, before: list[Body], after: list[Body], kept: bool
) -> None:
    """From any rules to any others, some of them under the same names, and the rest deleted; also by way of a file."""
    with trackers(database) as (store, (tracker,)):
        named = [{**body, "name": f"r{n}"} for n, body in enumerate(before)]
        apply(store, plan(store, tracker, *named))
        wanted = [{**body, "name": f"r{n + 1}"} for n, body in enumerate(after)]
        everything = Filter()

        made = plan(store, tracker, *wanted, prune=everything)
        done = apply(store, read_plan(plan_json(made)) if kept else made)
        again = plan(store, tracker, *wanted, prune=everything)

        assert (again.steps, again.unchanged) == ((), len(wanted))
        assert done.created + done.changed + done.unchanged == len(wanted)
        assert len(list(store.records(tracker, everything))) == len(wanted)


@settings(max_examples=EXAMPLES)
@given(lists, st.integers(0, 4), st.sampled_from(({"model": 5}, {"id": "x"}, {"tagz": []})))
def test_one_refused_rule_stops_all(
    database: str, drawn: list[Body], place: int, spoilt: Body
) -> None:
    """Wherever it stands: the plan tells it, and is not applied."""
    with trackers(database) as (store, (tracker,)):
        wanted = [{**body, "name": f"r{n}"} for n, body in enumerate(drawn)]
        wanted.insert(place % (len(wanted) + 1), {**rules.rule("spoilt"), **spoilt})

        made = plan(store, tracker, *wanted)

        assert made.refused_total == 1
        assert [step.action for step in made.steps] == [Action.CREATE] * len(drawn)
        with pytest.raises(UsageFault):
            apply(store, made)
        assert list(store.records(tracker, Filter())) == []
