"""
What needs attention and the calendar in a real browser: mending by one click and all at once, moving a campaign by
pointer, by keyboard and without scripts, each undone.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from endcap import sample
from endcap.client import Client
from tests.cli.driver import lines
from tests.services.server import LiveServer, create_tracker, run_endcap, start_server
from tests.web.test_in_browser import KEY, TRACKER, check, watched

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "correct horse battery staple"
BASE = f"/console/t/{TRACKER}"
HEALTH, CALENDAR = f"{BASE}/health", f"{BASE}/calendar"
MARCH = f"{CALENDAR}?day=2027-03-01"  # with a day of 23 hours in Prague
SPRING: Any = {"active_from": "2027-03-07T23:00:00Z", "active_to": "2027-03-14T23:00:00Z"}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The sample shop in Prague with campaigns in March, some of which something is the matter with; a publisher."""
    data_dir = tmp_path_factory.mktemp("attention")
    create_tracker(data_dir, TRACKER, KEY)
    catalog = sample.catalog(until=datetime(2026, 1, 1, tzinfo=UTC))
    feed = data_dir / "catalog.jsonl"
    feed.write_text(lines(catalog))
    run_endcap(data_dir, "import", "catalog", str(feed), "--tracker", TRACKER)
    run_endcap(data_dir, "user", "create", "ann", "--role", "publisher", input=f"{PASSWORD}\n")
    settings = {"ENDCAP_CLOCK_SKEW_SECONDS": "300", "ENDCAP_CONSOLE_TIME_ZONE": "Europe/Prague"}
    server = start_server(data_dir, env=settings)
    items = [str(each["identity"]) for each in catalog if each.get("type", "item") == "item"]
    with Client(server.url, TRACKER, KEY) as client:
        for number in range(40):
            client.create(campaign(number, items))
    yield server
    server.stop()


def campaign(number: int, items: list[str]) -> dict[str, Any]:
    """Of all lengths, some cut by the month's ends, some without a window, some ill."""
    first, days = number * 5 % 26 + 1, [1, 7, 14, 3][number % 4]
    window: dict[str, Any] = {
        "active_from": f"2027-03-{first:02}T08:00:00+01:00",
        "active_to": f"2027-{'03' if first + days < 29 else '04'}-{min(first + days, 28):02}T20:00:00Z",
    }
    if number % 7 == 5:
        window = {"active_to": "2027-03-20"}
    if number % 7 == 6:
        window = {}
    pins = [
        {
            "position": at + 1,
            "pin_type": "item",
            "pin_identity": items[(number * 7 + at) % len(items)],
            **window,
        }
        for at in range(1 + number % 3)
    ]
    if number % 4 == 0:
        pins.append({"position": 7, "pin_type": "item", "pin_identity": f"/p/gone-{number}"})
    if number % 6 == 0:
        pins.append({**pins[0], "position": 9})
    if number % 8 == 3:
        pins = [{**each, "active_from": None, "active_to": "2024-01-01"} for each in pins]
    return {
        "model": ["item_detail_complements", "basket", "trends"][number % 3],
        "target_type": "item",
        "target_identity": items[number % len(items)] if number % 9 else "/p/gone",
        "tags": ["spring", "sale"][: number % 3],
        "pin_definitions": pins,
    }


@pytest.fixture
def made(live: LiveServer) -> Iterator[str]:
    """A campaign of one week in March, alone of its recommender; its id."""
    with Client(live.url, TRACKER, KEY) as client:
        pins = [{"position": 1, "pin_type": "item", "pin_identity": "/p/gone-spring", **SPRING}]
        pins.append({"position": 2, "pin_type": "item", "pin_identity": "/p/other", **SPRING})
        made = client.create(
            {
                "model": "similar_items",
                "target_type": "all",
                "target_metadata": {"title": "Spring sale"},
                "pin_definitions": pins,
            }
        ).id
        yield made
        client.delete(made)


@pytest.fixture(scope="module")
def session(browser: Browser, live: LiveServer) -> Iterator[Any]:
    """The cookies of somebody who is signed in."""
    with browser.new_context(base_url=live.url) as context:
        page = context.new_page()
        page.goto(HEALTH)
        page.get_by_label("Name").fill("ann")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**{HEALTH}")
        yield context.storage_state()


def context_of(
    browser: Browser, live: LiveServer, session: Any, *, scripts: bool = True
) -> BrowserContext:
    return browser.new_context(
        base_url=live.url,
        storage_state=session,
        reduced_motion="reduce",
        java_script_enabled=scripts,
        viewport={"width": 1440, "height": 900},
    )


@pytest.fixture
def page(browser: Browser, live: LiveServer, session: Any) -> Iterator[Page]:
    with context_of(browser, live, session) as context:
        page = context.new_page()
        complaints = watched(page)
        yield page
        assert complaints == []


def windows(live: LiveServer, id: str) -> list[tuple[str | None, str | None]]:
    with Client(live.url, TRACKER, KEY) as client:
        pins = client.get(id).pin_definitions
    return [(each.active_from, each.active_to) for each in pins]


