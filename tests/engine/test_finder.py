"""
Items found by words: what a search finds, in which order, and that it follows the catalog.
"""

from collections.abc import Sequence

from hypothesis import given, settings

from endcap.domain import CatalogObject, ItemId
from endcap.engine import finder as module
from endcap.engine.catalog import Catalog
from endcap.engine.finder import Finder
from endcap.wire.labels import label_of
from tests.engine import catalogs, scenes
from tests.engine.catalogs import Changes
from tests.engine.strategies import EXAMPLES


def shop(*titles: str) -> Catalog:
    """Items /p/1, /p/2, … of these titles, the first the most popular."""
    return Catalog.of(
        [item(number, title) for number, title in enumerate(titles, 1)],
        {f"/p/{number}": 100.0 - number for number in range(1, len(titles) + 1)},
    )


def item(number: int, title: str, **more: object) -> CatalogObject:
    fields = {"title": title, **more}
    return scenes.object_of({"identity": f"/p/{number}", "type": "item", "fields": fields})


def found(finder: Finder, text: str, limit: int = 20) -> list[str]:
    return [finder.catalog.identity(each) for each in finder.find(text, limit).numbers]


def test_all_words_must_be_there() -> None:
    """Whatever their case and order, in the title or in the identity; the most popular item first."""
    finder = Finder(shop("Fender Telecaster", "Leather strap", "FENDER leather Strap", "Straße"))

    assert found(finder, "fender") == ["/p/1", "/p/3"]
    assert found(finder, "strap LEATH") == ["/p/2", "/p/3"]
    assert found(finder, "strap fender") == ["/p/3"]
    assert found(finder, "p/2") == ["/p/2"]
    assert found(finder, "strasse") == ["/p/4"]
    assert found(finder, "nothing") == found(finder, "  ") == []


def test_an_identity_typed_whole_comes_first() -> None:
    """Although others that have it in them are more popular."""
    finder = Finder(shop(*["an item"] * 12))

    assert found(finder, "/p/1")[:2] == ["/p/1", "/p/10"]
    assert found(finder, " /p/12 ") == ["/p/12"]


def test_so_many_and_no_more() -> None:
    """That there are more is said."""
    finder = Finder(shop("a", "a", "a"))

    assert finder.find("a", 2).is_cut
    assert not finder.find("a", 3).is_cut
    assert found(finder, "a", 2) == ["/p/1", "/p/2"]


def test_a_search_has_a_bound() -> None:
    """So many lines with a common word are looked at for a rare one."""
    count = module._LINES_MAX + 5
    finder = Finder(shop(*["common"] * (count - 1), "common rare"))

    cut, whole = finder.find("common are"), finder.find("rare")

    assert cut.is_cut
    assert list(cut.numbers) == []
    assert [finder.catalog.identity(each) for each in whole.numbers] == [f"/p/{count}"]


def test_what_is_not_for_sale_is_found_and_articles_are_not() -> None:
    """A pin may be for later; what is no item cannot be pinned."""
    article = {"identity": "/a/1", "type": "article", "fields": {"title": "Strap guide"}}
    finder = Finder(
        Catalog.of([item(1, "Leather strap", availability=0), scenes.object_of(article)])
    )

    assert found(finder, "strap") == ["/p/1"]
    assert found(finder, "/a/1") == []


@settings(max_examples=EXAMPLES)
@given(catalogs.objects, catalogs.histories)
def test_it_follows_the_catalog(objects: list[CatalogObject], history: Sequence[Changes]) -> None:
    """After every change it finds what asking each item would."""
    catalog = Catalog.of(objects)
    finder = Finder(catalog)
    for changes in history:
        catalog = catalog.changed(changes)
        finder = finder.renewed(catalog)

        for text in ("title", "x", "a t", "A", "no"):
            assert set(found(finder, text)) == set(asked(catalog, text)), text


def asked(catalog: Catalog, text: str) -> list[ItemId]:
    words = text.casefold().split()
    return [
        catalog.identity(number)
        for number in catalog.typed
        if all(
            word
            in f"{label_of(catalog.item(number).document).title}\x1f{catalog.identity(number)}".casefold()
            for word in words
        )
    ]


def test_an_older_one_stays_as_it_is() -> None:
    """Who still holds it finds what was there then."""
    catalog = shop("one", "two")
    finder = Finder(catalog)
    changed = catalog.changed({ItemId("/p/1"): item(1, "three"), ItemId("/p/2"): None})

    later = finder.renewed(changed)

    assert finder.renewed(catalog) is finder
    assert found(later, "one") == found(later, "two") == []
    assert found(later, "three") == ["/p/1"]
    assert found(finder, "one") == ["/p/1"]
