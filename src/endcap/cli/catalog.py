"""
`endcap catalog …`: what is known of a catalog's fields.
"""

import click

from endcap.cli.support import (
    commit,
    console,
    errors,
    json_option,
    parts,
    print_json,
    table,
    tracker_id,
    tracker_option,
)
from endcap.clock import system_clock
from endcap.domain import FieldKind
from endcap.store.states import FIELDS_JOB
from endcap.store.writes import ResetField
from endcap.wire.reading import seconds_text

ACTOR = "cli"
_KINDS: tuple[FieldKind, ...] = ("text", "number", "boolean", "date", "object")
_DATE_CHARACTERS = len("2025-01-22")


@click.group()
def catalog() -> None:
    """
    Look at the types of a catalog's fields, and reset them.

    The first value of a field fixes its type; objects with values of another type are refused from then on.

    \b
    A first value that was wrong:
      endcap catalog fields --tracker 1234-5678
      endcap catalog reset-field weight --tracker 1234-5678
    """


@catalog.command()
@tracker_option
@json_option
@click.pass_context
def fields(ctx: click.Context, /, tracker: str, *, as_json: bool) -> None:
    """
    List the fields that have a type, and the object that fixed it.

    Fields with a meaning of their own (title, price, availability and the like) are not among them.

    \b
    Example, for a program:
      endcap catalog fields --tracker 1234-5678 --json
    """
    with parts(ctx) as built:
        known = tracker_id(built, tracker)
        rows = built.store.fields(known)
        job = built.store.job(known, FIELDS_JOB)
    if as_json:
        print_json(
            [
                {
                    "field": row.name,
                    "type": row.kind,
                    "identity": row.identity or None,
                    "since": seconds_text(row.since),
                }
                for row in rows
            ]
        )
        return
    if job is not None and job.status == "in progress":
        errors.print(
            f"Note: the catalog is still being looked through, {job.checked} objects so far.",
            soft_wrap=True,
        )
    if not rows:
        errors.print(f"No field has a type yet. Next: endcap import catalog FILE --tracker {known}")
        return
    listed = table("field", "type", "first value in", "since")
    for row in rows:
        since = seconds_text(row.since)[:_DATE_CHARACTERS]
        listed.add_row(row.name, row.kind, row.identity or "(fixed by hand)", since)
    console.print(listed)


@catalog.command("reset-field")
@click.argument("field")
@tracker_option
@click.option(
    "--to",
    "kind",
    type=click.Choice(_KINDS),
    help="Fix this type; default: the next value decides.",
)
@json_option
@click.pass_context
def reset_field(
    ctx: click.Context, /, field: str, tracker: str, kind: FieldKind | None, *, as_json: bool
) -> None:
    """
    Forget the type of FIELD, so that the next value fixes it. What is stored stays as it is.

    \b
    Examples:
      endcap catalog reset-field weight --tracker 1234-5678
      endcap catalog reset-field weight --to number --tracker 1234-5678
    """
    with parts(ctx) as built:
        write = ResetField(tracker_id(built, tracker), field, kind, ACTOR, system_clock())
        revision = commit(built, write).revision
    if as_json:
        print_json({"field": field, "type": kind, "revision": revision})
    elif kind is None:
        errors.print(f"Reset. The next value of {field} fixes its type.", soft_wrap=True)
    else:
        errors.print(f"From now on {field} is of the type {kind}.", soft_wrap=True)
