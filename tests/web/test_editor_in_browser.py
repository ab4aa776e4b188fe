"""
Edit and see in a real browser: products dragged and moved by keyboard, criteria built, conflicts seen before saving.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Locator, Page, expect

from endcap import sample
from endcap.client import Client
from tests.cli.driver import lines
from tests.services.server import LiveServer, create_tracker, run_endcap, start_server
from tests.web.test_in_browser import KEY, TRACKER, check, picture, watched
from tests.web.test_past_in_browser import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "correct horse battery staple"
BASE = f"/console/t/{TRACKER}"
LIST = f"{BASE}/customizations"
NEW = f"{BASE}/drafts/new"
MODEL = "trends"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The sample shop in Prague, one worker, an administrator."""
    data_dir = tmp_path_factory.mktemp("editor")
    create_tracker(data_dir, TRACKER, KEY)
    feed = data_dir / "catalog.jsonl"
    feed.write_text(lines(sample.catalog(until=datetime(2026, 1, 1, tzinfo=UTC))))
    run_endcap(data_dir, "import", "catalog", str(feed), "--tracker", TRACKER)
    run_endcap(data_dir, "user", "create", "ann", "--role", "admin", input=f"{PASSWORD}\n")
    env = {"ENDCAP_CLOCK_SKEW_SECONDS": "300", "ENDCAP_CONSOLE_TIME_ZONE": "Europe/Prague"}
    server = start_server(data_dir, env=env)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def context(browser: Browser, live: LiveServer) -> Iterator[BrowserContext]:
    context = signed_in(browser, live, "ann")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    complaints = watched(page)
    yield page
    assert [each for each in complaints if not re.search("status of (409|422)", each)] == []
    page.close(run_before_unload=False)


@pytest.fixture
def client(live: LiveServer) -> Iterator[Client]:
    with Client(live.url, TRACKER, KEY) as client:
        yield client
        for each in client.export():
            assert each.id is not None
            client.delete(each.id)


def recommended(client: Client, size: int = 10) -> list[str]:
    """The identities that shoppers get on a page without an item."""
    answer = client.recommend([{"recommendation_type": MODEL, "size": size}])
    return [hit.url for hit in answer[0].hits]


def cards(page: Page) -> Locator:
    return page.locator(".slots.after > li")


def card(page: Page, slot: int) -> Locator:
    return page.locator(f".slots.after > [data-slot='{slot}']")


def shown(page: Page) -> list[str]:
    found: list[str] = cards(page).evaluate_all("all => all.map(each => each.dataset.identity)")
    return found


def drag(page: Page, source: Locator, target: Locator) -> None:
    """By mouse, in steps, as a hand does."""
    source.scroll_into_view_if_needed()
    start = source.locator(".thumb").first.bounding_box()
    assert start is not None
    page.mouse.move(start["x"] + 12, start["y"] + 12)
    page.mouse.down()
    page.mouse.move(start["x"] + 30, start["y"] + 20, steps=3)
    target.scroll_into_view_if_needed()
    end = target.bounding_box()
    assert end is not None
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=5)
    picture(page, "editor-dragging")
    page.mouse.up()


def begin(page: Page, target: str = "all") -> None:
    page.goto(f"{NEW}?model={MODEL}")
    page.get_by_label("Speaks for").select_option(target)
    if target == "all":
        expect(page.locator("#result .notice")).to_have_count(0)
        expect(cards(page)).to_have_count(10)


def test_a_product_is_dragged_to_a_slot_and_published(page: Page, client: Client) -> None:
    """From the result and between slots, then below, where it is never shown; shoppers get just what was shown."""
    begin(page)
    usual = shown(page)

    drag(page, card(page, 5), card(page, 2))
    expect(page.locator("#editor-said")).to_contain_text("was pinned to slot 2")
    expect(card(page, 2)).to_have_attribute("data-identity", usual[4])
    expect(card(page, 2)).to_contain_text("from slot 5")
    drag(page, card(page, 9), card(page, 2))
    expect(card(page, 2)).to_have_attribute("data-identity", usual[8])
    expect(card(page, 3)).to_have_attribute("data-identity", usual[4])
    drag(page, card(page, 3), card(page, 2))
    expect(card(page, 2)).to_have_attribute("data-identity", usual[4])
    drag(page, card(page, 1), page.locator("[data-never]"))
    expect(page.locator("#never li")).to_have_count(1)
    expect(cards(page).filter(has_text="pin")).not_to_have_count(0)
    page.get_by_label("Beside what they get now").check()
    expect(page.locator(".slots.before > li").first).to_contain_text("no longer shown")
    wanted = shown(page)
    assert wanted[1:3] == [usual[4], usual[8]]
    assert usual[0] not in wanted
    check(page, "editor-beside")
    page.get_by_role("button", name="Publish now").click()

    expect(page.locator("[data-toast]")).to_contain_text("1 customization published.")
    assert recommended(client) == wanted


