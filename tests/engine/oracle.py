"""
The law of placement a second time, written from its page alone, to compare the engine with.

Slow and literal on purpose: everything is in the wire's words, in plain dicts and lists; each step of the law is one
function that does what its sentence says. It shares no code with the engine, not even the matching of criteria, of
which it knows the simple forms only. Where the page is silent it follows docs/decisions/0003-placement.md, and says
so with "(0003)".
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

Wire = Mapping[str, Any]

PRIORITY = {"item": 3, "criteria": 2, "all": 1}
RETURNED_TYPES = ("item", "product")
INPUT_ITEMS = 10


class Customization(NamedTuple):
    id: str
    created_at: datetime
    body: Wire


class World(NamedTuple):
    """What is known when a call comes in. `objects` by identity; `scores` tells how often an identity was bought."""

    objects: Mapping[str, Wire]
    customizations: Sequence[Customization]
    now: datetime
    scores: Mapping[str, float] = {}


class Outcome(NamedTuple):
    """A verdict. `removed`: of a block pin, how many items it kept out."""

    customization: str
    pin: int
    verdict: str
    item: str | None = None
    slot: int | None = None
    removed: int | None = None


class Entry(NamedTuple):
    """An item of the answer: by a pin (customization and index), from a place of the ranking, or the fallback."""

    item: str
    origin: str
    pin: tuple[str, int] | None = None
    place: int | None = None


class Answer(NamedTuple):
    entries: list[Entry]
    outcomes: list[Outcome]

    @property
    def items(self) -> list[str]:
        return [entry.item for entry in self.entries]


class Ranking(NamedTuple):
    """The recommender's answer, and what goes on where it ends."""

    primary: Sequence[str]
    fallback: Sequence[str] = ()


class Pin:
    """One pin of one customization that speaks. Two are the same only if they are the same object."""

    def __init__(self, owner: Customization, index: int, wish: Wire) -> None:
        self.owner = owner
        self.index = index
        self.wish = wish
        self.priority = PRIORITY[owner.body["target_type"]]
        self.item: str | None = wish.get("pin_identity") if wish["pin_type"] == "item" else None
        self.criteria = wish.get("pin_criteria") if wish["pin_type"] == "criteria" else None
        self.blocks = wish["position"] == 0 or wish.get("is_block_pin") is True
        self.spreads = wish["position"] == -1 and not self.blocks
        self.position: int | None = None if self.blocks or self.spreads else wish["position"]

    @property
    def name(self) -> tuple[str, int]:
        return self.owner.id, self.index

    def rank(self) -> tuple[Any, ...]:
        newest_first = datetime.max.replace(tzinfo=UTC) - self.owner.created_at
        return (-self.priority, newest_first, self.owner.id, self.index)


# Attributes and time


