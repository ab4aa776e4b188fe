"""
`endcap pull`: catalog and customizations move in from another host, the vendor's or our own.
"""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from endcap.client import Client, Definition, Pin
from endcap.domain import Filter, TrackerId
from endcap.wire.catalog import attributes
from tests.cli.driver import KEY, TRACKER, Shell, unwrapped
from tests.services.postgres import PostgresServer
from tests.services.server import create_tracker, endcap_command, start_server
from tests.services.vendor import Failure, VendorHost, vendor_host, vendor_objects

Json = Any
IDS = [f"199620b4-df1a-46e8-ab59-9e9ed9af710{n}" for n in range(9)]


def rule(number: int, **others: Json) -> Json:
    """A customization as the vendor gives it."""
    return {
        "id": IDS[number],
        "created_at": f"2025-01-22T08:49:5{number // 2}Z",
        "model": "basket",
        "target_type": "item",
        "target_identity": f"/p/{number}",
        "target_metadata": {"title": "Fender", "image_link": "https://doe.com/1.jpg"},
        "pin_definitions": [{"position": 1, "pin_type": "item", "pin_identity": "/p/555"}],
        "tags": ["spring"],
        "creator": "ann@shop.example",
        "available": True,
        **others,
    }


@pytest.fixture
def vendor() -> Iterator[VendorHost]:
    with vendor_host(TRACKER, KEY) as host:
        host.objects = list(vendor_objects(7))
        host.customizations = [rule(n) for n in range(4)]
        yield host


def options(host: VendorHost, *others: object) -> list[object]:
    return ["pull", "--from", host.url, "--tracker", TRACKER, "--key", KEY, *others]


def catalog(shell: Shell, tracker: str = TRACKER) -> dict[str, Json]:
    """What criteria see of each item; categories that items nest are there besides."""
    parts = shell.parts()
    try:
        with parts.store.load(TrackerId(tracker)) as load:
            items = [each for each in load.objects() if each.type == "item"]
            return {each.identity: attributes(each.document) for each in items}
    finally:
        parts.store.close()


def records(shell: Shell) -> list[Json]:
    """The stored customizations, oldest first."""
    parts = shell.parts()
    try:
        return list(parts.store.records(TrackerId(TRACKER), Filter()))
    finally:
        parts.store.close()


def state_file(shell: Shell) -> Path:
    return shell.data_dir / "pulls" / f"tracker={TRACKER}.json"


# The move


def test_a_shop_moves_in(shell: Shell, vendor: VendorHost) -> None:
    """Objects become what they were before they were exported; customizations keep id, time and creator."""
    said = shell.call(*options(vendor))

    shown = unwrapped(said.stdout)
    assert f"Pulled {TRACKER} from {vendor.url} into {TRACKER}." in shown
    assert "objects 7 7 0 0 0" in shown
    assert "customizations 4 4 0 0 0" in shown
    found = catalog(shell)
    assert len(found) == 7
    assert found["/p/3"] == {
        "identity": "/p/3",
        "type": "item",
        "title": "Guitar 3",
        "brand": "Fender",
        "price": "1 299,00 €",
        "price_amount": 1299.0,
        "introduced_at": "2025-01-09",
        "availability": 1,
        "category": ["Electric"],
        "category_lvl_1": ["Guitars"],
        "category_lvl_2": ["Electric"],
    }
    kept = [{key: each[key] for key in rule(0) if key != "available"} for each in shell.customizations()]  # fmt: skip
    assert kept == [
        {key: value for key, value in rule(n).items() if key != "available"} for n in range(4)
    ]
    assert not state_file(shell).exists()


def test_the_order_of_customizations_is_kept(shell: Shell, vendor: VendorHost) -> None:
    """The wire tells seconds; those of one second stay as they came, since the newer wins between equals."""
    vendor.customizations = [rule(n, created_at="2025-01-22T08:49:58Z") for n in (3, 1, 2, 0)]

    shell.call(*options(vendor))

    assert [each.id for each in records(shell)] == [IDS[n] for n in (3, 1, 2, 0)]
    assert {each["created_at"] for each in shell.customizations()} == {"2025-01-22T08:49:58Z"}


