"""
What the application asks of a database for people: accounts, their sessions, the files that they have just brought, and
the log of signing in.

A port beside `port.Store`, because none of it belongs to a tracker, and no mirror follows it: whoever must know whether
a session is still good asks. Promised by every adapter, and held to by one contract suite:

* Every call is one transaction: when it returns, all is durable; when it raises, nothing happened.
* What ends sessions (a new password, a disabled or deleted account) ends them in that transaction, so that the next
  `session` of any process finds none.
* The line of the log that a call is given is written with what it tells of, or not at all.

An AccountStore may be used from several threads at once. An unreachable or locked database raises StoreUnavailable.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from endcap.domain import Micros

Event = Literal[
    "failed",
    "signed_in",
    "signed_out",
    "signed_out_everywhere",
    "created",
    "deleted",
    "disabled",
    "enabled",
    "password",
    "role",
    "linked",
    "link_made",
]


class Account(Struct, frozen=True):
    """
    Somebody who may sign in. `name` is in small letters; `password` is Argon2's encoding of it, or empty where there is
    none; `roles` is the name of a role by tracker, `*` standing for all trackers.
    """

    name: str
    password: str
    roles: Mapping[str, str]
    created_at: Micros
    password_at: Micros
    disabled: bool = False


class Session(Struct, frozen=True):
    """One browser that is signed in. `digest` is of its token, which is kept nowhere."""

    digest: str
    account: str
    created_at: Micros
    seen_at: Micros
    address: str
    agent: str


class SignIn(Struct, frozen=True):
    """A line of the log. `account` is what was typed: of a failed attempt it may be nobody's name."""

    id: str
    account: str
    address: str
    event: Event
    actor: str
    at: Micros


class Failures(Struct, frozen=True):
    """Failed attempts of late: from this address with this name, with this name, from this address."""

    of_both: int
    of_account: int
    of_address: int


class SignInFilter(Struct, frozen=True):
    """Which lines of the log; an empty field selects everything. `since` is with, `until` without its instant."""

    who: str | None = None
    """The account, or who acted on it."""
    events: tuple[str, ...] = ()
    since: Micros | None = None
    until: Micros | None = None


class Identity(Struct, frozen=True):
    """Whom a provider of OpenID Connect calls `subject`, for ever and nobody else; and who that is here."""

    issuer: str
    subject: str
    account: str
    linked_at: Micros


class Upload(Struct, frozen=True):
    """
    What somebody brought and was shown as a plan, until they say yes or the hour is over. `facts` is JSON that says
    what it is; `content` comes back as it was given.
    """

    id: str
    account: str
    tracker: str
    made_at: Micros
    facts: bytes
    content: bytes


class AccountStore(Protocol):
    inline: bool
    """Whether a point read takes microseconds, so that it may be made on an event loop."""

    def close(self) -> None: ...

    # Accounts

    def account(self, name: str) -> Account | None: ...

    def accounts(self) -> Sequence[Account]:
        """All, ordered by name."""

    def add(self, account: Account, line: SignIn) -> bool:
        """False, and nothing is written, if there is one with this name; so below if there is none."""

    def give_role(self, name: str, tracker: str, role: str | None, line: SignIn) -> bool:
        """None takes the role away."""

    def set_roles(self, name: str, roles: Mapping[str, str], line: SignIn) -> bool:
        """All of them at once; the line is written only where that changes any."""

    def set_password(
        self, name: str, password: str, line: SignIn, *, but: str | None = None
    ) -> bool:
        """Ends the account's sessions, `but` the one with that digest."""

    def rehash(self, name: str, password: str, *, known: str) -> None:
        """The same password in another encoding, if the present one is still the known one. No session ends."""

    def switch(self, name: str, *, disabled: bool, line: SignIn) -> bool:
        """Disabling ends the account's sessions."""

    def remove(self, name: str, line: SignIn) -> bool:
        """With its sessions, uploads, identities and links. The log stays."""

    # Sessions

    def begin(self, session: Session, line: SignIn) -> bool:
        """False if the account is gone or disabled by now."""

    def session(self, digest: str) -> tuple[Session, Account] | None:
        """A session whose account may sign in, and the account as it is now."""

    def sessions(self, name: str) -> Sequence[Session]:
        """Of an account, the last seen first."""

    def touch(self, digest: str, seen_at: Micros) -> None: ...

    def end(self, digest: str, line: SignIn) -> None: ...

    def end_all(self, name: str, line: SignIn, *, but: str | None = None) -> int:
        """How many there were."""

    # Other ways in

    def identified(self, issuer: str, subject: str) -> Account | None:
        """Whose identity that is, also of an account that is disabled."""

    def identities(self, name: str) -> Sequence[Identity]:
        """Of an account, the oldest first."""

    def link(self, identity: Identity, line: SignIn) -> bool:
        """False if its account is gone, or somebody has the identity already."""

    def enrol(self, account: Account, identity: Identity, line: SignIn) -> bool:
        """A new account with its identity; False, and nothing is written, if either is there already."""

    def hold_link(self, digest: str, name: str, at: Micros, line: SignIn) -> bool:
        """A link of an account, in place of one it had. False if the account is gone or disabled."""

    def link_of(self, digest: str, *, since: Micros) -> str | None:
        """The account of a link that was made since an instant."""

    def use_link(self, digest: str, *, since: Micros) -> str | None:
        """The same, and the link is gone: of two at once only one gets it."""

    # Uploads

    def hold(self, upload: Upload, *, kept: int, since: Micros) -> bool:
        """
        False if the account is gone or disabled by now. Of the account's only so many of the newest are kept, and of
        nobody those that were made before an instant.
        """

    def upload(self, id: str, account: str, *, since: Micros) -> Upload | None:
        """That account's own, if it was made since an instant."""

    # The log

    def note(self, line: SignIn) -> None: ...

    def withdraw(self, id: str) -> None:
        """Takes an attempt back that turned out not to have failed."""

    def failures(self, account: str, address: str, *, since: Micros) -> Failures:
        """
        Failed attempts after an instant; of those with both name and address only such as came after the last time
        when that pair signed in.
        """

    def log(self, name: str | None = None, *, limit: int) -> Sequence[SignIn]:
        """The last lines of an account or of all, the newest first."""

    def lines(
        self, filter: SignInFilter, *, before: tuple[Micros, str] | None = None, limit: int
    ) -> Sequence[SignIn]:
        """Lines before an instant and id (None: from the end), the newest first; of one instant by id, falling."""

    def purge(self, *, begun_before: Micros, seen_before: Micros, noted_before: Micros) -> None:
        """Deletes sessions that began or were last seen before, and lines of the log of before."""
