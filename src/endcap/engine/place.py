"""
The law of placement: lays pins over a ranking, and gives every pin it met a verdict.

Pure and total: customizations that speak, a ranking, a catalog and an instant in; a list of items and verdicts out.
The verdicts are the explanation; there is no second code path. Steps and words are those of docs/placement.md:

    1  item pins drop out            (not eligible, blocked, duplicate)
    2  contested slots are won       by the highest rank
    3  losers and bundles move       to the next slot that no pin claims or has taken
    4  criteria pins pick            the first match in the ranking, then by popularity
    5  global pins take              what is free in 1…n
    6  the ranking fills the rest
    7  no holes                      later items close up, then the list is cut at n

Several objects of one call share a page: their item pins are reserved first, in object order, then each is filled.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum

from msgspec import Struct
from pyroaring import BitMap

from endcap.criteria import Rule
from endcap.domain import (
    ALWAYS,
    Blocked,
    Customization,
    Everywhere,
    ItemId,
    Micros,
    Slot,
)
from endcap.engine.catalog import Catalog, Matches
from endcap.engine.settle import Claim, settle


class Verdict(StrEnum):
    """What became of a pin."""

    PLACED = "placed"
    MOVED = "moved"
    ASLEEP = "asleep"
    OTHER_WIDGET = "other_widget"
    NOT_IN_CATALOG = "not_in_catalog"
    UNAVAILABLE = "unavailable"
    WRONG_TYPE = "wrong_type"
    BLACKLISTED = "blacklisted"
    INPUT_ITEM = "input_item"
    CONTEXT = "context"
    SHOWN_ELSEWHERE = "shown_elsewhere"
    BLOCKED = "blocked"
    DUPLICATE = "duplicate"
    NO_MATCH = "no_match"
    BEYOND_SIZE = "beyond_size"
    BLOCKS = "blocks"


class Source(StrEnum):
    """Why an item is where it is."""

    PIN = "pin"
    RANKING = "ranking"
    FALLBACK = "fallback"


_PLACED, _PIN = Verdict.PLACED, Source.PIN  # looked up once: most pins end so


class Judgement(Struct, frozen=True):
    """One pin's verdict. `item` and `slot` where it put one; `because` is a sentence for people, or empty."""

    claim: Claim
    verdict: Verdict
    item: ItemId | None = None
    slot: int | None = None
    because: str = ""


class Shown(Struct, frozen=True):
    """One item of the answer: its number, where it came from, and by which pin or which place of the ranking."""

    number: int
    source: Source
    claim: Claim | None = None
    place: int | None = None


class Placement(Struct, frozen=True):
    """The answer, best slot first, and a judgement for every pin met, in order of rank."""

    shown: Sequence[Shown]
    judgements: Sequence[Judgement]


class Ranking(Struct, frozen=True):
    """
    The recommender's answer before rules: item numbers, best first. `fallback` goes on where it ends, in order of
    popularity; it may be long and is read only as far as needed. `type` is what is ranked, where that is not items.
    """

    primary: Sequence[int]
    fallback: Iterable[int] = ()
    type: str | None = None


