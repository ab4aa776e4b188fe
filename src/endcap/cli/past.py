"""
`endcap history`, `endcap restore`, `endcap undo`: what was done to customizations, and having it back.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from endcap.api.app import Parts
from endcap.api.revisions import REVISION_MAX
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
from endcap.domain import CustomizationId, TrackerId
from endcap.errors import UsageFault
from endcap.store.states import ChangeRow
from endcap.versions import HISTORY_MAX, Reversal
from endcap.web.diff import changes
from endcap.web.past import deed_words
from endcap.web.words import full_text
from endcap.wire.past import line_shown, read_moment
from endcap.wire.reading import seconds_text

ACTOR = "cli"
SHOWN = 20

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would be done, and do nothing."
)
limit_option = click.option(
    "--limit",
    type=click.IntRange(1, HISTORY_MAX),
    default=SHOWN,
    show_default=True,
    help="How many, the newest first.",
)


@click.command()
@tracker_option
@click.argument("id", required=False)
@limit_option
@json_option
@click.pass_context
def history(
    ctx: click.Context, /, tracker: str, id: str | None, limit: int, *, as_json: bool
) -> None:
    """
    Tell what was done to customization ID, or to all of a tracker action by action.

    \b
    Examples:
      endcap history --tracker 1234-5678
      endcap history --tracker 1234-5678 199620b4-df1a-46e8-ab59-9e9ed9af7106
    """
    with parts(ctx) as built:
        where = tracker_id(built, tracker)
        if id is None:
            _actions(built, where, limit, as_json=as_json)
        else:
            _versions(built, where, CustomizationId(id.lower()), limit, as_json=as_json)


def _actions(built: Parts, tracker: TrackerId, limit: int, *, as_json: bool) -> None:
    deeds, _ = built.versions.deeds(tracker, limit=limit)
    if as_json:
        print_json(
            [
                {
                    "revision": deed.revision,
                    "actor": deed.actor,
                    "at": seconds_text(deed.at),
                    "did": deed_words(deed),
                }
                for deed in deeds
            ]
        )
        return
    listed = table("revision", "when", "who", "what")
    for deed in deeds:
        listed.add_row(str(deed.revision), full_text(deed.at), deed.actor, deed_words(deed))
    console.print(listed)
    if not deeds:
        errors.print("Nothing was done to its customizations yet.")


def _versions(
    built: Parts, tracker: TrackerId, id: CustomizationId, limit: int, *, as_json: bool
) -> None:
    lines = [line for _, line in built.versions.history(tracker, id, limit=limit)]
    if as_json:
        print_json([_line(line) for line in lines])
        return
    listed = table("revision", "when", "who", "what", "changes")
    for line in lines:
        is_version = line.kind == "customization"
        told = changes(line.old, line.new, lambda _: "") if is_version else []
        text = "\n".join(change.text for change in told)
        what = f"{line.kind} {line.action}"
        listed.add_row(str(line.revision), full_text(line.at), line.actor, what, text)
    console.print(listed)


def _line(line: ChangeRow) -> object:
    return line_shown(
        line.revision, line.kind, line.subject, line.action, line.actor, line.at, line.new
    )


@click.command()
@tracker_option
@click.option("--at", metavar="TIME", help="To a moment, ISO 8601, e.g. 2026-11-27T08:00:00Z.")
@click.option(
    "--to", "revision", type=click.IntRange(0, REVISION_MAX), help="To a revision instead."
)
@click.option("--customization", "id", metavar="ID", help="This one alone; with --to.")
@dry_run_option
@json_option
@click.pass_context
def restore(
    ctx: click.Context,
    /,
    tracker: str,
    at: str | None,
    revision: int | None,
    id: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Make customizations again what they were, at a moment or a revision; all of them, or nothing.

    It is in the history like any other action, and can be undone.

    \b
    What would change, and then one customization's earlier version:
      endcap restore --tracker 1234-5678 --at 2026-11-27T08:00:00Z --dry-run
      endcap restore --tracker 1234-5678 --customization ID --to 1042
    """
    if (at is None) is (revision is None):
        raise UsageFault("Name a moment (--at) or a revision (--to)")
    with parts(ctx) as built:
        where = tracker_id(built, tracker)
        if id is not None:
            if revision is None:
                raise UsageFault("One customization is restored to a revision of its own: --to")
            _restore_one(
                built, where, CustomizationId(id.lower()), revision, dry_run=dry_run, json=as_json
            )
            return
        if at is not None:
            moment = read_moment(at, "at")
            if moment > built.service.clock():
                raise UsageFault("--at must be past")
            revision = built.versions.revision_at(where, moment)
        assert revision is not None
        reversal = built.versions.restoring(where, revision)
        _carry_out(built, where, reversal, {"to": revision}, dry_run=dry_run, as_json=as_json)
    if reversal.skipped:
        ctx.exit(1)