def test_a_second_pull_changes_nothing(shell: Shell, vendor: VendorHost) -> None:
    """No revision is spent: what is the same by content is not written."""
    shell.call(*options(vendor))
    before = shell.revision()
    vendor.customizations[0] = dict(reversed(vendor.customizations[0].items()))

    report = shell.json(*options(vendor))

    assert shell.revision() == before
    assert counts(report["catalog"]) == (7, 0, 0, 7)
    assert counts(report["customizations"], "customizations") == (4, 0, 0, 4)


def counts(part: Json, all: str = "objects") -> tuple[int, ...]:
    return (part[all], part["new"], part["changed"], part["unchanged"])


def test_a_later_pull_brings_what_changed(shell: Shell, vendor: VendorHost) -> None:
    """There it is right; what is only here stays."""
    shell.call(*options(vendor))
    shell.put_items({"identity": "/own", "title": "Own", "type": "item"})
    created = records(shell)[1].created_at
    vendor.objects[2]["attributes"]["price"] = "9 €"
    vendor.objects[2]["attributes"]["price_amount"] = 9.0
    vendor.objects += vendor_objects(8)[7:]
    vendor.customizations[1]["tags"] = ["autumn"]
    vendor.customizations.append(rule(4))
    del vendor.customizations[0]

    report = shell.json(*options(vendor))

    assert counts(report["catalog"]) == (8, 1, 1, 6)
    assert counts(report["customizations"], "customizations") == (4, 1, 1, 2)
    found = catalog(shell)
    assert found["/p/2"]["price_amount"] == 9.0
    assert {"/own", "/p/7"} <= found.keys()
    kept = records(shell)
    assert [each.id for each in kept] == IDS[:5]
    assert (kept[1].tags, kept[1].created_at) == (("autumn",), created)


def test_into_a_tracker_of_another_name(shell: Shell, vendor: VendorHost) -> None:
    """The id there and the id here are two things."""
    shell.create_tracker("8765-4321", "another")

    shell.call(*options(vendor, "--to-tracker", "8765-4321"))

    assert len(catalog(shell, "8765-4321")) == 7
    assert catalog(shell) == {}


@pytest.mark.parametrize("only", ["catalog", "customizations"])
def test_only_a_part(shell: Shell, vendor: VendorHost, only: str) -> None:
    """The other is not even asked for."""
    report = shell.json(*options(vendor, "--only", only))

    other = {"catalog": "customizations", "customizations": "catalog"}[only]
    assert report[other] is None
    assert report[only]["new"] > 0
    assert {("content_export" in path) for _, path, _ in vendor.asked} == {only == "catalog"}


def test_a_dry_run_compares_and_stores_nothing(shell: Shell, vendor: VendorHost) -> None:
    """Its figures are those that the real one would have."""
    shell.call(*options(vendor, "--only", "catalog"))
    vendor.objects[2]["attributes"]["title"] = "New name"
    before = shell.revision()

    report = shell.json(*options(vendor, "--dry-run"))
    said = shell.call(*options(vendor, "--dry-run"))

    assert counts(report["catalog"]) == (7, 0, 1, 6)
    assert counts(report["customizations"], "customizations") == (4, 4, 0, 0)
    assert report["customizations"]["stored"] is False
    assert "Would pull" in said.stdout
    assert shell.revision() == before
    assert records(shell) == []
    assert not state_file(shell).exists()


def test_a_host_without_an_export_of_customizations(shell: Shell, vendor: VendorHost) -> None:
    """They are read from its list, whatever the size of its pages, until it was the same twice."""
    vendor.has_export, vendor.list_size_max = False, 3

    shell.call(*options(vendor, "--only", "customizations"))

    assert [each.id for each in records(shell)] == IDS[:4]
    lists = [query["offset"][0] for _, path, query in vendor.asked if path.endswith("/scopes")]
    assert lists == ["0", "3", "0", "3"]


def test_a_host_without_any_customizations(shell: Shell, vendor: VendorHost) -> None:
    """Nothing is nothing, by either way."""
    vendor.customizations = []
    first = shell.json(*options(vendor))
    vendor.has_export = False
    second = shell.json(*options(vendor))

    for report in (first, second):
        assert counts(report["customizations"], "customizations") == (0, 0, 0, 0)


# What is refused


