"""
Signing in by a provider in a real browser: there, back with the right role, out again; refused; and while it is away.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.services.ports import free_port
from tests.services.provider import PASSWORD, LiveProvider, start_provider
from tests.services.server import LiveServer, create_tracker, run_endcap, start_server
from tests.web.test_in_browser import KEY, TRACKER, check, watched

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LIST = f"/console/t/{TRACKER}/customizations"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[LiveProvider]:
    folder = tmp_path_factory.mktemp("provider")
    users = {"ann": ["merchandisers"], "eve": ["cleaning"]}
    provider = start_provider(folder, users, back=[f"http://127.0.0.1:{port}"])
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def live(
    tmp_path_factory: pytest.TempPathFactory, provider: LiveProvider, port: int
) -> Iterator[LiveServer]:
    """Two workers: who begins at one may come back to the other."""
    data_dir = tmp_path_factory.mktemp("sso")
    create_tracker(data_dir, TRACKER, KEY)
    run_endcap(data_dir, "user", "create", "kim", "--role", "admin", input=f"{PASSWORD}\n")
    settings = {
        **provider.settings,
        "oidc_roles": f"merchandisers=publisher@{TRACKER}",
        "oidc_label": "Shop ID",
    }
    env = {f"ENDCAP_{name.upper()}": value for name, value in settings.items()}
    server = start_server(data_dir, workers=2, env=env, port=port)
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, live: LiveServer, provider: LiveProvider) -> Iterator[Page]:
    """Of a browser that nobody is signed in with. What the provider's own pages lack is the provider's."""
    context = browser.new_context(base_url=live.url, reduced_motion="reduce")
    page = context.new_page()
    complaints = watched(page, besides=provider.issuer)
    yield page
    expected = "status of (401|503)"
    assert [each for each in complaints if not re.search(expected, each)] == []
    context.close()


def sign_in_at_the_provider(page: Page, name: str) -> None:
    page.get_by_label("Login").fill(name)
    page.get_by_label("Login").press("Enter")
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("textbox", name="Password").press("Enter")


def test_there_and_back_and_out(page: Page, live: LiveServer) -> None:
    """To the page that was asked for, as what the group may be; then out here and at the provider."""
    page.goto(f"{LIST}?tag=sale")
    check(page, "sign-in-with-a-provider")
    page.get_by_role("link", name="Sign in with Shop ID").click()
    sign_in_at_the_provider(page, "ann")

    page.wait_for_url(f"**{LIST}?tag=sale")
    expect(page.get_by_role("link", name="Import").first).to_be_visible()
    page.locator(".menu.end summary").last.click()
    expect(page.get_by_text("publisher here")).to_be_visible()
    page.get_by_role("link", name="Account").click()
    expect(page.get_by_role("heading", name="Signs in by")).to_be_visible()
    page.locator(".menu.end summary").last.click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("You are signed out here.")
    check(page, "signed-out-with-a-provider")
    page.get_by_role("link", name="Sign out of Shop ID too").click()
    page.wait_for_url(lambda url: "/end_session" in url or "/console/sign-in" in url)


def test_a_wrong_group_is_refused(page: Page, live: LiveServer) -> None:
    """With what to do, and passwords still beside it."""
    page.goto("/console/sign-in")
    page.get_by_role("link", name="Sign in with Shop ID").click()
    sign_in_at_the_provider(page, "eve")

    expect(page.get_by_role("alert")).to_contain_text("None of your groups has a role here")
    page.get_by_label("Name").fill("kim")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{LIST}")


def test_a_provider_that_is_away_is_said(
    browser: Browser, live: LiveServer, provider: LiveProvider, tmp_path: Path
) -> None:
    """By a server that has not heard of it yet; passwords work, and so does a link made at the server."""
    data_dir = tmp_path / "late"
    create_tracker(data_dir, TRACKER, KEY)
    run_endcap(data_dir, "user", "create", "kim", "--role", "admin", input=f"{PASSWORD}\n")
    env = {f"ENDCAP_{name.upper()}": value for name, value in provider.settings.items()}
    provider.stop()
    server = start_server(data_dir, env=env)
    try:
        page = browser.new_page(base_url=server.url)
        page.goto("/console/sign-in")
        page.get_by_role("link", name="Sign in with single sign-on").click()
        expect(page.get_by_role("alert")).to_contain_text("The sign-in provider does not answer")
        check(page, "provider-away")
        port = server.url.rpartition(":")[2]
        made = run_endcap(data_dir, "user", "link", "kim", env={"ENDCAP_PORT": port})
        page.goto(made.strip())
        check(page, "sign-in-link")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**{LIST}")
        page.close()
    finally:
        server.stop()
        provider.start()
