"""
`endcap tracker …`: shops and their private keys.
"""

import click
from rich.table import Table

from endcap.api.app import Parts
from endcap.cli.support import commit, console, errors, json_option, parts, print_json, tracker_id
from endcap.clock import system_clock
from endcap.domain import TrackerId
from endcap.errors import UsageFault
from endcap.store.port import AddKey, CreateTracker, RevokeKey
from endcap.vault import new_private_key
from endcap.wire.reading import seconds_text

ACTOR = "cli"
TRACKER_CHARACTERS_MAX = 100


@click.group()
def tracker() -> None:
    """
    Create trackers, list them, change their keys.

    A tracker is one shop: a catalog, recommenders, customizations, and one or more private keys that sign requests.
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
    """Create tracker ID and print its private key, once."""
    if not id or len(id) > TRACKER_CHARACTERS_MAX or not id.isprintable() or set(id) & set(":/? "):
        raise UsageFault(
            "A tracker id is a short text without colon, slash, question mark or space, e.g. 1234-5678"
        )
    key = _checked(private_key)
    with parts(ctx) as built:
        sealed = built.vault.seal(key)
        commit(built, CreateTracker(TrackerId(id), name or id, sealed, ACTOR, system_clock()))
    if as_json:
        print_json({"tracker": id, "name": name or id, "private_key": key})
        return
    console.print(f"Tracker     {id}")
    console.print(f"Private key {key}", soft_wrap=True, markup=False)
    console.print(
        "Keep the key: it is not shown again. Next: endcap import catalog FILE --tracker " + id
    )


@tracker.command("list")
@json_option
@click.pass_context
def list_(ctx: click.Context, /, *, as_json: bool) -> None:
    """List trackers."""
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
    table = Table("tracker", "name", "revision", "keys", "recommenders", "created")
    for row in rows:
        table.add_row(
            row.id,
            row.name,
            str(row.revision),
            str(len(row.sealed_keys)),
            row.artifact or "not built",
            seconds_text(row.created_at),
        )
    console.print(table if rows else "No trackers yet. Next: endcap tracker create 1234-5678")


@tracker.command("rotate-key")
@click.argument("id")
@click.option("--private-key", help="Add this key; default: a new one.")
@json_option
@click.pass_context
def rotate_key(ctx: click.Context, /, id: str, private_key: str | None, *, as_json: bool) -> None:
    """Add a private key to tracker ID. The old ones stay live until `endcap tracker revoke-key`."""
    key = _checked(private_key)
    with parts(ctx) as built:
        known = tracker_id(built, id)
        if key in _keys(built, known):
            raise UsageFault("The tracker has this key already")
        commit(built, AddKey(known, built.vault.seal(key), ACTOR, system_clock()))
    if as_json:
        print_json({"tracker": id, "private_key": key})
        return
    console.print(f"Private key {key}", soft_wrap=True, markup=False)
    console.print("Give it to every client, then: endcap tracker revoke-key ID OLD-KEY")


@tracker.command("revoke-key")
@click.argument("id")
@click.argument("key")
@click.pass_context
def revoke_key(ctx: click.Context, /, id: str, key: str) -> None:
    """Stop KEY from signing for tracker ID. The last key cannot be revoked."""
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
