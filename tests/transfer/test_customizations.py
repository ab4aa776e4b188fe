"""
Customizations in and out: what was exported comes back, in every format, with the same winners.
"""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from endcap.domain import CustomizationId, Filter, Micros, Record, TrackerId
from endcap.errors import FaultyRows, TrackerNotFound, UsageFault
from endcap.store import open_store
from endcap.store.port import Store
from endcap.store.writes import CreateTracker
from endcap.transfer.customizations import CustomizationsReport, import_customizations
from endcap.transfer.export import ExportFormat, export_customizations
from endcap.wire.customizations import customization_json

SHOP, OTHER = TrackerId("1234-5678"), TrackerId("8765-4321")
NOW = Micros(1_737_000_000_000_000)
ids = count()
CUSTOMIZATIONS: list[dict[str, Any]] = [
    {
        "model": "basket",
        "target_type": "item",
        "target_identity": "/p/1",
        "tags": ["winter", "a, b"],
        "pin_definitions": [
            {"position": 1, "pin_type": "item", "pin_identity": "/p/2"},
            {
                "position": -1,
                "pin_type": "criteria",
                "pin_criteria": {"brand": {"values": ["Fender", 'a "b", c']}},
                "widget_id": "sidebar",
            },
        ],
    },
    {
        "model": "trends",
        "target_type": "criteria",
        "target_criteria": [{"field": "price_amount", "operator": ">", "value": 10.50}],
        "tags": [],
        "pin_definitions": [
            {
                "position": 0,
                "pin_type": "item",
                "pin_identity": "123",
                "is_block_pin": True,
                "active_from": "2025-01-01",
                "active_to": "2026-01-01T00:00:00+01:00",
            },
            {"position": 3, "pin_type": "item", "pin_identity": "ü", "is_bundle_pin": False},
        ],
    },
    {"model": "trends", "target_type": "all", "tags": ["x"], "pin_definitions": []},
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'endcap.db'}")
    store.migrate()
    store.commit([CreateTracker(each, "shop", b"sealed", "test", NOW) for each in (SHOP, OTHER)])
    yield store
    store.close()


def run(
    store: Store, path: Path, tracker: TrackerId = SHOP, **options: Any
) -> CustomizationsReport:
    def new_id() -> CustomizationId:
        return CustomizationId(f"00000000-0000-4000-8000-{2**40 - next(ids):012d}")

    return import_customizations(
        store, tracker, path, creator="import", now=NOW, new_id=new_id, **options
    )


def records(store: Store, tracker: TrackerId = SHOP) -> list[Record]:
    """The oldest first."""
    return sorted(store.records(tracker, Filter()), key=lambda each: each.created_at)


def documents(store: Store, tracker: TrackerId = SHOP) -> list[dict[str, Any]]:
    return [msgspec.json.decode(record.document) for record in records(store, tracker)]


def exported(store: Store, format: ExportFormat) -> bytes:
    rendered = (customization_json(each, available=True, shown=None) for each in records(store))
    return b"".join(export_customizations(rendered, format))


