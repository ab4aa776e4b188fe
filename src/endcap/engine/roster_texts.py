"""
The texts of a roster: names by number, names in order, and all that one may look for in a customization.
"""

from bisect import bisect_left
from collections.abc import Sequence
from hashlib import sha256
from itertools import repeat
from operator import contains

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from endcap.criteria import Rule
from endcap.domain import CriteriaTarget, Customization, CustomizationId, ItemTarget

NOBODY = -1
Ints = NDArray[np.int64]


class Names:
    """Texts by number. Only grows, so that who holds an older array may look its numbers up."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, text: str) -> int:
        code = self._codes.get(text)
        if code is None:
            code = self._codes[text] = len(self.texts)
            self.texts.append(text)
        return code

    def find(self, text: str) -> int:
        """-1 for a text that has no number, which no row has."""
        return self._codes.get(text, NOBODY)

    def ranks(self) -> Ints:
        """By number: the place of its text among all, in order."""
        order = sorted(range(len(self.texts)), key=self.texts.__getitem__)
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        return ranks


class Ranked(Struct, frozen=True):
    """Rows by the names of their targets. A name that no row has any more does no harm."""

    titles: list[str]
    """Of the items, that the names are made of: with others this is worth nothing."""
    names: list[str]
    """Each once, in order."""
    ranks: Ints
    """By row: the place in `names`."""

    def with_more(self, fresh: Sequence[str]) -> "Ranked":
        """The same with further rows: what is in order stays, so that a few are put between in no time."""
        places = {name: bisect_left(self.names, name) for name in set(fresh)}
        new = {
            name: place
            for name, place in places.items()
            if place == len(self.names) or self.names[place] != name
        }
        names = sorted([*self.names, *sorted(new)])
        moved = np.searchsorted(np.sort(list(new.values())), self.ranks, side="right")
        at = {name: bisect_left(names, name) for name in places}
        added = np.array([at[name] for name in fresh], np.int64)
        return Ranked(self.titles, names, np.concatenate((self.ranks + moved, added)))


def containing(texts: Sequence[str], word: str) -> NDArray[np.bool_]:
    """Which of the texts have the word in them."""
    return np.fromiter(map(contains, texts, repeat(word)), np.bool_, len(texts))


def id_number(id_: CustomizationId) -> int:
    """Sorts ids alike in every process; of UUIDs the first 60 bits, which are enough to tell them apart."""
    try:
        return int(id_.replace("-", "")[:15], 16)
    except ValueError:
        return int.from_bytes(sha256(id_.encode()).digest()[:7], "big")


def text_of(customization: Customization) -> str:
    """All that one may look for in a customization but the titles of its items."""
    target = customization.target
    parts = [
        customization.id,
        customization.model,
        customization.creator,
        customization.title or "",
        *customization.tags,
    ]
    if isinstance(target, ItemTarget):
        parts.append(target.identity)
    elif isinstance(target, CriteriaTarget):
        parts += texts_of(target.rule)
    for pin in customization.pins:
        if pin.item is not None:
            parts.append(pin.item)
        elif pin.rule is not None:
            parts += texts_of(pin.rule)
    return "\n".join(parts).casefold()


def texts_of(rule: Rule) -> list[str]:
    """Attributes and values that a rule names."""
    texts: list[str] = []
    _gather(rule, texts)
    return list(dict.fromkeys(texts))


def _gather(rule: object, texts: list[str]) -> None:
    if isinstance(rule, str):
        texts.append(rule)
    elif isinstance(rule, float) and not isinstance(rule, bool):
        texts.append(f"{rule:g}")
    elif isinstance(rule, tuple):
        if len(rule) == 2 and rule[0] in ("text", "number", "numeral", "flag"):
            if rule[0] != "numeral":
                _gather(rule[1], texts)
            return
        for each in rule:
            _gather(each, texts)
    elif isinstance(rule, Struct):
        for name in rule.__struct_fields__:
            _gather(getattr(rule, name), texts)
