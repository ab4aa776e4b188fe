"""
The number in a price as people write it.

Shops send `price` as a text for shoppers; rules compare amounts. Which of a text's marks is the decimal one is read
from the text alone: no currency is known here, and no country.
"""

import re

PRICE_MAX = 1e15  # dearer is a mistake, and far beyond it no number at all
_THOUSAND_DIGITS = 3

# The space that groups thousands is mostly one that does not break, so no re.ASCII here.
_PRICE = re.compile(r"[0-9][0-9\s.,'’]*")
_SPACING = re.compile(r"[\s'’]")


def amount_of(price: object) -> float | None:
    """The number in a price, e.g. 1299.0 from `1.299,00 €`, `$1,299.00` or `1 299 Kč`; None if there is none."""
    if isinstance(price, int | float) and not isinstance(price, bool):
        return float(price) if abs(price) < PRICE_MAX else None
    if not isinstance(price, str) or not (found := _PRICE.search(price)):
        return None
    digits = _SPACING.sub("", found.group()).rstrip(".,")
    is_bare = found.group().strip() == price.strip()
    whole, decimals = _split_decimals(digits, is_bare=is_bare)
    number = re.sub(r"[.,]", "", whole) + "." + (decimals or "0")
    amount = float(number)
    return amount if amount < PRICE_MAX else None


def _split_decimals(digits: str, *, is_bare: bool) -> tuple[str, str]:
    """
    The last mark is the decimal one, unless it groups thousands: it repeats, or three digits stand behind it and no
    other mark before it. A number alone with a point, `1.299`, was written by a program, and is that number.
    """
    position = max(digits.rfind("."), digits.rfind(","))
    if position < 0:
        return digits, ""
    mark, before, behind = digits[position], digits[:position], digits[position + 1 :]
    if mark in before:
        return digits, ""
    groups = (
        len(behind) == _THOUSAND_DIGITS
        and before.isdigit()
        and len(before) <= _THOUSAND_DIGITS
        and not before.startswith("0")
    )
    if groups and not (mark == "." and is_bare):
        return digits, ""
    return before, behind
