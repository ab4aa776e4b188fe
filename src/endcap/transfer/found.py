"""
What the readers of rule files hand over: customizations as JSON, with the place where each was found.

A reader knows a format. What the customization says, and whether that is right, `rules` finds out.
"""

from collections.abc import Mapping

from msgspec import Struct

NO_LINES: Mapping[str, int] = {}


class Found(Struct, frozen=True):
    """
    One customization of a file: its JSON, or what kept it from being read. `line` is where it begins: a line of a text,
    a row of a sheet. `lines` are those of its parts, by field and by `pin 0`, where the format tells.
    """

    line: int
    body: bytes | None
    faults: tuple[str, ...] = ()
    lines: Mapping[str, int] = NO_LINES
