"""
Accounts over named queries: the whole of `accounts.AccountStore` but for how a query is asked.

An adapter brings `_read`, which asks one query, and `_write`, which does its work in a transaction of its own.
"""

import zlib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from endcap.domain import Micros
from endcap.store.accounts import (
    Account,
    Failures,
    Identity,
    Session,
    SignIn,
    SignInFilter,
    Upload,
)
from endcap.store.rows import Row, json_text

T = TypeVar("T")
Ask = Callable[[str, Mapping[str, object]], list[Row]]
"""Asks a query of this name with these values, and returns its rows."""

_roles = msgspec.json.Decoder(dict[str, str])


class _Taken(Exception):
    """Somebody has this already."""


class AccountQueries:
    """See `accounts.AccountStore`."""

    @abstractmethod
    def _read(self, query: str, values: Mapping[str, object]) -> list[Row]: ...

    @abstractmethod
    def _write(self, work: Callable[[Ask], T]) -> T: ...

    def account(self, name: str) -> Account | None:
        found = self._read("fetch_account", {"name": name})
        return _account(found[0]) if found else None

    def accounts(self) -> Sequence[Account]:
        return [_account(row) for row in self._read("fetch_accounts", {})]

    def add(self, account: Account, line: SignIn) -> bool:
        return self._told("add_account", _values(account), line)

    def give_role(self, name: str, tracker: str, role: str | None, line: SignIn) -> bool:
        def work(ask: Ask) -> bool:
            found = ask("lock_account", {"name": name})
            if not found:
                return False
            roles = _account(found[0]).roles
            kept = {key: value for key, value in roles.items() if key != tracker}
            given = kept if role is None else {**kept, tracker: role}
            ask("save_roles", {"name": name, "roles": json_text(given)})
            _note(ask, line)
            return True

        return self._write(work)

    def set_roles(self, name: str, roles: Mapping[str, str], line: SignIn) -> bool:
        def work(ask: Ask) -> bool:
            found = ask("lock_account", {"name": name})
            if not found:
                return False
            if _account(found[0]).roles != roles:
                ask("save_roles", {"name": name, "roles": json_text(roles)})
                _note(ask, line)
            return True

        return self._write(work)

    def set_password(
        self, name: str, password: str, line: SignIn, *, but: str | None = None
    ) -> bool:
        values = {"name": name, "password": password, "at": line.at}
        return self._told("save_password", values, line, ends=True, but=but)

    def rehash(self, name: str, password: str, *, known: str) -> None:
        self._write(lambda ask: ask("rehash", {"name": name, "password": password, "known": known}))

    def switch(self, name: str, *, disabled: bool, line: SignIn) -> bool:
        values = {"name": name, "disabled": disabled}
        return self._told("switch_account", values, line, ends=disabled)

    def remove(self, name: str, line: SignIn) -> bool:
        def work(ask: Ask) -> bool:
            if not ask("remove_account", {"name": name}):
                return False
            ask("end_sessions", {"name": name, "but": ""})
            for query in ("remove_uploads", "remove_identities", "remove_links"):
                ask(query, {"name": name})
            _note(ask, line)
            return True

        return self._write(work)

    def begin(self, session: Session, line: SignIn) -> bool:
        return self._told("begin_session", msgspec.structs.asdict(session), line)

    def session(self, digest: str) -> tuple[Session, Account] | None:
        found = self._read("fetch_session", {"digest": digest})
        return (Session(*found[0][:6]), _account(found[0][6:])) if found else None

    def sessions(self, name: str) -> Sequence[Session]:
        return [Session(*row) for row in self._read("fetch_sessions", {"name": name})]

    def touch(self, digest: str, seen_at: Micros) -> None:
        self._write(lambda ask: ask("touch_session", {"digest": digest, "seen_at": seen_at}))

    def end(self, digest: str, line: SignIn) -> None:
        self._told("end_session", {"digest": digest}, line)

    def end_all(self, name: str, line: SignIn, *, but: str | None = None) -> int:
        def work(ask: Ask) -> int:
            ended = ask("end_sessions", {"name": name, "but": but or ""})
            _note(ask, line)
            return len(ended)

        return self._write(work)

    def identified(self, issuer: str, subject: str) -> Account | None:
        found = self._read("fetch_identified", {"issuer": issuer, "subject": subject})
        return _account(found[0]) if found else None

    def identities(self, name: str) -> Sequence[Identity]:
        return [Identity(*row) for row in self._read("fetch_identities", {"name": name})]

    def link(self, identity: Identity, line: SignIn) -> bool:
        return self._told("link_identity", msgspec.structs.asdict(identity), line)

    def enrol(self, account: Account, identity: Identity, line: SignIn) -> bool:
        def work(ask: Ask) -> bool:
            for query, values in (
                ("add_account", _values(account)),
                ("link_identity", msgspec.structs.asdict(identity)),
            ):
                if not ask(query, values):
                    raise _Taken  # which undoes what was written before
            _note(ask, line)
            return True

        try:
            return self._write(work)
        except _Taken:
            return False

    def hold_link(self, digest: str, name: str, at: Micros, line: SignIn) -> bool:
        def work(ask: Ask) -> bool:
            ask("remove_links", {"name": name})
            if not ask("hold_link", {"digest": digest, "account": name, "made_at": at}):
                return False
            _note(ask, line)
            return True

        return self._write(work)

    def link_of(self, digest: str, *, since: Micros) -> str | None:
        found = self._read("fetch_link", {"digest": digest, "since": since})
        return str(found[0][0]) if found else None

    def use_link(self, digest: str, *, since: Micros) -> str | None:
        found = self._write(lambda ask: ask("use_link", {"digest": digest, "since": since}))
        return str(found[0][0]) if found else None

    def hold(self, upload: Upload, *, kept: int, since: Micros) -> bool:
        values = msgspec.structs.asdict(upload)
        values |= {"facts": upload.facts.decode(), "content": zlib.compress(upload.content, 1)}
        bound = {"account": upload.account, "kept": kept, "before": since}

        def work(ask: Ask) -> bool:
            if not ask("hold_upload", values):
                return False
            ask("drop_uploads", bound)
            return True

        return self._write(work)

    def upload(self, id: str, account: str, *, since: Micros) -> Upload | None:
        values = {"id": id, "account": account, "since": since}
        found = self._read("fetch_upload", values)
        if not found:
            return None
        known, owner, tracker, made_at, facts, content = found[0]
        return Upload(known, owner, tracker, made_at, facts.encode(), zlib.decompress(content))

    def note(self, line: SignIn) -> None:
        self._write(lambda ask: _note(ask, line))

    def withdraw(self, id: str) -> None:
        self._write(lambda ask: ask("withdraw", {"id": id}))

    def failures(self, account: str, address: str, *, since: Micros) -> Failures:
        values = {"account": account, "address": address, "since": since}
        (row,) = self._read("count_failures", values)
        return Failures(*row)

    def log(self, name: str | None = None, *, limit: int) -> Sequence[SignIn]:
        if name is None:
            found = self._read("fetch_log", {"limit": limit})
        else:
            found = self._read("fetch_log_of", {"account": name, "limit": limit})
        return [SignIn(*row) for row in found]

    def lines(
        self, filter: SignInFilter, *, before: tuple[Micros, str] | None = None, limit: int
    ) -> Sequence[SignIn]:
        at, id_ = before or (Micros(2**62), "")
        values = {
            "who": filter.who,
            "events": json_text(filter.events) if filter.events else None,
            "since": filter.since,
            "until": filter.until,
            "at": at,
            "id": id_,
            "limit": limit,
        }
        return [SignIn(*row) for row in self._read("fetch_lines", values)]

    def purge(self, *, begun_before: Micros, seen_before: Micros, noted_before: Micros) -> None:
        def work(ask: Ask) -> None:
            ask("purge_sessions", {"begun_before": begun_before, "seen_before": seen_before})
            ask("purge_log", {"noted_before": noted_before})

        self._write(work)

    def _told(
        self,
        query: str,
        values: Mapping[str, object],
        line: SignIn,
        *,
        ends: bool = False,
        but: str | None = None,
    ) -> bool:
        """A change and its line in the log; whether there was anything to change."""

        def work(ask: Ask) -> bool:
            if not ask(query, values):
                return False
            if ends:
                ask("end_sessions", {"name": values["name"], "but": but or ""})
            _note(ask, line)
            return True

        return self._write(work)


def _values(account: Account) -> dict[str, object]:
    return msgspec.structs.asdict(account) | {"roles": json_text(account.roles)}


def _note(ask: Ask, line: SignIn) -> None:
    ask("note", msgspec.structs.asdict(line))


def _account(row: Row) -> Account:
    name, password, roles, created_at, password_at, disabled = row
    return Account(name, password, _roles.decode(roles), created_at, password_at, bool(disabled))
