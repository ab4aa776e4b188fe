"""
`endcap user …`: every command, that it works and how it is refused.
"""

from pathlib import Path

import pytest

from endcap.accounts import ROLES
from endcap.errors import SignInRefused
from endcap.identities import Identities, Vouched
from tests.cli.driver import TRACKER, Shell, unwrapped

PASSWORD = "a long enough password"


def create(shell: Shell, name: str = "ann", *more: str) -> None:
    shell.call("user", "create", name, *more, input=f"{PASSWORD}\n")


def can_sign_in(shell: Shell, name: str = "ann", password: str = PASSWORD) -> bool:
    parts = shell.parts()
    try:
        parts.accounts.sign_in(name, password, address="192.0.2.1")
    except SignInRefused:
        return False
    finally:
        parts.accounts.close()
        parts.store.close()
    return True


def test_a_password_comes_from_standard_input(shell: Shell) -> None:
    """Its first line, and what follows is left alone."""
    shell.call("user", "create", "Ann", "--role", "admin", input=f"{PASSWORD}\nmore\n")

    assert can_sign_in(shell)
    (ann,) = shell.json("user", "list")
    assert {key: ann[key] for key in ("user", "roles", "disabled")} == {
        "user": "ann",
        "roles": {"*": "admin"},
        "disabled": False,
    }


def test_a_password_can_be_made(shell: Shell) -> None:
    """It is printed once, and nowhere kept."""
    made = shell.json("user", "create", "ci", "--generate", "--tracker", TRACKER)

    assert made["roles"] == {TRACKER: "viewer"}
    assert can_sign_in(shell, "ci", made["password"])
    assert made["password"] not in shell.call("user", "show", "ci").output


@pytest.mark.parametrize(
    ("arguments", "input", "code", "said"),
    [
        (["create", "ann", "--tracker", "unknown"], PASSWORD, 1, "unknown does not exist"),
        (["create", "ann"], "short", 1, "Must have 12 to 1,000 characters"),
        (["create", "ann"], "", 2, "--generate"),
        (["create", "Not a name"], PASSWORD, 2, "e.g. ann or ann@example.com"),
        (["create", "ann", "--role", "king"], PASSWORD, 2, "king"),
        (["show", "nobody"], None, 1, "nobody does not exist; there are: bob"),
        (["role", "nobody", "admin"], None, 1, "nobody does not exist"),
        (["password", "nobody", "--generate"], None, 1, "nobody does not exist"),
        (["disable", "nobody"], None, 1, "nobody does not exist"),
        (["enable", "nobody"], None, 1, "nobody does not exist"),
        (["delete", "nobody"], None, 1, "nobody does not exist"),
        (["sign-out", "nobody"], None, 1, "nobody does not exist"),
        (["create", "bob"], PASSWORD, 1, "This user exists"),
        (["password", "bob"], "bob", 1, "Must have 12"),
    ],
)
def test_what_cannot_be_is_refused(
    shell: Shell, arguments: list[str], input: str | None, code: int, said: str
) -> None:
    """With what would do."""
    create(shell, "bob")

    result = shell.call("user", *arguments, input=input, code=code)

    assert said in unwrapped(result.stderr)


@pytest.mark.parametrize("role", ROLES)
def test_roles_are_given_and_taken(shell: Shell, role: str) -> None:
    """In one tracker or in all; a tracker that is gone can still be taken away."""
    create(shell)

    shell.call("user", "role", "ann", role, "--tracker", TRACKER)
    given = shell.json("user", "show", "ann")["roles"]
    shell.call("user", "role", "ann", "none", "--tracker", TRACKER)
    shell.call("user", "role", "ann", "none")

    assert given == {"*": "viewer", TRACKER: role}
    assert shell.json("user", "show", "ann")["roles"] == {}


def test_a_new_password_ends_sessions(shell: Shell) -> None:
    """And is the one that counts."""
    create(shell)
    assert can_sign_in(shell)

    shell.call("user", "password", "ann", input="another long password\n")

    assert shell.json("user", "show", "ann")["sessions"] == []
    assert not can_sign_in(shell)
    assert can_sign_in(shell, password="another long password")


