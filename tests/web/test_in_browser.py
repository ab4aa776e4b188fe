"""
The console in a real browser: flows by mouse and by keyboard, with scripts and without, and an accessibility check of
every page, light and dark, at three widths.

Whatever the page's policy refuses, a script lets escape or the console complains of fails the test. Where
ENDCAP_SCREENSHOTS names a folder, every page is pictured there.
"""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # says nothing of its types
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from endcap import sample
from endcap.client import Client
from tests.cli.driver import lines
from tests.services.server import LiveServer, create_tracker, run_endcap, start_server

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TRACKER, KEY = "guitars", "a private key"
USER = "ann"
WIDTHS = (1440, 768, 390)
SCHEMES = ("light", "dark")
LIST = f"/console/t/{TRACKER}/customizations"
SCREENSHOTS = "ENDCAP_SCREENSHOTS"
AXE = Axe()
CHECKED = {
    (1440, "light"),
    (768, "dark"),
    (390, "light"),
}  # each width and each scheme, at half the time of all six
SERIOUS = ("serious", "critical")
PICTURE_HEIGHT_MAX = 1_600


@pytest.fixture(scope="module")
def password() -> str:
    return "correct horse battery staple"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, password: str) -> Iterator[LiveServer]:
    """The sample shop, two workers, a hundred customizations of every state, one publisher."""
    data_dir = tmp_path_factory.mktemp("console")
    create_tracker(data_dir, TRACKER, KEY)
    catalog = sample.catalog(until=datetime(2026, 1, 1, tzinfo=UTC))
    feed = data_dir / "catalog.jsonl"
    feed.write_text(lines(catalog))
    run_endcap(data_dir, "import", "catalog", str(feed), "--tracker", TRACKER)
    server = start_server(data_dir, workers=2, env={"ENDCAP_CLOCK_SKEW_SECONDS": "300"})
    items = [each["identity"] for each in catalog if each.get("type", "item") == "item"]
    with Client(server.url, TRACKER, KEY) as client:
        for number in range(110):
            client.create(customization(number, [str(each) for each in items]))
    run_endcap(data_dir, "user", "create", USER, "--role", "publisher", input=f"{password}\n")
    yield server
    server.stop()


def customization(number: int, items: list[str]) -> dict[str, object]:
    """Of every kind of target, place and window in turn."""
    window = [
        {},
        {},
        {"active_to": "2099-01-01T00:00:00Z"},
        {"active_from": "2099-01-01T00:00:00Z", "active_to": "2099-02-01T00:00:00Z"},
        {"active_to": "2024-01-01T00:00:00Z"},
    ][number % 5]
    pins: list[dict[str, object]] = [
        {
            "position": [1, 2, 3, -1, 0][at % 5],
            "pin_type": "item",
            "pin_identity": items[(number * 7 + at) % len(items)],
            **window,
        }
        for at in range(number % 7)
    ]
    if number % 3 == 0:
        brand = {"brand": "Fender"}
        pins.append({"position": 4, "pin_type": "criteria", "pin_criteria": brand, **window})
    if number % 9 == 0:
        pins.append({"position": 5, "pin_type": "item", "pin_identity": "/p/gone", **window})
    target: dict[str, object] = {
        "target_type": "item",
        "target_identity": items[number % len(items)],
    }
    if number % 10 == 8:
        target = {"target_type": "criteria", "target_criteria": {"category_lvl_1": "Guitars"}}
    if number % 10 == 9:
        target = {"target_type": "all"}
    return {
        "model": ["item_detail_complements", "basket", "trends"][number % 3],
        "tags": ["winter", "sale", "black-friday"][: number % 4],
        "pin_definitions": pins,
        "disabled": number % 20 == 19,
        **target,
    }


@pytest.fixture
def context(browser: Browser, live: LiveServer) -> Iterator[BrowserContext]:
    with browser.new_context(base_url=live.url, reduced_motion="reduce") as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Watched: complaints of the policy, of scripts and of the network fail the test; a request elsewhere does too."""
    page = context.new_page()
    complaints = watched(page)
    yield page
    assert complaints == []


def watched(page: Page, *, besides: str | None = None) -> list[str]:
    """What the page complains of, with the address; what is said of addresses that begin with `besides` is not ours."""
    complaints: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        address = said.location["url"]
        if besides is None or not address.startswith(besides):
            complaints.append(f"{said.type}: {said.text} ({address})")

    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    page.on("console", hear)
    page.on(
        "request",
        lambda request: (
            complaints.append(f"asked elsewhere: {request.url}")
            if not request.url.startswith(("http://127.0.0.1:", "data:"))
            else None
        ),
    )
    return complaints


def sign_in(page: Page, password: str, onward: str = LIST) -> None:
    page.goto(onward)
    page.get_by_label("Name").fill(USER)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{onward}")


def check(page: Page, name: str) -> None:
    """No serious violation, no scrolling sideways; pictured at every width, light and dark."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} pixels wide at {width}"
            picture(page, f"{name}-{width}-{scheme}")
            if (width, scheme) not in CHECKED:
                continue
            found = AXE.run(page).response["violations"]
            told = [
                f"{name} {width} {scheme}: {each['id']}: {each['help']}: "
                + "; ".join(node["html"] for node in each["nodes"][:3])
                for each in found
                if each["impact"] in SERIOUS
            ]
            assert told == []
    page.set_viewport_size({"width": 1440, "height": 900})


