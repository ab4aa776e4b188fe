"""
Steps 2 and 3 of the law: which pin gets which slot, and where the others and the bundles go.

Knows claims and their positions. Knows nothing of items: whether a slot's pin finds one is decided later.
"""

from collections.abc import Sequence

from msgspec import Struct

from endcap.domain import Customization, Pin


class Claim(Struct, frozen=True, eq=False):
    """
    A pin that was met, with whose it is. Claims are made in order of rank; `rank` is that order. `number` is that of
    the item it names, if that is in the catalog; `position` that of its slot, if it wants one.
    """

    customization: Customization
    index: int
    pin: Pin
    rank: int
    number: int | None
    position: int | None

    @property
    def name(self) -> str:
        """How sentences call it."""
        return f"pin {self.index} of customization {self.customization.id}"


def settle(claims: Sequence[Claim]) -> tuple[dict[int, Claim], Sequence[Sequence[int]]]:
    """
    Steps 2 and 3 and the seats of bundles: slot → claim, and each bundle's slots in order.

    A bundle takes its turn with the highest-ranked of its members. It starts at the lowest slot that one of them won
    (or, if none won, moves on like a loser) and flows over slots that no other pin claims or has taken.
    """
    winners: dict[int, Claim] = {}
    bundled = False
    for claim in claims:
        winners.setdefault(position_of(claim), claim)
        if claim.pin.bundled:
            bundled = True
    groups = _bundles(claims) if bundled else {}
    if len(winners) == len(claims) and not groups:
        return winners, ()
    slots = {slot: claim for slot, claim in winners.items() if not _in_bundle(claim, groups)}
    bundles: list[list[int]] = []
    seated: set[str] = set()
    for claim in claims:
        if _in_bundle(claim, groups):
            if claim.customization.id not in seated:
                seated.add(claim.customization.id)
                bundles.append(_seat(groups[claim.customization.id], winners, slots))
        elif winners[position_of(claim)] is not claim:
            slots[_next_free(position_of(claim), winners, slots)] = claim
    return slots, bundles


def _bundles(claims: Sequence[Claim]) -> dict[str, list[Claim]]:
    """Bundle members by customization, in order of position then index; one alone is no bundle."""
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim.pin.bundled:
            groups.setdefault(claim.customization.id, []).append(claim)
    return {
        owner: sorted(group, key=lambda claim: (position_of(claim), claim.index))
        for owner, group in groups.items()
        if len(group) > 1
    }


def _in_bundle(claim: Claim, groups: dict[str, list[Claim]]) -> bool:
    return claim.pin.bundled and claim.customization.id in groups


def _seat(
    members: Sequence[Claim], winners: dict[int, Claim], slots: dict[int, Claim]
) -> list[int]:
    """Seats a bundle's members in consecutive slots that are theirs or nobody's; returns these slots."""
    won = [slot for slot in map(position_of, members) if winners[slot] in members]
    slot = min(won) if won else _next_free(position_of(members[0]), winners, slots)
    block: list[int] = []
    while len(block) < len(members):
        own = winners.get(slot)
        if slot not in slots and (own is None or own in members):
            slots[slot] = members[len(block)]
            block.append(slot)
        slot += 1
    return block


def _next_free(slot: int, winners: dict[int, Claim], slots: dict[int, Claim]) -> int:
    """The next slot after one's own that no pin claims or has taken."""
    slot += 1
    while slot in winners or slot in slots:
        slot += 1
    return slot


def position_of(claim: Claim) -> int:
    """Of a claim to a slot."""
    assert claim.position is not None
    return claim.position
