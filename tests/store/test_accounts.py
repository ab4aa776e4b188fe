"""
Accounts, sessions and the log of signing in, on both databases.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from msgspec.structs import replace

from endcap.domain import Micros
from endcap.store import open_accounts
from endcap.store.accounts import (
    Account,
    AccountStore,
    Event,
    Failures,
    Identity,
    Session,
    SignIn,
    SignInFilter,
    Upload,
)
from tests.store.writes import NOON, at

ADDRESS, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def accounts(database: str) -> Iterator[AccountStore]:
    store = open_accounts(database)
    yield store
    store.close()


def somebody(**fields: object) -> Account:
    name = f"ann-{uuid4().hex[:12]}"
    return replace(Account(name, "a hash", {"*": "viewer"}, at(0), at(0)), **fields)


def line(account: str, event: Event = "created", seconds: float = 0, address: str = "") -> SignIn:
    return SignIn(uuid4().hex, account, address, event, "root", at(seconds))


def session_of(account: str, seconds: float = 0) -> Session:
    return Session(uuid4().hex, account, at(seconds), at(seconds), ADDRESS, "Firefox")


def added(accounts: AccountStore, **fields: object) -> Account:
    made = somebody(**fields)
    assert accounts.add(made, line(made.name))
    return made


def begun(accounts: AccountStore, account: str, seconds: float = 0) -> Session:
    session = session_of(account, seconds)
    assert accounts.begin(session, line(account, "signed_in", seconds))
    return session


def test_an_account_is_kept_as_it_was_added(accounts: AccountStore) -> None:
    """With its roles; the log tells of it."""
    made = added(accounts, roles={"*": "viewer", "shop": "admin"})

    assert accounts.account(made.name) == made
    assert made in accounts.accounts()
    assert [each.event for each in accounts.log(made.name, limit=9)] == ["created"]


def test_a_taken_name_is_refused(accounts: AccountStore) -> None:
    """Nothing is overwritten, and the log does not say that it was."""
    made = added(accounts)

    assert not accounts.add(replace(made, password="other"), line(made.name))

    assert accounts.account(made.name) == made
    assert len(accounts.log(made.name, limit=9)) == 1


def test_roles_are_given_and_taken_one_by_one(accounts: AccountStore) -> None:
    """By several at once, none of whom undoes what another one did."""
    made = added(accounts, roles={"old": "viewer"})

    def give(number: int) -> bool:
        return accounts.give_role(made.name, f"shop-{number}", "editor", line(made.name, "role"))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(give, range(8)))
    assert accounts.give_role(made.name, "old", None, line(made.name, "role"))

    found = accounts.account(made.name)
    assert found is not None
    assert found.roles == {f"shop-{number}": "editor" for number in range(8)}


def test_a_new_password_ends_the_other_sessions(accounts: AccountStore) -> None:
    """But the one that asked for it."""
    made = added(accounts)
    mine, other = begun(accounts, made.name), begun(accounts, made.name)

    assert accounts.set_password(
        made.name, "new hash", line(made.name, "password", 9), but=mine.digest
    )

    found = accounts.session(mine.digest)
    assert found == (mine, replace(made, password="new hash", password_at=at(9)))
    assert accounts.session(other.digest) is None


def test_a_password_is_rehashed_only_if_it_is_still_the_same(accounts: AccountStore) -> None:
    """Who changed it meanwhile keeps the change; no session ends."""
    made = added(accounts)
    session = begun(accounts, made.name)

    accounts.rehash(made.name, "stronger", known="a hash")
    accounts.rehash(made.name, "late", known="a hash")

    assert accounts.session(session.digest) == (session, replace(made, password="stronger"))


def test_a_disabled_account_has_no_session(accounts: AccountStore) -> None:
    """Those it had end, none begins; enabled again it begins anew."""
    made = added(accounts)
    session = begun(accounts, made.name)

    assert accounts.switch(made.name, disabled=True, line=line(made.name, "disabled"))

    assert accounts.session(session.digest) is None
    assert not accounts.begin(session_of(made.name), line(made.name, "signed_in"))
    assert accounts.switch(made.name, disabled=False, line=line(made.name, "enabled"))
    assert accounts.session(session.digest) is None
    assert accounts.sessions(made.name) == []
    begun(accounts, made.name)


def test_a_removed_account_leaves_its_log(accounts: AccountStore) -> None:
    """Its sessions end; a namesake that comes later does not inherit them."""
    made = added(accounts)
    session = begun(accounts, made.name)

    assert accounts.remove(made.name, line(made.name, "deleted", 5))

    assert accounts.account(made.name) is None
    assert accounts.add(made, line(made.name, "created", 6))
    assert accounts.session(session.digest) is None
    events = [each.event for each in accounts.log(made.name, limit=2)]
    assert events == ["created", "deleted"]


def test_what_nobody_has_cannot_be_changed(accounts: AccountStore) -> None:
    """And the log does not say that it was."""
    name = "nobody-" + uuid4().hex

    assert not accounts.give_role(name, "*", "admin", line(name, "role"))
    assert not accounts.set_password(name, "x", line(name, "password"))
    assert not accounts.switch(name, disabled=True, line=line(name, "disabled"))
    assert not accounts.remove(name, line(name, "deleted"))
    assert not accounts.begin(session_of(name), line(name, "signed_in"))
    assert accounts.session("no such digest") is None
    assert accounts.log(name, limit=9) == []


def test_sessions_are_seen_and_ended(accounts: AccountStore) -> None:
    """One by one, and all but one."""
    made = added(accounts)
    one, two, three = (begun(accounts, made.name, seconds) for seconds in (1, 2, 3))

    accounts.touch(one.digest, at(60))
    listed = accounts.sessions(made.name)
    accounts.end(two.digest, line(made.name, "signed_out"))
    ended = accounts.end_all(made.name, line(made.name, "signed_out_everywhere"), but=one.digest)

    assert [each.digest for each in listed] == [one.digest, three.digest, two.digest]
    assert ended == 1
    assert accounts.sessions(made.name) == [replace(one, seen_at=at(60))]


def test_failures_are_counted_by_name_and_by_address(accounts: AccountStore) -> None:
    """Those of a pair begin anew when it signs in; what was withdrawn or is long ago does not count."""
    name, other, address = (uuid4().hex for _ in range(3))
    for seconds, who, where in [
        (1, name, address),
        (20, name, address),
        (21, name, ELSEWHERE),
        (22, other, address),
        (40, name, address),
    ]:
        accounts.note(line(who, "failed", seconds, where))
    accounts.note(line(name, "signed_in", 30, address))
    withdrawn = line(name, "failed", 50, address)
    accounts.note(withdrawn)
    accounts.withdraw(withdrawn.id)

    failures = accounts.failures(name, address, since=at(10))

    assert failures == Failures(of_both=1, of_account=3, of_address=3)


def test_what_is_over_is_purged(accounts: AccountStore) -> None:
    """Sessions by their beginning and by when they were last seen, the log by age."""
    made = added(accounts)
    old, unseen, fresh = (begun(accounts, made.name, seconds) for seconds in (1, 100, 200))
    accounts.touch(old.digest, at(300))

    accounts.purge(begun_before=at(50), seen_before=at(150), noted_before=at(150))

    assert accounts.sessions(made.name) == [fresh]
    assert accounts.session(unseen.digest) is None
    assert [each.at for each in accounts.log(made.name, limit=9)] == [at(200)]


def test_the_log_backwards_in_pages(accounts: AccountStore) -> None:
    """With filters by who it is about or by whom, by what, and by when; also within one instant."""
    told: list[tuple[str, Event, str, int]] = [
        ("log-ann", "created", "log-root", 0),
        ("log-ann", "signed_in", "log-ann", 1),
        ("log-bob", "failed", "log-bob", 1),
        ("log-bob", "password", "log-ann", 1),
        ("log-ann", "signed_out", "log-ann", 2),
    ]
    lines = [
        SignIn(uuid4().hex, who, ADDRESS, event, actor, Micros(NOON + later))
        for who, event, actor, later in told
    ]
    for each in lines:
        accounts.note(each)
    newest_first = sorted(lines, key=lambda each: (each.at, each.id), reverse=True)

    def every(wanted: SignInFilter) -> list[SignIn]:
        found: list[SignIn] = []
        before = None
        while page := accounts.lines(wanted, before=before, limit=2):
            found += page
            before = (page[-1].at, page[-1].id)
        return [each for each in found if each in lines]

    assert every(SignInFilter(since=NOON, until=Micros(NOON + 3))) == newest_first
    assert every(SignInFilter(who="log-ann")) == [
        each for each in newest_first if "log-ann" in (each.account, each.actor)
    ]
    assert [each.event for each in every(SignInFilter(who="log-bob", events=("failed",)))] == [
        "failed"
    ]
    assert every(SignInFilter(since=Micros(NOON + 2), who="log-ann")) == newest_first[:1]
    assert every(SignInFilter(until=Micros(NOON + 1), who="log-root")) == newest_first[-1:]


def upload_of(account: str, seconds: float = 0, content: bytes = b"rules") -> Upload:
    return Upload(str(uuid4()), account, "shop", at(seconds), b'{"type":"import"}', content)


def test_an_upload_is_kept_for_who_brought_it(accounts: AccountStore) -> None:
    """As it was, also a long one; nobody else finds it, and after its time nobody does."""
    made, other = added(accounts), added(accounts)
    upload = upload_of(made.name, 5, b"\x00\xff" + b"a line\n" * 500_000)

    assert accounts.hold(upload, kept=3, since=at(0))

    assert accounts.upload(upload.id, made.name, since=at(5)) == upload
    assert accounts.upload(upload.id, other.name, since=at(5)) is None
    assert accounts.upload(upload.id, made.name, since=at(6)) is None


def test_only_the_newest_uploads_are_kept(accounts: AccountStore) -> None:
    """So many of an account, and of nobody those of before an instant; others' newer ones stay."""
    made, other = added(accounts), added(accounts)
    uploads = [upload_of(made.name, seconds) for seconds in (1, 2, 3)]
    old, new = upload_of(other.name, 0), upload_of(other.name, 9)
    for each in (old, new, *uploads):
        assert accounts.hold(each, kept=2, since=at(1))

    def is_kept(each: Upload) -> bool:
        return accounts.upload(each.id, each.account, since=at(0)) is not None

    assert [is_kept(each) for each in (old, new, *uploads)] == [False, True, False, True, True]