def test_mending_one_and_all_of_a_kind(live: LiveServer, page: Page) -> None:
    """By one click, and undone; by one click after a look at what would change, and undone."""
    page.goto(HEALTH)
    missing = page.get_by_role("region", name="Pinned items that are not in the catalog")
    count = missing.get_by_role("heading").locator(".count")
    before = int(count.inner_text())
    assert before > 5
    check(page, "health")

    missing.get_by_role("button", name="Remove the pin: /p/gone").first.click()
    expect(page.locator("[data-toast]")).to_contain_text("1 customization mended.")
    expect(count).to_have_text(str(before - 1))
    page.get_by_role("button", name="Undo").click()
    expect(count).to_have_text(str(before))

    missing.get_by_role("button", name=f"Remove all {before}").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text(
        re.compile(r"Remove pins of \d+ customizations\?")
    )
    expect(dialog).to_contain_text("the other pins stay")
    check(page, "health-fix-all")
    dialog.get_by_role("link", name="Cancel").click()
    expect(count).to_have_text(str(before))
    missing.get_by_role("button", name=f"Remove all {before}").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Remove")).click()
    expect(page.locator("[data-toast]")).to_contain_text("customizations mended.")
    expect(missing).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(count).to_have_text(str(before))

    page.get_by_label("Severity").select_option("warning")
    expect(missing).to_have_count(0)
    expect(page.get_by_role("status").first).to_contain_text(re.compile(r"\d+ findings of \d+"))


def bar_of(page: Page, id: str) -> Locator:
    return page.locator(f'.spell[data-id="{id}"] a')


def drag(page: Page, on: Locator, days: int, columns: int) -> None:
    on.scroll_into_view_if_needed()
    box = on.bounding_box()
    row = page.locator(".campaign .days").first.bounding_box()
    assert box is not None
    assert row is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + days * row["width"] / columns / 2, y, steps=3)
    page.mouse.move(x + days * row["width"] / columns, y, steps=3)
    page.mouse.up()


def test_a_bar_is_dragged_by_days(live: LiveServer, page: Page, made: str) -> None:
    """Over the night in which clocks are put forward; asked in words, saved, undone; its edge makes it longer."""
    page.goto(MARCH)
    check(page, "calendar-month")

    drag(page, bar_of(page, made), 17, 31)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("Move by 17 days, later?")
    expect(dialog).to_contain_text("from 8 Mar 2027, 00:00 until 15 Mar 2027, 00:00")
    expect(dialog).to_contain_text("from 25 Mar 2027, 00:00 until 1 Apr 2027, 00:00")
    check(page, "calendar-moved")
    dialog.get_by_role("link", name="Cancel").click()
    expect(bar_of(page, made)).to_be_focused()
    assert windows(live, made)[0] == (SPRING["active_from"], SPRING["active_to"])

    drag(page, bar_of(page, made), 17, 31)
    page.get_by_role("dialog").get_by_role("button", name="Move it").click()
    expect(page.locator("[data-toast]")).to_contain_text("1 customization moved.")
    later = ("2027-03-24T23:00:00Z", "2027-03-31T22:00:00Z")
    assert windows(live, made) == [later, later]
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-toast]")).to_contain_text("put back")
    assert windows(live, made)[0] == (SPRING["active_from"], SPRING["active_to"])

    drag(page, page.locator(f'.spell[data-id="{made}"] [data-grip]'), -3, 31)
    expect(page.get_by_role("dialog").get_by_role("heading")).to_have_text("End 3 days earlier?")
    page.get_by_role("dialog").get_by_role("button", name="Move it").click()
    expect(page.locator("[data-toast]")).to_contain_text("1 customization moved.")
    assert windows(live, made)[0] == (SPRING["active_from"], "2027-03-11T23:00:00Z")


def test_a_bar_is_moved_by_keyboard(live: LiveServer, page: Page, made: str) -> None:
    """Arrows, Escape, Enter; a bar that was not moved opens its form."""
    page.goto(f"{CALENDAR}?view=week&day=2027-03-08")
    check(page, "calendar-week")
    bar = bar_of(page, made)
    told = page.locator("[data-told]")

    bar.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(told).to_have_text("Moved 2 days later. Enter to save, Escape to put it back")
    page.keyboard.press("Escape")
    expect(told).to_have_text("Put back")
    page.keyboard.press("Shift+ArrowRight")
    expect(told).to_contain_text("Ends 1 day later")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("heading")).to_have_text(
        "Move by 1 day, earlier?"
    )
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[data-toast]")).to_contain_text("1 customization moved.")
    assert windows(live, made)[0] == ("2027-03-06T23:00:00Z", "2027-03-13T23:00:00Z")

    bar_of(page, made).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Move a window")
    check(page, "calendar-form")


def test_without_scripts(browser: Browser, live: LiveServer, session: Any, made: str) -> None:
    """The calendar is a table with its windows in words, and a form moves them; a fix is a button."""
    with context_of(browser, live, session, scripts=False) as context:
        page = context.new_page()
        page.goto(MARCH)
        row = page.get_by_role("row", name=re.compile("Spring sale"))
        expect(
            row.get_by_role("link", name=re.compile("from 8 Mar 2027, 00:00 until 15 Mar"))
        ).to_be_visible()
        row.get_by_role("link", name=re.compile("from 8 Mar 2027")).click()
        page.get_by_label("Its end").check()
        page.get_by_label("By how many days").fill("7")
        page.get_by_role("button", name="Show what changes").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("End 7 days later?")
        page.get_by_role("button", name="Move it").click()
        expect(page.locator("[data-toast]")).to_contain_text("1 customization moved.")
        assert windows(live, made)[0] == (SPRING["active_from"], "2027-03-21T23:00:00Z")

        page.goto(f"{HEALTH}?model=similar_items&complaint=not_in_catalog")
        page.get_by_role("button", name="Remove the pin: /p/gone-spring").click()
        expect(page.locator("[data-toast]")).to_contain_text("1 customization mended.")
        assert len(windows(live, made)) == 1
