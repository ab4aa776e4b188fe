"""
The snippet of docs/events.md in a browser, on a page of another origin.
"""

import json
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page

from endcap.archive.reading import stored
from endcap.domain import TrackerId
from endcap.store import open_events
from tests.application.world import eventually
from tests.docs import pages
from tests.services.server import LiveServer, create_tracker, start_server

TRACKER = TrackerId("1234-5678")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    create_tracker(tmp_path, TRACKER, "a private key")
    server = start_server(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def shop(tmp_path: Path, server: LiveServer) -> Iterator[str]:
    """The address of a page with the snippet, as a shop would paste it."""
    (block,) = pages.blocks(pages.ROOT / "docs/events.md", "html")
    assert "http://127.0.0.1:8000" in block.text
    folder = tmp_path / "shop"
    folder.mkdir()
    snippet = block.text.replace("http://127.0.0.1:8000", server.url)
    (folder / "index.html").write_text(f"<!doctype html><title>Guitars</title>{snippet}")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_address[1]}/"
        http.shutdown()
        thread.join()


@pytest.mark.browser
def test_the_snippet_tells_what_happens(tmp_path: Path, shop: str, page: Page) -> None:
    """Views, clicks, conversions, orders; the device stays the same, and the customer is told when known."""
    page.goto(shop)
    page.evaluate("endcap.viewed('/p/123')")
    page.evaluate("endcap.clicked('/p/555')")
    page.goto(f"{shop}?next")
    page.evaluate("endcap.shopper.customer_id = 'ann'")
    page.evaluate("endcap.shopper.consent_granted = true")
    page.evaluate("endcap.did('wishlist', '/p/555')")
    page.evaluate("endcap.bought('2025-4711', [{ url: '/p/555', count: 2, total_price: 58 }])")
    client = page.evaluate("endcap.client")

    events = open_events(f"sqlite:///{tmp_path / 'endcap.db'}")
    eventually(lambda: events.count(TRACKER) == 4)
    told = {
        (each.event.type, json.loads(each.event.document).get("action", {}).get("type")): each.event
        for each in stored(events, TRACKER)
    }
    events.close()
    assert set(told) == {
        ("pv", None),
        ("click", "click"),
        ("click", "wishlist"),
        ("transaction", None),
    }
    assert {each.client for each in told.values()} == {client}
    assert re.fullmatch(r"\d+", client)
    assert (told["pv", None].customer, told["transaction", None].customer) == (None, "ann")
    assert json.loads(told["transaction", None].document)["consent_granted"] is True
