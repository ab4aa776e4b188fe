"""
`endcap artifact …`: what was built, whether it is whole, how to go back, and how the builds go.
"""

import sys
from pathlib import Path
from typing import Any

import click
from msgspec import Struct, structs

from endcap.api.app import Parts
from endcap.cli.support import (
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
from endcap.domain import Micros, TrackerId
from endcap.lease import claim
from endcap.publishing import earlier, pointer, prune, roll_back
from endcap.recommend import archive
from endcap.recommend.archive import Archived
from endcap.recommend.artifact import artifacts_directory
from endcap.schedule import Schedule, due_at
from endcap.store.states import Build, BuildRecord
from endcap.wire.reading import seconds_text

ACTOR = "cli"
_KILO, _MEGA = 1_000, 1_000_000
_name = click.argument("name", required=False)


class Row(Struct, frozen=True):
    """An artifact, as `list` tells it."""

    artifact: str
    served: bool
    built_at: str | None
    items: int
    users: int
    lines: int
    bytes: int
    readable: bool
    """Whether it has a manifest; what the manifest vouches for is not looked at."""


class Status(Struct, frozen=True):
    """The builds of a tracker, as `status` tells them."""

    tracker: str
    served: str | None
    running: str | None
    """The step under way."""
    result: str | None
    reason: str | None
    ended_at: str | None
    built_at: str | None
    built_seconds: float | None
    failures: int
    paused: bool
    next_at: str | None
    """As this command's ENDCAP_BUILD_EVERY says; null: by command alone, or paused."""


@click.group()
def artifact() -> None:
    """
    See, verify and go back to what was built.

    An artifact is what one build learned: a folder of files that never change. A tracker points to one of them. The
    last ones are kept (ENDCAP_ARTIFACTS_KEPT), so that a build that learned the wrong thing can be undone at once.

    \b
    Serve the one before, and build when the orders are right again:
      endcap artifact list --tracker 1234-5678
      endcap artifact rollback --tracker 1234-5678 --pause
      endcap build --tracker 1234-5678
    """


@artifact.command("list")
@tracker_option
@json_option
@click.pass_context
def list_(ctx: click.Context, /, tracker: str, *, as_json: bool) -> None:
    """
    List the artifacts of a tracker, newest first.

    \b
    Example:
      endcap artifact list --tracker 1234-5678
    """
    with parts(ctx) as built:
        known = tracker_id(built, tracker)
        served = pointer(built.store, known)
        rows = [_row(each, served) for each in archive.archived(_folder(built, known))]
    if as_json:
        print_json({"tracker": tracker, "served": served, "artifacts": rows})
        return
    if not rows:
        errors.print(f"No artifacts yet. Next: endcap build --tracker {tracker}", soft_wrap=True)
        return
    listed = table("artifact", "", "items", "users", "order lines", "size")
    for row in rows:
        state = "served" if row.served else "" if row.readable else "broken"
        numbers = (f"{count:,}" for count in (row.items, row.users, row.lines))
        listed.add_row(row.artifact, state, *numbers, _size(row.bytes))
    console.print(listed)
    if served is not None and all(row.artifact != served for row in rows):
        errors.print(f"{served} is pointed to and is not here.", soft_wrap=True)


@artifact.command(short_help="Show one: files, counts, who published it.")
@_name
@tracker_option
@json_option
@click.pass_context
def show(ctx: click.Context, /, name: str | None, tracker: str, *, as_json: bool) -> None:
    """
    Show artifact NAME (default: the one that is served): its files, and who published it when.

    \b
    Example:
      endcap artifact show --tracker 1234-5678
    """
    with parts(ctx) as built:
        known = tracker_id(built, tracker)
        served = pointer(built.store, known)
        chosen = name or served or earlier(built.settings.data_dir, known, None)
        path = archive.find(_folder(built, known), chosen)
        published = [
            {"at": seconds_text(change.at), "by": change.actor, "revision": change.revision}
            for change in built.store.history(known, subject=chosen)
            if change.kind == "artifact"
        ]
    (found,) = [each for each in archive.archived(path.parent) if each.name == chosen]
    manifest = None if found.manifest is None else structs.asdict(found.manifest)
    if as_json:
        about = structs.asdict(_row(found, served))
        print_json({**about, "manifest": manifest, "published": published})
        return
    console.print(f"artifact    {chosen}{'  (served)' if chosen == served else ''}")
    console.print(f"folder      {path}", soft_wrap=True)
    if found.manifest is None:
        console.print("Its manifest cannot be read: this is no artifact any more.")
        return
    for what, count in found.manifest.counts.items():
        console.print(f"{what:<12}{count:,}")
    for each in published:
        console.print(f"published   {each['at']} by {each['by']}, revision {each['revision']}")
    listed = table("file", "size", "sha256")
    for file, digest in found.manifest.files.items():
        size = (path / file).stat().st_size if (path / file).exists() else 0
        listed.add_row(file, _size(size), digest[:16])
    console.print(listed)


@artifact.command(short_help="Compare every byte with its checksum.")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@tracker_option
@json_option
@click.pass_context
def verify(ctx: click.Context, /, names: tuple[str, ...], tracker: str, *, as_json: bool) -> None:
    """
    Compare every byte of artifacts (default: all) with their checksums. Ends with 1 if one is broken.

    \b
    Example, after a disk had trouble:
      endcap artifact verify --tracker 1234-5678
    """
    with parts(ctx) as built:
        folder = _folder(built, tracker_id(built, tracker))
    paths = [archive.find(folder, name) for name in names]
    paths = paths or [each.path for each in archive.archived(folder)]
    faults = {path.name: archive.fault_of(path) for path in paths}
    if as_json:
        print_json(
            [{"artifact": name, "ok": fault is None, "fault": fault} for name, fault in faults.items()]
        )  # fmt: skip
    else:
        for name, fault in faults.items():
            console.print(f"{'ok     ' if fault is None else 'BROKEN '} {name}")
            if fault is not None:
                errors.print(f"        {fault}", soft_wrap=True)
    if any(faults.values()):
        sys.exit(1)


@artifact.command(short_help="Serve an earlier artifact.")
@_name
@tracker_option
@click.option("--pause", is_flag=True, help="Keep the schedule from building this tracker.")
@click.option("--by", default=ACTOR, show_default=True, help="Who does it, for the audit log.")
@click.option("--dry-run", is_flag=True, help="Say what would be served, change nothing.")
@json_option
@click.pass_context
def rollback(
    ctx: click.Context,
    /,
    name: str | None,
    tracker: str,
    by: str,
    *,
    pause: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Serve artifact NAME (default: the one built before the one that is served).

    It is verified first, and every worker takes it over at once. The schedule builds again when there are new orders,
    unless it is told to pause; `endcap build` and `endcap artifact resume` end a pause.

    \b
    Examples:
      endcap artifact rollback --tracker 1234-5678 --pause
      endcap artifact rollback 20261121T040000Z-0123abcd --tracker 1234-5678
    """
    with parts(ctx) as built:
        known, data_dir = tracker_id(built, tracker), built.settings.data_dir
        before = pointer(built.store, known)
        chosen = name or earlier(data_dir, known, before)
        if dry_run:
            fault = archive.fault_of(archive.find(_folder(built, known), chosen))
            report: dict[str, Any] = {"artifact": chosen, "before": before, "fault": fault}
        else:
            published = roll_back(
                built.store, data_dir, known, chosen, actor=by, now=system_clock()
            )
            if pause:
                built.store.pause_build(known, paused=True)
            report = {"artifact": chosen, "before": before, "revision": published.revision}
    if as_json:
        print_json(report)
    elif dry_run:
        console.print(f"Would serve {chosen} instead of {before}.", soft_wrap=True)
        if report["fault"]:
            errors.print(report["fault"], soft_wrap=True)
    else:
        console.print(f"Served since revision {report['revision']}: {chosen}", soft_wrap=True)
        if pause:
            errors.print("The schedule is paused for this tracker until the next `endcap build`.")
    if report.get("fault"):
        sys.exit(1)


@artifact.command("prune")
@tracker_option
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    help="Artifacts to keep beside the one served; default: ENDCAP_ARTIFACTS_KEPT.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be deleted, delete nothing.")
@json_option
@click.pass_context
def prune_(
    ctx: click.Context, /, tracker: str, keep: int | None, *, dry_run: bool, as_json: bool
) -> None:
    """
    Delete older artifacts, and what killed builds left behind. Every build does it at its end.

    The one that is served stays, and so do those that were served within the last ten minutes: somebody may be reading
    them.

    \b
    Example:
      endcap artifact prune --tracker 1234-5678 --keep 1 --dry-run
    """
    with parts(ctx) as built:
        known, settings = tracker_id(built, tracker), built.settings
        lease = claim(
            built.store, known, clock=system_clock
        )  # else the leftovers may be somebody's work
        try:
            pruned = prune(
                built.store,
                settings.data_dir,
                known,
                keep=settings.artifacts_kept if keep is None else keep,
                now=system_clock(),
                dry_run=dry_run,
            )
        finally:
            lease.release()
    if as_json:
        print_json(pruned)
        return
    for each in (*pruned.artifacts, *pruned.leftovers):
        console.print(("Would delete " if dry_run else "Deleted ") + each)
    console.print(f"{_size(pruned.bytes)} in {len(pruned.artifacts)} artifacts.")


@artifact.command(short_help="Say how the builds go, and when the next is.")
@click.option("--tracker", metavar="ID", help="One tracker; default: all.")
@json_option
@click.pass_context
def status(ctx: click.Context, /, tracker: str | None, *, as_json: bool) -> None:
    """
    Say how the builds go: what is under way, how the last one ended, when the next is due.

    \b
    Example:
      endcap artifact status
    """
    with parts(ctx) as built:
        chosen = None if tracker is None else tracker_id(built, tracker)
        builds, schedule = built.store.builds(), built.settings.schedule
        now = system_clock()
        found = [
            _status(row.id, row.artifact, builds.get(row.id), schedule, now)
            for row in built.store.trackers()
            if chosen in (None, row.id)
        ]
    if as_json:
        print_json(found)
        return
    listed = table("tracker", "last attempt", "last success", "took", "now")
    for each in found:
        last = each.result or "none"
        if each.reason:
            last = f"{last}: {each.reason} ({each.failures} in a row)"
        if each.ended_at:
            last = f"{each.ended_at} {last}"
        took = "" if each.built_seconds is None else f"{each.built_seconds:.1f} s"
        listed.add_row(each.tracker, last, each.built_at or "never", took, _present(each))
    console.print(listed)


@artifact.command(short_help="Keep the schedule from building a tracker.")
@tracker_option
@click.pass_context
def pause(ctx: click.Context, /, tracker: str) -> None:
    """
    Keep the schedule from building a tracker, until `resume` or the next `endcap build`.

    \b
    Example:
      endcap artifact pause --tracker 1234-5678
    """
    with parts(ctx) as built:
        built.store.pause_build(tracker_id(built, tracker), paused=True)
    errors.print("The schedule leaves this tracker alone.")


@artifact.command()
@tracker_option
@click.pass_context
def resume(ctx: click.Context, /, tracker: str) -> None:
    """
    Let the schedule build a tracker again.

    \b
    Example:
      endcap artifact resume --tracker 1234-5678
    """
    with parts(ctx) as built:
        built.store.pause_build(tracker_id(built, tracker), paused=False)
    errors.print("The schedule builds this tracker again.")


def _folder(built: Parts, tracker: TrackerId) -> Path:
    return artifacts_directory(built.settings.data_dir, tracker)


def _row(each: Archived, served: str | None) -> Row:
    manifest = each.manifest
    counts = {} if manifest is None else manifest.counts
    return Row(
        artifact=each.name,
        served=each.name == served,
        built_at=None if manifest is None else manifest.built,
        items=counts.get("items", 0),
        users=counts.get("users", 0),
        lines=counts.get("lines", 0),
        bytes=each.bytes,
        readable=manifest is not None,
    )


def _status(
    tracker: TrackerId,
    served: str | None,
    build: Build | None,
    schedule: Schedule | None,
    now: Micros,
) -> Status:
    record = BuildRecord() if build is None else build.record
    next_at = None if schedule is None else due_at(schedule, build)
    running = build is not None and build.is_held_by_somebody(now)
    return Status(
        tracker=tracker,
        served=served,
        running=(record.step or "starting") if running else None,
        result=record.result,
        reason=record.reason,
        ended_at=_text(record.ended_at),
        built_at=_text(record.built_at),
        built_seconds=record.built_seconds,
        failures=record.failures,
        paused=build is not None and build.is_paused,
        next_at=None if next_at is None else _text(Micros(max(next_at, now))),
    )


def _present(status: Status) -> str:
    if status.running is not None:
        return f"building: {status.running}"
    if status.paused:
        return "paused"
    return "by command" if status.next_at is None else f"next {status.next_at}"


def _text(at: Micros | None) -> str | None:
    return None if at is None else seconds_text(at)


def _size(count: int) -> str:
    return f"{count / _MEGA:,.1f} MB" if count >= _MEGA else f"{count / _KILO:,.1f} kB"
