"""
The audit log in the console: filters, pages, both logs, and exports.
"""

import csv
import io
import json
import re

import pytest

from tests.api.driver import TRACKER, ToldClock
from tests.web.driver import LIST, ConsoleServer, Visitor, text_of

AUDIT = f"/console/t/{TRACKER}/audit"


def rows(page: str) -> list[list[str]]:
    """The cells of the table, as text."""
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    found = []
    for row in body.split("<tr>")[1:]:
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
        found.append([" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in cells])
    return found


def test_everything_that_was_done_is_there(
    server: ConsoleServer, clock: ToldClock, ann: Visitor
) -> None:
    """Who, what, when and which, the newest first, with a link to what became of it."""
    clock.advance(60)
    made = server.create()["id"]

    page = ann.get(AUDIT)

    found = rows(page.text)
    assert found[0][:3] == ["22 Jan 2025, 08:50 UTC", "api", "customization created"]
    assert found[0][3].startswith(made)
    assert f'href="{LIST}/{made}/history"' in page.text
    assert found[-1][1:3] == ["test", "tracker created"]


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("kind=customization", {"customization"}),
        ("who=test", {"tracker"}),
        ("who=nobody", set()),
        ("action=delete", set()),
        ("since=2025-01-22T08:50:00", {"customization"}),
        ("until=2025-01-22T08:50:00", {"tracker", "object"}),
        ("kind=nonsense&who=api", {"customization", "object"}),
    ],
)
def test_filters_of_the_log(
    server: ConsoleServer, clock: ToldClock, ann: Visitor, query: str, kinds: set[str]
) -> None:
    """By who, what, and when; in the export too, in either form."""
    clock.advance(60)
    server.create()

    page = ann.get(f"{AUDIT}?{query}")
    links = re.findall(r'href="([^"]+/audit/export[^"]*)"', page.text)
    table, lines = (ann.get(link.replace("&amp;", "&")) for link in links)

    found = rows(page.text)
    assert {row[2].split()[0] for row in found} == kinds
    exported = list(csv.DictReader(io.StringIO(table.text)))
    assert len(exported) == len(found)
    assert {row["kind"] for row in exported} == kinds
    told = [json.loads(line) for line in lines.text.splitlines()]
    assert [each["subject"] for each in told] == [row["subject"] for row in exported]
    assert "attachment" in table.headers["content-disposition"]


def test_the_log_of_accounts(server: ConsoleServer, ann: Visitor) -> None:
    """Sign-ins, failed ones with what was typed, and changes of accounts; no cell begins a formula."""
    stranger = Visitor(server)
    stranger.sign_in('=HYPERLINK("x")', "a wrong password")

    page = ann.get(f"{AUDIT}?source=accounts")
    table = ann.get(f"{AUDIT}/export?source=accounts")
    failed = ann.get(f"{AUDIT}?source=accounts&action=failed&who=nobody")

    said = text_of(page)
    assert "account failed to sign in =hyperlink" in said
    assert "ann account signed in" in said
    assert "test account created" in said
    subjects = [row["subject"] for row in csv.DictReader(io.StringIO(table.text))]
    assert '\'=hyperlink("x")' in subjects
    assert "Nothing found" in text_of(failed)


def test_a_long_log_has_pages(server: ConsoleServer, ann: Visitor) -> None:
    """A hundred lines each; every line once, also of one instant."""
    for _ in range(130):
        server.create()

    first = ann.get(f"{AUDIT}?kind=customization")
    older = re.search(r'href="([^"]+before=[^"]+)"', first.text)
    assert older is not None
    second = ann.get(older[1].replace("&amp;", "&"))

    both = [row[3] for page in (first, second) for row in rows(page.text)]
    assert (len(rows(first.text)), len(both), len(set(both))) == (100, 130, 130)


@pytest.mark.parametrize("place", ["soon", "1.2.3", f"5.{'9' * 32}", f"{'9' * 18}.{'f' * 32}"])
def test_a_place_that_is_none_is_the_end(server: ConsoleServer, ann: Visitor, place: str) -> None:
    """An address that somebody typed begins with the last lines, or finds nothing; of either log."""
    server.create()

    for source in ("", "&source=accounts"):
        assert ann.get(f"{AUDIT}?before={place}{source}").status_code == 200
    assert ann.get(f"/console/t/{TRACKER}/drafts?page={'9' * 18}").status_code == 200


def test_the_log_is_for_administrators(server: ConsoleServer, ann: Visitor) -> None:
    """Of the tracker; that of accounts for those of every tracker."""
    server.create_user("pia", "publisher")
    server.create_user("tia", "admin", TRACKER)
    for name, statuses in (("pia", (403, 403)), ("tia", (200, 403)), ("ann", (200, 200))):
        visitor = Visitor(server)
        visitor.sign_in(name)
        for path in (AUDIT, f"{AUDIT}/export"):
            asked = (path, f"{path}?source=accounts")
            assert tuple(visitor.get(each).status_code for each in asked) == statuses


def test_a_moment_that_cannot_be_read(ann: Visitor) -> None:
    """Is said so."""
    assert ann.get(f"{AUDIT}?since=soon").status_code == 422
