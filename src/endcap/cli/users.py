"""
`endcap user …`: who may sign in to the console, and as what.

A password is asked for at the terminal, or is the first line of standard input: an argument would be visible to other
users of the machine.
"""

import getpass
import os
import sys
from collections.abc import Mapping

import click

from endcap.accounts import (
    EVERY_TRACKER,
    LINK_SECONDS,
    PASSWORD_CHARACTERS_MAX,
    PASSWORD_CHARACTERS_MIN,
    ROLES,
    check_password,
    checked_name,
    generated_password,
)
from endcap.api.app import Parts
from endcap.cli.support import (
    console,
    errors,
    json_option,
    parts,
    print_json,
    table,
    tracker_id,
)
from endcap.errors import UsageFault
from endcap.store.accounts import Account, Session, SignIn
from endcap.wire.reading import seconds_text

LOG_LINES = 20
_DATE_CHARACTERS = len("2025-01-22")

name_argument = click.argument("name")
generate_option = click.option(
    "--generate", is_flag=True, help="Make a password and print it, once."
)
role_choice = click.Choice([*ROLES])


@click.group()
def user() -> None:
    """
    Say who may sign in to the console, and as what.

    \b
    A role is for one tracker or for all; each may do what the ones before may:
      viewer     look at everything
      editor     change what shoppers do not see, e.g. tags
      publisher  change what shoppers see
      admin      all of it

    \b
    A first user, and somebody who looks after one shop:
      endcap user create ann --role admin
      endcap user create bob --role publisher --tracker 1234-5678
    """


@user.command()
@name_argument
@click.option(
    "--role", type=role_choice, default="viewer", show_default=True, help="What they may do."
)
@click.option(
    "--tracker", metavar="ID", help="In this tracker only; default: in all, those to come as well."
)
@generate_option
@json_option
@click.pass_context
def create(
    ctx: click.Context,
    /,
    name: str,
    role: str,
    tracker: str | None,
    *,
    generate: bool,
    as_json: bool,
) -> None:
    """
    Create user NAME. The password is asked for, or read from standard input.

    \b
    Examples:
      endcap user create ann --role admin
      endcap user create bob@example.com --role editor --tracker 1234-5678
      endcap user create ci --generate --json
    """
    known = checked_name(name)
    with parts(ctx) as built:
        where = _tracker(built, tracker)
        password = _password(known, generate=generate)
        account = built.accounts.create(known, password, {where: ROLES[role]}, actor=_actor())
    if as_json:
        shown = {"user": account.name, "roles": dict(account.roles)}
        print_json(shown | ({"password": password} if generate else {}))
        return
    console.print(f"User     {account.name}", soft_wrap=True)
    if generate:
        console.print(f"Password {password}", soft_wrap=True)
        errors.print("Keep the password: it is not shown again.")
    errors.print(f"{_roles(account.roles)}. Next: sign in at /console", soft_wrap=True)


@user.command("list")
@json_option
@click.pass_context
def list_(ctx: click.Context, /, *, as_json: bool) -> None:
    """
    List users.

    \b
    Example, for a program:
      endcap user list --json
    """
    with parts(ctx) as built:
        accounts = built.accounts.store.accounts()
    if as_json:
        print_json([_shape(each) for each in accounts])
        return
    if not accounts:
        errors.print("No users yet. Next: endcap user create NAME --role admin")
        return
    listed = table("user", "roles", "state", "created")
    for each in accounts:
        listed.add_row(
            each.name,
            _roles(each.roles),
            "disabled" if each.disabled else "may sign in",
            seconds_text(each.created_at)[:_DATE_CHARACTERS],
        )
    console.print(listed)