def test_it_all_works_by_keyboard(page: Page, client: Client) -> None:
    """Pins from the result, moved and taken away by buttons; what happened is said, and the focus stays near."""
    begin(page)
    usual = shown(page)

    card(page, 4).get_by_role("button", name="Pin").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#editor-said")).to_contain_text("was pinned to slot 4")
    expect(card(page, 4)).to_be_focused()
    card(page, 4).get_by_role("button", name="to slot 3").focus()
    page.keyboard.press("Enter")
    expect(card(page, 3)).to_have_attribute("data-identity", usual[3])
    expect(card(page, 3)).to_be_focused()
    find = page.get_by_role("searchbox", name="Find a product to pin")
    find.press_sequentially("telecaster", delay=10)
    hit = page.locator("#palette li").first
    expect(hit).to_contain_text(re.compile("telecaster", re.IGNORECASE))
    identity = hit.get_attribute("data-identity")
    hit.get_by_role("button", name="Pin").focus()
    page.keyboard.press("Enter")
    expect(card(page, 1)).to_have_attribute("data-identity", str(identity))
    page.locator("#up-1").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#editor-said")).to_contain_text("is now pin 1 of 2")
    expect(page.locator("#down-0")).to_be_focused()
    card(page, 2).get_by_role("button", name="Never show").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#never li")).to_have_count(1)
    page.get_by_role("button", name="Remove pin 3").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#never li")).to_have_count(0)
    product = page.get_by_label("Product", exact=True).first
    product.fill("")
    product.press_sequentially("strat", delay=10)
    expect(page.get_by_role("listbox")).to_be_visible()
    check(page, "editor-picker")
    product.press("ArrowDown")
    chosen = page.locator(".options [aria-selected=true]").get_attribute("data-value")
    product.press("Enter")
    expect(product).to_have_value(str(chosen))
    expect(page.get_by_role("listbox")).to_have_count(0)


def test_nothing_that_was_pressed_is_lost(page: Page, client: Client) -> None:
    """Moves that are pressed while others are on their way come one after the other, and are saved with the rest."""
    begin(page, "several")
    page.get_by_label("Add an item").press_sequentially("telecaster", delay=10)
    page.locator(".options [role=option]").first.click()
    expect(page.get_by_label(re.compile("Identities of the items"))).to_have_value(
        re.compile("^/p/")
    )
    expect(page.locator("#items-told")).to_contain_text("1 item")
    expect(page.locator("#result .notice")).to_have_count(0)
    usual = shown(page)

    page.evaluate(
        """() => {
          const press = (slot) => document.querySelector(`.slots.after [data-slot="${slot}"] button`).click();
          press(4);
          press(7);
          document.querySelector("#title").value = "typed meanwhile";
          document.querySelector("#title").dispatchEvent(new Event("input", { bubbles: true }));
          document.querySelector(".save-bar button[value='publish']").click();
        }"""
    )
    expect(page.locator("[data-toast]")).to_contain_text("1 customization published.")
    (made,) = client.export()
    assert [(pin.pin_identity, pin.position) for pin in made.pin_definitions] == [
        (usual[3], 4),
        (usual[6], 7),
    ]
    assert made.target_metadata is not None
    assert made.target_metadata["title"] == "typed meanwhile"


def test_criteria_are_built_with_a_count(page: Page, client: Client) -> None:
    """Of what exists, with how many there are; a text that is wrong says where."""
    begin(page, "criteria")
    attribute = page.get_by_label("Attribute").first
    attribute.press_sequentially("bran", delay=10)
    page.locator(".options [role=option]").first.click()
    expect(attribute).to_have_value("brand")
    values = page.get_by_label("Values").first
    values.press_sequentially("Fen", delay=10)
    page.locator(".options [role=option]", has_text="Fender").first.click()
    expect(page.locator("#t-count")).to_contain_text(
        re.compile(r"\d+ products? where brand is Fender")
    )
    page.get_by_role("button", name="Add “none of”").first.click()
    group = page.get_by_role("group", name="Criteria of the target, group 2")
    group.get_by_label("Attribute").fill("category")
    group.get_by_label("Comparison").select_option("given")
    expect(page.locator("#t-count")).to_contain_text("and category is not given")
    check(page, "editor-criteria")
    page.get_by_role("button", name="Write as a text").first.click()
    text = page.get_by_label(re.compile("Criteria of the target, as JSON"))
    text.fill('{"brand": "Fender",\n "color" "red"}')
    expect(page.locator("#fault-t-text")).to_contain_text("line 2, column 10")
    expect(text).to_have_attribute("aria-invalid", "true")
    text.fill('{"brand": "Fender"}')
    expect(page.locator("#t-count")).to_contain_text("products where brand is Fender")
    page.get_by_role("button", name="Use rows").first.click()
    expect(page.get_by_label("Values").first).to_have_value("Fender")


