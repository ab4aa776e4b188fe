"""
The nouns: customizations with targets and pins, catalog objects, windows, and the bounds of each.

Knows what a thing is and when it is in force. Knows nothing of positions -1 and 0 (`wire` turns these into kinds),
of JSON beyond the spelling that it keeps for the way back, of stores, or of what time it is.

Instants are integers: microseconds since 1970-01-01T00:00:00Z, the store's resolution, cheap to compare.
"""

from collections.abc import Callable
from enum import Enum
from math import inf
from sys import intern
from typing import Literal, NewType

from msgspec import Struct
from msgspec.structs import replace

from endcap.criteria import Rule
from endcap.errors import CatalogFault

TrackerId = NewType("TrackerId", str)
ItemId = NewType("ItemId", str)
"""A catalog identity, e.g. `/p/123`. The wire calls it `identity` and, in hits, `url`."""
CustomizationId = NewType("CustomizationId", str)
"""A UUID in its canonical lower-case text."""
Micros = NewType("Micros", int)
"""An instant: microseconds since the epoch, UTC."""

# The vendor's decision table (19) sets these; they keep one request's placement within a millisecond.
PINS_MAX = 500
TAGS_MAX = 50
TAG_CHARACTERS_MAX = 100
MODEL_CHARACTERS_MAX = 100
IDENTITY_CHARACTERS_MAX = 2_000  # a product URL may be an identity; browsers end about here
POSITION_MAX = 1_000
INPUT_ITEMS_MAX = 10


class Window(Struct, frozen=True):
    """When something is in force: `opens <= now < closes`, a missing side is open."""

    opens: Micros | None = None
    closes: Micros | None = None

    def contains(self, now: Micros) -> bool:
        return (self.opens is None or self.opens <= now) and (
            self.closes is None or now < self.closes
        )

    def changes_at(self, now: Micros) -> float:
        """The next instant at which it opens or closes; infinity for never."""
        return min(
            (at for at in (self.opens, self.closes) if at is not None and at > now), default=inf
        )


ALWAYS = Window()


class Slot(Struct, frozen=True, tag=True):
    """One 1-based position."""

    position: int


class Everywhere(Struct, frozen=True, tag=True):
    """Every slot that no other pin takes (-1 on the wire)."""


class Blocked(Struct, frozen=True, tag=True):
    """Nowhere at all (0 on the wire, or `is_block_pin`)."""


Place = Slot | Everywhere | Blocked
EVERYWHERE = Everywhere()
BLOCKED = Blocked()


class Pin(Struct, frozen=True):
    """One merchandiser's wish. Exactly one of `item` and `rule` is set."""

    place: Place
    item: ItemId | None = None
    rule: Rule | None = None
    window: Window = ALWAYS
    widget: str | None = None
    bundled: bool = False


class Priority(int, Enum):
    """How much a target weighs when pins collide; the vendor's numbers."""

    ALL = 1
    CRITERIA = 2
    ITEM = 3


class ItemTarget(Struct, frozen=True, tag="item"):
    identity: ItemId


class CriteriaTarget(Struct, frozen=True, tag="criteria"):
    rule: Rule


class AllTarget(Struct, frozen=True, tag="all"):
    pass


Target = ItemTarget | CriteriaTarget | AllTarget

PRIORITIES: dict[type[Struct], Priority] = {
    ItemTarget: Priority.ITEM,
    CriteriaTarget: Priority.CRITERIA,
    AllTarget: Priority.ALL,
}


class Definition(Struct, frozen=True):
    """
    What a merchandiser says, understood: the part of a customization that a PUT replaces.

    `document` is the same in the wire's words, one JSON object with exactly the known fields that were sent, criteria
    byte for byte; `metadata` is `target_metadata`, likewise. `wire.read_definition` makes both.
    """

    model: str
    target_type: str
    target: Target
    pins: tuple[Pin, ...]
    tags: tuple[str, ...]
    document: bytes
    metadata: bytes | None = None
    disabled: bool | None = None
    """Whether it shall not speak; None leaves that as it is."""

    @property
    def target_identity(self) -> ItemId | None:
        return self.target.identity if isinstance(self.target, ItemTarget) else None


class Record(Struct, frozen=True):
    """A customization as it is kept: what stores select by, and the documents. `revision` last wrote it."""

    id: CustomizationId
    model: str
    target_type: str
    target_identity: ItemId | None
    tags: tuple[str, ...]
    document: bytes
    metadata: bytes | None
    creator: str
    created_at: Micros
    updated_at: Micros
    revision: int
    disabled: bool = False


class Draft(Struct, frozen=True):
    """
    What a customization may become, beside what it is: saved, shown to its editors, never spoken. One with the id of no
    customization is a new one, or one that was unpublished.

    `document` is a version, as the log keeps them (`wire.versions`). `base` is the revision of the published one that
    it was made from; None: there was none.
    """

    id: CustomizationId
    document: bytes
    base: int | None
    author: str
    updated_at: Micros
    revision: int
    creator: str
    """Of the customization: who made it, be it as a draft. So is the next one."""
    created_at: Micros
    publish_at: Micros | None = None
    """When it is to be published, by the word of `publisher`."""
    publisher: str | None = None
    held: str | None = None
    """Why it was not published when it was to be."""


