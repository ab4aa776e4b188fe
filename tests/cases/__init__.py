"""
Placement as data: one JSON file a case, and what reads them. README.md tells the format.

The engine's tests, the API's and the client's run the same files, and the page docs/placement.md is drawn from them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from endcap.domain import Micros
from endcap.wire.reading import instant

FOLDER = Path(__file__).parent


class Made(Struct, frozen=True, forbid_unknown_fields=True):
    """A customization as it is sent, and when. `id` is given only where a case turns on it."""

    label: str
    created_at: str
    body: dict[str, Any]
    id: str | None = None


class PinOutcome(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of one pin: of which customization, by its label, and which of its pins, from 0."""

    customization: str
    pin: int
    verdict: str
    item: str | None = None
    slot: int | None = None


class Expected(Struct, frozen=True, forbid_unknown_fields=True):
    """One object of the answer: identities, best slot first, and every pin met, highest rank first."""

    items: list[str]
    pins: list[PinOutcome]


class Case(Struct, frozen=True, forbid_unknown_fields=True):
    """One file."""

    title: str
    says: str
    now: str
    catalog: list[dict[str, Any]]
    customizations: list[Made]
    requests: list[dict[str, Any]]
    expect: list[Expected]
    engine_only: str | None = None


def names() -> Sequence[str]:
    """Every case, by its file's name without the ending."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load(name: str) -> Case:
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=Case)


def micros(text: str) -> Micros:
    """An instant of a case; every instant there has a zone or is UTC."""
    at = instant(text)
    assert at is not None, text
    return at
