"""
The services every test may ask for. Each is started when first asked for and stopped at the end.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog
from playwright.sync_api import Browser, Page

from endcap.telemetry import log
from tests.services import browser as browsers
from tests.services import needs, postgres

# Shared cores make single examples slow now and then; the test's own timeout is the bound.
hypothesis.settings.register_profile("endcap", deadline=None, print_blob=True)
hypothesis.settings.register_profile(
    "endcap-ci", deadline=None, print_blob=True, derandomize=True, database=None
)
hypothesis.settings.load_profile("endcap-ci" if needs.in_ci() else "endcap")


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command sets up its process's logs. This process is the tests', and the stream that it saw is closed by now."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    vars(log).pop("bind", None)  # the logger that was made at its first use


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    """A PostgreSQL server, one per worker of a parallel run: a test may stop or crash it."""
    binaries = postgres.find_binaries()
    if binaries is None:
        needs.lacking("no PostgreSQL server is installed; Debian's package is postgresql")
    with postgres.running_server(binaries) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: postgres.PostgresServer) -> str:
    """The URL of an empty database that nobody else uses."""
    return postgres_server.create_database()


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The system's Chromium."""
    return needs.need_program(*browsers.NAMES)


@pytest.fixture(scope="module")
def browser(chromium_path: Path) -> Iterator[Browser]:
    """
    A browser, for one module: while it is open Playwright's own event loop counts as running in
    this thread, so that `asyncio.run` is refused until it is closed.
    """
    with browsers.running_browser(chromium_path) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page with no cookies; an error that its scripts let escape fails the test."""
    errors: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
    assert errors == []


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the real data sets."""
    return needs.need_shared_data()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that wait longest come first, so that no worker of a parallel run is left alone with one at the end."""
    first = ("spark", "browser", "slow")
    ranks: dict[Path, int] = {}
    for item in items:
        rank = next(
            (n for n, name in enumerate(first) if item.get_closest_marker(name)), len(first)
        )
        ranks[item.path] = min(rank, ranks.get(item.path, rank))
    items.sort(key=lambda item: ranks[item.path])