def test_who_may_not_sign_in_keeps_no_upload(accounts: AccountStore) -> None:
    """Nothing is kept for a disabled account, and what was kept goes with the account."""
    made, disabled = added(accounts), added(accounts, disabled=True)
    upload = upload_of(made.name)
    accounts.hold(upload, kept=3, since=at(0))

    assert not accounts.hold(upload_of(disabled.name), kept=3, since=at(0))
    assert accounts.remove(made.name, line(made.name, "deleted"))
    added(accounts, name=made.name)
    assert accounts.upload(upload.id, made.name, since=at(0)) is None


def identity_of(account: str, subject: str = "", seconds: float = 0) -> Identity:
    return Identity("https://login.example/", subject or uuid4().hex, account, at(seconds))


def test_who_a_provider_vouches_for_is_found(accounts: AccountStore) -> None:
    """By issuer and subject together; an account may have several, and somebody else's stay theirs."""
    made, other = added(accounts), added(accounts)
    first, second = identity_of(made.name, seconds=1), identity_of(made.name, seconds=2)

    assert accounts.link(first, line(made.name, "linked"))
    assert accounts.link(second, line(made.name, "linked"))
    assert not accounts.link(replace(first, account=other.name), line(other.name, "linked"))
    assert not accounts.link(identity_of("nobody"), line("nobody", "linked"))

    assert accounts.identified(first.issuer, first.subject) == made
    assert accounts.identified("https://other.example/", first.subject) is None
    assert accounts.identities(made.name) == [first, second]
    assert accounts.identities(other.name) == []


