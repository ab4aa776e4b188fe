"""
Who may sign in to the console, as what, and for how long.

An account has a password, kept as Argon2id's encoding (RFC 9106), or none, and a role by tracker. Signing in begins a
session: the browser keeps a random token, the store its digest. Every request asks the store for the session, so that
one that was ended is over in every process at once. Failed attempts are counted by name and address before a password
is looked at, and a name that nobody has costs the same time as one that somebody has.

Knows nothing of HTTP or cookies. Verifying a password takes tens of milliseconds and 64 MiB: callers on an event loop
use `sign_in_aside` and its like, which have a bounded number of threads.
"""

import asyncio
import base64
import hashlib
import ipaddress
import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import uuid4

import argon2
from msgspec import Struct

from endcap.clock import Clock, system_clock
from endcap.domain import Micros
from endcap.errors import AccountFault, SignInRefused, TooManyAttempts, UsageFault
from endcap.roles import EVERY_TRACKER as EVERY_TRACKER
from endcap.roles import ROLES as ROLES
from endcap.roles import Role as Role
from endcap.store.accounts import Account, AccountStore, Event, Session, SignIn
from endcap.telemetry import log

T = TypeVar("T")

PASSWORD_CHARACTERS_MIN = 12  # long enough that a guess a second would take for ever
PASSWORD_CHARACTERS_MAX = 1_000
NAME_CHARACTERS_MAX = 100
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]*")
TOKEN_BYTES = 32
GENERATED_BYTES = 15  # 20 characters of base64, 120 bits

# Failed attempts in this time after which the next must wait. A pair of name and address may try few times; a name from
# anywhere more often, so that others can hardly lock its owner out; an address more often, since offices share one.
ATTEMPTS_SECONDS = 15 * 60
ATTEMPTS_OF_BOTH_MAX = 5
ATTEMPTS_OF_ADDRESS_MAX = 30
ATTEMPTS_OF_ACCOUNT_MAX = 100

VERIFIERS_MAX = 2  # passwords looked at at once: each takes 64 MiB
WAITING_MAX = 50  # beyond it, whoever tries is told to come back
TOUCH_SECONDS = 60  # between two notes of when a session was last seen
LOG_DAYS = 400
LINK_SECONDS = 10 * 60
_MICROS = 1_000_000
AGENT_CHARACTERS_MAX = 200


class SignedIn(Struct, frozen=True):
    """Who asks: the account as it is now, and the session it asks in."""

    name: str
    roles: Mapping[str, Role]
    session: str
    """The digest of the session's token."""
    csrf: str
    """What forms of this session must carry: who knows it has read a page of ours."""

    def role(self, tracker: str) -> Role | None:
        """The higher of the roles for this tracker and for every tracker."""
        found = [self.roles[each] for each in (tracker, EVERY_TRACKER) if each in self.roles]
        return max(found, default=None)


