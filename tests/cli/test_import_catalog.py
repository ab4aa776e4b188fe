"""
`endcap import catalog`: what a shop has in a file is its catalog, in one command.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.driver import TRACKER, Shell, lines, unwrapped
from tests.transfer.files import FORMATS, write

FEED = [
    {"id": "/p/1", "name": "Telecaster", "maker": "Fender", "price": 849.0},
    {"id": "/p/2", "name": "Les Paul", "maker": "Gibson", "price": 2499.5},
]
MAPS = (
    *("--map", "identity=id", "--map", "title=name"),
    *("--map", "brand=maker", "--map", "price_amount=price"),
)


def stored(shell: Shell) -> dict[str, Any]:
    """Identity → fields of the catalog."""
    parts = shell.parts()
    try:
        (row,) = parts.store.trackers()
        with parts.store.load(row.id) as load:
            return {each.identity: json.loads(each.document)["fields"] for each in load.objects()}
    finally:
        parts.close()


@pytest.mark.parametrize("format", FORMATS)
def test_a_feed_in_any_format_becomes_the_catalog(
    shell: Shell, tmp_path: Path, format: str
) -> None:
    """Told by the file's content; the map says which column is what."""
    file = write(tmp_path, format, FEED)

    said = shell.call("import", "catalog", file, "--tracker", TRACKER, *MAPS)

    assert said.stdout == "Stored 2 objects (2 item).\n"
    assert stored(shell) == {
        "/p/1": {"title": "Telecaster", "brand": "Fender", "price_amount": 849},
        "/p/2": {"title": "Les Paul", "brand": "Gibson", "price_amount": 2499.5},
    }


def test_the_report_in_json(shell: Shell, tmp_path: Path) -> None:
    """What was read, what was stored, and at which revision it shows."""
    file = write(tmp_path, "jsonl", [*FEED, FEED[0]])

    report = shell.json("import", "catalog", file, "--tracker", TRACKER, *MAPS)

    assert (report["lines"], report["objects"], report["repeated"]) == (3, 2, 1)
    assert report["types"] == {"item": 2}
    assert report["revision"] == shell.revision() == 2


def test_what_is_odd_but_no_fault_is_noted(shell: Shell, tmp_path: Path) -> None:
    """On standard error, and the import goes on."""
    file = write(tmp_path, "jsonl", [{"id": "/p/1"}, {"id": "/p/1", "title": "Telecaster"}])

    said = shell.call("import", "catalog", file, "--tracker", TRACKER)

    assert "Note: 1 with an identity that comes again later" in said.stderr
    assert "without a title" in said.stderr


def test_a_dry_run_stores_nothing(shell: Shell, tmp_path: Path) -> None:
    """It checks and counts as the real one does."""
    file = write(tmp_path, "csv", FEED)

    said = shell.call("import", "catalog", file, "--tracker", TRACKER, *MAPS, "--dry-run")
    report = shell.json("import", "catalog", file, "--tracker", TRACKER, *MAPS, "--dry-run")

    assert said.stdout == "Would store 2 objects (2 item).\n"
    assert report["objects"] == 2
    assert report["revision"] is None
    assert shell.revision() == 1


FAULTY = lines([{"id": "/p/1", "title": "x"}]) + "{broken\n" + lines([{"title": "no id"}, 7])


def test_faulty_rows_are_named_by_line_and_nothing_is_stored(shell: Shell, tmp_path: Path) -> None:
    """All of them at once, so that a file is mended in one go."""
    file = tmp_path / "feed.jsonl"
    file.write_text(FAULTY)

    said = shell.fault("import", "catalog", file, "--tracker", TRACKER)

    assert said.startswith("Error: The file has faulty rows; nothing was stored\n")
    assert [line.split(":")[0] for line in said.splitlines()[1:]] == ["  line 2", "  line 3", "  line 4"]  # fmt: skip
    assert "identity" in said
    assert stored(shell) == {}


def test_faulty_rows_in_json(shell: Shell, tmp_path: Path) -> None:
    """A program that asked for JSON is told in JSON, on standard output, with code 1."""
    file = tmp_path / "feed.jsonl"
    file.write_text(FAULTY)

    error = shell.json("import", "catalog", file, "--tracker", TRACKER, code=1)["error"]

    assert error["code"] == "faulty_rows"
    assert set(error["details"]) == {"line 2", "line 3", "line 4"}
    assert error["total"] == 3


def test_of_many_faulty_rows_the_first_are_named_and_all_are_counted(
    shell: Shell, tmp_path: Path
) -> None:
    """A file of the wrong kind does not fill the screen."""
    file = tmp_path / "feed.jsonl"
    file.write_text(lines({"title": str(number)} for number in range(1_000)))

    said = shell.fault("import", "catalog", file, "--tracker", TRACKER).splitlines()

    assert said[20].startswith("  line 20:")
    assert said[21:] == ["  … and 980 more"]


def test_faulty_rows_of_a_dry_run_are_named_too(shell: Shell, tmp_path: Path) -> None:
    """That is what one is for."""
    file = tmp_path / "feed.jsonl"
    file.write_text(FAULTY)

    assert "line 2" in shell.fault("import", "catalog", file, "--tracker", TRACKER, "--dry-run")