def test_an_account_comes_with_its_identity_or_not_at_all(accounts: AccountStore) -> None:
    """A name or an identity that is taken leaves nothing behind."""
    made = somebody(password="")
    identity = identity_of(made.name)
    other = somebody()

    assert accounts.enrol(made, identity, line(made.name))
    assert not accounts.enrol(made, identity_of(made.name), line(made.name))
    assert not accounts.enrol(other, replace(identity, account=other.name), line(other.name))

    assert accounts.identified(identity.issuer, identity.subject) == made
    assert accounts.account(other.name) is None
    assert accounts.log(other.name, limit=9) == []
    assert [each.event for each in accounts.log(made.name, limit=9)] == ["created"]


def test_of_two_windows_one_enrols(accounts: AccountStore) -> None:
    """At the same moment, under the same name."""
    made = somebody()
    subject = uuid4().hex

    def enrol(number: int) -> bool:
        account = replace(made, name=f"{made.name}-{number % 2}")
        return accounts.enrol(account, identity_of(account.name, subject), line(account.name))

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(enrol, range(8)))

    assert done.count(True) == 1


def test_all_roles_are_set_at_once(accounts: AccountStore) -> None:
    """The log tells of it only where that changes any."""
    made = added(accounts, roles={"*": "viewer", "old": "admin"})

    for _ in range(2):
        assert accounts.set_roles(made.name, {"shop": "editor"}, line(made.name, "role", 5))
    assert not accounts.set_roles("nobody", {}, line("nobody", "role"))

    found = accounts.account(made.name)
    assert found is not None
    assert found.roles == {"shop": "editor"}
    assert [each.event for each in accounts.log(made.name, limit=9)].count("role") == 1


