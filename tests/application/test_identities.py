"""
Who somebody is here whom a provider vouches for: what they are called, and what they may do.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.accounts import Accounts
from endcap.errors import SignInRefused, UsageFault
from endcap.identities import Identities, Vouched, _names
from endcap.roles import ROLES, RoleMap, read_role_map
from endcap.store import open_accounts, open_store
from tests.api.driver import ToldClock

ISSUER = "https://login.example/"
ANYWHERE = "192.0.2.1"


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    url = f"sqlite:///{tmp_path / 'endcap.db'}"
    store = open_store(url)
    store.migrate()
    store.close()
    accounts = Accounts(open_accounts(url), clock=ToldClock("2025-01-22T08:49:58Z"))
    yield accounts
    accounts.close()


def names(accounts: Accounts) -> list[str]:
    return [each.name for each in accounts.store.accounts()]


def test_people_of_one_name_are_told_apart(accounts: Accounts) -> None:
    """By a mark of their own: nobody becomes another by being called like them."""
    identities = Identities(accounts)
    for subject in ("1", "2", "3"):
        identities.sign_in(Vouched(ISSUER, subject, name="Ann Smith"), address=ANYWHERE)
        identities.sign_in(Vouched(ISSUER, subject, name="Ann Smith"), address=ANYWHERE)

    found = names(accounts)
    assert len(found) == 3
    assert found[0] == "ann-smith"
    assert all(each.startswith("ann-smith-") for each in found[1:])


def test_nobody_is_linked_by_a_name(accounts: Accounts) -> None:
    """Nor by an address that is not verified, which does not even reach this."""
    accounts.create("root", "a long enough password", {"*": ROLES["admin"]}, actor="test")
    identities = Identities(accounts, link_by_email=True)

    identities.sign_in(Vouched(ISSUER, "1", name="root"), address=ANYWHERE)

    assert accounts.store.identities("root") == []
    assert len(names(accounts)) == 2


def test_who_was_here_before_is_linked_where_that_is_wanted(accounts: Accounts) -> None:
    """By a verified address that is their name, once; from then on by what the provider calls them."""
    accounts.create("ann@shop.example", "a long enough password", {"*": ROLES["viewer"]}, actor="t")
    role_map = read_role_map(["merchandisers=publisher"])
    identities = Identities(accounts, roles=role_map, link_by_email=True)
    groups = frozenset({"merchandisers"})

    identities.sign_in(
        Vouched(ISSUER, "1", email="Ann@Shop.Example", groups=groups), address=ANYWHERE
    )
    identities.sign_in(
        Vouched(ISSUER, "1", email="new@shop.example", groups=groups), address=ANYWHERE
    )

    assert names(accounts) == ["ann@shop.example"]
    account = accounts.account("ann@shop.example")
    assert account.roles == {"*": "publisher"}
    assert [each.subject for each in accounts.store.identities(account.name)] == ["1"]
    Identities(accounts).sign_in(Vouched(ISSUER, "2", email="ann@shop.example"), address=ANYWHERE)
    assert len(names(accounts)) == 2


def test_only_some_domains_may_sign_in(accounts: Accounts) -> None:
    """The whole of what follows the last at sign, in any letters."""
    identities = Identities(accounts, email_domains=("@Shop.example",))

    identities.sign_in(Vouched(ISSUER, "1", email="ann@SHOP.example"), address=ANYWHERE)
    for email in ("", "ann@evil-shop.example", "ann@shop.example.evil", "shop.example"):
        with pytest.raises(SignInRefused, match="domains"):
            identities.sign_in(Vouched(ISSUER, "2", email=email), address=ANYWHERE)

    assert names(accounts) == ["ann@shop.example"]


def test_a_disabled_user_is_not_linked(accounts: Accounts) -> None:
    """And gets no other account instead."""
    accounts.create("ann@shop.example", "a long enough password", {}, actor="test")
    accounts.switch("ann@shop.example", disabled=True, actor="test")
    identities = Identities(accounts, link_by_email=True)

    with pytest.raises(SignInRefused, match="disabled"):
        identities.sign_in(Vouched(ISSUER, "1", email="Ann@Shop.Example"), address=ANYWHERE)

    assert names(accounts) == ["ann@shop.example"]


def test_who_has_no_password_has_none_to_guess(accounts: Accounts) -> None:
    """Not even the empty one."""
    Identities(accounts).sign_in(Vouched(ISSUER, "1", name="ann"), address=ANYWHERE)

    for password in ("", "anything"):
        with pytest.raises(SignInRefused):
            accounts.sign_in("ann", password, address=ANYWHERE)


@given(st.text(max_size=130), st.text(max_size=130), st.text(min_size=1, max_size=40))
def test_there_is_always_a_name(email: str, name: str, subject: str) -> None:
    """Whatever somebody is called elsewhere, one that may be used here and that only they get is among them."""
    found = list(_names(Vouched(ISSUER, subject, email, name)))

    assert found
    assert found[-1].startswith("user-")
    assert all(0 < len(each) <= 100 for each in found)


def test_a_map_gives_the_highest_role(accounts: Accounts) -> None:
    """Of each tracker; a group may have an equals sign in its name."""
    roles = read_role_map(["a=viewer@1", "b=publisher@1", "a=editor", "cn=x=admin@2"])
    assert roles is not None

    assert roles.roles(["a", "b", "cn=x", "unknown"]) == {
        "*": "editor",
        "1": "publisher",
        "2": "admin",
    }
    assert roles.roles(["unknown"]) == {}
    assert read_role_map([]) is None
    assert RoleMap({}).roles(["a"]) == {}


@pytest.mark.parametrize("text", ["a", "=viewer", "a=", "a=owner", "a=viewer@", "a=Viewer"])
def test_a_map_that_says_nothing_is_refused(text: str) -> None:
    """With what it should look like."""
    with pytest.raises(UsageFault, match="GROUP=ROLE"):
        read_role_map([text])