class Accounts:
    """One a process; every argument is what a test may want to decide."""

    def __init__(
        self,
        store: AccountStore,
        *,
        idle_seconds: float = 8 * 3_600,
        session_seconds: float = 7 * 24 * 3_600,
        clock: Clock = system_clock,
        hasher: argon2.PasswordHasher | None = None,
        new_token: Callable[[], str] = lambda: secrets.token_urlsafe(TOKEN_BYTES),
    ) -> None:
        self.store = store
        self.clock = clock
        self.session_seconds = session_seconds
        self._idle_micros = round(idle_seconds * _MICROS)
        self._session_micros = round(session_seconds * _MICROS)
        self._hasher = hasher or argon2.PasswordHasher()
        self.new_token = new_token
        self._nobodys = ""
        self._verifiers = ThreadPoolExecutor(VERIFIERS_MAX, thread_name_prefix="verifier")
        self._waiting = 0

    def close(self) -> None:
        self._verifiers.shutdown(cancel_futures=True)
        self.store.close()

    # Accounts: for operators

    def create(self, name: str, password: str, roles: Mapping[str, Role], *, actor: str) -> Account:
        """Raises AccountFault."""
        known = checked_name(name)
        check_password(password, name=known)
        now = self.clock()
        words = {tracker: role.word for tracker, role in roles.items()}
        account = Account(known, self._hasher.hash(_normal(password)), words, now, now)
        if not self.store.add(account, self.line(known, "created", actor)):
            raise AccountFault("This user exists", {"user": [known]})
        return account

    def account(self, name: str) -> Account:
        """Raises AccountFault."""
        known = normal_name(name)
        account = self.store.account(known)
        if account is None:
            raise _unknown(known, [each.name for each in self.store.accounts()])
        return account

    def give_role(self, name: str, tracker: str, role: Role | None, *, actor: str) -> None:
        """None takes it away. Raises AccountFault."""
        account = self.account(name)
        word = None if role is None else role.word
        self._found(
            account,
            self.store.give_role(
                account.name, tracker, word, self.line(account.name, "role", actor)
            ),
        )

    def set_password(
        self, name: str, password: str, *, actor: str, keep: str | None = None
    ) -> None:
        """Ends the account's sessions but the one whose digest is to be kept. Raises AccountFault."""
        account = self.account(name)
        check_password(password, name=account.name)
        encoded = self._hasher.hash(_normal(password))
        line = self.line(account.name, "password", actor)
        self._found(account, self.store.set_password(account.name, encoded, line, but=keep))

    def switch(self, name: str, *, disabled: bool, actor: str) -> None:
        """Raises AccountFault."""
        account = self.account(name)
        line = self.line(account.name, "disabled" if disabled else "enabled", actor)
        self._found(account, self.store.switch(account.name, disabled=disabled, line=line))

    def remove(self, name: str, *, actor: str) -> None:
        """Raises AccountFault."""
        account = self.account(name)
        line = self.line(account.name, "deleted", actor)
        self._found(account, self.store.remove(account.name, line))

    def sign_out_everywhere(self, name: str, *, actor: str, keep: str | None = None) -> int:
        """How many sessions ended. Raises AccountFault."""
        account = self.account(name)
        line = self.line(account.name, "signed_out_everywhere", actor)
        return self.store.end_all(account.name, line, but=keep)

    # Sessions: for people

    def sign_in(self, name: str, password: str, *, address: str, agent: str = "") -> str:
        """Begins a session and returns its token. Raises SignInRefused, TooManyAttempts."""
        name, place = normal_name(name)[:NAME_CHARACTERS_MAX], network(address)
        self._check_attempts(name, place)
        attempt = self.line(name, "failed", name, address=place)
        self.store.note(
            attempt
        )  # before the password is looked at: attempts made at once all count
        account = self.store.account(name)
        if not self._is_password(account, password):
            log.warning("sign-in refused", user=name, address=address)
            raise SignInRefused
        assert account is not None
        token = self.begin(account.name, address=address, agent=agent)
        self.store.withdraw(attempt.id)
        self._rehash(account, password)
        return token

    def begin(self, name: str, *, address: str, agent: str = "") -> str:
        """A session of an account, whoever it was that vouched for it. Returns its token. Raises SignInRefused."""
        token, now = self.new_token(), self.clock()
        session = Session(digest(token), name, now, now, address, agent[:AGENT_CHARACTERS_MAX])
        line = self.line(name, "signed_in", name, address=network(address))
        if not self.store.begin(session, line):
            raise SignInRefused
        self._purge()
        log.info("signed in", user=name, address=address)
        return token

    async def sign_in_aside(
        self, name: str, password: str, *, address: str, agent: str = ""
    ) -> str:
        """The same in a thread. Raises TooManyAttempts besides when too many are waiting."""
        return await self._aside(lambda: self.sign_in(name, password, address=address, agent=agent))

    # Links: a way in for one time, made at the server

    def make_link(self, name: str, *, actor: str) -> str:
        """A token in place of one that the account had. Raises AccountFault for one that may not sign in."""
        account, token = self.account(name), self.new_token()
        line = self.line(account.name, "link_made", actor)
        if not self.store.hold_link(digest(token), account.name, self.clock(), line):
            raise AccountFault(
                "This user may not sign in", {"user": [f"{account.name} is disabled"]}
            )
        return token

    def link_owner(self, token: str) -> str | None:
        """Whom a link is for, if it is still good."""
        return self.store.link_of(digest(token), since=self._links_since())

    def sign_in_by_link(self, token: str, *, address: str, agent: str = "") -> str:
        """Begins a session and returns its token; the link is gone. Raises SignInRefused."""
        name = self.store.use_link(digest(token), since=self._links_since())
        if name is None:
            raise SignInRefused("This link is used or over; who runs the server can make another")
        return self.begin(name, address=address, agent=agent)

    def _links_since(self) -> Micros:
        return Micros(self.clock() - LINK_SECONDS * _MICROS)

    # Who asks

    def find(self, token: str) -> SignedIn | None:
        """Who asks with this token, if its session is still good."""
        found = self.store.session(digest(token))
        if found is None:
            return None
        session, account = found
        now = self.clock()
        idle = now - session.seen_at
        if idle > self._idle_micros or now - session.created_at > self._session_micros:
            return None
        if idle > TOUCH_SECONDS * _MICROS:
            self.store.touch(session.digest, now)
        roles = {tracker: ROLES[word] for tracker, word in account.roles.items() if word in ROLES}
        return SignedIn(account.name, roles, session.digest, csrf(token))

    def sign_out(self, who: SignedIn, *, address: str) -> None:
        line = self.line(who.name, "signed_out", who.name, address=network(address))
        self.store.end(who.session, line)

    def change_password(self, who: SignedIn, *, old: str, new: str, address: str) -> None:
        """One's own; the other sessions end. Raises AccountFault, SignInRefused, TooManyAttempts."""
        place = network(address)
        check_password(new, name=who.name)
        self._check_attempts(who.name, place)
        attempt = self.line(who.name, "failed", who.name, address=place)
        self.store.note(attempt)
        if not self._is_password(self.store.account(who.name), old):
            raise SignInRefused("The present password is not right")
        self.store.withdraw(attempt.id)
        self.set_password(who.name, new, actor=who.name, keep=who.session)

    async def change_password_aside(
        self, who: SignedIn, *, old: str, new: str, address: str
    ) -> None:
        """The same in a thread."""
        await self._aside(lambda: self.change_password(who, old=old, new=new, address=address))

    # Within

    async def _aside(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise TooManyAttempts(1)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._verifiers, work)
        finally:
            self._waiting -= 1

    def _check_attempts(self, name: str, place: str) -> None:
        since = Micros(self.clock() - ATTEMPTS_SECONDS * _MICROS)
        failures = self.store.failures(name, place, since=since)
        if (
            failures.of_both >= ATTEMPTS_OF_BOTH_MAX
            or failures.of_address >= ATTEMPTS_OF_ADDRESS_MAX
            or failures.of_account >= ATTEMPTS_OF_ACCOUNT_MAX
        ):
            log.warning("sign-in throttled", user=name, address=place)
            raise TooManyAttempts(ATTEMPTS_SECONDS)

    def _is_password(self, account: Account | None, password: str) -> bool:
        """In the same time for nobody's account as for somebody's."""
        if not self._nobodys:
            self._nobodys = self._hasher.hash(secrets.token_urlsafe(TOKEN_BYTES))
        known = account is not None and not account.disabled and bool(account.password)
        encoded = account.password if account is not None and account.password else self._nobodys
        try:
            self._hasher.verify(encoded, _normal(password[:PASSWORD_CHARACTERS_MAX]))
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        return known

    def _rehash(self, account: Account, password: str) -> None:
        """Parameters grow with the years; the one moment to follow is when the password is at hand."""
        if self._hasher.check_needs_rehash(account.password):
            encoded = self._hasher.hash(_normal(password))
            self.store.rehash(account.name, encoded, known=account.password)

    def _purge(self) -> None:
        now = self.clock()
        self.store.purge(
            begun_before=Micros(now - self._session_micros),
            seen_before=Micros(now - self._idle_micros),
            noted_before=Micros(now - LOG_DAYS * 24 * 3_600 * _MICROS),
        )

    def line(self, account: str, event: Event, actor: str, *, address: str = "") -> SignIn:
        """A line of the log, of this moment."""
        return SignIn(uuid4().hex, account, address, event, actor, self.clock())

    def _found(self, account: Account, found: bool) -> None:
        """Between the look and the change somebody may have deleted it."""
        if not found:
            raise _unknown(account.name, [each.name for each in self.store.accounts()])