def file(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines(tmp_path: Path, *customizations: Any) -> Path:
    return file(tmp_path, "".join(json.dumps(each) + "\n" for each in customizations))


@pytest.mark.parametrize("format", ["json", "ndjson", "csv"])
def test_what_is_exported_comes_back(store: Store, tmp_path: Path, format: ExportFormat) -> None:
    """In another tracker it is the same, in the same order, with new ids."""
    run(store, lines(tmp_path, *CUSTOMIZATIONS))

    report = run(store, file(tmp_path, exported(store, format)), OTHER)

    assert documents(store, OTHER) == documents(store) == CUSTOMIZATIONS
    assert (report.customizations, report.pins) == (3, 4)
    assert report.models == {"basket": 1, "trends": 2}
    assert {each.id for each in records(store)}.isdisjoint(
        each.id for each in records(store, OTHER)
    )


@pytest.mark.parametrize("format", ["json", "ndjson", "csv"])
def test_what_is_switched_off_stays_off(store: Store, tmp_path: Path, format: ExportFormat) -> None:
    """Out and in again, it does not begin to act."""
    run(
        store,
        lines(tmp_path, *({**each, "disabled": at == 1} for at, each in enumerate(CUSTOMIZATIONS))),
    )

    run(store, file(tmp_path, exported(store, format)), OTHER)

    states = [[each.disabled for each in records(store, tracker)] for tracker in (SHOP, OTHER)]
    assert states == [[False, True, False]] * 2


@pytest.mark.parametrize("format", ["json", "ndjson", "csv"])
def test_criteria_keep_their_spelling(store: Store, tmp_path: Path, format: ExportFormat) -> None:
    """A number's zeros and a list's blanks survive the round."""
    spelled = '[{"field":"price_amount", "operator":">","value":10.50}]'
    sent = (
        f'{{"model":"m","target_type":"criteria","target_criteria":{spelled},"pin_definitions":[]}}'
    )
    run(store, file(tmp_path, sent))

    run(store, file(tmp_path, exported(store, format)), OTHER)

    assert spelled.encode() in records(store, OTHER)[0].document


def test_an_empty_export_is_an_empty_file_of_its_format(store: Store) -> None:
    """Also nothing is valid JSON, and CSV with a header."""
    assert json.loads(exported(store, "json")) == []
    assert exported(store, "ndjson") == b""
    assert exported(store, "csv").startswith(b"id,created_at,updated_at,model,")


def test_the_file_is_one_transaction(store: Store, tmp_path: Path) -> None:
    """Nothing of a file is stored if a line of it is faulty; every faulty one is named."""
    bad = {"model": "m", "target_type": "all", "pin_definitions": [{"position": -2}]}

    with pytest.raises(FaultyRows) as refused:
        run(store, lines(tmp_path, CUSTOMIZATIONS[0], bad, CUSTOMIZATIONS[1], {}, 7))

    assert list(refused.value.faults) == [2, 4, 5]
    assert "position" in refused.value.faults[2]
    assert "Missing required field: model" in refused.value.faults[4]
    assert records(store) == []


def test_later_customizations_are_newer(store: Store, tmp_path: Path) -> None:
    """Between equals the newer pin wins, so the file's order is made of microseconds, the last one now."""
    run(store, lines(tmp_path, *CUSTOMIZATIONS))

    assert [each.created_at for each in records(store)] == [NOW - 2, NOW - 1, NOW]
    assert documents(store) == CUSTOMIZATIONS


def test_what_was_newer_stays_newer(store: Store, tmp_path: Path) -> None:
    """A list that comes newest first, as answers of the API do, is put the right way round."""
    pages = {
        "pagination": {"total": 3},
        "results": [
            {**each, "id": f"x{n}", "created_at": f"2025-01-0{3 - n}T00:00:00Z"}
            for n, each in enumerate(reversed(CUSTOMIZATIONS))
        ],
    }

    run(store, file(tmp_path, json.dumps(pages, indent=1)))

    assert documents(store) == CUSTOMIZATIONS


def test_only_the_server_says_who_and_when(store: Store, tmp_path: Path) -> None:
    """Ids, times and creators of the file are not taken over; metadata is."""
    sent = {
        **CUSTOMIZATIONS[0],
        "id": "11111111-1111-4111-8111-111111111111",
        "creator": "somebody",
        "created_at": "2020-01-01T00:00:00Z",
        "available": False,
        "target_metadata": {"title": "T"},
    }

    run(store, lines(tmp_path, sent))

    (record,) = records(store)
    assert record.creator == "import"
    assert record.created_at == NOW
    assert record.id != sent["id"]
    assert record.metadata is not None
    assert msgspec.json.decode(record.metadata) == {"title": "T"}


def test_a_csv_written_by_hand(store: Store, tmp_path: Path) -> None:
    """Without ids rows with one target are one customization; spreadsheets' TRUE and plain tags are understood."""
    path = file(
        tmp_path,
        "model;target_type;target_identity;tags;position;pin_type;pin_identity;is_block_pin\n"
        "basket;item;/p/1;winter, sale;1;item;/p/2;\n"
        "basket;item;/p/1;winter, sale;0;item;/p/3;TRUE\n"
        "trends;all;;;-1;item;/p/4;FALSE\n",
    )

    run(store, path)

    one, other = documents(store)
    assert one["tags"] == ["winter", "sale"]
    assert one["pin_definitions"] == [
        {"position": 1, "pin_type": "item", "pin_identity": "/p/2"},
        {"position": 0, "pin_type": "item", "pin_identity": "/p/3", "is_block_pin": True},
    ]
    assert (other["model"], len(other["pin_definitions"])) == ("trends", 1)


def test_faulty_rows_of_a_csv_are_named(store: Store, tmp_path: Path) -> None:
    """By the line where the customization begins, and the pin's own."""
    path = file(
        tmp_path,
        "model,target_type,position,pin_type,pin_identity,pin_criteria\n"
        "basket,all,1,item,/p/1,\n"
        "trends,all,first,item,/p/1,\n"
        "trends,all,2,criteria,,{brand: Fender}\n"
        "news,some,2,item,x,\n"
        "news\n",
    )

    with pytest.raises(FaultyRows) as refused:
        run(store, path)

    assert sorted(refused.value.faults) == [3, 5, 6]
    assert "position: must be JSON" in refused.value.faults[3]
    assert "line 4: pin_criteria: must be JSON" in refused.value.faults[3]
    assert "Must be one of: item, criteria, all" in refused.value.faults[5]
    assert records(store) == []


def test_parquet_is_no_format_for_customizations(store: Store, tmp_path: Path) -> None:
    """And the refusal says what is."""
    with pytest.raises(UsageFault, match="must be JSON here"):
        run(store, file(tmp_path, b"PAR1"))


def test_a_dry_run_stores_nothing(store: Store, tmp_path: Path) -> None:
    """It reports and refuses as the import would."""
    before = store.revisions()

    report = run(store, lines(tmp_path, *CUSTOMIZATIONS), dry_run=True)

    assert (report.customizations, report.revision) == (3, None)
    assert store.revisions() == before


def test_an_unknown_tracker_is_refused(store: Store, tmp_path: Path) -> None:
    """The store's own refusal comes through."""
    with pytest.raises(TrackerNotFound):
        run(store, lines(tmp_path, *CUSTOMIZATIONS), TrackerId("9"))


def test_progress_is_told(store: Store, tmp_path: Path) -> None:
    """Reading, then storing, each to its end."""
    told: list[tuple[str, int, int]] = []

    run(store, lines(tmp_path, *CUSTOMIZATIONS), progress=lambda *step: told.append(step))

    assert list(dict.fromkeys(step[0] for step in told)) == ["reading", "storing"]
    assert told[-1] == ("storing", 3, 3)