class Eligibility:
    """Which items may appear at all in one object of a call. Request and catalog always beat pins."""

    __slots__ = (
        "_available",
        "_barred",
        "_blacklisted",
        "_catalog",
        "_context",
        "_field",
        "_now",
        "_offered",
    )

    def __init__(
        self,
        catalog: Catalog,
        *,
        now: Micros,
        inputs: Collection[str] = (),
        blacklist: Collection[str] = (),
        context: Rule | None = None,
        availability_field: str | None = None,
        type: str | None = None,
    ) -> None:
        """`type`: what the model returns, where that is not items."""
        self._catalog = catalog
        self._now = now
        self._blacklisted = _numbers(catalog, blacklist) if blacklist else _NO_NUMBERS
        self._barred = self._blacklisted
        if inputs:
            self._barred |= _numbers(catalog, inputs)
        self._context = None if context is None else catalog.matches(context).items
        self._field = availability_field
        self._available: BitMap | None = None
        self._offered = catalog.offered
        """Who is offered without a look at the time."""
        if type is not None:
            self._available = catalog.offered_as(type, availability_field)
            self._offered = _NOBODY
        elif availability_field is not None:
            self._available = catalog.available_by(availability_field)
            self._offered = _NOBODY

    def __contains__(self, number: int) -> bool:
        return (
            number not in self._barred
            and (self._context is None or number in self._context)
            and (number in self._offered or self._is_offered_now(number))
        )

    def _is_offered_now(self, number: int) -> bool:
        """Of the model's type, available, and inside its own window."""
        if self._available is not None:
            window = self._catalog.item(number).window
            return number in self._available and window.contains(self._now)
        own = self._catalog.windowed.get(number)
        return own is not None and own.contains(self._now)

    def objection(self, number: int) -> Verdict:
        """The first reason why an item of the catalog that is not eligible may not appear."""
        if number not in self._offered and not self._is_offered_now(number):
            return Verdict.WRONG_TYPE if self._is_on_sale(number) else Verdict.UNAVAILABLE
        if number in self._blacklisted:
            return Verdict.BLACKLISTED
        return Verdict.INPUT_ITEM if number in self._barred else Verdict.CONTEXT

    def _is_on_sale(self, number: int) -> bool:
        """Available and inside its own window, of whatever type."""
        item = self._catalog.item(number)
        available = (
            item.available
            if self._field is None
            else self._catalog.is_available_by(self._field, number)
        )
        return available and item.window.contains(self._now)


_NOBODY = BitMap()
_NO_NUMBERS: frozenset[int] = frozenset()


def _numbers(catalog: Catalog, identities: Iterable[str]) -> frozenset[int]:
    return frozenset(number for each in identities if (number := catalog.number(each)) is not None)


def claims_of(catalog: Catalog, customizations: Iterable[Customization]) -> tuple[Claim, ...]:
    """The claims of those who speak, given in order of rank: the same for every request until one of them changes."""
    claims: list[Claim] = []
    for customization in customizations:
        for index, pin in enumerate(customization.pins):
            number = None if pin.item is None else catalog.number(pin.item)
            position = pin.place.position if isinstance(pin.place, Slot) else None
            claims.append(Claim(customization, index, pin, len(claims), number, position))
    return tuple(claims)


class Scene(Struct, frozen=True):
    """One object of a call: who claims what (`claims_of`), over which ranking, for how many slots of which widget."""

    claims: Sequence[Claim]
    ranking: Ranking
    eligible: Eligibility
    size: int
    now: Micros
    widget: str | None = None


def place(catalog: Catalog, scene: Scene) -> Placement:
    """The placement of one object alone."""
    return place_page(catalog, [scene])[0]


def place_page(catalog: Catalog, scenes: Sequence[Scene]) -> Sequence[Placement]:
    """The placements of all objects of one call: nothing appears twice on the page."""
    reserved: set[int] = set()
    drafts: list[_Draft] = []
    for scene in scenes:
        draft = _Draft(catalog, scene)
        draft.admit(elsewhere=reserved)
        reserved.update(draft.pinned)
        drafts.append(draft)
    if len(drafts) == 1:
        return [drafts[0].fill(elsewhere=())]
    shown: set[int] = set()
    placements: list[Placement] = []
    for draft in drafts:
        placement = draft.fill(elsewhere=(reserved - draft.pinned.keys()) | shown)
        shown.update(each.number for each in placement.shown)
        placements.append(placement)
    return placements


