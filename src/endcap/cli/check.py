"""
`endcap check`: what needs a merchandiser's attention, and its repair.
"""

from itertools import groupby

import click
from msgspec import Struct

from endcap.api.app import Parts
from endcap.cli.support import (
    console,
    errors,
    json_option,
    parts,
    print_json,
    tracker_id,
    tracker_option,
)
from endcap.clock import system_clock
from endcap.errors import Problem
from endcap.health import SOON_DAYS, Finding, Fix, Severity, findings
from endcap.mending import mending, remedies
from endcap.shops import Shop
from endcap.store.writes import CustomizationWrite

ACTOR = "endcap check --fix"
FIXES: dict[Fix, str] = {
    Fix.REMOVE_PIN: "remove the pin",
    Fix.DELETE_CUSTOMIZATION: "delete it",
}
FAILS: dict[str, frozenset[Severity]] = {
    "error": frozenset({Severity.ERROR}),
    "warning": frozenset({Severity.ERROR, Severity.WARNING}),
    "notice": frozenset(Severity),
    "never": frozenset(),
}


class Report(Struct, frozen=True):
    """What `--json` prints. `fixed` and `refused` count customizations."""

    customizations: int
    counts: dict[str, int]
    findings: list[Finding]
    fixed: int = 0
    refused: int = 0


@click.command()
@tracker_option
@click.option("--model", "models", multiple=True, help="Only this recommender; repeat for more.")
@click.option(
    "--soon",
    type=click.FloatRange(0, 366),
    default=SOON_DAYS,
    show_default=True,
    metavar="DAYS",
    help="Report windows that end within so many days.",
)
@click.option(
    "--fail-on",
    type=click.Choice(list(FAILS)),
    default="warning",
    show_default=True,
    help="The mildest finding that makes the exit code 1.",
)
@click.option("--fix", is_flag=True, help="Remove the pins and customizations that do nothing.")
@click.option("--dry-run", is_flag=True, help="With --fix: say what would be done, and do nothing.")
@json_option
@click.pass_context
def check(
    ctx: click.Context,
    /,
    tracker: str,
    models: tuple[str, ...],
    soon: float,
    fail_on: str,
    *,
    fix: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Find customizations and pins that do nothing, do nothing any more, or soon will not.

    The exit code is 1 if there are any that matter (--fail-on), so that a pipeline can stop.

    \b
    Every morning, and after a catalog import:
      endcap check --tracker 1234-5678
      endcap check --tracker 1234-5678 --fix --dry-run
    """
    if dry_run and not fix:
        raise click.UsageError("--dry-run says what --fix would do: give both")
    with parts(ctx) as built:
        built.mirror.load(only=tracker_id(built, tracker))
        shop = built.service.shop(tracker)
        now = system_clock()
        found = [
            each
            for each in findings(shop, now=now, soon_days=soon)
            if not models or each.model in models
        ]
        planned = remedies(shop, found) if fix else []
        writes = list(mending(built.store, shop, planned, actor=ACTOR, now=now))
        refused = 0 if dry_run else _refused(built, writes)
    report = _report(shop, found, fixed=len(writes) - refused, refused=refused)
    if as_json:
        print_json(report)
    else:
        _show(report)
        if fix:
            _show_fixes(report, dry_run=dry_run)
    mended = {write.id for write in writes} if fix and not dry_run and not refused else set()
    left = (each for each in found if not (each.fix and each.customization in mended))
    if any(each.severity in FAILS[fail_on] for each in left):
        ctx.exit(1)


def _refused(built: Parts, writes: list[CustomizationWrite]) -> int:
    """Does the writes; how many customizations somebody changed or removed meanwhile."""
    return sum(isinstance(outcome, Problem) for outcome in built.store.commit(writes))


def _report(shop: Shop, found: list[Finding], *, fixed: int, refused: int) -> Report:
    counts = {severity.value: 0 for severity in Severity}
    for each in found:
        counts[each.severity] += 1
    return Report(len(shop.snapshot.rules), counts, found, fixed, refused)


def _show(report: Report) -> None:
    if not report.findings:
        console.print(f"All {report.customizations} customizations are well.")
        return
    for (model, id_), complaints in groupby(
        report.findings, key=lambda each: (each.model, each.customization)
    ):
        console.print(f"{model}  {id_}")
        for each in complaints:
            console.print(f"  {_line(each)}", soft_wrap=True)
    console.print()
    told = ", ".join(f"{count} {severity}s" for severity, count in report.counts.items())
    console.print(f"{told} in {report.customizations} customizations.")


def _line(found: Finding) -> str:
    where = "" if found.pin is None else f"pin {found.pin}: "
    fix = f" → {FIXES[found.fix]}" if found.fix else ""
    return f"{found.severity.value:8} {where}{found.because}.{fix}"


def _show_fixes(report: Report, *, dry_run: bool) -> None:
    verb = "would be mended" if dry_run else "mended"
    console.print(f"{report.fixed} customizations {verb}.")
    if report.refused:
        errors.print(f"{report.refused} were changed meanwhile and left alone: check again.")
