"""
Drafts and the past in a real browser: two editors at once, publishing, undoing, the audit log; each page for everybody.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from endcap.client import Client
from endcap.errors import DraftNotFound
from tests.services.server import LiveServer, create_tracker, run_endcap, start_server
from tests.web.test_in_browser import KEY, TRACKER, check, watched

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "correct horse battery staple"
BASE = f"/console/t/{TRACKER}"
LIST = f"{BASE}/customizations"
PEOPLE = {"ann": "admin", "bob": "editor"}
ITEMS = ("/p/1", "/p/2", "/p/3", "/p/4")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A few items, two workers, an administrator and an editor."""
    data_dir = tmp_path_factory.mktemp("past")
    create_tracker(data_dir, TRACKER, KEY)
    feed = data_dir / "catalog.jsonl"
    titles = ("Telecaster", "Leather strap", "Strings", "Tuner")
    feed.write_text(
        "".join(
            json.dumps({"identity": identity, "type": "item", "fields": {"title": title}}) + "\n"
            for identity, title in zip(ITEMS, titles, strict=True)
        )
    )
    run_endcap(data_dir, "import", "catalog", str(feed), "--tracker", TRACKER)
    for name, role in PEOPLE.items():
        run_endcap(data_dir, "user", "create", name, "--role", role, input=f"{PASSWORD}\n")
    server = start_server(data_dir, workers=2, env={"ENDCAP_CLOCK_SKEW_SECONDS": "300"})
    yield server
    server.stop()


@pytest.fixture
def made(live: LiveServer) -> str:
    """A customization with two pins; its id."""
    with Client(live.url, TRACKER, KEY) as client:
        return client.create(body("old", (ITEMS[1], 1), (ITEMS[2], 2))).id


def body(tag: str, *pins: tuple[str, int]) -> dict[str, object]:
    return {
        "model": "basket",
        "target_type": "item",
        "target_identity": ITEMS[0],
        "tags": [tag],
        "pin_definitions": [
            {"position": position, "pin_type": "item", "pin_identity": identity}
            for identity, position in pins
        ],
    }


def signed_in(
    browser: Browser, live: LiveServer, name: str, *, scripts: bool = True
) -> BrowserContext:
    context = browser.new_context(
        base_url=live.url, reduced_motion="reduce", java_script_enabled=scripts
    )
    page = context.new_page()
    page.goto(LIST)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{LIST}")
    page.close()
    return context


@pytest.fixture(scope="module")
def signed(browser: Browser, live: LiveServer) -> Iterator[dict[str, BrowserContext]]:
    contexts = {name: signed_in(browser, live, name) for name in PEOPLE}
    yield contexts
    for context in contexts.values():
        context.close()


@pytest.fixture
def ann(signed: dict[str, BrowserContext]) -> Iterator[Page]:
    yield from opened(signed["ann"])


@pytest.fixture
def bob(signed: dict[str, BrowserContext]) -> Iterator[Page]:
    yield from opened(signed["bob"])


def opened(context: BrowserContext) -> Iterator[Page]:
    """Watched, but that a browser notes the status 409 or 422 on its console, as it should."""
    page = context.new_page()
    complaints = watched(page)
    yield page
    assert [each for each in complaints if not re.search("status of (409|422)", each)] == []
    page.close()


