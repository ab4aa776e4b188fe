"""
The list of customizations, without scripts.
"""

import re
from pathlib import Path

import pytest

from tests.api.driver import Json, ToldClock, item, pin
from tests.web.driver import LIST, ConsoleServer, Visitor, picks_of, text_of

NOT_YET: Json = {"active_from": "2025-02-01T00:00:00Z"}
OVER: Json = {"active_to": "2025-01-01T00:00:00Z"}


def titles_of(page_text: str) -> list[str]:
    """What the rows' links say."""
    return re.findall(r'<span class="names"><a href="[^"]+">([^<]+)</a>', page_text)


@pytest.fixture
def filled(server: ConsoleServer, clock: ToldClock, ann: Visitor) -> Visitor:
    """Seven customizations, each made a second after the one before."""
    made: list[Json] = [
        {"model": "basket", "tags": ["winter"], "pin_definitions": [pin()]},
        {"target_identity": "/p/124", "pin_definitions": [pin("/p/gone")]},
        {"target_identity": "/p/125", "pin_definitions": [pin("/p/900")]},
        {"target_identity": "/p/126", "pin_definitions": [pin(**NOT_YET)]},
        {"target_identity": "/p/nowhere", "pin_definitions": [pin(**OVER)]},
        {"target_type": "all", "target_identity": None, "disabled": True, "tags": ["a & b"]},
        {
            "target_type": "criteria",
            "target_identity": None,
            "target_criteria": {"brand": "Fender"},
            "pin_definitions": [],
        },
    ]
    for fields in made:
        clock.advance(1)
        server.create(**fields)
    return ann


EVERYTHING = [
    "brand is Fender",
    "Every page",
    "/p/nowhere",
    "/p/126",
    "/p/125",
    "/p/124",
    "Fender Telecaster",
]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", EVERYTHING),
        ("?sort=created", EVERYTHING[::-1]),
        ("?model=basket", ["Fender Telecaster"]),
        ("?model=basket&model=test_reco", EVERYTHING),
        ("?tag=winter", ["Fender Telecaster"]),
        ("?tag=a+%26+b", ["Every page"]),
        ("?target=all", ["Every page"]),
        ("?target=criteria", ["brand is Fender"]),
        ("?item=/p/126", ["/p/126"]),
        ("?author=api", EVERYTHING),
        ("?author=nobody", []),
        ("?q=leather+strap", ["Every page", "/p/nowhere", "/p/126", "Fender Telecaster"]),
        ("?q=LEATHER+winter", ["Fender Telecaster"]),
        ("?status=broken", ["/p/125", "/p/124"]),
        ("?status=scheduled", ["/p/126"]),
        ("?status=expired", ["/p/nowhere"]),
        ("?status=disabled", ["Every page"]),
        ("?status=empty", ["brand is Fender"]),
        ("?status=active&target=item&model=basket", ["Fender Telecaster"]),
        ("?status=nonsense&sort=nonsense&target=nonsense&page=nonsense", EVERYTHING),
        ("?page=99", EVERYTHING),
        ("?sort=target", sorted(EVERYTHING, key=str.casefold)),
    ],
)
def test_filters_and_sorts_are_in_the_address(
    filled: Visitor, query: str, found: list[str]
) -> None:
    """What it does not understand is left out."""
    page = filled.get(LIST + query)

    assert page.status_code == 200
    if query == "?sort=target":
        assert set(titles_of(page.text)) == set(found)
    else:
        assert titles_of(page.text) == found


def test_counts_say_what_another_choice_would_find(filled: Visitor) -> None:
    """Tabs and filters, each within the others."""
    page = text_of(filled.get(f"{LIST}?model=basket"))

    assert "All 7 basket 1 test_reco 6" in page
    assert "Any Active (1)" in page
    assert "1 customization of 7" in page