class _Blocks:
    """The awake block pins of one object, and whether they hold against what higher targets pin."""

    def __init__(
        self, catalog: Catalog, claims: Sequence[Claim], *, against: Iterable[Claim]
    ) -> None:
        """
        Takes the block pins, in order of rank, and the other awake pins: an item pin shields its item from blocks of
        a strictly lower priority.
        """
        self._catalog = catalog
        self._by_item: dict[ItemId, Claim] = {}
        self._by_rule: list[tuple[Claim, Matches]] = []
        self._shields: dict[ItemId, int] = {}
        self.claims = claims
        for claim in claims:
            if claim.pin.item is not None:
                self._by_item.setdefault(claim.pin.item, claim)
            elif claim.pin.rule is not None:
                self._by_rule.append((claim, self._catalog.matches(claim.pin.rule)))
        for claim in against:
            if claim.pin.item is not None:
                priority = claim.customization.priority
                known = self._shields.get(claim.pin.item, 0)
                self._shields[claim.pin.item] = max(priority, known)

    def blocker(self, number: int) -> Claim | None:
        """The highest-ranked block pin that keeps an item out, if any."""
        identity = self._catalog.identity(number)
        found = self._by_item.get(identity)
        for claim, matches in self._by_rule:
            if found is not None and found.rank < claim.rank:
                break
            if number in matches:
                found = claim
                break
        if found is None or self._shields.get(identity, 0) > found.customization.priority:
            return None
        return found

    def removed_by(self, claim: Claim, numbers: Iterable[int]) -> int:
        """How many of some items this pin keeps out (whether or not another pin does too)."""
        count = 0
        for number in numbers:
            identity = self._catalog.identity(number)
            met = (
                identity == claim.pin.item
                if claim.pin.rule is None
                else number in self._catalog.matches(claim.pin.rule)
            )
            if met and self._shields.get(identity, 0) <= claim.customization.priority:
                count += 1
        return count


