"""
Who somebody is here whom a provider of OpenID Connect vouches for, and what they may do.

They are known by what the provider calls them (issuer and subject), and by nothing else: names and e-mail addresses
change hands. Who is new gets an account without a password. Where roles follow from groups they do so at every sign-in.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from endcap.accounts import NAME_CHARACTERS_MAX, Accounts, checked_name, normal_name
from endcap.errors import SignInRefused, UsageFault
from endcap.roles import RoleMap
from endcap.store.accounts import Account, Identity
from endcap.telemetry import log

ACTOR = "sign-in provider"
_SEPARATOR = re.compile(r"[^a-z0-9._@+-]+")


class Vouched(Struct, frozen=True):
    """
    Whom a provider vouches for. `email` is empty unless it is verified; `name` is what they would like to be called.
    """

    issuer: str
    subject: str
    email: str = ""
    name: str = ""
    groups: frozenset[str] = frozenset()


class Identities:
    """One a process. Blocks: callers on an event loop use a thread."""

    def __init__(
        self,
        accounts: Accounts,
        *,
        roles: RoleMap | None = None,
        email_domains: Sequence[str] = (),
        link_by_email: bool = False,
    ) -> None:
        self._accounts = accounts
        self._store = accounts.store
        self._roles = roles
        self._domains = frozenset(domain.lower().removeprefix("@") for domain in email_domains)
        self._link_by_email = link_by_email

    def sign_in(self, who: Vouched, *, address: str, agent: str = "") -> str:
        """Begins a session and returns its token. Raises SignInRefused that says why."""
        try:
            account = self._account(who)
        except SignInRefused as refused:
            log.warning("sign-in refused", user=who.email, address=address, reason=str(refused))
            raise
        return self._accounts.begin(account.name, address=address, agent=agent)

    def _account(self, who: Vouched) -> Account:
        self._check_domain(who)
        known = self._store.identified(who.issuer, who.subject)
        roles = None if self._roles is None else self._roles.roles(who.groups)
        if known is not None and roles is not None:  # also where that leaves none
            line = self._accounts.line(known.name, "role", ACTOR)
            self._store.set_roles(known.name, roles, line)
        if roles == {}:
            raise SignInRefused("None of your groups has a role here. Ask an administrator")
        account = known or self._linked(who, roles) or self._enrolled(who, roles or {})
        if account.disabled:
            raise SignInRefused("Your user is disabled. Ask an administrator")
        return account

    def _check_domain(self, who: Vouched) -> None:
        _, at, domain = who.email.rpartition("@")
        if self._domains and not (at and domain.lower() in self._domains):
            raise SignInRefused(
                "Only people with a verified e-mail address of certain domains may sign in here. Ask an administrator"
            )

    def _linked(self, who: Vouched, roles: Mapping[str, str] | None) -> Account | None:
        """Somebody who was here before, by an address that is verified, where that is wanted."""
        if not self._link_by_email or not who.email:
            return None
        account = self._store.account(normal_name(who.email))
        if account is None or account.disabled:
            return account
        identity = self._identity(who, account.name)
        if not self._store.link(identity, self._accounts.line(account.name, "linked", ACTOR)):
            return None
        if roles is not None:
            line = self._accounts.line(account.name, "role", ACTOR)
            self._store.set_roles(account.name, roles, line)
        return account

    def _enrolled(self, who: Vouched, roles: Mapping[str, str]) -> Account:
        for name in _names(who):
            now = self._accounts.clock()
            account = Account(name, "", roles, now, now)
            line = self._accounts.line(name, "created", ACTOR)
            if self._store.enrol(account, self._identity(who, name), line):
                return account
            known = self._store.identified(who.issuer, who.subject)
            if known is not None:  # by another window of theirs, meanwhile
                return known
        raise SignInRefused("There is no name left for you here. Ask an administrator")

    def _identity(self, who: Vouched, name: str) -> Identity:
        return Identity(who.issuer, who.subject, name, self._accounts.clock())


def _names(who: Vouched) -> Iterator[str]:
    """What somebody may be called here: as they are elsewhere, else with a mark that only they have."""
    mark = hashlib.sha256(f"{who.issuer} {who.subject}".encode()).hexdigest()[:8]
    wishes = [
        _SEPARATOR.sub("-", normal_name(each)).strip("-._+@") for each in (who.email, who.name)
    ]
    found = [each for each in wishes if each]
    for name in [
        *found,
        *(f"{each[: NAME_CHARACTERS_MAX - 9]}-{mark}" for each in found),
        f"user-{mark}",
    ]:
        try:
            yield checked_name(name)
        except UsageFault:
            continue
