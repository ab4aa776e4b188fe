"""
`endcap explain` and `endcap build`: what would be shown at any moment and why, and what there is to recommend with.
"""

from pathlib import Path

import pytest

from tests.cli.driver import TRACKER, Shell, lines, unwrapped

ITEMS = [
    {
        "identity": f"/p/{number}",
        "title": f"Item {number}",
        "introduced_at": f"2025-01-0{9 - number}",
    }
    for number in range(1, 6)
]
PINNED = {"position": 1, "pin_type": "item", "pin_identity": "/p/5"}
FRIDAY = {"active_from": "2025-11-28T00:00:00Z", "active_to": "2025-11-29T00:00:00Z"}


@pytest.fixture
def shop(shell: Shell) -> Shell:
    """Five items, newest first, and the last of them pinned to the top."""
    shell.put_items(*ITEMS)
    return shell


def pinned(shop: Shell, *pins: dict[str, object], model: str = "trends") -> None:
    shop.put_customizations({"model": model, "target_type": "all", "pin_definitions": pins})


def test_the_table_says_why_each_slot_holds_what_it_holds(shop: Shell) -> None:
    """A pin by its customization's letter, the rest by their place in the ranking."""
    pinned(shop, PINNED)

    said = unwrapped(shop.call("explain", "--tracker", TRACKER, "--model", "trends").stdout)

    (rule,) = shop.customizations()
    assert "1 /p/5 Item 5 pin 0 of A" in said
    assert "2 /p/1 Item 1 ranking, place 1" in said
    assert "0 of A 1 /p/5 placed 1" in said
    assert f"A {rule['id']} all" in said


def test_the_tables_fit_a_terminal_and_nothing_is_cut_off(shop: Shell) -> None:
    """Ids of 36 characters, and sentences about them."""
    for _ in range(2):
        pinned(shop, PINNED, {**PINNED, "pin_identity": "/p/nowhere"})

    said = shop.call("explain", "--tracker", TRACKER, "--model", "trends").stdout

    assert max(map(len, said.splitlines())) <= 80
    assert "…" not in said
    for rule in shop.customizations():
        assert rule["id"] in said
    assert "0 of B 1 /p/5 duplicate" in unwrapped(said)
    assert "pinned already by pin 0 of A" in unwrapped(said)
    assert "no item has this identity" in unwrapped(said)


def test_titles_are_shown_as_they_are(shell: Shell) -> None:
    """Not as a terminal library's markup."""
    shell.put_items({"identity": "/p/1", "title": "[red]A[/red] :guitar: [/]"})

    said = shell.call("explain", "--tracker", TRACKER, "--model", "trends").stdout

    assert "[red]A[/red] :guitar: [/]" in said


@pytest.mark.parametrize(
    ("at", "verdict"),
    [
        ("2025-11-27T23:59:59Z", "asleep"),
        ("2025-11-28", "placed"),
        ("2025-11-28T12:00:00+01:00", "placed"),
        ("2025-11-29T00:00:00Z", "asleep"),
    ],
)
def test_a_moment_decides_about_windows(shop: Shell, at: str, verdict: str) -> None:
    """From its first instant to the one before its last; what sleeps says so."""
    pinned(shop, {**PINNED, **FRIDAY})

    explained = shop.json("explain", "--tracker", TRACKER, "--model", "trends", "--at", at)
    shown = shop.call("explain", "--tracker", TRACKER, "--model", "trends", "--at", at).stdout

    assert [pin["verdict"] for pin in explained["pins"]] == [verdict]
    assert (explained["items"][0]["url"] == "/p/5") == (verdict == "placed")
    assert ("its window is not open" in unwrapped(shown)) == (verdict == "asleep")


def test_the_explanation_in_json(shop: Shell) -> None:
    """As the API gives it with explain=true."""
    pinned(shop, PINNED)

    explained = shop.json("explain", "--tracker", TRACKER, "--model", "trends", "--size", "2")

    (rule,) = shop.customizations()
    assert explained["items"] == [
        {"slot": 1, "url": "/p/5", "from": "pin", "pin": 0, "customization_id": rule["id"]},
        {"slot": 2, "url": "/p/1", "from": "ranking", "place": 1, "stage": "popular"},
    ]
    assert explained["pins"][0]["verdict"] == "placed"


def test_items_and_widget_are_part_of_the_question(shop: Shell) -> None:
    """Customizations for an item, pins for a widget."""
    rule = {
        "model": "basket", "target_type": "item", "target_identity": "/p/2",
        "pin_definitions": [{**PINNED, "widget_id": "sidebar"}],
    }  # fmt: skip
    shop.put_customizations(rule)
    ask = ("explain", "--tracker", TRACKER, "--model", "basket")

    without = shop.json(*ask)
    other = shop.json(*ask, "--item", "/p/1", "--item", "/p/2")
    asked = shop.json(*ask, "--item", "/p/1", "--item", "/p/2", "--widget", "sidebar")

    assert without["pins"] == []
    assert [pin["verdict"] for pin in other["pins"]] == ["other_widget"]
    assert [pin["verdict"] for pin in asked["pins"]] == ["placed"]
    assert {item["url"] for item in asked["items"]}.isdisjoint({"/p/1", "/p/2"})


