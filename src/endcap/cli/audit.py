"""
`endcap audit`: who did what, and when.
"""

import sys
from collections.abc import Iterator

import click

from endcap.audit import ACTIONS, EVENTS, KINDS, Audit, Wanted, csv_head, csv_line, json_line
from endcap.cli.support import console, parts, table, tracker_id
from endcap.domain import Micros
from endcap.web.words import full_text
from endcap.wire.past import read_moment

SHOWN = 50


@click.command()
@click.option(
    "--tracker", metavar="ID", help="Of this tracker alone; default: of all, and of accounts."
)
@click.option("--accounts", is_flag=True, help="Of accounts and signing in alone.")
@click.option("--who", default="", metavar="NAME", help="By this user, or `api`, or `cli`.")
@click.option("--what", type=click.Choice(KINDS), help="Of this kind alone.")
@click.option(
    "--done",
    type=click.Choice([*ACTIONS, *EVENTS]),
    metavar="WORD",
    help="What was done: create, replace, delete, signed_in, failed, role, …",
)
@click.option(
    "--which", default="", metavar="ID", help="To this customization, object, key or user."
)
@click.option("--since", metavar="TIME", help="ISO 8601, e.g. 2026-11-27T08:00:00Z.")
@click.option("--until", metavar="TIME", help="ISO 8601; this instant not included.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "jsonl"]),
    default="table",
    show_default=True,
    help="A table of the last 50 lines, or all of them for programs.",
)
@click.pass_context
def audit(
    ctx: click.Context,
    /,
    tracker: str | None,
    who: str,
    what: str | None,
    done: str | None,
    which: str,
    since: str | None,
    until: str | None,
    form: str,
    *,
    accounts: bool,
) -> None:
    """
    Print who did what, and when: customizations, catalog, keys, recommenders, accounts and sign-ins; the newest first.

    \b
    Examples:
      endcap audit --tracker 1234-5678 --who ann --what customization
      endcap audit --accounts --done failed --since 2026-11-01
      endcap audit --format csv > audit.csv
    """
    wanted = Wanted(
        who, what or "", done or "", which, _moment(since, "since"), _moment(until, "until")
    )
    with parts(ctx) as built:
        trackers = [row.id for row in built.store.trackers()]
        if tracker is not None:
            trackers = [tracker_id(built, tracker)]
        log = Audit(built.store, built.accounts.store)
        has_accounts = accounts or (tracker is None and what is None)
        lines = log.every(wanted, () if accounts else trackers, accounts=has_accounts)
        if form == "table":
            listed = table("when", "who", "what", "which", "tracker")
            for _, line in zip(range(SHOWN), lines, strict=False):
                what_ = f"{line.kind} {line.action}"
                listed.add_row(full_text(line.at), line.actor, what_, line.subject, line.tracker)
            console.print(listed)
            return
        out = sys.stdout.buffer
        for chunk in _spelled(form, map(csv_line if form == "csv" else json_line, lines)):
            out.write(chunk)
        out.flush()


def _spelled(form: str, lines: Iterator[bytes]) -> Iterator[bytes]:
    if form == "csv":
        yield csv_head()
    yield from lines


def _moment(text: str | None, name: str) -> Micros | None:
    return None if text is None else read_moment(text, name)
