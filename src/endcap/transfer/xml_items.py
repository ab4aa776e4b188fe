"""
Reads the items of an XML feed one after another: RSS (`item`) and Atom (`entry`), with names in Google's namespace.

The parser is expat, which Python brings, fed in small pieces: it never loads what a document refers to, and the three
ways in which a small document can cost much memory are refused where they begin. An entity that is declared (and could
be multiplied by references to references) ends the reading at its declaration; a piece of markup without an end, and an
item without one, at a bound. Nothing of an item is kept after it was given away.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.parsers import expat

from endcap.errors import UsageFault
from endcap.transfer.rows import LINE_BYTES_MAX, Progress, Record, Source, quietly

CHUNK_BYTES = 1 << 16
ITEM_CHARACTERS_MAX = LINE_BYTES_MAX  # as for a line of other formats
ITEM_ELEMENTS_MAX = 20_000  # some feeds repeat `shipping` for every country and service
DEPTH_MAX = 32
ITEMS = frozenset({"item", "entry"})
GOOGLE = "base.google.com/"
"""In every spelling of the namespaces of Merchant attributes (`ns/1.0`) and of custom ones (`cns/1.0`)."""


def is_xml(head: bytes) -> bool:
    """Whether a file that begins like this can only be XML; text in UTF-16 begins with its mark."""
    return head.startswith((b"<", b"\xff\xfe<", b"\xfe\xff\x00<"))


def read_xml_items(path: Path, *, progress: Progress = quietly) -> Iterator[tuple[int, Record]]:
    """
    Items with the lines on which they begin. An item's members are its elements by name, without prefix: a text, a
    record where there are elements inside, a list of these where a name is repeated. Of elements with one name those in
    Google's namespace count; those in another's namespace are left out.

    Raises UsageFault for what is not well-formed, refused for the sake of memory, or has no items.
    """
    found: list[tuple[int, Record]] = []
    items = _Items(path, lambda line, item: found.append((line, item)))
    seen = False
    with Source(path, progress) as source:
        while chunk := source.file.read(CHUNK_BYTES):
            items.feed(chunk)
            for each in found:
                seen = True
                source.step()
                yield each
            found.clear()
        items.end()
    if not seen:
        raise UsageFault(f"{path} is XML without any <item> or <entry>: it is no feed of products")


class _Element:
    """An element that is not closed yet."""

    __slots__ = ("google", "link", "name", "others", "parts")

    def __init__(self, name: str, link: str | None) -> None:
        self.name = name
        self.link = link
        self.parts: list[str] = []
        self.google: dict[str, list[Any]] = {}
        self.others: dict[str, list[Any]] = {}

    def value(self) -> Any:
        """A record where there are elements inside, else the text; None for nothing."""
        if self.google or self.others:
            return self.record()
        return "".join(self.parts).strip() or self.link

    def record(self) -> Record:
        members = self.others | self.google
        return {name: each[0] if len(each) == 1 else each for name, each in members.items()}


class _Items:
    """Follows the parser's events; `give` gets each item when it ends."""

    def __init__(self, path: Path, give: Callable[[int, Record], None]) -> None:
        self._path = path
        self._give = give
        self._depth = 0
        self._fed = 0
        self._line = 0
        self._open: list[tuple[_Element, bool | None]] = []
        self._left = 0
        self._elements = 0
        self._prefixes = {"g": True, "c": True}
        self._root = ""
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.EntityDeclHandler = self._refuse_entity
        self._parser.SkippedEntityHandler = self._refuse_entity

    def feed(self, chunk: bytes) -> None:
        self._parse(chunk, last=False)
        self._fed += len(chunk)
        if self._fed - self._parser.CurrentByteIndex > LINE_BYTES_MAX:
            raise self._refusal(f"a piece of markup has more than {LINE_BYTES_MAX} bytes")

    def end(self) -> None:
        self._parse(b"", last=True)

    def _parse(self, chunk: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            said = expat.ErrorString(error.code)
            raise UsageFault(
                f"{self._path} is not well-formed XML: {said} (line {error.lineno}, column {error.offset + 1})"
            ) from error

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._refusal(f"elements are nested deeper than {DEPTH_MAX} levels")
        for attribute, value in attributes.items():
            if attribute.startswith("xmlns:"):
                self._prefixes[attribute[6:]] = GOOGLE in value
        prefix, _, local = name.rpartition(":")
        if self._depth == 1:
            self._root = prefix
        if self._open:
            self._elements += 1
            if self._elements > ITEM_ELEMENTS_MAX:
                raise self._refusal(f"an item has more than {ITEM_ELEMENTS_MAX} elements")
            self._open.append((_Element(local, _link(attributes)), self._is_google(prefix)))
        elif local in ITEMS and self._depth > 1 and self._is_google(prefix) is not None:
            self._line = self._parser.CurrentLineNumber
            self._left, self._elements = ITEM_CHARACTERS_MAX, 0
            self._open.append((_Element(local, None), False))

    def _is_google(self, prefix: str) -> bool | None:
        """None: in a namespace that is not looked at."""
        if prefix in ("", self._root):
            return False
        return True if self._prefixes.get(prefix) else None

    def _end(self, name: str) -> None:
        self._depth -= 1
        if not self._open:
            return
        element, is_google = self._open.pop()
        if not self._open:
            self._give(self._line, element.record())
            return
        value = element.value()
        if value is None or is_google is None:
            return
        around = self._open[-1][0]
        members = around.google if is_google else around.others
        members.setdefault(element.name, []).append(value)

    def _text(self, text: str) -> None:
        if not self._open:
            return
        self._left -= len(text)
        if self._left < 0:
            raise self._refusal(f"an item has more than {ITEM_CHARACTERS_MAX} characters")
        self._open[-1][0].parts.append(text)

    def _refuse_entity(self, name: str, *rest: object) -> None:
        raise self._refusal(
            f"entities of a file's own are not followed, as &{name}; is: write the characters themselves"
        )

    def _refusal(self, why: str) -> UsageFault:
        return UsageFault(f"{self._path}, line {self._parser.CurrentLineNumber}: {why}")


def _link(attributes: Mapping[str, str]) -> str | None:
    """Atom's links are attributes; those that are not the page itself say what else they are."""
    if attributes.get("rel", "alternate") != "alternate":
        return None
    return attributes.get("href")
