"""
XML feeds as streams of items: what is read, and what is refused before it costs anything.
"""

import gzip
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from endcap.errors import UsageFault
from endcap.transfer.rows import LINE_BYTES_MAX, Record
from endcap.transfer.xml_items import (
    DEPTH_MAX,
    ITEM_CHARACTERS_MAX,
    ITEM_ELEMENTS_MAX,
    read_xml_items,
)

RSS = """<?xml version="1.0"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0" xmlns:media="http://search.yahoo.com/mrss/">
<channel><title>A shop</title><link>https://shop</link>
{items}
</channel></rss>"""
MEMORY_BYTES_MAX = 40_000_000
"""What reading may hold at any time: a few of the bounds' sizes, and far from what the files below would grow to."""


def feed(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "feed"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def items(path: Path) -> list[Record]:
    return [item for _, item in read_xml_items(path)]


def rss(tmp_path: Path, inside: str) -> list[Record]:
    return items(feed(tmp_path, RSS.format(items=inside)))


def test_an_item_and_its_line(tmp_path: Path) -> None:
    """Texts are stripped, CDATA and references are read, and what is empty is left out."""
    inside = (
        "<item><g:id> 1 </g:id><title>Black &amp; <![CDATA[White <b>]]>&#x2764;</title><g:mpn/>"
        "</item>\n\n<item>\n<g:id>2</g:id></item>"
    )

    assert list(read_xml_items(feed(tmp_path, RSS.format(items=inside)))) == [
        (4, {"id": "1", "title": "Black & White <b>❤"}),
        (6, {"id": "2"}),
    ]


def test_names_in_googles_namespace_count(tmp_path: Path) -> None:
    """Before the same in RSS's own; those of other namespaces do not count at all."""
    (item,) = rss(
        tmp_path,
        "<item><title>plain</title><g:title>ours</g:title><media:title>theirs</media:title>"
        "<link>https://shop/1</link><media:credit>nobody</media:credit></item>",
    )

    assert item == {"title": "ours", "link": "https://shop/1"}


@pytest.mark.parametrize(
    "opening",
    [
        '<rss xmlns:g="http://base.google.com/ns/1.0/">',
        '<rss xmlns:g="https://base.google.com/ns/1.0">',
        "<rss>",
        '<rss xmlns:merchant="http://base.google.com/ns/1.0" xmlns:g="urn:something-else">',
    ],
)
def test_the_namespace_in_any_spelling(tmp_path: Path, opening: str) -> None:
    """Also undeclared, as many feeds have it; a prefix that is declared for something else is something else."""
    prefix = "merchant" if "merchant" in opening else "g"

    found = items(
        feed(
            tmp_path,
            f"{opening}<channel><item><{prefix}:id>1</{prefix}:id></item></channel></rss>",
        )
    )

    assert found == [{"id": "1"}]


def test_repeated_and_nested_elements(tmp_path: Path) -> None:
    """A list, and a record; a list of records where both."""
    shipping = "<g:shipping><g:country>{}</g:country><g:price>{} EUR</g:price></g:shipping>"

    (item,) = rss(
        tmp_path,
        "<item><g:product_type>A &gt; B</g:product_type><g:product_type>C</g:product_type>"
        f"{shipping.format('DE', 4)}{shipping.format('AT', 9)}"
        "<g:installment><g:months>6</g:months></g:installment></item>",
    )

    assert item == {
        "product_type": ["A > B", "C"],
        "shipping": [{"country": "DE", "price": "4 EUR"}, {"country": "AT", "price": "9 EUR"}],
        "installment": {"months": "6"},
    }


def test_atom(tmp_path: Path) -> None:
    """Entries, whose link is an attribute; a link to something else is not the page."""
    content = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
    <title>A shop</title><link rel="self" href="https://shop/feed"/>
    <entry><g:id>1</g:id><id>tag:shop,2025:1</id><title>One</title>
    <link href="https://shop/1"/><link rel="edit" href="https://shop/edit/1"/></entry></feed>"""

    assert items(feed(tmp_path, content)) == [{"id": "1", "title": "One", "link": "https://shop/1"}]


def test_atom_with_a_prefix(tmp_path: Path) -> None:
    """The root's prefix is that of the format."""
    content = """<a:feed xmlns:a="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
    <a:entry><g:id>1</g:id><a:title>One</a:title></a:entry></a:feed>"""

    assert items(feed(tmp_path, content)) == [{"id": "1", "title": "One"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1250"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    """As the declaration or the mark at the beginning says."""
    said = encoding.removesuffix("-sig")
    content = f'<?xml version="1.0" encoding="{said}"?><rss><item><g:id>Müsli</g:id></item></rss>'

    assert items(feed(tmp_path, content.encode(encoding))) == [{"id": "Müsli"}]


def test_a_gzipped_feed(tmp_path: Path) -> None:
    """Inflated as it is read."""
    path = feed(tmp_path, gzip.compress(RSS.format(items="<item><g:id>1</g:id></item>").encode()))

    assert items(path) == [{"id": "1"}]


# What is refused


@pytest.fixture
def memory() -> Iterator[None]:
    """The most that Python held while the test ran, beside what it held before, is bounded."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    yield
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most - before < MEMORY_BYTES_MAX


def refused(path: Path) -> str:
    with pytest.raises(UsageFault) as refusal:
        items(path)
    return str(refusal.value)


@pytest.mark.usefixtures("memory")
def test_a_billion_laughs(tmp_path: Path) -> None:
    """Ten entities, each ten times the one before: refused at the first declaration."""
    entities = '<!ENTITY a0 "ha">\n' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">\n' for n in range(1, 10)
    )
    content = f"<?xml version='1.0'?>\n<!DOCTYPE rss [\n{entities}]>\n<rss><item><id>&a9;</id></item></rss>"

    said = refused(feed(tmp_path, content))

    assert "line 3" in said
    assert "entities of a file's own are not followed, as &a0; is" in said


@pytest.mark.usefixtures("memory")
def test_quadratic_blowup(tmp_path: Path) -> None:
    """One long entity, referred to often."""
    content = (
        f"<!DOCTYPE r [<!ENTITY a '{'x' * 50_000}'>]><r><item><id>{'&a;' * 50_000}</id></item></r>"
    )

    assert "&a; is" in refused(feed(tmp_path, content))


def test_a_file_of_the_machine(tmp_path: Path) -> None:
    """An entity that stands for a file is not looked at."""
    secret = tmp_path / "secret"
    secret.write_text("the key")
    content = (
        f"<!DOCTYPE r [<!ENTITY a SYSTEM '{secret.as_uri()}'>]><r><item><id>&a;</id></item></r>"
    )

    assert "&a; is" in refused(feed(tmp_path, content))


def test_a_definition_elsewhere(tmp_path: Path) -> None:
    """Neither fetched nor believed: what it might define is refused where it is used."""
    dtd = tmp_path / "feed.dtd"
    dtd.write_text('<!ENTITY a "from afar">')
    doctype = f'<!DOCTYPE r SYSTEM "{dtd.as_uri()}">'

    assert "&a; is" in refused(feed(tmp_path, f"{doctype}<r><item><id>&a;</id></item></r>"))
    assert items(feed(tmp_path, f"{doctype}<r><item><id>1</id></item></r>")) == [{"id": "1"}]


@pytest.mark.usefixtures("memory")
def test_an_item_without_an_end(tmp_path: Path) -> None:
    """However many texts it is made of."""
    path = tmp_path / "feed"
    with path.open("w") as file:
        file.write("<rss><item>")
        for _ in range(50):
            file.write(f"<id>{'x' * (ITEM_CHARACTERS_MAX // 20)}</id>")

    assert f"an item has more than {ITEM_CHARACTERS_MAX} characters" in refused(path)


@pytest.mark.usefixtures("memory")
def test_an_item_of_too_many_elements(tmp_path: Path) -> None:
    """Empty ones cost memory too."""
    path = feed(tmp_path, "<rss><item>" + "<a/>" * (ITEM_ELEMENTS_MAX + 1))

    assert f"an item has more than {ITEM_ELEMENTS_MAX} elements" in refused(path)


def test_a_piece_of_markup_without_an_end(tmp_path: Path) -> None:
    """The parser holds it until it is whole, so how much it holds is watched."""
    path = tmp_path / "feed"
    with path.open("w") as file:
        file.write('<rss><item><id name="')
        for _ in range(30):
            file.write("x" * (LINE_BYTES_MAX // 20))

    assert f"a piece of markup has more than {LINE_BYTES_MAX} bytes" in refused(path)


def test_nesting_without_an_end(tmp_path: Path) -> None:
    """A bound far beyond what feeds have."""
    path = feed(tmp_path, "<rss><item>" + "<a>" * 10_000)

    assert f"nested deeper than {DEPTH_MAX} levels" in refused(path)


@pytest.mark.usefixtures("memory")
def test_a_long_feed_is_never_held_whole(tmp_path: Path) -> None:
    """Sixty megabytes of items pass, one after another."""
    path = tmp_path / "feed"
    with path.open("w") as file:
        file.write("<rss><channel>")
        for number in range(30_000):
            file.write(
                f"<item><g:id>{number}</g:id><description>{'x' * 2_000}</description></item>"
            )
        file.write("</channel></rss>")

    count = sum(1 for _ in read_xml_items(path))

    assert count == 30_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<rss><item><id>1</id>\n</itm></rss>", "mismatched tag (line 2, column 3)"),
        (
            "<rss><item><id>Black & White</id></item></rss>",
            "not well-formed (invalid token) (line 1",
        ),
        ("<rss><item><id>a&nbsp;b</id></item></rss>", "undefined entity (line 1"),
        ("<rss><item><id>1</id></item>", "no element found"),
        ("<html><body>Not found</body></html>", "without any <item> or <entry>"),
        ("<rss><channel></channel></rss>", "without any <item> or <entry>"),
    ],
)
def test_what_is_no_feed(tmp_path: Path, content: str, said: str) -> None:
    """What is wrong, and where."""
    path = feed(tmp_path, content)

    assert said in refused(path)
    assert str(path) in refused(path)