@user.command()
@name_argument
@json_option
@click.pass_context
def show(ctx: click.Context, /, name: str, *, as_json: bool) -> None:
    """
    Show user NAME: roles, sessions, latest log lines.

    \b
    Example:
      endcap user show ann
    """
    with parts(ctx) as built:
        account = built.accounts.account(name)
        sessions = built.accounts.store.sessions(account.name)
        identities = built.accounts.store.identities(account.name)
        lines = built.accounts.store.log(account.name, limit=LOG_LINES)
    if as_json:
        print_json(
            _shape(account)
            | {
                "identities": [
                    {"issuer": each.issuer, "subject": each.subject} for each in identities
                ],
                "sessions": [_session(each) for each in sessions],
                "log": [_line(each) for each in lines],
            }
        )
        return
    console.print(f"User     {account.name}", soft_wrap=True)
    console.print(f"Roles    {_roles(account.roles)}", soft_wrap=True)
    console.print("State    " + ("disabled" if account.disabled else "may sign in"))
    console.print(
        f"Password set {seconds_text(account.password_at)}" if account.password else "No password"
    )
    for identity in identities:
        console.print(f"Signs in by {identity.issuer} as {identity.subject}", soft_wrap=True)
    seen = table("last seen", "signed in", "address", "browser", title="Sessions")
    for each in sessions:
        seen.add_row(*_session(each).values())
    console.print(seen if sessions else "Nowhere signed in.")
    logged = table("when", "what", "by", "address", title="Log")
    for line in lines:
        logged.add_row(*_line(line).values())
    console.print(logged)


@user.command()
@name_argument
@click.argument("role", type=click.Choice([*ROLES, "none"]))
@click.option("--tracker", metavar="ID", help="In this tracker; default: in all.")
@json_option
@click.pass_context
def role(
    ctx: click.Context, /, name: str, role: str, tracker: str | None, *, as_json: bool
) -> None:
    """
    Give user NAME a ROLE, or none. Sessions go on, with the new role from their next request.

    \b
    Examples:
      endcap user role bob publisher --tracker 1234-5678
      endcap user role bob none --tracker 1234-5678
    """
    with parts(ctx) as built:
        account = built.accounts.account(name)
        where = _tracker(built, tracker, known=account.roles)
        built.accounts.give_role(name, where, ROLES.get(role), actor=_actor())
        account = built.accounts.account(name)
    _tell(account, as_json=as_json, said=_roles(account.roles))


@user.command()
@name_argument
@generate_option
@json_option
@click.pass_context
def password(ctx: click.Context, /, name: str, *, generate: bool, as_json: bool) -> None:
    """
    Set the password of user NAME. It is asked for, or read from standard input. Sessions end.

    \b
    Examples:
      endcap user password ann
      endcap user password ann --generate
    """
    with parts(ctx) as built:
        account = built.accounts.account(name)
        chosen = _password(account.name, generate=generate)
        built.accounts.set_password(account.name, chosen, actor=_actor())
    if as_json:
        print_json({"user": account.name} | ({"password": chosen} if generate else {}))
        return
    if generate:
        console.print(f"Password {chosen}", soft_wrap=True)
        errors.print("Keep the password: it is not shown again.")
    errors.print(f"{account.name} has a new password and is signed out everywhere.")


@user.command()
@name_argument
@json_option
@click.pass_context
def disable(ctx: click.Context, /, name: str, *, as_json: bool) -> None:
    """
    Keep user NAME from signing in. Sessions end at once, in every worker.

    \b
    Example:
      endcap user disable bob
    """
    with parts(ctx) as built:
        built.accounts.switch(name, disabled=True, actor=_actor())
        account = built.accounts.account(name)
    _tell(account, as_json=as_json, said="disabled, and signed out everywhere")


@user.command()
@name_argument
@json_option
@click.pass_context
def enable(ctx: click.Context, /, name: str, *, as_json: bool) -> None:
    """
    Let user NAME sign in again.

    \b
    Example:
      endcap user enable bob
    """
    with parts(ctx) as built:
        built.accounts.switch(name, disabled=False, actor=_actor())
        account = built.accounts.account(name)
    _tell(account, as_json=as_json, said="may sign in")


@user.command()
@name_argument
@json_option
@click.pass_context
def delete(ctx: click.Context, /, name: str, *, as_json: bool) -> None:
    """
    Delete user NAME. What they did stays in the history, under their name.

    \b
    Example:
      endcap user delete bob
    """
    with parts(ctx) as built:
        account = built.accounts.account(name)
        built.accounts.remove(name, actor=_actor())
    _tell(account, as_json=as_json, said="deleted")


