"""
Links between pages lead to a file and, behind a #, to a heading that is there.
"""

from pathlib import Path

import pytest

from tests.docs import pages


@pytest.mark.parametrize("page", pages.pages(), ids=pages.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    """Every relative link names an existing file, and every anchor a heading of it."""
    broken: list[str] = []

    for link in pages.links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or not target.is_relative_to(pages.ROOT):
            broken.append(link)
        elif anchor and target.suffix == ".md" and anchor not in pages.anchors(target):
            broken.append(f"{link} (no such heading)")

    assert not broken


def test_every_page_is_in_the_index() -> None:
    """A page that the index does not name, directly or through the list of decisions, is not found by readers."""
    reached: set[Path] = set()
    for index in (pages.ROOT / "docs/README.md", pages.ROOT / "docs/decisions/README.md"):
        reached.add(index)
        for link in pages.links(index):
            if "://" not in link:
                reached.add((index.parent / link.partition("#")[0]).resolve())

    forgotten = [pages.name(page) for page in pages.pages() if page not in reached]

    assert not forgotten