def test_a_row_shows_what_people_look_for(filled: Visitor) -> None:
    """Picture or letter, title, pins by name, what is wrong, when, tags, author."""
    page = filled.get(LIST)
    text = text_of(page)

    assert "Leather strap: slot 1" in text
    assert "1 broken pin" in text
    assert "/p/gone: slot 1, not in the catalog" in text
    assert "from 1 Feb 2025 (in 9 days)" in text
    assert "ended 21 days ago, on 1 Jan 2025" in text
    assert "made by api" in text


def test_pictures_of_elsewhere_are_not_asked_for(server: ConsoleServer, filled: Visitor) -> None:
    """Unless the operator names their host; a letter stands for them."""
    server.put_objects(
        item("/p/126", title="Ibanez", image_link="data:image/gif;base64,R0lGODlhAQABAAAAACw=")
    )

    page = filled.get(LIST).text

    assert "https://doe.com" not in page
    assert 'src="data:image/gif;base64,' in page
    assert '<span class="thumb  letter" aria-hidden="true">F</span>' in page


def test_named_hosts_are_asked_for_pictures(tmp_path: Path, clock: ToldClock) -> None:
    """The page's policy allows them, and no other."""
    server = ConsoleServer(tmp_path, clock, console_picture_hosts=("https://doe.com",))
    try:
        server.create_tracker()
        server.put_objects(item("/p/123", image_link="https://doe.com/123.jpg"))
        server.create_user("ann")
        server.create()
        ann = Visitor(server)
        ann.sign_in()

        page = ann.get(LIST)

        assert 'src="https://doe.com/123.jpg"' in page.text
        assert "img-src 'self' data: https://doe.com;" in page.headers["content-security-policy"]
    finally:
        server.close()


def test_everything_is_escaped(server: ConsoleServer, ann: Visitor) -> None:
    """Titles, tags, names of models and what was searched for are text, whatever they hold."""
    evil = '"><script>alert(1)</script>'
    server.put_objects(item("/p/1", title=evil))
    server.create(
        model=evil[:90], target_identity="/p/1", tags=[evil], pin_definitions=[pin("/p/1")]
    )

    for path in (LIST, f"{LIST}?q={evil}&tag={evil}&item={evil}&author={evil}&model={evil}"):
        page = ann.get(path.replace("<", "%3C").replace('"', "%22").replace(">", "%3E"))
        assert page.status_code == 200
        assert "<script>alert" not in page.text


def test_pages_follow_each_other(server: ConsoleServer, clock: ToldClock, ann: Visitor) -> None:
    """Every customization is on one of them, once; the filters go along."""
    for number in range(120):
        clock.advance(1)
        server.create(tags=[f"t{number % 2}"])
    seen: list[str] = []
    path = f"{LIST}?tag=t0"

    while path:
        page = ann.get(path)
        seen += picks_of(page)
        found = re.search(r'href="([^"]+)" rel="next"', page.text)
        path = found[1].replace("&amp;", "&") if found else ""

    assert len(seen) == len(set(seen)) == 60
    assert "Page 2 of 2" in text_of(page)


def test_a_script_gets_the_inside_alone(filled: Visitor) -> None:
    """What changes when a filter does."""
    whole = filled.get(f"{LIST}?model=basket")
    part = filled.get(f"{LIST}?model=basket", **{"Endcap-Part": "1"})

    assert "<html" in whole.text
    assert "<html" not in part.text
    assert titles_of(part.text) == titles_of(whole.text) == ["Fender Telecaster"]


def test_an_empty_tracker_says_how_to_begin(ann: Visitor) -> None:
    """And a filter that finds nothing offers to clear it."""
    assert "No customizations yet" in text_of(ann.get(LIST))


def test_a_filter_that_finds_nothing_offers_to_clear_it(filled: Visitor) -> None:
    page = filled.get(f"{LIST}?q=unheard")

    assert "Nothing matches" in text_of(page)
    assert f'href="{LIST}"' in page.text