def picture(page: Page, name: str) -> None:
    folder = os.environ.get(SCREENSHOTS)
    if folder:
        size = page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": min(size[1], PICTURE_HEIGHT_MAX)}
        path = Path(folder) / f"{name}.png"  # its folder is made with it
        page.screenshot(path=path, full_page=True, clip=clip)  # type: ignore[arg-type]  # a dict of floats


def test_the_door_is_for_everybody(page: Page, live: LiveServer) -> None:
    """The page before anybody is signed in, as it comes and after a mistake."""
    page.goto("/console/sign-in")
    check(page, "sign-in")


def test_a_mistake_is_said(context: BrowserContext, live: LiveServer) -> None:
    """The name stays, the password is typed again. The browser notes the status on its console, as it should."""
    page = context.new_page()
    page.goto("/console/sign-in")
    page.get_by_label("Name").fill("nobody")
    page.get_by_label("Password").fill("a wrong password")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_have_text("The name or the password is not right.")
    expect(page.get_by_label("Name")).to_have_value("nobody")
    expect(page.get_by_label("Password")).to_be_focused()
    check(page, "sign-in-refused")


def test_every_page_is_for_everybody(page: Page, password: str) -> None:
    """Each with something on it."""
    sign_in(page, password)
    check(page, "list")
    page.goto(f"{LIST}?q=unheard-of")
    check(page, "list-nothing")
    page.goto(f"{LIST}?model=item_detail_complements&target=item&status=active&sort=target")
    check(page, "list-filtered")
    page.locator(".target a").first.click()
    page.wait_for_selector("#moment")
    check(page, "one")
    page.goto(page.url.partition("?")[0] + "/history")
    check(page, "history")
    page.goto("/console/account")
    check(page, "account")
    page.goto(LIST)
    page.locator("[data-menu].end summary").click()
    check(page, "list-menu")


def test_errors_are_pages(context: BrowserContext, password: str) -> None:
    """With the way back; the browser notes the status on its console."""
    page = context.new_page()
    sign_in(page, password)
    page.goto("/console/nowhere")

    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    check(page, "problem")


def test_filters_change_the_list_in_place(page: Page, password: str) -> None:
    """The address follows, back goes back, and who types goes on typing."""
    sign_in(page, password)
    page.evaluate("window.stayed = true")
    all_of_them = page.get_by_role("status").first.inner_text()

    page.get_by_label("Search").press_sequentially("telecaster", delay=20)
    page.wait_for_url("**q=telecaster**")
    expect(page.get_by_label("Search")).to_be_focused()
    expect(page.get_by_label("Search")).to_have_value("telecaster")
    page.get_by_label("Status").select_option("active")
    page.wait_for_url("**status=active**")
    page.get_by_role("link", name=re.compile("^basket")).click()
    page.wait_for_url("**model=basket**")
    shown = page.url

    assert page.evaluate("window.stayed")
    assert re.search(r"\?model=basket&q=telecaster&status=active$", shown)
    page.reload()
    expect(page.get_by_label("Search")).to_have_value("telecaster")
    page.go_back()
    page.wait_for_url(lambda url: "model=" not in url)
    page.get_by_role("link", name="Clear filters").first.click()
    page.wait_for_url(f"**{LIST}")
    expect(page.get_by_role("status").first).to_have_text(all_of_them)


def test_choosing_changing_and_undoing(page: Page, password: str) -> None:
    """By mouse: a page is chosen, the dialog says what changes, the toast undoes it."""
    sign_in(page, password, f"{LIST}?model=basket")
    tag = "new-in-browser"

    expect(page.get_by_role("button", name="Delete")).to_be_disabled()
    page.get_by_label("This page").check()
    chosen = page.locator("[data-chosen]").inner_text().split()[0]
    page.get_by_placeholder("Tags").fill(tag)
    page.get_by_role("button", name="Tag", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text(f"Tag {chosen} customizations with {tag}?")
    check(page, "confirm")
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Tag", exact=True)).to_be_focused()

    page.get_by_role("button", name="Tag", exact=True).click()
    dialog.get_by_role("button", name=f"Tag {chosen}").click()
    toast = page.locator("[data-toast]")
    expect(toast).to_contain_text(f"{chosen} customizations tagged.")
    assert "did=" not in page.url
    expect(page.locator(".tag", has_text=tag).first).to_be_visible()
    check(page, "toast")
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-toast]")).to_contain_text("put back as they were")
    expect(page.locator(".tag", has_text=tag)).to_have_count(0)