def test_conflicts_are_seen_before_saving(page: Page, client: Client) -> None:
    """With who wins and why, and a link; leaving with changes asks."""
    begin(page)
    usual = shown(page)
    other = client.create(
        {
            "model": MODEL,
            "target_type": "all",
            "pin_definitions": [{"position": 1, "pin_type": "item", "pin_identity": usual[6]}],
            "target_metadata": {"title": "The front page"},
        }
    ).id
    begin(page)

    card(page, 3).get_by_role("button", name="Pin").click()
    expect(page.locator(".clashes")).to_have_count(0)
    page.get_by_label("Slot", exact=True).fill("1")
    clash = page.locator(".clashes li")
    expect(clash).to_contain_text("The front page wants slot 1 too, like pin 1; this one is newer")
    expect(clash.get_by_role("link")).to_have_attribute("href", f"{LIST}/{other}")
    check(page, "editor-conflict")
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.once("dialog", leave)
    page.get_by_role("link", name="Leave").click()
    page.wait_for_url(f"**{LIST}")
    assert asked == ["beforeunload"]


def test_saved_at_a_time_and_faults_keep_what_was_typed(page: Page, client: Client) -> None:
    """In the shop's time zone; a window that ends before it begins is marked."""
    begin(page, "item")
    page.get_by_label("Item that is looked at").fill("/p/unheard-of")
    page.get_by_role("button", name="Add a product").click()
    expect(page.get_by_label("Product", exact=True)).to_be_focused()
    page.get_by_label("Product", exact=True).fill("/p/also-unheard-of")
    page.get_by_text("When and where").click()
    page.get_by_label("From (Europe/Prague)").fill("2027-07-01T10:00")
    page.get_by_label("Until (Europe/Prague)").fill("2027-07-01T09:00")
    page.get_by_role("button", name="Save as a draft").click()

    expect(page.get_by_role("alert")).to_contain_text("It ends before it begins")
    expect(page.get_by_label("Until (Europe/Prague)")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Product", exact=True)).to_have_value("/p/also-unheard-of")
    check(page, "editor-faults")
    page.get_by_label("Until (Europe/Prague)").fill("2027-12-01T09:00")
    page.get_by_label("Publish at, Europe/Prague").fill("2027-06-30T06:00")
    page.get_by_role("button", name="Publish then").click()
    expect(page.locator("[data-toast]")).to_contain_text("to be published at its time")
    draft = client.draft(page.url.rsplit("/", 2)[1])
    assert draft.definition is not None
    (pin,) = draft.definition.pin_definitions
    assert (pin.active_from, pin.active_to) == ("2027-07-01T08:00:00Z", "2027-12-01T08:00:00Z")
    assert draft.publish_at == "2027-06-30T04:00:00Z"


def test_without_scripts_everything_works(
    browser: Browser, live: LiveServer, client: Client
) -> None:
    """Buttons send the whole form and bring it back."""
    context = signed_in(browser, live, "ann", scripts=False)
    page = context.new_page()
    page.goto(f"{NEW}?model={MODEL}")
    page.get_by_label("Speaks for").select_option("all")
    page.get_by_role("button", name="Show the result").click()
    expect(cards(page)).to_have_count(10)
    usual = shown(page)
    card(page, 6).get_by_role("button", name="Pin").click()
    page.get_by_label("Slot", exact=True).fill("1")
    page.get_by_role("button", name="Add by criteria").click()
    second = page.get_by_role("group", name="Pin 2", exact=True)
    second.get_by_label("Attribute").fill("brand")
    second.get_by_label("Values").fill("Fender")
    page.get_by_role("button", name="Show the result").click()
    expect(page.locator("#p1-count")).to_contain_text("products where brand is Fender")
    assert shown(page)[0] == usual[5]
    wanted = shown(page)
    picture(page, "editor-without-scripts")
    page.get_by_role("button", name="Publish now").click()
    expect(page.get_by_text("1 customization published.")).to_be_visible()
    assert recommended(client) == wanted
    context.close()