class Customization(Struct, frozen=True):
    """
    A customization as it is kept in memory: understood, and without the documents. The engine needs the first six
    fields to place pins; lists of customizations need the others.
    """

    id: CustomizationId
    model: str
    target: Target
    pins: tuple[Pin, ...]
    created_at: Micros
    revision: int
    disabled: bool = False
    """It is kept and listed, and does not speak."""
    unreadable: bool = False
    """The same, because nobody understands it: an older version, or a hand, left it in the database."""
    updated_at: Micros = Micros(0)
    creator: str = ""
    tags: tuple[str, ...] = ()
    title: str | None = None
    """What its author called the target (`target_metadata`)."""

    @classmethod
    def of(
        cls, record: Record, definition: Definition, *, title: str | None = None
    ) -> "Customization":
        return cls(
            record.id,
            intern(record.model),  # thousands share it
            definition.target,
            definition.pins,
            record.created_at,
            record.revision,
            record.disabled,
            False,
            record.updated_at,
            intern(record.creator),
            tuple(map(intern, record.tags)),
            title,
        )

    @classmethod
    def unread(cls, record: Record) -> "Customization":
        """One that is not understood; what stores select by is known of it all the same."""
        target = (
            AllTarget() if record.target_identity is None else ItemTarget(record.target_identity)
        )
        nothing = Definition(record.model, record.target_type, target, (), record.tags, b"{}")
        return replace(cls.of(record, nothing), unreadable=True)

    @property
    def is_silent(self) -> bool:
        return self.disabled or self.unreadable

    @property
    def priority(self) -> Priority:
        return PRIORITIES[type(self.target)]

    def pinned_at(self, now: Micros) -> bool:
        """Whether at least one pin is inside its window."""
        return any(pin.window is ALWAYS or pin.window.contains(now) for pin in self.pins)

    def changes_at(self, now: Micros) -> float:
        """The next instant at which a pin wakes or falls asleep; infinity for never."""
        return min((pin.window.changes_at(now) for pin in self.pins), default=inf)


FieldKind = Literal["text", "number", "boolean", "date", "object"]
"""What the values of a catalog field are; a list is of the kind of its elements."""
Shape = tuple[tuple[str, FieldKind], ...]
"""Fields and their kinds."""


class CatalogObject(Struct, frozen=True):
    """
    One object of the catalog: an item, a category, a brand, an article.

    `document` is one JSON object in the wire's words: `identity`, `type` and those of `generation`, `active_from`,
    `active_to`, `fields`, `nested` that were sent. `shape` and `nested` are what a write says besides, and not kept:
    the kinds of the fields that it sets, and the objects that its nested ones make.
    """

    identity: ItemId
    type: str
    generation: str | None
    document: bytes
    shape: Shape = ()
    nested: "tuple[CatalogObject, ...]" = ()

    @property
    def kept(self) -> "CatalogObject":
        """Without what is not kept."""
        if not self.shape and not self.nested:
            return self
        return CatalogObject(self.identity, self.type, self.generation, self.document)

    def is_as(self, other: "CatalogObject | None") -> bool:
        """Whether the same is kept of both."""
        return (
            other is not None
            and self.document == other.document
            and (self.type, self.generation) == (other.type, other.generation)
        )


class Merge(Struct, frozen=True):
    """
    From the stored document (None: not in the catalog) to what shall be stored instead, or why nothing; None leaves
    what is there. `fields` and `nested` are all that the result may name: its shape, and the identities of its nested
    objects.
    """

    change: Callable[[bytes | None], CatalogObject | CatalogFault | None]
    fields: frozenset[str] = frozenset()
    nested: tuple[ItemId, ...] = ()

    def __call__(self, stored: bytes | None) -> CatalogObject | CatalogFault | None:
        return self.change(stored)


class Field(Struct, frozen=True):
    """A catalog field, and its kind since the first value: when that was seen, and in which object."""

    name: str
    kind: FieldKind
    identity: ItemId
    since: Micros


class Event(Struct, frozen=True):
    """
    One thing that a shopper did or was shown, as the shop's page told it: `document` is the JSON object that was sent.

    `at` is when it happened, `received_at` when it was told. `client` is the device, `customer` who was logged in.
    """

    tracker: TrackerId
    id: str
    type: str
    client: str
    customer: str | None
    at: Micros
    received_at: Micros
    document: bytes


SortColumn = Literal[
    "created_at", "updated_at", "model", "target_type", "target_identity", "creator"
]


class Sort(Struct, frozen=True):
    column: SortColumn
    descending: bool


NEWEST_FIRST = (Sort("created_at", descending=True),)
OLDEST_FIRST = (Sort("created_at", descending=False),)


class Filter(Struct, frozen=True):
    """OR inside a field, AND between fields; an empty field selects everything."""

    models: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    target_types: tuple[str, ...] = ()
    target_identities: tuple[str, ...] = ()
