"""
What `plan`, `apply` and `copy` share: a plan shown to people, asked about, and carried out.
"""

import sys
from collections.abc import Callable, Iterator

import click
import msgspec
from msgspec import Struct

from endcap.api.app import Parts
from endcap.cli.support import Bar, console, errors, print_json, progress
from endcap.clock import system_clock
from endcap.domain import Definition, TrackerId
from endcap.errors import StalePlan, UsageFault
from endcap.planning.applying import Applied, apply_plan
from endcap.planning.making import Objection, no_objection
from endcap.planning.plan import Action, Plan, Step
from endcap.transfer.rows import FAULTS_NAMED_MAX

STEPS_SHOWN = 200
DIFFERENCES_SHOWN = 12
VALUE_CHARACTERS_MAX = 100
ATTEMPTS_MAX = 3  # plans made anew because somebody writes meanwhile
MARKS = {Action.CREATE: ("+", "green"), Action.CHANGE: ("~", "yellow"), Action.DELETE: ("-", "red")}

Make = Callable[[Bar], Plan]
yes_option = click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can be.")


class Outcome(Struct, frozen=True):
    """What `--json` prints. `applied` is None where nothing was to be written, or nothing was."""

    plan: Plan
    applied: Applied | None = None


def objection_of(built: Parts, tracker: TrackerId) -> Objection:
    """Recommenders are loaded only where a setting makes them matter."""
    if built.settings.unknown_models != "refuse":
        return no_objection
    built.mirror.load(only=tracker)
    shop = built.service.shop(tracker)

    def objection(definition: Definition) -> str | None:
        return built.service.objection(shop, definition)

    return objection


def carry_out(
    ctx: click.Context,
    built: Parts,
    make: Make,
    *,
    actor: str,
    yes: bool,
    dry_run: bool,
    as_json: bool,
    is_remade: bool = True,
) -> None:
    """
    Shows a plan, asks, and applies it. One that somebody's write has made stale is made anew and shown again, unless
    it is a plan that was reviewed elsewhere.
    """
    for attempt in range(ATTEMPTS_MAX):
        with progress(quiet=as_json) as bar:
            plan = make(bar)
        if not as_json:
            show(plan)
        if plan.refused_total or plan.is_empty or dry_run:
            _end(ctx, plan, as_json=as_json)
            return
        _ask(plan, yes=yes, as_json=as_json)
        try:
            applied = _apply(built, plan, actor, as_json=as_json)
        except StalePlan:
            if not is_remade or attempt + 1 == ATTEMPTS_MAX:
                raise
            errors.print("Somebody has changed the tracker meanwhile; this is the plan now:")
        else:
            _tell(plan, applied, as_json=as_json)
            return


def _apply(built: Parts, plan: Plan, actor: str, *, as_json: bool) -> Applied:
    with progress(quiet=as_json) as bar:
        return apply_plan(
            plan,
            built.store.commit_together,
            actor=actor,
            creator=built.settings.creator,
            now=system_clock(),
            progress=bar,
        )


def _ask(plan: Plan, *, yes: bool, as_json: bool) -> None:
    if yes:
        return
    if as_json or not (sys.stdin.isatty() and errors.is_terminal):
        raise UsageFault("Nothing was written, for nobody can be asked here: --yes, or --dry-run")
    click.confirm(f"Apply this to {plan.tracker}?", abort=True, err=True)


def _end(ctx: click.Context, plan: Plan, *, as_json: bool) -> None:
    """Of a plan that is not applied."""
    if as_json:
        print_json(Outcome(plan))
    elif plan.refused_total:
        errors.print("Nothing was written: what is refused has to be mended first.")
    if plan.refused_total:
        ctx.exit(1)


def _tell(plan: Plan, applied: Applied, *, as_json: bool) -> None:
    if as_json:
        print_json(Outcome(plan, applied))
        return
    console.print(
        f"Applied: {applied.created} created, {applied.changed} changed, {applied.deleted} deleted. "
        f"The tracker is at revision {applied.revision}.",
        soft_wrap=True,
    )


def show(plan: Plan) -> None:
    """A plan for people."""
    for step in plan.steps[:STEPS_SHOWN]:
        _show_step(step)
    if len(plan.steps) > STEPS_SHOWN:
        console.print(f"  … and {len(plan.steps) - STEPS_SHOWN} more; --json has all of them")
    for refusal in plan.refused[:FAULTS_NAMED_MAX]:
        name = f" ({refusal.name or refusal.id})" if refusal.name or refusal.id else ""
        console.print(f"! {refusal.where}{name}", style="red", soft_wrap=True)
        for reason in refusal.reasons[:DIFFERENCES_SHOWN]:
            console.print(f"      {reason}", soft_wrap=True)
    if plan.refused_total > FAULTS_NAMED_MAX:
        console.print(f"  … and {plan.refused_total - FAULTS_NAMED_MAX} more refused")
    for note in plan.notes:
        errors.print(f"Note: {note}", soft_wrap=True)
    console.print(summary(plan), soft_wrap=True)


def summary(plan: Plan) -> str:
    """The last line of a plan."""
    if plan.is_empty:
        one = plan.unchanged == 1
        are = "customization is as it" if one else "customizations are as they"
        return f"No changes in {plan.tracker}: {plan.unchanged} {are} should be."
    counts = [
        f"{plan.count(Action.CREATE)} to create",
        f"{plan.count(Action.CHANGE)} to change",
        f"{plan.count(Action.DELETE)} to delete",
        f"{plan.unchanged} unchanged",
    ]
    if plan.refused_total:
        counts.append(f"{plan.refused_total} refused")
    return f"Plan for {plan.tracker} at revision {plan.revision}: {', '.join(counts)}."


def _show_step(step: Step) -> None:
    mark, colour = MARKS[step.action]
    known = f"  {step.name or step.id}"
    where = f"  {step.where}" if step.where else ""
    console.print(f"{mark} {step.subject}{known}{where}", style=colour, soft_wrap=True)
    for line in _details(step):
        console.print(f"      {line}", soft_wrap=True)


def _details(step: Step) -> Iterator[str]:
    if step.action is Action.CREATE:
        pins = len(msgspec.json.decode(step.body, type=_Pinned).pin_definitions)
        yield f"{pins} {'pin' if pins == 1 else 'pins'}"
    for each in step.differences[:DIFFERENCES_SHOWN]:
        if each.before is None:
            yield f"{each.field}: + {_brief(each.after)}"
        elif each.after is None:
            yield f"{each.field}: - {_brief(each.before)}"
        else:
            yield f"{each.field}: {_brief(each.before)} → {_brief(each.after)}"
    if len(step.differences) > DIFFERENCES_SHOWN:
        yield f"… and {len(step.differences) - DIFFERENCES_SHOWN} more"


class _Pinned(Struct):
    pin_definitions: list[msgspec.Raw] = []


def _brief(text: str | None) -> str:
    text = text or ""
    if len(text) <= VALUE_CHARACTERS_MAX:
        return text
    return f"{text[: VALUE_CHARACTERS_MAX - 1]}…"