def test_disabling_and_enabling(shell: Shell) -> None:
    """A disabled user has no session and gets none."""
    create(shell)
    can_sign_in(shell)

    shell.call("user", "disable", "ann")
    disabled = (can_sign_in(shell), shell.json("user", "show", "ann"))
    shell.call("user", "enable", "ann")

    assert disabled[0] is False
    assert (disabled[1]["disabled"], disabled[1]["sessions"]) == (True, [])
    assert can_sign_in(shell)


def test_signing_out_everywhere(shell: Shell) -> None:
    """How many sessions ended is said."""
    create(shell)
    can_sign_in(shell)
    can_sign_in(shell)

    assert shell.json("user", "sign-out", "ann") == {"user": "ann", "ended": 2}
    assert "0 sessions ended" in shell.call("user", "sign-out", "ann").stderr


def test_deleting_leaves_the_log(shell: Shell) -> None:
    """A namesake sees what was done to the name before."""
    create(shell)
    shell.call("user", "delete", "ann")
    assert shell.json("user", "list") == []
    create(shell)

    events = [line["event"] for line in shell.json("user", "show", "ann")["log"]]

    assert sorted(events) == ["created", "created", "deleted"]


def test_lists_are_for_people_too(shell: Shell) -> None:
    """Tables, and what to do where there is nothing."""
    assert "endcap user create" in shell.call("user", "list").stderr
    create(shell, "ann", "--role", "publisher", "--tracker", TRACKER)

    assert f"publisher in {TRACKER}" in unwrapped(shell.call("user", "list").stdout)
    shown = unwrapped(shell.call("user", "show", "ann").stdout)
    assert "Nowhere signed in" in shown
    assert "created" in shown


def test_no_password_is_an_argument() -> None:
    """A command line is seen by other users of the machine."""
    source = (Path(__file__).parents[2] / "src/endcap/cli/users.py").read_text()

    assert '"--password"' not in source


def test_a_link_signs_in_once(shell: Shell) -> None:
    """It is printed with its address, within which only its token is a secret; the log tells who made it."""
    create(shell, "ann", "--role", "admin")
    made = shell.json("user", "link", "ann")

    assert made["url"].startswith("http://127.0.0.1:8000/console/link?token=")
    assert made["seconds"] == 600
    token = made["url"].partition("token=")[2]
    parts = shell.parts()
    try:
        assert parts.accounts.sign_in_by_link(token, address="192.0.2.1")
        with pytest.raises(SignInRefused):
            parts.accounts.sign_in_by_link(token, address="192.0.2.1")
    finally:
        parts.accounts.close()
        parts.store.close()
    shown = shell.json("user", "show", "ann")
    assert "link_made" in [each["event"] for each in shown["log"]]


def test_a_link_for_who_may_not_sign_in_is_refused(shell: Shell) -> None:
    """Disabled, or nobody."""
    create(shell)
    shell.call("user", "disable", "ann")

    assert "is disabled" in unwrapped(shell.call("user", "link", "ann", code=1).output)
    assert "does not exist" in unwrapped(shell.call("user", "link", "bob", code=1).output)


def test_who_signs_in_by_a_provider_is_shown_so(shell: Shell) -> None:
    """Without a password, and by whom."""
    create(shell)
    parts = shell.parts()
    try:
        Identities(parts.accounts).sign_in(
            Vouched("https://login.example/", "1234", email="eve@shop.example"),
            address="192.0.2.1",
        )
    finally:
        parts.accounts.close()
        parts.store.close()

    shown = shell.json("user", "show", "eve@shop.example")
    assert shown["password_at"] is None
    assert shown["identities"] == [{"issuer": "https://login.example/", "subject": "1234"}]
    said = unwrapped(shell.call("user", "show", "eve@shop.example").output)
    assert "No password" in said
    assert "Signs in by https://login.example/ as 1234" in said
