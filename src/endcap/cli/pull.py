"""
`endcap pull`: the ten-minute move.
"""

import sys

import click

from endcap.api.app import Parts
from endcap.cli.peer import HttpPeer
from endcap.cli.support import (
    Bar,
    console,
    errors,
    json_option,
    parts,
    print_json,
    progress,
    table,
    tracker_id,
)
from endcap.clock import system_clock
from endcap.errors import UsageFault
from endcap.transfer.pull import PARTS, Part, Pull, PullReport, Refusals

KEY_VARIABLE = "ENDCAP_PULL_KEY"
FROM_STDIN = "-"


@click.command()
@click.option(
    "--from",
    "source",
    required=True,
    metavar="URL",
    help="The host to pull from, e.g. https://live.luigisbox.com.",
)
@click.option("--tracker", required=True, metavar="ID", help="The tracker's id there.")
@click.option(
    "--key",
    envvar=KEY_VARIABLE,
    metavar="KEY",
    help=f"Its private key there; - reads it from standard input. Or in the variable {KEY_VARIABLE}.",
)
@click.option("--to-tracker", metavar="ID", help="The tracker here; default: the same id.")
@click.option(
    "--only", type=click.Choice(PARTS), help="Only the catalog, or only the customizations."
)
@click.option("--resume", is_flag=True, help="Go on where a pull ended before its end.")
@click.option("--dry-run", is_flag=True, help="Read and compare everything, store nothing.")
@json_option
@click.pass_context
def pull(
    ctx: click.Context,
    /,
    source: str,
    tracker: str,
    key: str | None,
    to_tracker: str | None,
    only: Part | None,
    *,
    resume: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Copy catalog and customizations from another host: Luigi's Box, or another Endcap.

    It reads what the host's signed API gives, changes nothing there, and may be repeated: what is here already stays as
    it is, what differs becomes as it is there, what is only here stays. Customizations keep their ids, or none of them
    is stored. A pull that ends early is gone on with by --resume. Servers here may run meanwhile.

    \b
    The key in the environment, a look, then the move:
      export ENDCAP_PULL_KEY=your_private_api_key
      endcap pull --from https://live.luigisbox.com --tracker 1234-5678 --dry-run
      endcap pull --from https://live.luigisbox.com --tracker 1234-5678
    """
    if resume and dry_run:
        raise UsageFault("--dry-run reads everything from the beginning: leave out --resume")
    with parts(ctx) as built:
        into = tracker_id(built, to_tracker or tracker)
        with (
            HttpPeer(source, tracker, _key(key), say=_tell) as peer,
            progress(quiet=as_json) as bar,
        ):
            report = _pull(built, peer, bar, tracker, into, only, dry_run=dry_run).run(
                resume=resume
            )
    if as_json:
        print_json(report)
    else:
        _show(report)
    if report.refused:
        ctx.exit(1)


def _pull(
    built: Parts,
    peer: HttpPeer,
    bar: Bar,
    tracker: str,
    into: str,
    only: Part | None,
    *,
    dry_run: bool,
) -> Pull:
    return Pull(
        built.store,
        peer,
        source=peer.url,
        tracker=tracker,
        to_tracker=tracker_id(built, into),
        data_dir=built.settings.data_dir,
        parts=PARTS if only is None else (only,),
        creator=built.settings.creator,
        clock=system_clock,
        dry_run=dry_run,
        progress=bar,
        say=_tell,
    )


def _key(given: str | None) -> str:
    """The key, without the line's end that a pipe brings along."""
    if given == FROM_STDIN:
        given = _asked() if sys.stdin.isatty() else sys.stdin.readline()
    key = (given or "").strip()
    if not key:
        raise UsageFault(
            f"The private key of the tracker there is missing: set {KEY_VARIABLE}, or --key - and pipe it in"
        )
    return key


def _asked() -> str:
    """Without an echo."""
    return str(click.prompt("Private key", hide_input=True, err=True))


def _tell(text: str) -> None:
    errors.print(text, soft_wrap=True)


def _show(report: PullReport) -> None:
    verb = "Would pull" if report.dry_run else "Pulled"
    console.print(
        f"{verb} {report.tracker} from {report.source} into {report.to_tracker}.", soft_wrap=True
    )
    shown = table("", "there", "new", "changed", "as before", "refused")
    catalog, rules = report.catalog, report.customizations
    if catalog is not None:
        shown.add_row(
            "objects",
            *map(
                str,
                (
                    catalog.objects,
                    catalog.new,
                    catalog.changed,
                    catalog.unchanged,
                    catalog.refused.total,
                ),
            ),
        )
    if rules is not None:
        shown.add_row(
            "customizations",
            *map(
                str,
                (
                    rules.customizations,
                    rules.new,
                    rules.changed,
                    rules.unchanged,
                    rules.refused.total,
                ),
            ),
        )
    console.print(shown)
    if catalog is not None:
        _refusals("objects", catalog.refused)
        if catalog.untitled:
            _tell(f"Note: {catalog.untitled} without a title: the identity is shown instead")
    if rules is not None:
        _refusals("customizations", rules.refused)
        if rules.refused.total and not report.dry_run and not rules.stored:
            _tell(
                "No customization was stored: they act together, so they come together or not at all."
            )


def _refusals(what: str, refused: Refusals) -> None:
    if not refused.total:
        return
    _tell(f"Refused {what}:")
    for name, reason in refused.first.items():
        _tell(f"  {name}: {reason}")
    if refused.total > len(refused.first):
        _tell(f"  … and {refused.total - len(refused.first)} more")