def _restore_one(
    built: Parts,
    tracker: TrackerId,
    id: CustomizationId,
    revision: int,
    *,
    dry_run: bool,
    json: bool,
) -> None:
    write = built.versions.restoring_one(
        tracker, id, revision, actor=ACTOR, now=built.service.clock()
    )
    done = None if dry_run else commit(built, write).revision
    if json:
        print_json({"id": id, "to": revision, "dry_run": dry_run, "revision": done})
    elif done is None:
        console.print(f"{id} would be what it was at revision {revision}", soft_wrap=True)
    else:
        console.print(f"{id} is what it was at revision {revision}", soft_wrap=True)


@click.command()
@tracker_option
@click.option(
    "--revision",
    type=click.IntRange(1, REVISION_MAX),
    help="Of the action; default: the last one, whoever did it.",
)
@dry_run_option
@json_option
@click.pass_context
def undo(
    ctx: click.Context, /, tracker: str, revision: int | None, *, dry_run: bool, as_json: bool
) -> None:
    """
    Take an action back, be it of one customization or of thousands.

    What somebody changed since is left alone, and counted. Undoing an undo does it again.

    \b
    The last action, and one that `endcap history` names:
      endcap undo --tracker 1234-5678 --dry-run
      endcap undo --tracker 1234-5678 --revision 1042
    """
    with parts(ctx) as built:
        where = tracker_id(built, tracker)
        versions = built.versions
        action = (
            versions.last_action(where) if revision is None else versions.action(where, revision)
        )
        told = {
            "action": {
                "actor": action.actor,
                "at": seconds_text(action.at),
                "first": action.first,
                "last": action.last,
            }
        }
        if not as_json:
            console.print(f"What {action.actor} did on {full_text(action.at)}", soft_wrap=True)
        reversal = versions.undoing(where, action)
        _carry_out(built, where, reversal, told, dry_run=dry_run, as_json=as_json)
    if reversal.skipped:
        ctx.exit(1)


def _carry_out(
    built: Parts,
    tracker: TrackerId,
    reversal: Reversal,
    of: Mapping[str, Any],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    revision = None
    if reversal.steps and not dry_run:
        write = reversal.write(tracker, actor=ACTOR, now=built.service.clock())
        revision = commit(built, write).revision
    if as_json:
        print_json(_told(reversal, of, revision, dry_run=dry_run))
        return
    would = "would be " if dry_run else ""
    kinds = "drafts" if reversal.steps and reversal.told[0].kind == "draft" else "customizations"
    console.print(
        f"{reversal.count('created'):,} {would}created, {reversal.count('changed'):,} {would}changed, "
        f"{reversal.count('deleted'):,} {would}deleted ({kinds})",
        soft_wrap=True,
    )
    for id_, reason in list(reversal.skipped.items())[:SHOWN]:
        errors.print(f"{id_} is left alone: {reason}", soft_wrap=True)


def _told(
    reversal: Reversal, of: Mapping[str, Any], revision: int | None, *, dry_run: bool
) -> Mapping[str, Any]:
    changed: Sequence[Mapping[str, str]] = [
        {"id": step.id, "kind": step.kind, "became": step.became} for step in reversal.told
    ]
    return {
        **of,
        "dry_run": dry_run,
        "created": reversal.count("created"),
        "changed": reversal.count("changed"),
        "deleted": reversal.count("deleted"),
        "skipped": reversal.skipped,
        "changes": changed,
        "revision": revision,
    }
