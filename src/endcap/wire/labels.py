"""
What a person knows an object of the catalog by: its title and its picture. Reads nothing else of the document.
"""

from typing import Any

import msgspec
from msgspec import Struct

from endcap.wire.reading import UNREADABLE


class Label(Struct, frozen=True):
    """Either may be missing, and then it is empty."""

    title: str = ""
    picture: str = ""


class _Fields(Struct):
    title: Any = None
    image_link: Any = None


class _Body(Struct):
    fields: _Fields = msgspec.field(default_factory=_Fields)


_BODY = msgspec.json.Decoder(_Body)


def label_of(document: bytes) -> Label:
    """Of a stored object's document."""
    try:
        fields = _BODY.decode(document).fields
    except UNREADABLE:
        return Label()
    return Label(_text(fields.title), _text(fields.image_link))


def _text(value: object) -> str:
    """The text, or the first of several."""
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, str) else ""