def eventually(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def type_in(page: Page, document: dict[str, object]) -> None:
    page.get_by_label("Customization").fill(json.dumps(document, indent=2))


def test_two_editors_at_once(live: LiveServer, made: str, ann: Page, bob: Page) -> None:
    """The second sees both versions beside the first one, chooses field by field, and loses nothing that was typed."""
    ann.goto(f"{LIST}/{made}/json")
    bob.goto(f"{LIST}/{made}/json")
    type_in(ann, body("ann", (ITEMS[1], 1), (ITEMS[2], 2), (ITEMS[3], 3)))
    ann.get_by_role("button", name="Save and publish").click()
    expect(ann.locator("[data-toast]")).to_contain_text("1 customization published.")
    type_in(bob, body("bob", (ITEMS[1], 7), (ITEMS[2], 2)))
    bob.get_by_role("button", name="Save as a draft").click()

    expect(bob.get_by_role("heading", level=1)).to_have_text("Somebody changed it meanwhile")
    tags = bob.get_by_role("group", name=re.compile("Tags"))
    expect(tags).to_contain_text("both changed it")
    expect(tags.get_by_label(re.compile("Yours"))).to_be_checked()
    strap = bob.get_by_role("group", name="Pin").filter(has_text="Leather strap")
    expect(strap.get_by_label(re.compile("Yours"))).to_be_checked()
    tuner = bob.get_by_role("group", name="Pin").filter(has_text="Tuner")
    expect(tuner.get_by_label(re.compile("ann’s"))).to_be_checked()
    check(bob, "conflict")
    tags.get_by_label(re.compile("ann’s")).check()
    bob.get_by_role("button", name="Save what is chosen").click()

    expect(bob.get_by_role("heading", level=2).first).to_have_text("Published, this would change")
    check(bob, "draft-of-an-editor")
    with Client(live.url, TRACKER, KEY) as client:
        draft = client.draft(made).definition
        assert draft is not None
        assert draft.tags == ("ann",)
        assert [(pin.pin_identity, pin.position) for pin in draft.pin_definitions] == [
            (ITEMS[1], 7),
            (ITEMS[2], 2),
            (ITEMS[3], 3),
        ]
        assert client.get(made).tags == ("ann",)


def test_a_draft_goes_its_way(made: str, ann: Page) -> None:
    """Typed wrong, typed right, saved, scheduled, listed, published, undone: each page for everybody."""
    ann.goto(f"{LIST}/{made}")
    ann.get_by_role("link", name="Edit", exact=True).click()
    ann.get_by_role("link", name="Edit as JSON").click()
    ann.get_by_label("Customization").fill('{"model": "basket"}')
    ann.get_by_role("button", name="Save as a draft").click()
    expect(ann.get_by_role("alert")).to_contain_text("nothing that you typed is lost")
    expect(ann.get_by_label("Customization")).to_have_value('{"model": "basket"}')
    check(ann, "edit-refused")
    type_in(ann, body("new", (ITEMS[3], 1)))
    ann.get_by_role("button", name="Save as a draft").click()
    expect(ann.locator("[data-toast]")).to_contain_text("kept as a draft")

    ann.get_by_label("Day and time, UTC").fill("2031-05-01T06:00")
    ann.get_by_role("button", name="Publish then").click()
    expect(ann.get_by_text("by the word of ann")).to_be_visible()
    check(ann, "draft")
    ann.get_by_role("link", name="What is published").click()
    expect(ann.get_by_text("to be published on 1 May 2031, 06:00 UTC")).to_be_visible()
    check(ann, "published-with-a-draft")
    ann.get_by_role("navigation", name="Console").get_by_role("link", name="Drafts").click()
    expect(ann.get_by_text("Publishes 1 May 2031, 06:00 UTC")).to_be_visible()
    check(ann, "drafts")
    ann.goto(LIST)
    expect(ann.get_by_role("link", name="Draft, publishes 1 May 2031")).to_be_visible()
    check(ann, "list-with-drafts")
    ann.get_by_role("link", name="Draft, publishes 1 May 2031").click()
    ann.get_by_role("button", name="Publish now").click()
    expect(ann.locator("[data-toast]")).to_contain_text("1 customization published.")
    expect(ann.locator(".tag", has_text="new").first).to_be_visible()

    ann.get_by_role("navigation", name="Console").get_by_role("link", name="Changes").click()
    check(ann, "changes")
    ann.get_by_role(
        "link", name=re.compile("Undo what ann did: Published 1 customization")
    ).first.click()
    expect(ann.get_by_text("1 customization changes back")).to_be_visible()
    check(ann, "undo")
    ann.get_by_role("button", name="Undo").click()
    expect(ann.locator("[data-toast]")).to_contain_text("1 customization put back as it was.")
    ann.goto(f"{LIST}/{made}/draft")
    ann.get_by_role("button", name="Discard").click()
    expect(ann.locator("[data-toast]")).to_contain_text("its draft is discarded")


def test_a_version_and_a_moment(made: str, ann: Page) -> None:
    """From the history back to what was; and the whole tracker, shown first."""
    ann.goto(f"{LIST}/{made}/json")
    type_in(ann, body("other", (ITEMS[3], 4)))
    ann.get_by_role("button", name="Save and publish").click()
    expect(ann.locator("[data-toast]")).to_contain_text("1 customization published.")
    ann.goto(f"{LIST}/{made}/history")
    ann.get_by_role("link", name=re.compile("^version")).last.click()
    expect(ann.get_by_role("heading", name="Restored, this would change")).to_be_visible()
    check(ann, "version")
    ann.get_by_role("button", name="Restore this version").click()
    expect(ann.locator("[data-toast]")).to_contain_text("put back as it was then")
    expect(ann.locator(".tag", has_text="old").first).to_be_visible()

    ann.goto(f"{BASE}/changes")
    ann.get_by_label("Day and time, UTC").fill("2020-01-01T00:00")
    ann.get_by_role("button", name="Show what would change").click()
    expect(ann.get_by_role("heading", level=1)).to_have_text("Restore all customizations?")
    check(ann, "restore")
    ann.get_by_role("link", name="Cancel").click()
    ann.wait_for_url(f"**{BASE}/changes")


def test_what_was_published_by_itself_is_taken_back(live: LiveServer, made: str, ann: Page) -> None:
    """One of two workers publishes at the moment; then it is unpublished, and that undone, from the pages."""
    with Client(live.url, TRACKER, KEY) as client:
        client.save_draft(made, body("due", (ITEMS[3], 1)))
        client.publish_at(made, (datetime.now(UTC) + timedelta(seconds=3)).isoformat())
        eventually(lambda: client.get(made).tags == ("due",))

        ann.goto(f"{LIST}/{made}")
        expect(ann.get_by_text("Tagged due")).to_be_visible()
        ann.get_by_role("button", name="Unpublish").click()
        expect(ann.locator("[data-toast]")).to_contain_text("unpublished, and kept as a draft")
        expect(ann.get_by_text("Published, this would be new")).to_be_visible()
        assert made not in {each.id for each in client.list().results}
        ann.goto(f"{BASE}/changes")
        ann.get_by_role("link", name=re.compile("Undo what ann did: Unpublished")).first.click()
        ann.get_by_role("button", name="Undo").click()
        expect(ann.locator("[data-toast]")).to_contain_text("1 customization put back as it was.")

        assert client.get(made).tags == ("due",)
        with pytest.raises(DraftNotFound):
            client.draft(made)


def test_the_audit_log(made: str, ann: Page, tmp_path: Path) -> None:
    """Filtered, exported, and that of accounts."""
    ann.goto(f"{BASE}/audit")
    ann.get_by_label("What").select_option("customization")
    ann.get_by_role("button", name="Apply").click()
    expect(ann.get_by_role("cell", name="customization created").first).to_be_visible()
    check(ann, "audit")
    with ann.expect_download() as downloading:
        ann.get_by_role("link", name="Export CSV").click()
    file = tmp_path / "audit.csv"
    downloading.value.save_as(file)
    assert made in file.read_text()
    ann.get_by_role("link", name="Accounts and signing in").click()
    expect(ann.get_by_role("cell", name="account signed in").first).to_be_visible()
    check(ann, "audit-accounts")


def test_without_scripts(browser: Browser, live: LiveServer, made: str) -> None:
    """Drafts, changes and versions are read, and a draft is saved and published."""
    context = signed_in(browser, live, "ann", scripts=False)
    page = context.new_page()
    page.goto(f"{LIST}/{made}/json")
    type_in(page, body("no-script", (ITEMS[1], 1)))
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("Tagged no-script")).to_be_visible()
    page.get_by_role("button", name="Publish now").click()
    expect(page.get_by_text("1 customization published.")).to_be_visible()
    page.goto(LIST)
    page.locator(".target a").first.click()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    page.goto(f"{LIST}/{made}/history")
    page.get_by_role("link", name=re.compile("^version")).last.click()
    expect(page.get_by_role("heading", name="Restored, this would change")).to_be_visible()
    page.goto(f"{BASE}/changes")
    expect(page.get_by_text("Tagged no-script").first).to_be_visible()
    page.goto(f"{BASE}/drafts")
    expect(page.get_by_role("heading", name="Drafts", exact=True)).to_be_visible()
    context.close()
