"""
`endcap tracker …`: shops and their private keys.
"""

import re

import click

from endcap.api.app import Parts
from endcap.cli.support import (
    commit,
    console,
    errors,
    json_option,
    parts,
    print_json,
    table,
    tracker_id,
)
from endcap.clock import system_clock
from endcap.domain import TrackerId
from endcap.errors import UsageFault
from endcap.store.writes import AddKey, CreateTracker, RevokeKey
from endcap.vault import new_private_key
from endcap.wire.reading import seconds_text

ACTOR = "cli"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}")
"""What a path shows as it is: clients sign paths as they are sent, and some would spell other characters anew."""
_DATE_CHARACTERS = len("2025-01-22")


@click.group()
def tracker() -> None:
    """
    Create trackers, list them, change their keys.

    A tracker is one shop: a catalog, recommenders, customizations, and one or more private keys that sign requests.

    \b
    A new key without a moment of refused requests:
      endcap tracker rotate-key 1234-5678           both keys are live
      endcap tracker revoke-key 1234-5678 OLD-KEY   once all clients have the new
    """


@tracker.command()
@click.argument("id")
@click.option("--name", default="", help="For people.")
@click.option(
    "--private-key",
    help="Take this key over, e.g. the one that a moving shop's clients sign with already; default: a new one.",
)
@json_option
@click.pass_context
def create(
    ctx: click.Context, id: str, name: str, private_key: str | None, *, as_json: bool
) -> None:
    """
    Create tracker ID and print its private key, once.

    \b
    Examples:
      endcap tracker create 1234-5678 --name "Guitar shop"
      endcap tracker create 1234-5678 --private-key your_private_api_key
    """
    if not _ID.fullmatch(id):
        raise UsageFault(
            "A tracker id is made of up to 100 letters, digits, dots, dashes, underscores and tildes and begins "
            "with a letter or a digit, e.g. 1234-5678"
        )
    key = _checked(private_key)
    with parts(ctx) as built:
        sealed = built.vault.seal(key)
        commit(built, CreateTracker(TrackerId(id), name or id, sealed, ACTOR, system_clock()))
    if as_json:
        print_json({"tracker": id, "name": name or id, "private_key": key})
        return
    console.print(f"Tracker     {id}", soft_wrap=True)
    console.print(f"Private key {key}", soft_wrap=True)
    errors.print("Keep the key: it is not shown again.")
    errors.print(f"Next: endcap import catalog FILE --tracker {id}", soft_wrap=True)


@tracker.command("list")
@json_option
@click.pass_context
def list_(ctx: click.Context, /, *, as_json: bool) -> None:
    """
    List trackers.

    The revision counts the writes to a tracker; recommenders are named by the time when they were built.

    \b
    Example, for a program:
      endcap tracker list --json
    """
    with parts(ctx) as built:
        rows = built.store.trackers()
    if as_json:
        print_json(
            [
                {
                    "tracker": row.id,
                    "name": row.name,
                    "revision": row.revision,
                    "keys": len(row.sealed_keys),
                    "artifact": row.artifact,
                    "created_at": seconds_text(row.created_at),
                }
                for row in rows
            ]
        )
        return
    if not rows:
        errors.print("No trackers yet. Next: endcap tracker create 1234-5678")
        return
    listed = table("tracker", "name", "revision", "keys", "recommenders", "created")
    for row in rows:
        listed.add_row(
            row.id,
            row.name,
            str(row.revision),
            str(len(row.sealed_keys)),
            row.artifact or "not built",
            seconds_text(row.created_at)[:_DATE_CHARACTERS],
        )
    console.print(listed)


@tracker.command("rotate-key")
@click.argument("id")
@click.option("--private-key", help="Add this key; default: a new one.")
@json_option
@click.pass_context
def rotate_key(ctx: click.Context, /, id: str, private_key: str | None, *, as_json: bool) -> None:
    """
    Add a private key to tracker ID and print it, once. The old ones stay live until `endcap tracker revoke-key`.

    \b
    Example:
      endcap tracker rotate-key 1234-5678
    """
    key = _checked(private_key)
    with parts(ctx) as built:
        known = tracker_id(built, id)
        if key in _keys(built, known):
            raise UsageFault("The tracker has this key already")
        commit(built, AddKey(known, built.vault.seal(key), ACTOR, system_clock()))
    if as_json:
        print_json({"tracker": id, "private_key": key})
        return
    console.print(f"Private key {key}", soft_wrap=True)
    errors.print("Keep the key: it is not shown again. The old ones stay live.")
    errors.print(
        f"Next, when every client has it: endcap tracker revoke-key {id} OLD-KEY", soft_wrap=True
    )


@tracker.command("revoke-key")
@click.argument("id")
@click.argument("key")
@click.pass_context
def revoke_key(ctx: click.Context, /, id: str, key: str) -> None:
    """
    Stop KEY from signing for tracker ID. The last key cannot be revoked.

    \b
    Example:
      endcap tracker revoke-key 1234-5678 OLD-KEY
    """
    with parts(ctx) as built:
        known = tracker_id(built, id)
        sealed = _keys(built, known).get(key)
        if sealed is None:
            raise UsageFault("The tracker has no such key")
        commit(built, RevokeKey(known, sealed, ACTOR, system_clock()))
    errors.print("Revoked. Requests signed with it are refused from now on.")


def _keys(built: Parts, id: TrackerId) -> dict[str, bytes]:
    """A tracker's private keys with their sealed forms."""
    row = built.store.tracker(id)
    return {built.vault.open(sealed): sealed for sealed in (row.sealed_keys if row else ())}


def _checked(private_key: str | None) -> str:
    if private_key is None:
        return new_private_key()
    if not private_key.strip() or private_key != private_key.strip():
        raise UsageFault("The private key is empty, or has spaces around it")
    return private_key