def test_faulty_objects_are_named_and_the_others_come(shell: Shell, vendor: VendorHost) -> None:
    """The code is 1: something is left to do. An object without a title gets its identity for one."""
    vendor.objects[1]["type"] = ""
    vendor.objects[2] = {"type": "item", "attributes": {"title": "nameless"}}
    vendor.objects[3] = 7
    del vendor.objects[4]["attributes"]["title"]

    report = shell.json(*options(vendor), code=1)
    said = shell.call(*options(vendor), code=1)

    assert counts(report["catalog"]) == (7, 4, 0, 0)
    refused = report["catalog"]["refused"]
    assert refused["total"] == 3
    assert set(refused["first"]) == {"/p/1", "object #3", "object #4"}
    assert catalog(shell)["/p/4"]["title"] == "/p/4"
    assert "/p/1: type:" in said.stderr
    assert "1 without a title" in said.stderr


def test_one_faulty_customization_keeps_all_out(shell: Shell, vendor: VendorHost) -> None:
    """They act together. The catalog is there, and the next pull brings the rest."""
    vendor.customizations[1]["pin_definitions"] = [{"pin_type": "item"}]
    vendor.customizations[2]["id"] = "17"

    report = shell.json(*options(vendor), code=1)
    said = unwrapped(shell.call(*options(vendor), code=1).stderr)

    assert report["customizations"]["refused"]["first"] == {
        IDS[
            1
        ]: "Missing required field: position (pin 0); Missing required field: pin_identity (pin 0)",
        "17": "id: must be a UUID",
    }
    assert report["customizations"]["stored"] is False
    assert "they come together or not at all" in said
    assert records(shell) == []
    assert len(catalog(shell)) == 7
    vendor.customizations = [rule(n) for n in range(4)]
    shell.call(*options(vendor))
    assert len(records(shell)) == 4


def test_a_wrong_key(shell: Shell, vendor: VendorHost) -> None:
    """What the host says is passed on, with its name."""
    vendor.key = "another key"

    said = shell.fault(*options(vendor))

    assert "Authentication failed" in said
    assert "signature mismatch" in said
    assert vendor.url in said
    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "live.example.com"], "must be a URL such as"),
        (["--from", "ftp://live.example.com"], "must be a URL such as"),
        (["--from", "https://live.example.com/v1"], "must end with the host"),
        (["--from", "https://x:y@live.example.com"], "must end with the host"),
        (["--from", "https://live.example.com", "--key", ""], "The private key"),
        (["--from", "https://live.example.com", "--resume", "--dry-run"], "leave out --resume"),
    ],
)
def test_slips_of_usage(shell: Shell, arguments: list[str], said: str) -> None:
    """The code is 2, and nobody is asked anything."""
    key = [] if "--key" in arguments else ["--key", KEY]

    assert said in unwrapped(shell.fault("pull", "--tracker", TRACKER, *key, *arguments, code=2))


def test_a_tracker_that_is_not_here(shell: Shell, vendor: VendorHost) -> None:
    """It is told before anybody is asked, with those there are."""
    said = unwrapped(shell.fault(*options(vendor, "--to-tracker", "nowhere")))

    assert "nowhere does not exist; there are: 1234-5678" in said
    assert vendor.asked == []


def test_the_key_by_other_ways(shell: Shell, vendor: VendorHost) -> None:
    """From the environment, or from standard input with the line's end that a pipe brings."""
    ways = ["pull", "--from", vendor.url, "--tracker", TRACKER]
    missing = shell.fault(*ways, code=2)

    shell.call(*ways, "--key", "-", input=f"{KEY}\n")
    shell.settings["ENDCAP_PULL_KEY"] = KEY
    shell.call(*ways)

    assert "set ENDCAP_PULL_KEY, or --key - and pipe it in" in unwrapped(missing)
    assert len(catalog(shell)) == 7


# What goes wrong on the way


def away_after(host: VendorHost, requests: int) -> None:
    """After some requests the host asks for a pause that nobody waits for."""

    def away(number: int) -> None:
        if number == requests:
            host.failures.append(Failure(503, Retry_After="100000"))

    host.on_request = away


@pytest.mark.parametrize(
    "failure",
    [
        Failure(429, Retry_After="0"),
        Failure(500, Retry_After="0"),
        Failure(503, b"<html>", Retry_After="Thu, 01 Jan 2015 00:00:00 GMT"),
    ],
    ids=["throttled", "broken", "away"],
)
def test_a_host_that_needs_time(shell: Shell, vendor: VendorHost, failure: Failure) -> None:
    """It is asked again, after the pause that it asked for, for every page and every part."""
    vendor.objects = list(vendor_objects(1_001))

    def every_other(number: int) -> None:
        if number % 2 == 0:
            vendor.failures.append(failure)

    vendor.failures.append(failure)
    vendor.on_request = every_other

    report = shell.json(*options(vendor))

    assert counts(report["catalog"]) == (1_001, 1_001, 0, 0)
    assert report["customizations"]["stored"] is True
    assert len(vendor.asked) == 8  # three pages and an export, each twice


