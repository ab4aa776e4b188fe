"""
Plans: what it would take to make a tracker's customizations what files say, shown before anything is written.

Knows what a plan holds and how it looks as a file. How one is made is in `making`, how it is carried out in `applying`.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from endcap.domain import CustomizationId, Filter, Micros, TrackerId
from endcap.errors import UsageFault
from endcap.wire.differences import Difference
from endcap.wire.reading import UNREADABLE

VERSION = 1


class Action(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


NO_BODY = Raw()


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One customization to write. `subject` says for people what it is, `where` the file and line that want it so;
    `body` is what shall be stored, NO_BODY of what goes; `expected` the revision of what is there now.
    """

    action: Action
    id: CustomizationId
    subject: str
    where: str = ""
    name: str | None = None
    differences: tuple[Difference, ...] = ()
    body: Raw = NO_BODY
    expected: int | None = None
    created_at: Micros | None = None
    creator: str | None = None


class Refusal(Struct, frozen=True):
    """One customization of the files that cannot be stored, and why."""

    where: str
    reasons: tuple[str, ...]
    id: CustomizationId | None = None
    name: str | None = None


class Plan(Struct, frozen=True, kw_only=True):
    """
    What would be done to a tracker, as it was at a revision. With a refusal nothing of it can be applied. `refused`
    holds the first ones, `refused_total` counts all; `notes` say what its author may want to know.
    """

    endcap_plan: int = VERSION
    tracker: TrackerId
    revision: int
    read: int
    """Customizations in the files."""
    unchanged: int
    steps: tuple[Step, ...]
    refused: tuple[Refusal, ...] = ()
    refused_total: int = 0
    notes: tuple[str, ...] = ()
    prune: Filter | None = None

    def count(self, action: Action) -> int:
        return sum(step.action is action for step in self.steps)

    @property
    def is_empty(self) -> bool:
        """Whether all is right already."""
        return not self.steps and not self.refused_total


class Applied(Struct, frozen=True):
    """What applying a plan did. `revision` is the tracker's after it."""

    created: int
    changed: int
    deleted: int
    unchanged: int
    revision: int


_plans = msgspec.json.Decoder(Plan)


def read_prune(texts: Iterable[str]) -> Filter | None:
    """
    The scope in which what the files do not name is deleted: `tag=…`, `model=…`, or `all` by itself. One of several
    tags, and one of several models. Raises UsageFault.
    """
    tags: list[str] = []
    models: list[str] = []
    is_all = False
    for text in texts:
        kind, _, value = text.partition("=")
        if text == "all":
            is_all = True
        elif kind == "tag" and value:
            tags.append(value)
        elif kind == "model" and value:
            models.append(value)
        else:
            raise UsageFault(f"--prune {text}: must be tag=TAG, model=MODEL, or all")
    if is_all and (tags or models):
        raise UsageFault("--prune all leaves nothing for another scope: give one or the other")
    return Filter(tuple(models), tuple(tags)) if is_all or tags or models else None


def read_plan(content: bytes) -> Plan:
    """A plan from its JSON. Raises UsageFault."""
    try:
        plan = _plans.decode(content)
    except UNREADABLE as error:
        raise UsageFault(f"This is no plan: {error}") from error
    if plan.endcap_plan != VERSION:
        raise UsageFault(f"This plan is of version {plan.endcap_plan}; make it anew")
    return plan


def is_plan(content: bytes) -> bool:
    """Whether a file that begins so is a plan, as against customizations."""
    return content.lstrip().startswith(b'{"endcap_plan":') or b'"endcap_plan": ' in content[:100]


def plan_json(plan: Plan) -> bytes:
    """A plan as a file, a step a line."""
    whole = msgspec.json.encode(replace(plan, steps=()))
    steps = b",\n".join(map(msgspec.json.encode, plan.steps))
    return whole.replace(b'"steps":[]', b'"steps":[\n%b\n]' % steps, 1) + b"\n"
