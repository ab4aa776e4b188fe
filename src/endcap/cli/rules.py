"""
`endcap plan` and `endcap apply`: customizations that a team keeps in files.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from endcap.api.app import Parts
from endcap.cli.exporting import write_file
from endcap.cli.plans import carry_out, objection_of, show, yes_option
from endcap.cli.support import Bar, errors, json_option, parts, print_json, progress, tracker_id
from endcap.clock import random_id
from endcap.domain import Filter
from endcap.errors import UsageFault
from endcap.planning.making import make_plan
from endcap.planning.plan import Plan, is_plan, plan_json, read_plan, read_prune
from endcap.transfer.rows import read_whole
from endcap.transfer.rules import files_in, read_files

ACTOR = "endcap apply"
CHANGES_CODE = 3
_HEAD_BYTES = 200

_files = click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE|DIR…",
    type=click.Path(exists=True, path_type=Path),
)


def _prune_options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option(
        "--allow-empty",
        is_flag=True,
        help="With --prune: go on where the files hold no customization, and delete all of the scope.",
    )(command)
    return click.option(
        "--prune",
        "prunes",
        multiple=True,
        metavar="SCOPE",
        help="Delete what the files do not name, within tag=TAG, model=MODEL, or all. Repeated: one of the tags, and "
        "one of the models.",
    )(command)


@click.command()
@_files
@click.option("--tracker", required=True, metavar="ID", help="The tracker's id.")
@_prune_options
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the plan in this file, for `endcap apply`.",
)
@click.option(
    "--detailed-exit-code",
    is_flag=True,
    help=f"End with {CHANGES_CODE} where there is something to do, with 0 where there is not.",
)
@json_option
@click.pass_context
def plan(
    ctx: click.Context,
    /,
    files: tuple[Path, ...],
    tracker: str,
    prunes: tuple[str, ...],
    out: Path | None,
    *,
    allow_empty: bool,
    detailed_exit_code: bool,
    as_json: bool,
) -> None:
    """
    Say what it would take to make the customizations of a tracker what files say. Nothing is written.

    A FILE is YAML, JSON, JSON Lines, CSV or XLSX, a DIR a folder of YAML and JSON. Each customization is known by its
    id, or by a name of your own. What the files do not name stays, unless --prune says where it should not. The exit
    code is 1 if something is refused.

    \b
    A look, and a check in a pipeline:
      endcap plan rules/ --tracker 1234-5678
      endcap plan rules/ --tracker 1234-5678 --prune tag=git --detailed-exit-code
    """
    with parts(ctx) as built, progress(quiet=as_json) as bar:
        made = _made(built, files, tracker, read_prune(prunes), bar, allow_empty=allow_empty)
    if out is not None:
        write_file([plan_json(made)], out)
    if as_json:
        print_json(made)
    else:
        show(made)
        if out is not None:
            errors.print(f"Wrote {out}: endcap apply {out}", soft_wrap=True)
    if made.refused_total:
        ctx.exit(1)
    if detailed_exit_code and not made.is_empty:
        ctx.exit(CHANGES_CODE)


@click.command()
@_files
@click.option("--tracker", metavar="ID", help="The tracker's id; a plan knows its own.")
@_prune_options
@yes_option
@click.option("--dry-run", is_flag=True, help="Show the plan, write nothing.")
@json_option
@click.pass_context
def apply(
    ctx: click.Context,
    /,
    files: tuple[Path, ...],
    tracker: str | None,
    prunes: tuple[str, ...],
    *,
    allow_empty: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Make the customizations of a tracker what files say, all together or not at all.

    FILE and DIR are as for `endcap plan`, or FILE is one plan that it has kept. The plan is shown and asked about
    first. Where somebody else changes the tracker meanwhile, files are planned and shown again, and a kept plan is
    refused. Applied twice, the second changes nothing.

    \b
    From files, or what was reviewed:
      endcap apply rules/ --tracker 1234-5678 --prune tag=git
      endcap plan rules/ --tracker 1234-5678 --out plan.json
      endcap apply plan.json --yes
    """
    kept = _kept_plan(files)
    prune = read_prune(prunes)
    if kept is None and tracker is None:
        raise UsageFault("--tracker is missing: which tracker shall become as the files say?")
    if kept is not None and (prune is not None or allow_empty):
        raise UsageFault("A kept plan says what it deletes: --prune goes with `endcap plan`")
    if kept is not None and tracker not in (None, kept.tracker):
        raise UsageFault(f"This plan is for the tracker {kept.tracker}, not for {tracker}")
    with parts(ctx) as built:

        def make(bar: Bar) -> Plan:
            if kept is not None:
                tracker_id(built, kept.tracker)
                return kept
            assert tracker is not None
            return _made(built, files, tracker, prune, bar, allow_empty=allow_empty)

        carry_out(
            ctx,
            built,
            make,
            actor=ACTOR,
            yes=yes,
            dry_run=dry_run,
            as_json=as_json,
            is_remade=kept is None,
        )


def _made(
    built: Parts,
    files: tuple[Path, ...],
    tracker: str,
    prune: Filter | None,
    bar: Bar,
    *,
    allow_empty: bool,
) -> Plan:
    known = tracker_id(built, tracker)
    return make_plan(
        built.store,
        known,
        read_files(files_in(files), progress=bar),
        new_id=random_id,
        prune=prune,
        allow_empty=allow_empty,
        objection=objection_of(built, known),
        progress=bar,
    )


def _kept_plan(files: tuple[Path, ...]) -> Plan | None:
    """The plan, if the only file is one."""
    if any(each.is_dir() for each in files):
        return None
    plans = [each for each in files if _begins_as_plan(each)]
    if not plans:
        return None
    if len(files) > 1:
        raise UsageFault(f"{plans[0]} is a plan: apply it by itself")
    return read_plan(read_whole(plans[0]))


def _begins_as_plan(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_plan(file.read(_HEAD_BYTES))
    except OSError as error:
        raise UsageFault(f"{path} cannot be read: {error.strerror}") from error