def test_links_that_expire(shell: Shell, vendor: VendorHost) -> None:
    """The catalog is read from its beginning, and what came already is not written again."""
    vendor.objects = list(vendor_objects(1_600))
    vendor.on_request = lambda number: vendor.forget_cursors() if number == 3 else None

    said = shell.call(*options(vendor, "--only", "catalog"))

    shown = unwrapped(said.stdout)
    assert "objects 1600 1600 0 0 0" in shown
    assert "has expired" in said.stderr
    assert [each == "first" for each in vendor.pages_asked()].count(True) == 2
    assert len(catalog(shell)) == 1_600
    assert shell.revision() == 1 + 4  # a commit a page with something new in it


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_links_that_never_hold(shell: Shell, vendor: VendorHost, status: int) -> None:
    """The pull ends, and says so; the state is kept."""
    vendor.objects = list(vendor_objects(600))
    vendor.expired = Failure(status, {"reason": "Expired", "exception_details": {}})
    vendor.on_request = lambda number: vendor.forget_cursors()

    said = unwrapped(shell.fault(*options(vendor)))

    assert "keep expiring" in said
    assert len(vendor.asked) == 8
    assert state_file(shell).exists()


def test_a_pull_that_broke_goes_on(shell: Shell, vendor: VendorHost) -> None:
    """From the next page; the figures are those of the whole."""
    vendor.objects = list(vendor_objects(1_600))
    away_after(vendor, 2)

    broken = shell.fault(*options(vendor))
    kept = json.loads(state_file(shell).read_text())
    vendor.on_request = lambda number: None
    report = shell.json(*options(vendor, "--resume"))

    assert "--resume" in broken
    assert kept["catalog"]["objects"] == 1_000
    assert KEY not in json.dumps(kept)
    assert report["resumed"] is True
    assert counts(report["catalog"]) == (1_600, 1_600, 0, 0)
    assert vendor.pages_asked().count("first") == 1
    assert len(catalog(shell)) == 1_600
    assert not state_file(shell).exists()


def test_a_resumed_pull_whose_link_expired(shell: Shell, vendor: VendorHost) -> None:
    """It begins anew without writing anything twice."""
    vendor.objects = list(vendor_objects(1_600))
    away_after(vendor, 2)
    shell.fault(*options(vendor))
    vendor.on_request = lambda number: None
    vendor.forget_cursors()

    report = shell.json(*options(vendor, "--resume"))

    assert counts(report["catalog"]) == (1_600, 1_600, 0, 0)
    assert report["catalog"]["restarts"] == 1
    assert len(catalog(shell)) == 1_600


def test_resume_with_nothing_to_resume(shell: Shell, vendor: VendorHost) -> None:
    """It begins at the beginning, so that a script may always say --resume."""
    said = shell.call(*options(vendor, "--resume"))

    assert "There is no unfinished pull" in said.stderr
    assert len(catalog(shell)) == 7


def test_resume_of_another_pull(shell: Shell, vendor: VendorHost) -> None:
    """It is not mixed up with this one."""
    vendor.objects = list(vendor_objects(600))
    away_after(vendor, 1)
    shell.fault(*options(vendor))

    said = unwrapped(shell.fault(*options(vendor, "--resume", "--only", "catalog"), code=2))

    assert "The unfinished pull is of catalog and customizations of 1234-5678" in said


def test_an_unfinished_pull_is_given_up_by_a_new_one(shell: Shell, vendor: VendorHost) -> None:
    """With a word about it."""
    vendor.objects = list(vendor_objects(600))
    away_after(vendor, 1)
    shell.fault(*options(vendor))
    vendor.on_request = lambda number: None

    said = shell.call(*options(vendor))

    assert "An unfinished pull is given up" in said.stderr
    assert vendor.pages_asked().count("first") == 2


# Processes