@pytest.mark.parametrize(
    ("maps", "said"),
    [
        (["identity"], "--map identity: must be target=source"),
        (["identity=id", "identity=name"], "identity is mapped twice"),
        (["identity=id", "title=titel"], "--map title=titel: no row has a value there"),
    ],
)
def test_a_map_that_cannot_work_is_named(
    shell: Shell, tmp_path: Path, maps: list[str], said: str
) -> None:
    """It is a slip on the command line, so the code is 2."""
    file = write(tmp_path, "jsonl", FEED)
    options = [part for pair in maps for part in ("--map", pair)]

    assert said in shell.fault("import", "catalog", file, "--tracker", TRACKER, *options, code=2)
    assert stored(shell) == {}


def test_a_star_takes_the_other_columns_along(shell: Shell, tmp_path: Path) -> None:
    """Under their own names."""
    file = write(tmp_path, "jsonl", FEED)

    shell.call("import", "catalog", file, "--tracker", TRACKER, "--map", "title=name", "--map", "*")

    assert stored(shell)["/p/1"]["maker"] == "Fender"


def test_an_unknown_tracker_is_told_before_the_file_is_read(shell: Shell, tmp_path: Path) -> None:
    """With those there are."""
    file = write(tmp_path, "jsonl", FEED)

    said = unwrapped(shell.fault("import", "catalog", file, "--tracker", "nowhere"))

    assert "nowhere does not exist; there are: 1234-5678" in said


def test_without_any_tracker_the_way_to_one_is_told(empty: Shell, tmp_path: Path) -> None:
    """The first thing that goes wrong on a first day."""
    file = write(tmp_path, "jsonl", FEED)

    assert "endcap tracker create ID" in empty.fault(
        "import", "catalog", file, "--tracker", TRACKER
    )


@pytest.mark.parametrize(
    "content", [b"", b"PAR1 is how these begin", b"[1, 2", b"\x1f\x8b\x08 cut", b"id\n\xff"]
)
def test_a_file_that_is_none_is_refused(shell: Shell, tmp_path: Path, content: bytes) -> None:
    """It is named, without a traceback."""
    file = tmp_path / "feed"
    file.write_bytes(content)

    said = shell.fault("import", "catalog", file, "--tracker", TRACKER, code=2)

    assert str(file) in unwrapped(said)
    assert stored(shell) == {}


def test_a_missing_file_is_a_slip_of_usage(shell: Shell, tmp_path: Path) -> None:
    """Click checks it."""
    said = shell.fault("import", "catalog", tmp_path / "none", "--tracker", TRACKER, code=2)

    assert "does not exist" in said


MERCHANT = """<rss xmlns:g="http://base.google.com/ns/1.0"><channel>
<item><g:id>7</g:id><title>Pick</title><g:price>0.50 EUR</g:price></item>
<item><g:id>8</g:id><title>Strap</title><g:availability>{}</g:availability></item>
</channel></rss>"""


def test_a_feed_for_google(shell: Shell, tmp_path: Path) -> None:
    """Told by its content; the report says what it was taken for."""
    file = tmp_path / "feed"
    file.write_text(MERCHANT.format("out_of_stock"))

    report = shell.json("import", "catalog", file, "--tracker", TRACKER)

    assert (report["format"], report["objects"]) == ("merchant", 2)
    assert stored(shell)["8"]["availability"] == 0


def test_a_faulty_product_is_named_by_its_line(shell: Shell, tmp_path: Path) -> None:
    """The one on which it begins."""
    file = tmp_path / "feed"
    file.write_text(MERCHANT.format("maybe"))

    said = shell.fault("import", "catalog", file, "--tracker", TRACKER)

    assert "  line 3: availability: must be in_stock" in said
    assert stored(shell) == {}


def test_a_billion_laughs_is_refused(shell: Shell, tmp_path: Path) -> None:
    """As a file that cannot be read, with the line."""
    file = tmp_path / "feed"
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">\n' for n in range(1, 9))
    file.write_text(f'<!DOCTYPE r [<!ENTITY a0 "ha">\n{entities}]><r><item>&a8;</item></r>')

    said = shell.fault("import", "catalog", file, "--tracker", TRACKER, code=2)

    assert "entities of a file's own are not followed" in unwrapped(said)


def test_a_folder_of_exported_pages(shell: Shell, tmp_path: Path) -> None:
    """By its name of format or without; a faulty object is named by file, page and place."""
    folder = tmp_path / "pages"
    folder.mkdir()
    good = {"url": "/p/1", "type": "item", "attributes": {"title": "Pick"}, "nested": []}
    (folder / "1.json").write_text(json.dumps({"total": 1, "objects": [good], "links": []}))

    said = shell.call("import", "catalog", folder, "--tracker", TRACKER)
    (folder / "2.json").write_text(json.dumps({"total": 1, "objects": [{}], "links": []}))
    options = ("--tracker", TRACKER, "--format", "content-export")
    refused = shell.fault("import", "catalog", folder, *options)

    assert said.stdout == "Stored 1 objects (1 item).\n"
    assert "  object 2: 2.json, page 1, object 1: is no object of a content export" in refused


def test_a_format_that_a_file_cannot_have(shell: Shell, tmp_path: Path) -> None:
    """A slip of usage, and so is a name that is none."""
    file = tmp_path / "feed"
    file.write_text(MERCHANT)
    options = ("import", "catalog", file, "--tracker", TRACKER, "--format")

    assert "--format merchant" in unwrapped(shell.fault(*options, "records", code=2))
    assert "is not one of" in shell.fault(*options, "excel", code=2)
