"""
How a pull asks: signed, patiently, and never another host than the one that was named.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from endcap.cli.peer import ATTEMPTS_MAX, PAUSE_SECONDS_MAX, HttpPeer
from endcap.domain import Micros
from endcap.errors import PeerUnavailable, TrackerNotFound, UsageFault
from endcap.transfer.pull import LinkExpired
from endcap.transfer.rows import quietly
from tests.cli.driver import KEY, TRACKER
from tests.services.ports import free_port
from tests.services.vendor import Failure, VendorHost, vendor_host, vendor_objects

NOON = Micros(1_737_374_400_000_000)  # Mon, 20 Jan 2025 12:00:00 GMT


@pytest.fixture
def host() -> Iterator[VendorHost]:
    with vendor_host(TRACKER, KEY) as made:
        made.objects = list(vendor_objects(3))
        yield made


class Asking:
    """A peer whose pauses are noted and not waited for."""

    def __init__(self, url: str, **others: Any) -> None:
        self.pauses: list[float] = []
        self.said: list[str] = []
        self.peer = HttpPeer(
            url,
            TRACKER,
            KEY,
            clock=lambda: NOON,
            sleep=self.pauses.append,
            say=self.said.append,
            **others,
        )

    def close(self) -> None:
        self.peer.__exit__()


@pytest.fixture
def asking(host: VendorHost) -> Iterator[Asking]:
    with closing(Asking(host.url)) as made:
        yield made


def test_pauses_grow_and_end(host: VendorHost, asking: Asking) -> None:
    """Twice as long each time, with chance in it, and a last attempt after which it is said what to do."""
    host.failures = [Failure(500)] * ATTEMPTS_MAX

    with pytest.raises(PeerUnavailable, match=r"--resume goes on from there .*HTTP status 500"):
        asking.peer.catalog_page(None)

    assert len(host.asked) == ATTEMPTS_MAX
    assert len(asking.pauses) == len(asking.said) == ATTEMPTS_MAX - 1
    for number, pause in enumerate(asking.pauses):
        longest = min(2**number, PAUSE_SECONDS_MAX)
        assert longest / 2 <= pause <= longest


@pytest.mark.parametrize("asked", ["7", "Mon, 20 Jan 2025 12:00:07 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_the_pause_that_a_host_asks_for(
    host: VendorHost, asking: Asking, asked: str, status: int
) -> None:
    """Seconds, or a moment."""
    host.failures = [Failure(status, Retry_After=asked)]

    page = asking.peer.catalog_page(None)

    assert asking.pauses == [7.0]
    assert (page.total, len(page.objects)) == (3, 3)


def test_a_pause_that_nobody_waits_for(host: VendorHost, asking: Asking) -> None:
    """It is told instead."""
    host.failures = [Failure(429, Retry_After="3600")]

    with pytest.raises(PeerUnavailable, match="left alone for 3600 seconds"):
        asking.peer.catalog_page(None)

    assert asking.pauses == []


def test_a_connection_that_breaks(host: VendorHost, asking: Asking) -> None:
    """It is made again."""
    host.failures = [Failure(0), Failure(0)]

    assert asking.peer.catalog_page(None).total == 3
    assert len(asking.pauses) == 2


def test_nobody_there() -> None:
    """Where and why is told."""
    url = f"http://127.0.0.1:{free_port()}"
    with closing(Asking(url)) as asking, pytest.raises(PeerUnavailable, match=url):
        asking.peer.catalog_page(None)

    assert len(asking.pauses) == ATTEMPTS_MAX - 1


def test_a_refusal_is_not_repeated(host: VendorHost, asking: Asking) -> None:
    """Nor is it taken for a link that expired."""
    host.failures = [Failure(403, {"reason": "No", "exception_details": {}})]

    with pytest.raises(Exception, match="No"):
        asking.peer.catalog_page("https://elsewhere/v1/content_export?cursor=1")

    assert len(host.asked) == 1


def test_a_link_leads_to_the_host_that_was_named(host: VendorHost, asking: Asking) -> None:
    """Whatever host the link names: what is signed goes nowhere else."""
    host.objects = list(vendor_objects(501))
    link = asking.peer.catalog_page(None).next_link
    assert link is not None
    assert link.startswith("https://live.example.com/")

    page = asking.peer.catalog_page(link)

    assert [json.loads(bytes(each))["url"] for each in page.objects] == ["/p/500"]
    assert page.next_link is None


def test_a_link_that_is_not_known_any_more(asking: Asking) -> None:
    """It is told apart from other refusals."""
    with pytest.raises(LinkExpired):
        asking.peer.catalog_page("https://live.example.com/v1/content_export?cursor=1")


def test_a_redirection_is_not_followed(host: VendorHost, asking: Asking) -> None:
    """The operator decides whether that host is meant."""
    host.failures = [Failure(301, Location="https://elsewhere.example.com/")]

    with pytest.raises(UsageFault, match=r"sends on to https://elsewhere.example.com/"):
        asking.peer.catalog_page(None)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"total":1}', b'{"objects":7}', b"\xff"])
def test_an_answer_that_is_none(host: VendorHost, asking: Asking, body: bytes) -> None:
    """A proxy's page, say."""
    host.failures = [Failure(200, body)]

    with pytest.raises(PeerUnavailable, match="cannot be read"):
        asking.peer.catalog_page(None)


