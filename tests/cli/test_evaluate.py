"""
`endcap evaluate`: a table, sentences, JSON and a picture, and what is said where there is too little to tell.
"""

import random
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.cli.driver import TRACKER, Shell, lines, unwrapped

FOURS = [[f"/p/{4 * four + n}" for n in range(4)] for four in range(10)]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Ten fours of items that are bought together, by eighty users, on the sixty days up to March 1."""
    shell = Shell(tmp_path_factory.mktemp("evaluate"))
    shell.create_tracker()
    shell.put_items(*({"identity": item, "title": item} for four in FOURS for item in four))
    import_orders(shell, 400)
    return shell


def import_orders(shell: Shell, count: int) -> None:
    chance = random.Random(1)
    records = [
        {
            "order_id": f"o{number}",
            "identity": item,
            "user_id": f"u{user}",
            "created_at": f"2025-{1 + day // 30:02}-{1 + day % 30 * 27 // 29:02}T10:00:00Z",
        }
        for number in range(count)
        for user, day in [(chance.randrange(80), chance.randrange(60))]
        for item in FOURS[user % 10]
    ]
    file = shell.data_dir / "orders.jsonl"
    file.write_text(lines(records))
    shell.call("import", "transactions", file, "--tracker", TRACKER)


def test_every_task_has_a_table_and_a_sentence(shop: Shell) -> None:
    """Popularity first, what it takes to beat it, and in words whether somebody does."""
    said = unwrapped(shop.call("evaluate", "--tracker", TRACKER).stdout)

    for title in ("Basket: one to eight items", "Item page: one item", "User: the next order"):
        assert title in said
    assert "basket earns its place: NDCG" in said
    assert "item_detail_complements earns its place" in said
    assert "favorites earns its place" in said
    assert "discount shows the same as bestsellers" in said
    assert "0.0% of their items were new" in said


def test_the_trackers_own_models_are_asked(shop: Shell) -> None:
    """By what its table says; names of one meaning are asked once."""
    shop.call("model", "set", "mine", "--tracker", TRACKER, "--like", "basket")
    shop.call("model", "set", "yours", "--tracker", TRACKER, "--strategy", "newest")

    try:
        wanted = ("--model", "basket", "--model", "mine", "--model", "yours")
        found = shop.json("evaluate", "--tracker", TRACKER, *wanted)
    finally:
        for name in ("mine", "yours"):
            shop.call("model", "unset", name, "--tracker", TRACKER)

    baskets = [score for score in found["scores"] if score["task"] == "basket"]
    assert [(score["model"], score["also"]) for score in baskets] == [
        ("bestsellers", []),
        ("basket", ["mine"]),
        ("yours", []),
    ]


def test_the_tables_fit_a_terminal(shop: Shell) -> None:
    """Names are not broken, and nothing is cut off at 80 columns."""
    shown = shop.call("evaluate", "--tracker", TRACKER).stdout

    tables = [line for line in shown.splitlines() if line.startswith(("│", "┃"))]
    assert max(map(len, tables)) <= 80
    assert any("item_detail_complements" in line for line in tables)
    assert "…" not in "".join(tables)


def test_programs_get_all_figures(shop: Shell) -> None:
    """Each with its standard error; nothing else on standard output."""
    found = shop.json(
        "evaluate", "--tracker", TRACKER, "--split", "2025-02-10", "--model", "basket"
    )

    popular, basket = found["scores"]
    assert found["split"] == "2025-02-10T00:00:00Z"
    assert (popular["model"], popular["verdict"]) == ("bestsellers", "baseline")
    assert (basket["model"], basket["verdict"]) == ("basket", "earns")
    assert basket["hit_rate"]["value"] > 0.99
    assert set(basket["ndcg"]) == {"value", "error"}
    assert found["questions"]["basket"] == basket["questions"]


def test_questions_are_bounded_and_repeatable(shop: Shell) -> None:
    """As many as were asked for, the same for the same seed."""
    call = ("evaluate", "--tracker", TRACKER, "--model", "basket", "--queries", 60)
    first, again = shop.json(*call, "--seed", 4), shop.json(*call, "--seed", 4)

    assert first == again
    assert first["questions"]["basket"] == 60
    assert first != shop.json(*call, "--seed", 5)


def test_a_month_before_the_last_can_be_asked_about(shop: Shell) -> None:
    """What comes later is neither learned nor asked; nor are orders shorter than asked for."""
    call = ("evaluate", "--tracker", TRACKER, "--model", "basket", "--split", "2025-02-01")
    all_of_it, half = shop.json(*call), shop.json(*call, "--until", "2025-02-15")

    assert 0 < half["orders"] < all_of_it["orders"]
    assert half["lines"] == all_of_it["lines"]
    assert half["questions"]["basket"] == 3 * half["orders"]
    assert shop.json(*call, "--min-items", 4)["questions"] == all_of_it["questions"]
    assert shop.json(*call, "--min-items", 5)["questions"]["basket"] == 0


def test_few_questions_are_no_verdict(shop: Shell) -> None:
    """Twenty answers are an anecdote; the next step is said."""
    said = unwrapped(
        shop.call("evaluate", "--tracker", TRACKER, "--model", "basket", "--queries", 20).stdout
    )

    assert "20 questions are too few to tell: 50 are needed. Import more orders" in said
    assert "earns its place" not in said


def test_what_is_served_stays(shop: Shell) -> None:
    """No revision, no artifact, nothing left in the data folder."""
    before = shop.revision(), sorted(path.name for path in shop.data_dir.rglob("*"))

    shop.call("evaluate", "--tracker", TRACKER, "--model", "basket")

    assert (shop.revision(), sorted(path.name for path in shop.data_dir.rglob("*"))) == before


def test_the_picture_has_every_figure(shop: Shell, tmp_path: Path) -> None:
    """A bar, a whisker and a number for each model in each of two columns; it is well-formed XML."""
    plot = tmp_path / "models.svg"
    found = shop.json("evaluate", "--tracker", TRACKER, "--plot", plot)

    root = ET.fromstring(plot.read_text())
    texts = [each.text or "" for each in root.iter(f"{SVG}text")]
    for score in found["scores"]:
        assert score["model"] in texts
        assert f"{score['hit_rate']['value']:.3f}" in texts
        assert f"{score['ndcg']['value']:.3f}" in texts
    bars = [each for each in root.iter(f"{SVG}rect") if each.get("class") == "earns"]
    earning = sum(score["verdict"] == "earns" for score in found["scores"])
    assert len(bars) == 2 * earning + 1  # one is in the legend


@pytest.mark.browser
def test_the_picture_can_be_read(shop: Shell, tmp_path: Path, page: Page) -> None:
    """In a browser no text leaves the picture, and none lies on another."""
    plot = tmp_path / "models.svg"
    shop.call("evaluate", "--tracker", TRACKER, "--plot", plot)

    page.goto(plot.as_uri())

    boxes = page.evaluate(
        "() => [...document.querySelectorAll('text')].map(each => {"
        " const b = each.getBoundingClientRect();"
        " return [each.textContent, b.left, b.top, b.right, b.bottom] })"
    )
    assert len(boxes) > 30
    frame = page.evaluate(
        "() => [document.rootElement.width.baseVal.value, document.rootElement.height.baseVal.value]"
    )
    for text, left, top, right, bottom in boxes:
        assert left >= 0, text
        assert right <= frame[0], text
        assert bottom <= frame[1], text
        overlapping = [
            other[0]
            for other in boxes
            if other[0] != text
            and other[1] < right - 1
            and left < other[3] - 1
            and other[2] < bottom - 3
            and top < other[4] - 3
        ]
        assert not overlapping, text


@pytest.mark.parametrize(
    ("options", "code", "reason"),
    [
        (("--days", 7, "--split", "2025-02-01"), 2, "--days and --split"),
        (("--split", "yesterday"), 2, "no date"),
        (("--until", "soon"), 2, "--until soon is no date"),
        (("--until", "2025-02-01", "--split", "2025-02-01"), 2, "leaves nothing"),
        (("--split", "2031-01-01"), 2, "choose an earlier day"),
        (("--split", "2020-01-01"), 2, "no order lines"),
        (("--plot", "models.png"), 2, "no SVG"),
        (("--model", "baskets"), 1, "Recommender not found"),
        (("--days", 0), 2, "Invalid value for '--days'"),
    ],
)
def test_what_cannot_be_is_refused(
    shop: Shell, options: tuple[object, ...], code: int, reason: str
) -> None:
    """With the reason, before anything is built where that is possible."""
    result = shop.call("evaluate", "--tracker", TRACKER, *options, code=code)

    assert reason in unwrapped(result.stderr)
    assert result.stdout == ""


def test_a_shop_without_orders_is_told_what_to_do(shell: Shell) -> None:
    """The import comes first."""
    assert "import transactions first" in shell.fault("evaluate", "--tracker", TRACKER, code=2)