def checked_name(name: str) -> str:
    """A new user's name in small letters. Raises UsageFault."""
    known = normal_name(name)
    if len(known) > NAME_CHARACTERS_MAX or not _NAME.fullmatch(known):
        raise UsageFault(
            f"A user's name has up to {NAME_CHARACTERS_MAX} letters a to z, digits, dots, dashes, underscores, plus "
            "and at signs, and begins with a letter or a digit, e.g. ann or ann@example.com"
        )
    return known


def normal_name(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().lower()


def check_password(password: str, *, name: str) -> None:
    """Raises AccountFault that says what would do."""
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        told = f"Must have {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX:,} characters"
        raise AccountFault("This password cannot be used", {"password": [told]})
    if normal_name(password) == name or len(set(password)) == 1:
        told = "Must be harder to guess than the user's name, or than one character again and again"
        raise AccountFault("This password cannot be used", {"password": [told]})


def generated_password() -> str:
    return secrets.token_urlsafe(GENERATED_BYTES)


def digest(token: str) -> str:
    """What a token is kept as. It is random, so one round of a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf(token: str) -> str:
    """Follows from a token, and does not lead back to it."""
    made = hashlib.sha256(b"csrf:" + token.encode()).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def network(address: str) -> str:
    """Whom attempts are counted for: an IPv4 address, or the /64 that one subscriber has in IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network(f"{found}/64", strict=False))
    return str(found)


def _normal(password: str) -> str:
    """Keyboards spell one letter in several ways."""
    return unicodedata.normalize("NFKC", password)


def _unknown(name: str, known: list[str]) -> AccountFault:
    listed = ", ".join(known[:20]) or "none yet: endcap user create NAME"
    return AccountFault("No such user", {"user": [f"{name} does not exist; there are: {listed}"]})