class _Draft:
    """One object's placement in the making; each method is one or two steps of the law."""

    __slots__ = (
        "blocks",
        "catalog",
        "claims",
        "judgements",
        "named",
        "picked",
        "pinned",
        "scene",
        "spread_items",
        "together",
    )

    def __init__(self, catalog: Catalog, scene: Scene) -> None:
        self.catalog = catalog
        self.scene = scene
        self.judgements: list[Judgement | None] = [None] * len(scene.claims)  # by rank
        self.claims: list[Claim] = []
        self.blocks: _Blocks | None = None
        self.pinned: dict[int, Claim] = {}  # item number → the item pin that survived step 1
        self.named: Sequence[Claim] = ()  # awake item pins that name an item of the catalog
        self.picked: dict[int, int] = {}  # rank → item number, where criteria found one
        self.spread_items: dict[int, int] = {}  # slot → item number, for global criteria pins
        self.together: set[int] = set()  # ranks of pins that stand in a bundle

    # Step 1

    def admit(self, *, elsewhere: Collection[int]) -> None:
        """Wakes the pins, gathers the blocks, and lets item pins drop out."""
        awake = self._awake()
        blocking = [
            claim
            for claim in awake
            if claim.position is None and isinstance(claim.pin.place, Blocked)
        ]
        if blocking:
            awake = [claim for claim in awake if not isinstance(claim.pin.place, Blocked)]
            self.blocks = _Blocks(self.catalog, blocking, against=awake)
            self.named = [claim for claim in awake if claim.number is not None]
        eligible, claims, pinned = self.scene.eligible, self.claims, self.pinned
        for claim in awake:
            number = claim.number
            if number is None:
                if claim.pin.item is None:
                    claims.append(claim)
                else:
                    self._judge(claim, Verdict.NOT_IN_CATALOG)
            elif number not in eligible:
                self._judge(claim, eligible.objection(number))
            elif number in elsewhere:
                self._judge(claim, Verdict.SHOWN_ELSEWHERE)
            elif self.blocks and (blocker := self.blocks.blocker(number)) is not None:
                self._judge(claim, Verdict.BLOCKED, f"blocked by {blocker.name}")
            elif number in pinned:
                self._judge(claim, Verdict.DUPLICATE, f"pinned already by {pinned[number].name}")
            else:
                pinned[number] = claim
                claims.append(claim)

    def _awake(self) -> list[Claim]:
        now, widget = self.scene.now, self.scene.widget
        awake: list[Claim] = []
        for claim in self.scene.claims:
            pin = claim.pin
            if pin.window is not ALWAYS and not pin.window.contains(now):
                self._judge(claim, Verdict.ASLEEP)
            elif pin.widget is not None and pin.widget != widget:
                self._judge(claim, Verdict.OTHER_WIDGET)
            else:
                awake.append(claim)
        return awake

    def _judge(self, claim: Claim, verdict: Verdict, because: str = "") -> None:
        self.judgements[claim.rank] = Judgement(claim, verdict, claim.pin.item, None, because)

    # Steps 2 to 7

    def fill(self, *, elsewhere: Collection[int]) -> Placement:
        """Settles the slots, picks for criteria, spreads the global pins, and lets the ranking fill the rest."""
        claims = self.claims
        candidates = _Candidates(self.scene, self.blocks, elsewhere)
        seeking = [claim for claim in claims if claim.position is not None]
        taken, bundles = settle(seeking)
        used = set(self.pinned)
        if len(self.pinned) < len(claims):
            self._pick(taken, candidates, used)
        if bundles:
            self.together = {
                taken[slot].rank for block in bundles for slot in block if slot in taken
            }
            taken = self._close_bundles(taken, bundles)
        if len(seeking) < len(claims):
            self._spread(taken, candidates, used)
        shown = self._merge(taken, candidates, used)
        self._judge_the_rest()
        if self.blocks is not None:
            self._judge_blocks(self.blocks)
        return Placement(shown, [each for each in self.judgements if each is not None])

    def _pick(self, slots: dict[int, Claim], candidates: "_Candidates", used: set[int]) -> None:
        """Step 4, in order of rank, wherever the pin's slot is."""
        for slot, claim in sorted(slots.items(), key=lambda entry: entry[1].rank):
            if claim.pin.rule is None:
                continue
            number = next(candidates.matching(self.catalog.matches(claim.pin.rule), used), None)
            if number is None:
                del slots[slot]
                self._judge(claim, Verdict.NO_MATCH)
            else:
                used.add(number)
                self.picked[claim.rank] = number

    def _close_bundles(
        self, slots: dict[int, Claim], bundles: Sequence[Sequence[int]]
    ) -> dict[int, Claim]:
        """A bundle's members close up over its slots where one found no match."""
        taken = dict(slots)
        for block in bundles:
            members = [slots[slot] for slot in block if slot in slots]
            for slot in block:
                taken.pop(slot, None)
            taken.update(zip(block, members, strict=False))
        return taken

    def _spread(self, taken: dict[int, Claim], candidates: "_Candidates", used: set[int]) -> None:
        """Step 5: global pins take what is free in 1…n, in order of rank."""
        spreading = [claim for claim in self.claims if isinstance(claim.pin.place, Everywhere)]
        free = [slot for slot in range(1, self.scene.size + 1) if slot not in taken]
        for claim in spreading:
            if not free:
                self._judge(claim, Verdict.BEYOND_SIZE)
            elif claim.pin.rule is None:
                taken[free.pop(0)] = claim
            else:
                self._spread_matches(claim, free, taken, candidates, used)

    def _spread_matches(
        self,
        claim: Claim,
        free: list[int],
        taken: dict[int, Claim],
        candidates: "_Candidates",
        used: set[int],
    ) -> None:
        assert claim.pin.rule is not None
        matches = self.catalog.matches(claim.pin.rule)
        found = False
        for number in candidates.matching(matches, used):
            slot = free.pop(0)
            taken[slot] = claim
            self.spread_items[slot] = number
            used.add(number)
            found = True
            if not free:
                break
        if not found:
            self._judge(claim, Verdict.NO_MATCH)

    def _merge(
        self, taken: dict[int, Claim], candidates: "_Candidates", used: set[int]
    ) -> list[Shown]:
        """Steps 6 and 7: slot by slot, pin or next of the ranking; when that ends, the rest closes up."""
        shown: list[Shown] = []
        size, judgements = self.scene.size, self.judgements
        rest = candidates.unused(used)
        last = max(taken, default=0)
        slot = room = 0
        while room < size:
            slot += 1
            claim = taken.get(slot)
            if claim is not None:
                number = claim.number
                if number is None:
                    number = self._found(claim, slot)
                shown.append(Shown(number, _PIN, claim))
                if judgements[claim.rank] is None:
                    judgements[claim.rank] = self._judged(claim, number, room + 1)
            elif (candidate := next(rest, None)) is not None:
                shown.append(candidate)
            elif slot >= last:
                break
            else:
                continue
            room += 1
        return shown

    def _found(self, claim: Claim, slot: int) -> int:
        """The item that a criteria pin has found for a slot."""
        number = self.spread_items.get(slot)
        return self.picked[claim.rank] if number is None else number

    def _judged(self, claim: Claim, number: int, slot: int) -> Judgement:
        """Of a pin that is shown: whether at its place."""
        item = claim.pin.item or self.catalog.identity(number)
        if claim.position is None or claim.position == slot:
            return Judgement(claim, _PLACED, item, slot)
        return Judgement(claim, Verdict.MOVED, item, slot, self._why_moved(claim, slot))

    def _judge_the_rest(self) -> None:
        """The answer ends before the pins that have an item and are not shown."""
        judgements = self.judgements
        for claim in self.claims:
            if judgements[claim.rank] is None:
                number = self.picked.get(claim.rank) if claim.number is None else claim.number
                item = None if number is None else self.catalog.identity(number)
                judgements[claim.rank] = Judgement(claim, Verdict.BEYOND_SIZE, item)

    def _why_moved(self, claim: Claim, slot: int) -> str:
        position = claim.position
        assert position is not None
        if claim.rank not in self.together and slot < position:
            return "closed up: there are not enough items before it"
        winner = next(
            (each for each in self.claims if each.position == position and each.rank < claim.rank),
            None,
        )
        if winner is not None:
            return f"slot {position} went to {winner.name}"
        return "stands together with its bundle"

    def _judge_blocks(self, blocks: "_Blocks") -> None:
        eligible = self.scene.eligible
        met = {number for number in self.scene.ranking.primary if number in eligible}
        met.update(
            claim.number
            for claim in self.named
            if claim.number is not None and claim.number in eligible
        )
        for claim in blocks.claims:
            count = blocks.removed_by(claim, met)
            self._judge(claim, Verdict.BLOCKS, f"removed {count} of the items met")


