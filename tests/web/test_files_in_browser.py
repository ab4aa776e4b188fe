"""
Files in and out in a real browser: export, a mistake, a plan, applying and undoing it, copying to another tracker.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.services.server import LiveServer, create_tracker, run_endcap, start_server
from tests.web.test_in_browser import KEY, TRACKER, check
from tests.web.test_past_in_browser import PASSWORD, body, opened, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OTHER = "cz-shop"
BASE = f"/console/t/{TRACKER}"
LIST = f"{BASE}/customizations"
TITLES = {"/p/1": "Telecaster", "/p/2": "Leather strap", "/p/3": "Strings", "/p/4": "Tuner"}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Two shops, a few items in the first, some customizations; two workers, so that either may be asked."""
    data_dir = tmp_path_factory.mktemp("files")
    for tracker in (TRACKER, OTHER):
        create_tracker(data_dir, tracker, KEY)
    feed, rules = data_dir / "catalog.jsonl", data_dir / "rules.json"
    feed.write_text(
        "".join(
            json.dumps({"identity": identity, "type": "item", "fields": {"title": title}}) + "\n"
            for identity, title in TITLES.items()
        )
    )
    run_endcap(data_dir, "import", "catalog", str(feed), "--tracker", TRACKER)
    rules.write_text(json.dumps([{"name": "strap", **body("winter", ("/p/2", 1), ("/p/3", 2))}]))
    run_endcap(data_dir, "apply", str(rules), "--tracker", TRACKER, "--yes")
    run_endcap(data_dir, "user", "create", "ann", "--role", "admin", input=f"{PASSWORD}\n")
    server = start_server(data_dir, workers=2)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def ann(browser: Browser, live: LiveServer) -> Iterator[Page]:
    context = signed_in(browser, live, "ann")
    yield from opened(context)
    context.close()


def choose(page: Page, name: str, content: str | bytes) -> None:
    sent = content.encode() if isinstance(content, str) else content
    page.get_by_label("File", exact=True).set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": sent}
    )


def test_a_sheet_goes_out_and_comes_back(live: LiveServer, ann: Page, tmp_path: Path) -> None:
    """Exported with the filter, a mistake made in it and mended, applied, and undone from the message."""
    ann.goto(f"{LIST}?tag=winter")
    ann.locator(".exchange summary").click()
    check(ann, "list-with-export")
    with ann.expect_download() as coming:
        ann.get_by_role("link", name="CSV, a row a pin").click()
    sheet = Path(tmp_path / coming.value.suggested_filename)
    coming.value.save_as(sheet)
    exported = sheet.read_text()
    assert exported.count("\n") == 3

    ann.get_by_role("link", name="Import").click()
    check(ann, "import")
    choose(ann, sheet.name, exported.replace(",2,item", ",two,item"))
    ann.get_by_role("button", name="Show what would change").click()
    expect(ann.get_by_role("heading", level=1)).to_have_text("This cannot be done yet")
    expect(ann.get_by_role("list", name="Refused")).to_contain_text("position")
    check(ann, "import-refused")

    ann.get_by_role("link", name="Choose the mended file").click()
    rows = exported.replace(",2,item", ",3,item")
    extra = json.dumps(body("spring", ("/p/4", 1)))
    choose(ann, sheet.name, rows)
    ann.get_by_label("Delete those with a tag").check()
    ann.get_by_label("Tags, separated by commas").fill("autumn")
    ann.get_by_role("button", name="Show what would change").click()
    plan = ann.get_by_role("list", name="What would change")
    expect(plan).to_contain_text("Strings (/p/3): slot 2 → slot 3")
    ann.get_by_role("button", name="Apply").click()
    expect(ann.locator("[data-toast]")).to_contain_text("Done: 1 changed.")
    ann.locator("[data-toast]").get_by_role("link", name="Undo").click()
    expect(ann.get_by_role("heading", level=1)).to_have_text("Undo this?")
    ann.get_by_role("button", name="Undo").click()
    ann.wait_for_url(f"**{BASE}/changes*")

    ann.goto(f"{BASE}/import")
    choose(ann, "spring.json", extra)
    ann.get_by_label("Delete those with a tag").check()
    ann.get_by_label("Tags, separated by commas").fill("winter")
    ann.get_by_role("button", name="Show what would change").click()
    expect(ann.get_by_role("button", name="Apply, and delete 1")).to_be_visible()
    check(ann, "import-plan-deletes")


def test_what_is_chosen_goes_to_another_tracker(live: LiveServer, ann: Page) -> None:
    """Ticked in the list, with items under other names, looked at and applied there."""
    ann.goto(LIST)
    ann.get_by_label(re.compile("Choose Telecaster")).check()
    ann.get_by_role("button", name="Copy", exact=True).click()
    expect(ann.get_by_role("heading", level=1)).to_have_text(
        "Copy 1 customization to another tracker"
    )
    ann.get_by_label("To").select_option(OTHER)
    ann.get_by_text("Items are called something else there").click()
    ann.get_by_label("Or pasted").fill("/p/1\t/cz/1\n/p/2\t/cz/2")
    check(ann, "copy")
    ann.get_by_role("button", name="Show what would change").click()
    expect(ann.get_by_role("list", name="Refused")).to_contain_text("/p/3 is not in the map")
    ann.get_by_role("link", name="Back to the form").click()
    expect(ann.get_by_label("To")).to_have_value(OTHER)
    expect(ann.get_by_label("Or pasted")).to_have_value("/p/1\t/cz/1\n/p/2\t/cz/2")
    ann.get_by_label("Or pasted").fill("/p/1\t/cz/1\n/p/2\t/cz/2\n/p/3\t/cz/3")
    ann.get_by_role("button", name="Show what would change").click()
    expect(ann.get_by_role("list", name="What would change")).to_contain_text("/cz/1")
    ann.get_by_role("button", name="Apply").click()
    expect(ann.locator("[data-toast]")).to_contain_text("Done: 1 created.")
    assert f"/t/{OTHER}/" in ann.url


def test_without_scripts_files_go_both_ways(browser: Browser, live: LiveServer) -> None:
    """Forms and links do it all."""
    context = signed_in(browser, live, "ann", scripts=False)
    page = context.new_page()
    page.goto(f"{BASE}/import")
    choose(page, "rules.json", json.dumps(body("summer", ("/p/4", 1))))
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("status").filter(has_text="Done")).to_contain_text("1 created")
    page.goto(LIST)
    page.locator(".exchange summary").click()
    with page.expect_download() as coming:
        page.get_by_role("link", name="JSON").click()
    assert "summer" in coming.value.path().read_text()
    context.close()