@pytest.mark.slow
def test_a_killed_pull_goes_on(shell: Shell, vendor: VendorHost) -> None:
    """While it waits for the third page it is killed, as by a power cut; nothing is lost and nothing is asked twice."""
    vendor.objects = list(vendor_objects(1_600))
    arrived, released = threading.Event(), threading.Event()

    def hold(number: int) -> None:
        if number == 3:
            arrived.set()
            released.wait(60)

    vendor.on_request = hold
    command = [str(endcap_command()), *map(str, options(vendor))]
    environment = {**os.environ, **shell.settings}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        assert arrived.wait(60)
        another = shell.fault(*options(vendor), code=2)
    finally:
        process.kill()
        process.wait()
        released.set()

    assert "Another pull into 1234-5678 is under way" in unwrapped(another)
    assert len(catalog(shell)) == 1_000
    report = shell.json(*options(vendor, "--resume"))
    assert counts(report["catalog"]) == (1_600, 1_600, 0, 0)
    assert vendor.pages_asked().count("first") == 1
    assert len(records(shell)) == 4


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("there", ["sqlite", "postgres"])
def test_from_one_endcap_to_another(
    tmp_path: Path, postgres_server: PostgresServer, there: str
) -> None:
    """A running server of ours is a peer like the vendor's host, and every word of a rule arrives as it was written."""
    source_dir = tmp_path / "source"
    source_dir.mkdir()
    urls = {"sqlite": "", "postgres": postgres_server.create_database()}
    here = {"sqlite": "postgres", "postgres": "sqlite"}[there]
    source_env = {"ENDCAP_DATABASE_URL": urls[there], "ENDCAP_CLOCK_SKEW_SECONDS": "300"}
    create_tracker(source_dir, TRACKER, KEY, env=source_env)
    shell = Shell(tmp_path / "data", ENDCAP_DATABASE_URL=urls[here])
    shell.create_tracker()
    server = start_server(source_dir, env=source_env)
    try:
        with Client(server.url, TRACKER, KEY) as client:
            client.put_objects(list(objects_of_ours(700)))
            made = [client.create(each) for each in RULES]
            command = ["pull", "--from", server.url, "--tracker", TRACKER, "--key", KEY]
            first = shell.json(*command)
            second = shell.json(*command)
            exported = list(client.export())
    finally:
        server.stop()

    assert counts(first["catalog"]) == (701, 701, 0, 0)  # the category in all of them is one, too
    assert counts(second["catalog"]) == (701, 0, 0, 701)
    assert counts(first["customizations"], "customizations") == (3, 3, 0, 0)
    assert counts(second["customizations"], "customizations") == (3, 0, 0, 3)
    kept = records(shell)
    assert [each.id for each in kept] == [each.id for each in exported] == [each.id for each in made]  # fmt: skip
    shown = {each["id"]: each for each in shell.customizations()}
    for each in exported:
        assert shown[each.id]["created_at"] == each.created_at
        assert shown[each.id]["creator"] == each.creator == "api"
        assert shown[each.id]["pin_definitions"] == [pin_json(pin) for pin in each.pin_definitions]
    assert b'{"price_amount":{"values":["500|"]}}' in kept[1].document
    found = catalog(shell)
    assert found["/p/7"]["category_lvl_1"] == ["Guitars"]
    assert found["/p/7"]["active_like"] == "x"
    assert "_margin" not in found["/p/7"]  # hidden attributes are never exported


def objects_of_ours(count: int) -> Iterator[Json]:
    for number in range(count):
        yield {
            "identity": f"/p/{number}",
            "type": "item",
            "generation": "g",
            "fields": {
                "title": f"Guitar {number}",
                "brand": "Fender",
                "price": "1 299,00 €",
                "active_like": "x",
                "_margin": 0.4,
            },
            "nested": [
                {
                    "identity": "/c/electric",
                    "type": "category",
                    "fields": {"title": "Electric", "ancestors": [{"title": "Guitars"}]},
                }
            ],
        }


def pin_json(pin: Pin) -> Json:
    return {
        name: value for name in Pin.__struct_fields__ if (value := getattr(pin, name)) is not None
    }


RULES = [
    Definition(
        model="basket",
        target_type="item",
        target_identity="/p/1",
        tags=("spring",),
        pin_definitions=(Pin(position=1, pin_type="item", pin_identity="/p/2"),),
    ),
    Definition(
        model="basket",
        target_type="criteria",
        target_criteria={"price_amount": {"values": ["500|"]}},
        pin_definitions=(Pin(position=-1, pin_type="criteria", pin_criteria={"brand": "Fender"}),),
    ),
    Definition(model="home", target_type="all"),
]