def test_all_that_match_are_chosen(page: Page, password: str) -> None:
    """Beyond this page; unticking one row takes that back."""
    sign_in(page, password)

    page.get_by_label(re.compile("All 110 that match")).check()
    expect(page.locator("[data-chosen]")).to_have_text("110 chosen")
    page.locator("input[name=pick]").first.uncheck()
    expect(page.locator("[data-chosen]")).to_have_text("49 chosen")


def test_a_problem_is_told_in_the_dialog(context: BrowserContext, password: str) -> None:
    """Nothing typed is lost. The browser notes the status on its console."""
    page = context.new_page()
    sign_in(page, password)
    page.get_by_label("This page").check()
    page.get_by_role("button", name="Tag", exact=True).click()

    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Name at least one, e.g. winter, sale")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_label("This page")).to_be_checked()


def test_it_all_works_by_keyboard(page: Page, password: str) -> None:
    """Sign-in, skip link, a filter, a row, a change confirmed, the menu, sign-out: no mouse at all."""
    page.goto(LIST)
    page.keyboard.type(USER)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{LIST}")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, "#status")
    page.keyboard.press("ArrowDown")
    page.wait_for_url("**status=active**")
    tab_to(page, "input[name=pick]")
    page.keyboard.press("Space")
    expect(page.locator("[data-chosen]")).to_have_text("1 chosen")
    tab_to(page, "button[formaction$='/disable']", back=True)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Disable 1 customization?")
    expect(dialog.locator(":focus")).to_have_count(1)
    tab_to(page, "dialog button.main")
    page.keyboard.press("Enter")
    expect(page.locator("[data-toast]")).to_contain_text("1 customization disabled.")
    tab_to(page, "[data-toast] form button", back=True)
    page.keyboard.press("Enter")
    expect(page.locator("[data-toast]")).to_contain_text("put back as it was")

    tab_to(page, "[data-menu].end summary")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(page.locator("[data-menu].end summary")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, "button.plain")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/sign-in")


def tab_to(page: Page, selector: str, *, back: bool = False) -> None:
    """Presses Tab until that has the focus, which must come within a page's worth of them, and is seen."""
    for _ in range(250):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none"
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"Tab never reached {selector}")


def test_without_scripts_everything_works(
    browser: Browser, live: LiveServer, password: str
) -> None:
    """Filters, rows, history, changes with a page that asks, and undoing."""
    with browser.new_context(base_url=live.url, java_script_enabled=False) as context:
        page = context.new_page()
        complaints = watched(page)
        sign_in(page, password)

        page.get_by_label("Search").fill("fender")
        page.get_by_label("Status").select_option("active")
        page.get_by_role("button", name="Apply").click()
        assert "q=fender" in page.url
        page.locator("input[name=pick]").first.check()
        page.get_by_placeholder("Tags").fill("no-script")
        page.get_by_role("button", name="Tag", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "Tag 1 customization with no-script?"
        )
        picture(page, "confirm-without-scripts")
        page.get_by_role("button", name="Tag 1").click()
        expect(page.get_by_text("1 customization tagged.")).to_be_visible()
        assert "q=fender" in page.url
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("put back as it was")).to_be_visible()
        page.locator(".target a").first.click()
        expect(page.get_by_role("heading", name="History")).to_be_visible()
        expect(page.get_by_text("No longer tagged no-script")).to_have_count(1)
        page.get_by_label("Slots").fill("3")
        page.get_by_role("button", name="Show").click()
        expect(page.locator(".slots > li")).to_have_count(3)
        picture(page, "one-without-scripts")
        assert complaints == []


def test_a_session_that_ended_leads_to_the_door(
    page: Page, context: BrowserContext, password: str
) -> None:
    """Also where a script asked."""
    sign_in(page, password)
    context.clear_cookies()

    page.get_by_label("Status").select_option("active")

    page.wait_for_url("**/console/sign-in**")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_light_and_dark_can_be_chosen(page: Page, password: str) -> None:
    """Against what the system says."""
    sign_in(page, password)
    page.emulate_media(color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)

    page.locator("[data-menu].end summary").click()
    page.get_by_role("button", name="Dark").click()
    page.wait_for_url(f"**{LIST}")

    assert page.evaluate(ground) != light