def moment(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def in_window(thing: Wire, now: datetime) -> bool:
    begins, ends = thing.get("active_from"), thing.get("active_to")
    return (begins is None or moment(begins) <= now) and (ends is None or now < moment(ends))


def satisfies(thing: Wire, criteria: Any) -> bool:
    """
    Attribute → scalar, or {"values": […], "operator": or|not}, where "10|20" is a range of numbers; or a list of
    equations. Texts equal texts only.
    """
    if isinstance(criteria, list):
        return all(_meets(thing["fields"].get(rule["field"]), rule["value"]) for rule in criteria)
    return all(_meets(thing["fields"].get(name), wanted) for name, wanted in criteria.items())


def _meets(value: Any, wanted: Any) -> bool:
    elements = value if isinstance(value, list) else [] if value is None else [value]
    if not isinstance(wanted, dict):
        return wanted in elements
    among = any(_equals(element, each) for element in elements for each in wanted["values"])
    return not among if wanted.get("operator") == "not" else among


def _equals(element: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and "|" in wanted:
        low, high = wanted.split("|")
        return (not low or element >= float(low)) and (not high or element <= float(high))
    return bool(element == wanted)


def by_popularity(world: World) -> list[str]:
    """Most bought first; then the best availability rank, the newest, the smallest identity."""

    def key(identity: str) -> tuple[Any, ...]:
        fields = world.objects[identity]["fields"]
        rank = fields.get("availability_rank", 1 if fields.get("availability", 1) else 15)
        introduced = moment(fields.get("introduced_at", "1970-01-01"))
        return (
            -world.scores.get(identity, 0),
            rank,
            datetime.max.replace(tzinfo=UTC) - introduced,
            identity,
        )

    return sorted(
        (identity for identity, held in world.objects.items() if held["type"] in RETURNED_TYPES),
        key=key,
    )


# Sections 1 and 2: who speaks, who is awake


def input_items(request: Wire) -> Sequence[str]:
    return list(request.get("item_ids", ()))[:INPUT_ITEMS]


def speaks(customization: Customization, world: World, request: Wire) -> bool:
    body = customization.body
    if body["model"] != request["recommendation_type"]:
        return False
    inputs = input_items(request)
    if body["target_type"] == "item":
        return body["target_identity"] in inputs
    if body["target_type"] == "criteria":
        known = [world.objects[identity] for identity in inputs if identity in world.objects]
        return any(satisfies(each, body["target_criteria"]) for each in known)
    return True


def pins_met(world: World, request: Wire) -> list[Pin]:
    """The pins of all customizations that speak, highest rank first."""
    met = [
        Pin(customization, index, wish)
        for customization in world.customizations
        if speaks(customization, world, request)
        for index, wish in enumerate(customization.body["pin_definitions"])
    ]
    return sorted(met, key=Pin.rank)


def sleeps(pin: Pin, world: World, request: Wire) -> str | None:
    if not in_window(pin.wish, world.now):
        return "asleep"
    widget = pin.wish.get("widget_id")
    if widget is not None and widget != request.get("recommender_client_identifier"):
        return "other_widget"
    return None


# Section 3: which items may appear at all


def objection(world: World, request: Wire, item: str, elsewhere: Collection[str]) -> str | None:
    """The first reason of section 6 why an item may not appear, blocks and duplicates left aside (0003)."""
    held = world.objects.get(item)
    if held is None:
        return "not_in_catalog"
    if not is_available(held, request) or not in_window(held, world.now):
        return "unavailable"
    if held["type"] not in RETURNED_TYPES:
        return "wrong_type"
    if item in request.get("blacklisted_item_ids", ()):
        return "blacklisted"
    if item in input_items(request):
        return "input_item"
    if not satisfies(held, request.get("recommendation_context", {})):
        return "context"
    if item in elsewhere:
        return "shown_elsewhere"
    return None


def is_available(held: Wire, request: Wire) -> bool:
    field = request.get("settings_override", {}).get("availability_field")
    if field is not None:
        return bool(held["fields"].get(field, 1) != 0)
    if "availability_rank" in held["fields"]:
        return bool(held["fields"]["availability_rank"] < 15)
    return bool(held["fields"].get("availability", 1) != 0)


def stops(block: Pin, item: str, world: World, awake: Sequence[Pin]) -> bool:
    """Whether a block pin keeps an item out: it names or matches it, and no item pin of higher priority names it."""
    held = world.objects[item]
    met = block.item == item if block.criteria is None else satisfies(held, block.criteria)
    overridden = any(
        not pin.blocks and pin.item == item and pin.priority > block.priority for pin in awake
    )
    return met and not overridden


# Section 4: how slots are filled


class Desk:
    """One object of the call, while it is worked on."""

    def __init__(self, world: World, request: Wire, ranking: Ranking) -> None:
        self.world = world
        self.request = request
        self.ranking = ranking
        self.size: int = request["size"]
        self.met = pins_met(world, request)
        self.verdicts: dict[Pin, tuple[str, str | None]] = {}
        self.removed: dict[Pin, int] = {}
        for pin in self.met:
            if (why := sleeps(pin, world, request)) is not None:
                self.verdicts[pin] = (why, pin.item)
        self.awake = [pin for pin in self.met if pin not in self.verdicts]
        self.block_pins = [pin for pin in self.awake if pin.blocks]
        self.survivors: list[Pin] = []
        self.pinned_items: list[str] = []
        self.picked: dict[Pin, str] = {}
        """The item of each pin for a slot that has one: its own, or its pick."""

    def is_blocked(self, item: str) -> bool:
        return any(stops(block, item, self.world, self.awake) for block in self.block_pins)

    def may_show(self, item: str, elsewhere: Collection[str]) -> bool:
        objected = objection(self.world, self.request, item, elsewhere)
        return objected is None and not self.is_blocked(item)

    def step_1(self, elsewhere: Collection[str]) -> None:
        """Item pins drop out."""
        for pin in self.awake:
            if pin.blocks:
                continue
            if pin.item is None:
                self.survivors.append(pin)
                continue
            why = objection(self.world, self.request, pin.item, elsewhere)
            if why is None and self.is_blocked(pin.item):
                why = "blocked"
            if why is None and pin.item in self.pinned_items:
                why = "duplicate"
            if why is not None:
                self.verdicts[pin] = (why, pin.item)
                continue
            self.survivors.append(pin)
            self.pinned_items.append(pin.item)
            self.picked[pin] = pin.item

    def steps_2_and_3(self) -> tuple[dict[int, Pin], list[list[int]]]:
        """Contested slots are won, losers and bundles move on. Slot → pin, and the slots of each bundle."""
        claimants = [pin for pin in self.survivors if pin.position is not None]
        won: dict[int, Pin] = {}
        for pin in claimants:
            assert pin.position is not None
            if pin.position not in won:
                won[pin.position] = pin
        bundles = self.bundles(claimants)
        bundled = [pin for bundle in bundles for pin in bundle]

        seated = {slot: pin for slot, pin in won.items() if pin not in bundled}
        blocks: list[list[int]] = []
        for pin in claimants:
            assert pin.position is not None
            if pin in bundled:
                [bundle] = [each for each in bundles if pin in each]
                if not any(member in seated.values() for member in bundle):
                    blocks.append(self.seat_bundle(bundle, won, seated))
            elif won[pin.position] is not pin:
                seated[self.next_free(pin.position, won, seated)] = pin
        return seated, blocks

    def bundles(self, claimants: Sequence[Pin]) -> list[list[Pin]]:
        """Per customization, by position then index; global pins are never part, one alone is none (0003)."""
        found: list[list[Pin]] = []
        for owner in self.world.customizations:
            members = [
                pin
                for pin in claimants
                if pin.owner.id == owner.id and pin.wish.get("is_bundle_pin") is True
            ]
            if len(members) > 1:
                found.append(sorted(members, key=lambda pin: (pin.position, pin.index)))
        return found

    def seat_bundle(
        self, bundle: Sequence[Pin], won: Mapping[int, Pin], seated: dict[int, Pin]
    ) -> list[int]:
        """
        From the lowest slot that a member won; if there is none, from where a loser of the bundle's lowest position
        would go; over slots that members won, or that no pin claims or has taken (0003).
        """
        own = [slot for slot, winner in won.items() if winner in bundle]
        lowest = bundle[0].position
        assert lowest is not None
        slot = min(own) if own else self.next_free(lowest, won, seated)
        block: list[int] = []
        for member in bundle:
            while slot in seated or (slot in won and slot not in own):
                slot += 1
            seated[slot] = member
            block.append(slot)
        return block

    @staticmethod
    def next_free(position: int, won: Mapping[int, Pin], seated: Mapping[int, Pin]) -> int:
        """
        The next slot after one's own that no pin claims or has taken. Every claimed slot has a winner, and stays
        claimed when a bundle that won it leaves it (0003).
        """
        slot = position + 1
        while slot in won or slot in seated:
            slot += 1
        return slot

    def supply(self, criteria: Any, used: Collection[str], elsewhere: Collection[str]) -> list[str]:
        """What a criteria pin may pick, best first: the ranking, then all other items by popularity."""
        ranked = list(self.ranking.primary)
        beyond = [item for item in by_popularity(self.world) if item not in ranked]
        return [
            item
            for item in ranked + beyond
            if item not in used
            and self.may_show(item, elsewhere)
            and satisfies(self.world.objects[item], criteria)
        ]

    def answer(self, elsewhere: Collection[str]) -> list[Entry]:
        """Steps 2 to 8."""
        seated, blocks = self.steps_2_and_3()
        used = set(self.pinned_items)

        # Step 4, by rank
        for pin in self.survivors:
            if pin.criteria is None or pin.position is None:
                continue
            supply = self.supply(pin.criteria, used, elsewhere)
            [slot] = [slot for slot, sitting in seated.items() if sitting is pin]
            if supply:
                self.picked[pin] = supply[0]
                used.add(supply[0])
            else:
                self.verdicts[pin] = ("no_match", None)
                del seated[slot]

        # Step 8: a gap inside a bundle closes up
        for block in blocks:
            members = [seated.pop(slot) for slot in block if slot in seated]
            for slot, member in zip(block, members, strict=False):
                seated[slot] = member

        page = {slot: Entry(self.picked[pin], "pin", pin=pin.name) for slot, pin in seated.items()}
        self.step_5(page, used, elsewhere)
        return self.steps_6_and_7(page, used, elsewhere)

    def step_5(self, page: dict[int, Entry], used: set[str], elsewhere: Collection[str]) -> None:
        """Global pins take the free slots of 1…n; one that finds none free is beyond the size (0003)."""
        for pin in self.survivors:
            if not pin.spreads:
                continue
            free = [slot for slot in range(1, self.size + 1) if slot not in page]
            if not free:
                self.verdicts[pin] = ("beyond_size", pin.item)
            elif pin.item is not None:
                page[free[0]] = Entry(pin.item, "pin", pin=pin.name)
            else:
                assert pin.criteria is not None
                supply = self.supply(pin.criteria, used, elsewhere)
                if not supply:
                    self.verdicts[pin] = ("no_match", None)
                for slot, item in zip(free, supply, strict=False):
                    page[slot] = Entry(item, "pin", pin=pin.name)
                    used.add(item)

    def steps_6_and_7(
        self, page: Mapping[int, Entry], used: Collection[str], elsewhere: Collection[str]
    ) -> list[Entry]:
        """The ranking fills every other slot of a list without end; holes close up; the list is cut at n."""
        ranked = [
            Entry(item, "ranking", place=place)
            for place, item in enumerate(self.ranking.primary, 1)
        ]
        ranked += [
            Entry(item, "fallback")
            for item in self.ranking.fallback
            if item not in self.ranking.primary
        ]
        rest = [
            entry
            for entry in ranked
            if entry.item not in used and self.may_show(entry.item, elsewhere)
        ]
        endless: list[Entry | None] = []
        for slot in range(1, max(page, default=0) + len(rest) + self.size + 1):
            entry = page.get(slot)
            if entry is None and rest:
                entry = rest.pop(0)
            endless.append(entry)
        return [entry for entry in endless if entry is not None][: self.size]

    def outcomes(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Every pin met, highest rank first, with what became of it."""
        return [self.outcome(pin, entries) for pin in self.met]

    def outcome(self, pin: Pin, entries: Sequence[Entry]) -> Outcome:
        if pin in self.verdicts:
            verdict, item = self.verdicts[pin]
            return Outcome(*pin.name, verdict, item)
        if pin.blocks:
            return Outcome(*pin.name, "blocks", pin.item, removed=self.count_removed(pin))
        for slot, entry in enumerate(entries, 1):
            if entry.pin == pin.name:
                exactly = pin.spreads or pin.position == slot
                return Outcome(*pin.name, "placed" if exactly else "moved", entry.item, slot)
        return Outcome(*pin.name, "beyond_size", self.picked.get(pin))

    def count_removed(self, block: Pin) -> int:
        """Of the eligible items in the ranking, or named by awake item pins: how many this block keeps out (0003)."""
        named = {pin.item for pin in self.awake if pin.item is not None and not pin.blocks}
        return sum(
            objection(self.world, self.request, item, ()) is None
            and stops(block, item, self.world, self.awake)
            for item in named | set(self.ranking.primary)
        )


def page(world: World, requests: Sequence[Wire], rankings: Sequence[Ranking]) -> list[Answer]:
    """The answers of one call: item pins of all objects are reserved first, then each object is filled in order."""
    desks = [Desk(world, *each) for each in zip(requests, rankings, strict=True)]
    reserved: list[str] = []
    for desk in desks:
        desk.step_1(elsewhere=reserved)
        reserved += desk.pinned_items
    answers: list[Answer] = []
    shown: list[str] = []
    for desk in desks:
        others = [item for item in reserved if item not in desk.pinned_items]
        entries = desk.answer(elsewhere=shown + others)
        shown += [entry.item for entry in entries]
        answers.append(Answer(entries, desk.outcomes(entries)))
    return answers
