"""
`endcap draft …`: what customizations may become.
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
from endcap.domain import CustomizationId
from endcap.store.writes import DiscardDraft, ScheduleDraft
from endcap.web.words import full_text
from endcap.wire.past import draft_shown, read_moment

ACTOR = "cli"
LISTED_MAX = 1_000


@click.group()
def draft() -> None:
    """
    See drafts, publish them now or at a time, discard them.

    A draft is what a customization may become. Editors save them in the console or through the API; shoppers see none
    of them until they are published.

    \b
    Publish one tomorrow morning, by whichever worker runs then:
      endcap draft publish ID --tracker 1234-5678 --at 2026-11-27T06:00:00Z
    """


@draft.command("list")
@tracker_option
@json_option
@click.pass_context
def list_(ctx: click.Context, /, tracker: str, *, as_json: bool) -> None:
    """
    List drafts, those to be published first.

    \b
    Example:
      endcap draft list --tracker 1234-5678
    """
    with parts(ctx) as built:
        where = tracker_id(built, tracker)
        found = built.store.drafts(where, limit=LISTED_MAX)
        total = built.store.count_drafts(where)
    if total > len(found):
        errors.print(f"These are {len(found):,} of {total:,}; the console shows all.")
    if as_json:
        print_json([draft_shown(each) for each in found])
        return
    listed = table("customization", "saved", "by", "published at", "held because")
    for each in found:
        at = "" if each.publish_at is None else full_text(each.publish_at)
        listed.add_row(each.id, full_text(each.updated_at), each.author, at, each.held or "")
    console.print(listed)
    if not found:
        errors.print("There are no drafts.")


@draft.command()
@tracker_option
@click.argument("id")
@click.option(
    "--at",
    metavar="TIME",
    help="At this moment, ISO 8601, e.g. 2026-11-27T06:00:00Z; default: now.",
)
@click.option(
    "--not-at-all", is_flag=True, help="Take the moment back: it is not published by itself."
)
@click.pass_context
def publish(
    ctx: click.Context, /, tracker: str, id: str, at: str | None, *, not_at_all: bool
) -> None:
    """
    Publish the draft of customization ID, now or at a time.

    It is refused if somebody has changed what is published since the draft was made from it; the console shows both.

    \b
    Examples:
      endcap draft publish ID --tracker 1234-5678
      endcap draft publish ID --tracker 1234-5678 --at 2026-11-27T06:00:00Z
    """
    with parts(ctx) as built:
        where, known = tracker_id(built, tracker), CustomizationId(id.lower())
        now = built.service.clock()
        if at is None and not not_at_all:
            commit(built, built.drafts.publishing(where, known, actor=ACTOR, now=now))
            console.print(f"{known} is published", soft_wrap=True)
            return
        moment = None if at is None or not_at_all else read_moment(at, "at")
        built.drafts.check_time(moment, now=now)
        commit(built, ScheduleDraft(where, known, moment, ACTOR, now))
    if moment is None:
        console.print(f"{known} is not published by itself", soft_wrap=True)
    else:
        console.print(f"{known} is published on {full_text(moment)}", soft_wrap=True)


@draft.command()
@tracker_option
@click.argument("id")
@click.pass_context
def discard(ctx: click.Context, /, tracker: str, id: str) -> None:
    """
    Discard the draft of customization ID. The history keeps it.

    \b
    Example:
      endcap draft discard ID --tracker 1234-5678
    """
    with parts(ctx) as built:
        known = CustomizationId(id.lower())
        now = built.service.clock()
        commit(built, DiscardDraft(tracker_id(built, tracker), known, ACTOR, now))
    console.print(f"The draft of {known} is discarded", soft_wrap=True)