def test_an_answer_without_an_end(host: VendorHost) -> None:
    """It is given up at a bound."""
    with closing(Asking(host.url, page_bytes_max=1_000)) as asking:
        with pytest.raises(PeerUnavailable, match="answers with more than 1000 bytes"):
            asking.peer.catalog_page(None)


def saved(asking: Asking, path: Path) -> list[Any]:
    asking.peer.save_customizations(path, quietly)
    text = path.read_text()
    found = json.loads(text) if text.startswith("[") else map(json.loads, text.splitlines())
    return [each["id"] for each in found]


def test_customizations_by_export(host: VendorHost, asking: Asking, tmp_path: Path) -> None:
    """In one request, read again from its beginning when it broke off."""
    host.customizations = [{"id": str(n)} for n in range(3)]
    host.failures = [Failure(502, b"half an answer")]

    assert saved(asking, tmp_path / "spool") == ["0", "1", "2"]
    assert [path.rpartition("/")[2] for _, path, _ in host.asked] == ["export", "export"]


def test_a_list_that_changes_while_it_is_read(
    host: VendorHost, asking: Asking, tmp_path: Path
) -> None:
    """One is deleted, another made: what the deletion hid is there in the end, and every count was right throughout."""
    host.has_export, host.list_size_max = False, 2
    host.customizations = [{"id": str(n)} for n in range(5)]

    def replace_one(number: int) -> None:
        if number == 3:
            del host.customizations[0]
            host.customizations.append({"id": "new"})

    host.on_request = replace_one

    assert saved(asking, tmp_path / "spool") == ["1", "2", "3", "4", "new"]


def test_a_list_that_never_stands_still(host: VendorHost, asking: Asking, tmp_path: Path) -> None:
    """It is given up, and said so."""
    host.has_export = False
    host.on_request = lambda number: host.customizations.append({"id": str(number)})

    with pytest.raises(PeerUnavailable, match="change faster than they can be read"):
        saved(asking, tmp_path / "spool")


def test_a_tracker_that_the_host_does_not_know(
    host: VendorHost, asking: Asking, tmp_path: Path
) -> None:
    """That is no missing export: the list is not tried."""
    host.failures = [Failure(404, {"reason": "Tracker not found", "exception_details": {}})]

    with pytest.raises(TrackerNotFound):
        asking.peer.save_customizations(tmp_path / "spool", quietly)

    assert len(host.asked) == 1
