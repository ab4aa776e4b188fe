"""
`endcap copy`: customizations from one tracker to another.
"""

from pathlib import Path

import click

from endcap.cli.exporting import filter_of, filter_options
from endcap.cli.plans import carry_out, objection_of, yes_option
from endcap.cli.support import Bar, errors, json_option, parts, tracker_id
from endcap.clock import random_id
from endcap.errors import UsageFault
from endcap.planning.making import make_plan
from endcap.planning.plan import Plan
from endcap.transfer.copying import Copying, read_identities
from endcap.transfer.rows import FAULTS_NAMED_MAX

ACTOR = "endcap copy"


@click.command()
@click.option("--from", "source", required=True, metavar="ID", help="The tracker to copy from.")
@click.option("--to", "target", required=True, metavar="ID", help="The tracker to copy to.")
@click.option(
    "--map",
    "map_",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What items are called there: a table (CSV) with the columns from and to. Without it: as here.",
)
@click.option(
    "--unmapped",
    type=click.Choice(["refuse", "keep"]),
    default="refuse",
    show_default=True,
    help="With --map: what becomes of customizations with items that the map does not have.",
)
@filter_options
@yes_option
@click.option("--dry-run", is_flag=True, help="Show what would be done, write nothing.")
@json_option
@click.pass_context
def copy(
    ctx: click.Context,
    /,
    source: str,
    target: str,
    map_: Path | None,
    unmapped: str,
    *,
    yes: bool,
    dry_run: bool,
    as_json: bool,
    **chosen: tuple[str, ...],
) -> None:
    """
    Copy customizations from one tracker to another, all together or not at all.

    The copies keep their ids, so a later copy changes what was changed here meanwhile, and nothing else. What is only
    there stays. Criteria are copied as they are.

    \b
    The winter campaign to the Czech shop, whose items have other identities:
      endcap copy --from sk --to cz --tag winter --map sk-to-cz.csv --dry-run
      endcap copy --from sk --to cz --tag winter --map sk-to-cz.csv
    """
    if source == target:
        raise UsageFault("--from and --to are the same tracker")
    if unmapped == "keep" and map_ is None:
        raise UsageFault("--unmapped is about what --map does not have: give both")
    with parts(ctx) as built:
        here, there = tracker_id(built, source), tracker_id(built, target)
        identities = None if map_ is None else read_identities(map_)

        def make(bar: Bar) -> Plan:
            copying = Copying(
                here,
                built.store.records(here, filter_of(chosen)),
                identities=identities,
                keep=unmapped == "keep",
            )
            made = make_plan(
                built.store,
                there,
                copying.entries(),
                new_id=random_id,
                objection=objection_of(built, there),
                progress=bar,
            )
            _tell_unmapped(copying)
            return made

        carry_out(ctx, built, make, actor=ACTOR, yes=yes, dry_run=dry_run, as_json=as_json)


def _tell_unmapped(copying: Copying) -> None:
    """On standard error, for people and programs' logs alike."""
    if not copying.unmapped:
        return
    errors.print(f"{len(copying.unmapped)} items are not in the map:", soft_wrap=True)
    for identity, count in copying.unmapped.most_common(FAULTS_NAMED_MAX):
        times = "once" if count == 1 else f"{count} times"
        errors.print(f"  {identity}: named {times}", soft_wrap=True)
    if len(copying.unmapped) > FAULTS_NAMED_MAX:
        errors.print(f"  … and {len(copying.unmapped) - FAULTS_NAMED_MAX} more")