def test_nothing_that_speaks_is_said(shop: Shell) -> None:
    """Rather than an empty table."""
    said = shop.call("explain", "--tracker", TRACKER, "--model", "trends").stdout

    assert "No customization speaks here." in said


def test_an_empty_catalog_is_told_with_the_way_out(shell: Shell) -> None:
    """The commonest reason for nothing to be shown."""
    said = shell.call("explain", "--tracker", TRACKER, "--model", "trends")

    assert f"Next: endcap import catalog FILE --tracker {TRACKER}" in said.stderr


def test_an_unknown_model_is_told_with_those_there_are(shop: Shell) -> None:
    """In the words of the option that was given."""
    said = unwrapped(shop.fault("explain", "--tracker", TRACKER, "--model", "baskett"))

    assert "model: baskett is not known; there are: " in said
    assert " basket," in said


def test_a_numbered_model_is_its_stem(shop: Shell) -> None:
    """As on the wire."""
    pinned(shop, PINNED, model="trends_2")

    explained = shop.json("explain", "--tracker", TRACKER, "--model", "trends_2")

    assert explained["items"][0]["from"] == "pin"


def test_a_moment_that_cannot_be_read_is_refused(shop: Shell) -> None:
    """With how to write one."""
    said = shop.fault(
        "explain", "--tracker", TRACKER, "--model", "trends", "--at", "tomorrow", code=2
    )

    assert "e.g. 2025-11-28T09:00:00Z, not tomorrow" in unwrapped(said)


# endcap build


def ordered(shop: Shell) -> None:
    """Who buys the first buys the fourth."""
    file = shop.data_dir / "orders.jsonl"
    file.write_text(
        lines(
            {"order_id": f"o{order}", "identity": item, "created_at": "2025-01-05", "user_id": "u"}
            for order in range(9)
            for item in ("/p/1", "/p/4")
        )
    )
    shop.call("import", "transactions", file, "--tracker", TRACKER)


def test_build_publishes_what_orders_teach(shop: Shell) -> None:
    """From then on it is served, and the list names it."""
    ordered(shop)
    before = shop.json("explain", "--tracker", TRACKER, "--model", "basket", "--item", "/p/1")

    said = shop.call("build", "--tracker", TRACKER).stdout

    after = shop.json("explain", "--tracker", TRACKER, "--model", "basket", "--item", "/p/1")
    (row,) = shop.json("tracker", "list")
    assert before["items"][0]["url"] != "/p/4"
    assert after["items"][0]["url"] == "/p/4"
    assert f"Built {row['artifact']} from the orders of 2 items." in said
    assert f"Served since revision {row['revision']} of the tracker." in said


def test_the_build_in_json(shop: Shell) -> None:
    """One document; its progress would not be one."""
    ordered(shop)

    built = shop.json("build", "--tracker", TRACKER)

    assert built["items"] == 2
    assert built["revision"] == shop.revision()
    assert (shop.data_dir / "artifacts" / TRACKER / built["artifact"]).is_dir()


def test_a_build_without_orders_says_what_comes_first(shop: Shell) -> None:
    """Nothing is published."""
    revision = shop.revision()

    said = shop.fault("build", "--tracker", TRACKER, code=2)

    assert "import transactions first" in unwrapped(said)
    assert shop.revision() == revision


def test_a_build_of_an_unknown_tracker_is_refused(shop: Shell, tmp_path: Path) -> None:
    """Before anything is built."""
    shop.fault("build", "--tracker", "nowhere")

    assert not (shop.data_dir / "artifacts" / "nowhere").exists()


@pytest.mark.postgres
def test_all_of_it_on_postgres(tmp_path: Path, postgres_url: str) -> None:
    """Tracker, catalog, orders, recommenders, rules and their explanation, with the database elsewhere."""
    shop = Shell(tmp_path, ENDCAP_DATABASE_URL=postgres_url)
    shop.create_tracker()
    shop.put_items(*ITEMS)
    ordered(shop)
    shop.call("build", "--tracker", TRACKER)
    pinned(shop, PINNED, model="basket")

    explained = shop.json("explain", "--tracker", TRACKER, "--model", "basket", "--item", "/p/1")

    assert [item["url"] for item in explained["items"]][:2] == ["/p/5", "/p/4"]
    assert len(shop.customizations()) == 1
    assert not (tmp_path / "endcap.db").exists()