class _Candidates:
    """The ranking less the ineligible, the blocked and what the page shows elsewhere; checked as far as read."""

    __slots__ = ("_blocks", "_eligible", "_elsewhere", "_ranked", "_ranking", "_walks")

    def __init__(self, scene: Scene, blocks: _Blocks | None, elsewhere: Collection[int]) -> None:
        self._ranking = scene.ranking
        self._eligible = scene.eligible
        self._blocks = blocks
        self._elsewhere = elsewhere
        self._ranked: BitMap | None = None
        self._walks: dict[Matches, Iterator[int]] = {}

    @property
    def _primary(self) -> BitMap:
        """The ranking's own items, as a set: made when it is first asked for."""
        if self._ranked is None:
            self._ranked = BitMap(self._ranking.primary)
        return self._ranked

    def _allows(self, number: int) -> bool:
        return (
            number in self._eligible
            and number not in self._elsewhere
            and (self._blocks is None or self._blocks.blocker(number) is None)
        )

    def unused(self, used: Collection[int]) -> Iterator[Shown]:
        """Step 6's supply."""
        for place, number in enumerate(self._ranking.primary, 1):
            if number not in used and self._allows(number):
                yield Shown(number, Source.RANKING, None, place)
        ranked = self._primary
        for number in self._ranking.fallback:
            if number not in ranked and number not in used and self._allows(number):
                yield Shown(number, Source.FALLBACK)

    def matching(self, matches: Matches, used: Collection[int]) -> Iterator[int]:
        """
        Step 4's supply: matches in the order of the ranking, then by popularity and identity.

        Pins with the same criteria share one walk: what it passed over for one of them is nothing for the next.
        """
        walk = self._walks.get(matches)
        if walk is None:
            walk = self._walks[matches] = self._matching(matches, used)
        return walk

    def _matching(self, matches: Matches, used: Collection[int]) -> Iterator[int]:
        items, ranked = matches.items, self._primary
        if not items.isdisjoint(ranked):
            for number in self._ranking.primary:
                if number in items and number not in used and self._allows(number):
                    yield number
        for number in matches.in_order():
            if number not in ranked and number not in used and self._allows(number):
                yield number
