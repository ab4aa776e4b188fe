"""
Carries out plans: all that one says in one transaction, or nothing.

Each customization that a plan touches must still be as the plan saw it, which the store checks where it writes.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from endcap.domain import Definition, Micros
from endcap.errors import Problem, RefusedTogether, StalePlan, UsageFault
from endcap.planning.plan import Action, Plan, Step
from endcap.store.writes import (
    Committed,
    CreateCustomization,
    CustomizationWrite,
    DeleteCustomization,
    ReplaceCustomization,
)
from endcap.transfer.rows import FAULTS_NAMED_MAX, Progress, quietly
from endcap.wire.customizations import one_line, read_definition

Commit = Callable[[Sequence[CustomizationWrite]], Sequence[Committed]]
"""All or none: `Store.commit_together`, or a committer's. Raises RefusedTogether."""


class Applied(Struct, frozen=True):
    """What applying a plan did. `revision` is the tracker's after it."""

    created: int
    changed: int
    deleted: int
    unchanged: int
    revision: int


def apply_plan(
    plan: Plan,
    commit: Commit,
    *,
    actor: str,
    creator: str,
    now: Micros,
    progress: Progress = quietly,
) -> Applied:
    """
    Does all that a plan says in one transaction, or nothing. `actor` is who does it; `creator` whose a customization is
    where the plan does not say that.

    Raises StalePlan if something that it would touch is not as the plan saw it; UsageFault for a plan with refusals.
    """
    if plan.refused_total:
        raise UsageFault("This plan holds customizations that are refused: mend them first")
    revision = plan.revision
    if plan.steps:
        progress("storing", 0, len(plan.steps))
        try:
            outcomes = commit(list(_writes(plan, actor, creator, now)))
        except RefusedTogether as refused:
            raise _stale(plan, refused) from None
        revision = outcomes[-1].revision
        progress("storing", len(plan.steps), len(plan.steps))
    return Applied(
        plan.count(Action.CREATE),
        plan.count(Action.CHANGE),
        plan.count(Action.DELETE),
        plan.unchanged,
        revision,
    )


def _writes(plan: Plan, actor: str, creator: str, now: Micros) -> Iterator[CustomizationWrite]:
    """
    What was made at one moment keeps its order, a microsecond apart, for it decides between equals: the newer wins.
    """
    untold = sum(s.action is Action.CREATE and s.created_at is None for s in plan.steps)
    met: dict[Micros, int] = {}
    for number, step in enumerate(plan.steps):
        expected = None if step.expected is None else frozenset({step.expected})
        if step.action is Action.DELETE:
            yield DeleteCustomization(plan.tracker, step.id, actor, now, expected)
            continue
        definition = _definition(step, number)
        if step.action is Action.CHANGE:
            yield ReplaceCustomization(plan.tracker, step.id, definition, actor, now, expected)
            continue
        told = Micros(now - untold + 1) if step.created_at is None else step.created_at
        made = Micros(told + met.get(told, 0))
        met[told] = met.get(told, 0) + 1
        yield CreateCustomization(
            plan.tracker,
            step.id,
            definition,
            step.creator or creator,
            now,
            created_at=made,
            actor=actor,
        )


def _definition(step: Step, number: int) -> Definition:
    """Read again: a plan may have been a file meanwhile."""
    try:
        return read_definition(one_line(bytes(step.body)))
    except Problem as problem:
        raise UsageFault(f"Step {number + 1} of the plan cannot be stored: {problem}") from problem


def _stale(plan: Plan, refused: RefusedTogether) -> StalePlan:
    first = sorted(refused.refusals.items())[:FAULTS_NAMED_MAX]
    return StalePlan(details={plan.steps[index].id: [str(each)] for index, each in first})
