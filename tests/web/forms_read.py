"""
Reads the form of a page as a browser would send it.
"""

from html.parser import HTMLParser


class FormReader(HTMLParser):
    """The fields of the form with an id, in order: what is in them, what is chosen, what is ticked."""

    def __init__(self, id: str) -> None:
        super().__init__()
        self.id = id
        self.fields: list[tuple[str, str]] = []
        self._inside = False
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []
        self._area: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self._inside = found.get("id") == self.id
        name = found.get("name") or ""
        if not self._inside:
            return
        if tag == "input" and (found.get("type") != "checkbox" or "checked" in found):
            self.fields.append((name, found.get("value") or ""))
        elif tag == "select":
            self._select, self._options = name, []
        elif tag == "option" and self._select is not None:
            self._options.append((found.get("value") or "", "selected" in found))
        elif tag == "textarea":
            self._area, self._text = name, ""

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select" and self._select is not None:
            chosen = [value for value, is_chosen in self._options if is_chosen]
            self.fields.append((self._select, (chosen or [self._options[0][0]])[-1]))
            self._select = None
        elif tag == "textarea" and self._area is not None:
            text = self._text.removeprefix("\n").replace("\r\n", "\n").replace("\n", "\r\n")
            self.fields.append((self._area, text))  # browsers send line breaks so
            self._area = None


def form_of(page: str, id: str = "editor-form") -> list[tuple[str, str]]:
    reader = FormReader(id)
    reader.feed(page)
    return reader.fields