def test_a_link_is_used_once(accounts: AccountStore) -> None:
    """The newest of an account, within its time, and by one of all who try."""
    made, disabled = added(accounts), added(accounts, disabled=True)
    old, new = uuid4().hex, uuid4().hex
    assert accounts.hold_link(old, made.name, at(1), line(made.name, "link_made"))
    assert accounts.hold_link(new, made.name, at(2), line(made.name, "link_made"))
    assert not accounts.hold_link(uuid4().hex, disabled.name, at(2), line(disabled.name))

    assert accounts.link_of(old, since=at(0)) is None
    assert accounts.link_of(new, since=at(3)) is None
    assert accounts.use_link(new, since=at(3)) is None
    assert accounts.link_of(new, since=at(2)) == made.name
    with ThreadPoolExecutor(4) as pool:
        used = list(pool.map(lambda _: accounts.use_link(new, since=at(2)), range(6)))

    assert sorted(used, key=lambda each: each or "") == [None] * 5 + [made.name]


def test_an_account_goes_with_its_other_ways_in(accounts: AccountStore) -> None:
    """Somebody of the same name later is somebody else."""
    made = added(accounts)
    identity, link = identity_of(made.name), uuid4().hex
    accounts.link(identity, line(made.name, "linked"))
    accounts.hold_link(link, made.name, at(0), line(made.name, "link_made"))

    assert accounts.remove(made.name, line(made.name, "deleted"))
    added(accounts, name=made.name)

    assert accounts.identified(identity.issuer, identity.subject) is None
    assert accounts.identities(made.name) == []
    assert accounts.link_of(link, since=at(0)) is None
