"""
A customization as a form shows it: every field a text as it is typed, whether or not it makes sense yet.

A sheet carries the document that it was made from. What nobody touches is written again as it was spelled, so that
opening and saving a customization changes nothing but what was changed in it.
"""

from collections.abc import Sequence
from typing import Literal, cast, get_args

from msgspec import Struct

from endcap.web.conditions import KINDS, OPERATORS, Condition, Group, Kind, Operator
from endcap.web.visits import Form

TargetKind = Literal["item", "several", "criteria", "all"]
PlaceKind = Literal["slot", "everywhere", "never"]
What = Literal["item", "criteria"]
PINS_MAX = 100  # of a form; more are edited as JSON
GROUPS_MAX = 10
CONDITIONS_MAX = 20
FIELDS_MAX = 1_600  # what is left of `visits.FIELDS_MAX` is for the rest of the page


class Criteria(Struct, frozen=True):
    """Rows, or the text of the expression."""

    is_text: bool = False
    groups: tuple[Group, ...] = (Group(),)
    text: str = ""


class PinSheet(Struct, frozen=True):
    """A pin. `origin` is its index in the document that was opened; None for a new one."""

    origin: int | None = None
    place: PlaceKind = "slot"
    slot: str = ""
    what: What = "item"
    item: str = ""
    criteria: Criteria = Criteria()
    widget: str = ""
    opens: str = ""
    closes: str = ""
    is_bundled: bool = False


class Sheet(Struct, frozen=True):
    """All of a form. `was` is the document that was opened; empty for a new customization."""

    was: str = ""
    model: str = ""
    target: TargetKind = "item"
    item: str = ""
    items: str = ""
    criteria: Criteria = Criteria()
    title: str = ""
    notes: str = ""
    tags: str = ""
    is_enabled: bool = True
    pins: tuple[PinSheet, ...] = ()


def sheet_from(form: Form) -> Sheet:
    """What a browser sent; what it did not send is empty."""
    fields = {name: value.replace("\r\n", "\n") for name, value in form.pairs}
    read = _Reader(fields)
    numbers = sorted({int(name[1:].partition("-")[0]) for name in fields if _is_pins(name)})
    return Sheet(
        read.exact("was"),
        read("model"),
        cast(TargetKind, read.choice("target", get_args(TargetKind))),
        read("item"),
        read.exact("items"),
        read.criteria("t-"),
        read("title"),
        read.exact("notes"),
        read("tags"),
        read("enabled") == "1",
        tuple(read.pin(f"p{number}-") for number in numbers[:PINS_MAX]),
    )


def _is_pins(name: str) -> bool:
    head, found, _ = name.partition("-")
    return bool(found) and head[:1] == "p" and head[1:].isdecimal() and head.isascii()


class _Reader:
    """Reads fields by name."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = fields

    def __call__(self, name: str) -> str:
        return self.exact(name).strip()

    def exact(self, name: str) -> str:
        return self._fields.get(name, "")

    def choice(self, name: str, choices: Sequence[str]) -> str:
        value = self(name)
        return value if value in choices else choices[0]

    def pin(self, prefix: str) -> PinSheet:
        origin = self(f"{prefix}origin")
        return PinSheet(
            int(origin) if origin.isdecimal() and origin.isascii() and len(origin) < 5 else None,
            cast(PlaceKind, self.choice(f"{prefix}place", get_args(PlaceKind))),
            self(f"{prefix}slot"),
            cast(What, self.choice(f"{prefix}what", get_args(What))),
            self(f"{prefix}item"),
            self.criteria(prefix),
            self(f"{prefix}widget"),
            self(f"{prefix}from"),
            self(f"{prefix}to"),
            self(f"{prefix}bundle") == "1",
        )

    def criteria(self, prefix: str) -> Criteria:
        if self(f"{prefix}as") == "text":
            return Criteria(True, (), self.exact(f"{prefix}text"))
        groups = [
            found
            for number in range(GROUPS_MAX)
            if (found := self._group(f"{prefix}g{number}-")) is not None
        ]
        return Criteria(False, tuple(groups) or (Group(),))

    def _group(self, prefix: str) -> Group | None:
        if f"{prefix}kind" not in self._fields:
            return None
        conditions = [
            Condition(
                self(f"{each}attribute"),
                cast(Operator, self.choice(f"{each}operator", tuple(OPERATORS))),
                self(f"{each}values"),
            )
            for number in range(CONDITIONS_MAX)
            if f"{(each := f'{prefix}c{number}-')}attribute" in self._fields
        ]
        kind = cast(Kind, self.choice(f"{prefix}kind", tuple(KINDS)))
        return Group(kind, tuple(conditions))