@user.command("sign-out")
@name_argument
@json_option
@click.pass_context
def sign_out(ctx: click.Context, /, name: str, *, as_json: bool) -> None:
    """
    End every session of user NAME, at once, in every worker.

    \b
    Example:
      endcap user sign-out ann
    """
    with parts(ctx) as built:
        account = built.accounts.account(name)
        ended = built.accounts.sign_out_everywhere(name, actor=_actor())
    if as_json:
        print_json({"user": account.name, "ended": ended})
    else:
        errors.print(f"{account.name}: {ended} session{'' if ended == 1 else 's'} ended")


@user.command()
@name_argument
@json_option
@click.pass_context
def link(ctx: click.Context, /, name: str, *, as_json: bool) -> None:
    """
    Make a link that signs user NAME in, once, within ten minutes.

    The way back for who cannot sign in otherwise: where passwords are switched off and the sign-in provider is away.
    Whoever has the link is NAME. A new one takes the place of the one before.

    \b
    Example:
      endcap user link ann
    """
    with parts(ctx) as built:
        account = built.accounts.account(name)
        token = built.accounts.make_link(account.name, actor=_actor())
        settings = built.settings
    base = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    url = f"{base}/console/link?token={token}"
    if as_json:
        print_json({"user": account.name, "url": url, "seconds": LINK_SECONDS})
        return
    console.print(url, soft_wrap=True)
    errors.print(f"It signs {account.name} in once, for {LINK_SECONDS // 60} minutes from now.")


def _tell(account: Account, *, as_json: bool, said: str) -> None:
    if as_json:
        print_json(_shape(account))
    else:
        errors.print(f"{account.name}: {said}", soft_wrap=True)


def _actor() -> str:
    """Whoever has the terminal. The log shall tell it apart from users of the console."""
    return f"cli:{os.environ.get('SUDO_USER') or os.environ.get('USER') or os.getuid()}"


def _tracker(built: Parts, tracker: str | None, known: Mapping[str, str] = {}) -> str:
    """Raises TrackerNotFound. A role may be taken away for a tracker that is no longer there."""
    if tracker is None or tracker == EVERY_TRACKER:
        return EVERY_TRACKER
    return tracker if tracker in known else tracker_id(built, tracker)


def _password(name: str, *, generate: bool) -> str:
    """Raises AccountFault, UsageFault."""
    if generate:
        return generated_password()
    if not sys.stdin.isatty():
        given = sys.stdin.readline().rstrip("\r\n")
        if not given:
            raise UsageFault(
                "Standard input has no password in its first line; use --generate to have one made"
            )
        check_password(given, name=name)
        return given
    errors.print(
        f"A password of {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX:,} characters"
    )
    given = getpass.getpass("Password: ")
    check_password(given, name=name)
    if getpass.getpass("Once more: ") != given:
        raise UsageFault("The two passwords are not the same; nothing was changed")
    return given


def _roles(roles: Mapping[str, str]) -> str:
    said = [
        f"{role} in {'every tracker' if tracker == EVERY_TRACKER else tracker}"
        for tracker, role in sorted(roles.items())
    ]
    return ", ".join(said) or "no role: give one with endcap user role"


def _shape(account: Account) -> dict[str, object]:
    return {
        "user": account.name,
        "roles": dict(account.roles),
        "disabled": account.disabled,
        "created_at": seconds_text(account.created_at),
        "password_at": seconds_text(account.password_at) if account.password else None,
    }


def _session(session: Session) -> dict[str, str]:
    return {
        "seen_at": seconds_text(session.seen_at),
        "created_at": seconds_text(session.created_at),
        "address": session.address,
        "agent": session.agent,
    }


def _line(line: SignIn) -> dict[str, str]:
    return {
        "at": seconds_text(line.at),
        "event": line.event,
        "actor": line.actor,
        "address": line.address,
    }
