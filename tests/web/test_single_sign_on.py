"""
Signing in by a provider of OpenID Connect: a real one, in a process of its own; and tokens that nobody should believe.
"""

import asyncio
import base64
import hmac
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from endcap.accounts import ROLES
from endcap.clock import system_clock
from endcap.config import Settings, load
from endcap.errors import SignInRefused, UsageFault
from endcap.web.openid import Claims, Provider
from endcap.web.single_sign_on import vouched
from endcap.web.visits import csrf_of
from tests.api.driver import TRACKER, ToldClock
from tests.services.provider import LiveProvider, sign_in_at, start_provider
from tests.web.driver import HOST, LIST, PASSWORD, ConsoleServer, Visitor, text_of

START = "/console/oidc/start"
ISSUER = "https://login.example.com/"
ROLE_MAP = (f"merchandisers=publisher@{TRACKER}", "bosses=admin", "trainees=viewer")
USERS = {
    "ann": ["merchandisers"],
    "bea": ["merchandisers", "bosses"],
    "eve": ["cleaning"],
    "tom": ["trainees"],
}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveProvider]:
    folder = tmp_path_factory.mktemp("provider")
    provider = start_provider(folder, USERS, back=[f"https://{HOST}"])
    yield provider
    provider.stop()


class Now(ToldClock):
    """The time, as the provider has it, and a little of our own."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> Any:
        return system_clock() + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += round(seconds * 1_000_000)


@pytest.fixture
def now() -> Now:
    return Now()


Make = Callable[..., ConsoleServer]


@pytest.fixture
def make(tmp_path: Path, provider: LiveProvider, now: Now) -> Iterator[Make]:
    """A console that knows the provider, by settings that a test may want otherwise."""
    made: list[ConsoleServer] = []

    def make(**settings: Any) -> ConsoleServer:
        chosen = {**provider.settings, "oidc_roles": ROLE_MAP, **settings}
        server = ConsoleServer(tmp_path, now, **chosen)
        server.create_tracker()
        made.append(server)
        return server

    yield make
    for server in made:
        server.close()


def sign_in(server: ConsoleServer, name: str, next: str = LIST) -> tuple[Visitor, Any]:
    """A browser that goes to the provider and comes back; the answer to that."""
    visitor = Visitor(server)
    return visitor, come_back(visitor, name, next)


def come_back(visitor: Visitor, name: str, next: str = LIST) -> Any:
    there = visitor.get(f"{START}?next={next}")
    assert there.status_code == 303, text_of(there)
    back = urlsplit(sign_in_at(there.headers["location"], name))
    return visitor.get(f"{back.path}?{back.query}")


def test_the_provider_is_asked_as_it_should_be(provider: LiveProvider, make: Make) -> None:
    """With PKCE, a state and a nonce of this sign-in alone; what they follow from stays in the browser's cookie."""
    visitors = [Visitor(make()), Visitor(make())]
    answers = [each.get(START) for each in visitors]

    urls = [each.headers["location"] for each in answers]
    asked = [
        {key: value[0] for key, value in parse_qs(urlsplit(url).query).items()} for url in urls
    ]
    assert all(url.startswith(f"{provider.issuer}oauth/authorize?") for url in urls)
    assert asked[0]["redirect_uri"] == f"https://{HOST}/console/oidc/callback"
    assert asked[0]["code_challenge_method"] == "S256"
    for each in ("state", "nonce", "code_challenge"):
        assert asked[0][each] != asked[1][each]
    (cookie,) = [each for each in visitors[0].set_cookies if "provider" in each]
    assert cookie.startswith("__Host-endcap_provider=")
    assert "HttpOnly; SameSite=Lax; Secure" in cookie
    secret = visitors[0].cookies["__Host-endcap_provider"]
    assert secret not in urls[0]


def test_who_is_new_gets_a_user_with_the_roles_of_their_groups(make: Make) -> None:
    """They land where they wanted to go, in a session like any other, and the second time they are the same."""
    server = make()
    visitor, answer = sign_in(server, "ann", f"{LIST}?tag=sale")

    assert answer.status_code == 303
    assert answer.headers["location"] == f"{LIST}?tag=sale"
    assert "__Host-endcap_provider" not in visitor.cookies
    page = visitor.follow(answer)
    assert "ann, publisher here" in text_of(page).replace("ann@shop.example", "ann")
    (account,) = server.parts.accounts.store.accounts()
    assert account.roles == {TRACKER: "publisher"}
    assert account.password == ""
    sign_in(server, "ann")
    assert len(server.parts.accounts.store.accounts()) == 1
    assert "Signs in by" in text_of(visitor.get("/console/account"))


def test_the_highest_role_of_several_groups_counts(make: Make) -> None:
    """Of each tracker, and of all."""
    server = make()
    sign_in(server, "bea")

    (account,) = server.parts.accounts.store.accounts()
    assert account.roles == {TRACKER: "publisher", "*": "admin"}


def test_roles_follow_the_groups_at_every_sign_in(make: Make) -> None:
    """What was given otherwise is taken back; whoever is in no group that counts any more may do nothing."""
    server = make()
    sign_in(server, "tom")
    accounts = server.parts.accounts
    (account,) = accounts.store.accounts()
    accounts.give_role(account.name, "*", ROLES["admin"], actor="test")

    sign_in(server, "tom")
    assert accounts.account(account.name).roles == {"*": "viewer"}

    later = make(oidc_roles=("others=viewer",))
    _, answer = sign_in(later, "tom")
    assert answer.status_code == 401
    assert accounts.account(account.name).roles == {}


def test_a_wrong_group_is_refused(make: Make) -> None:
    """On the page where one may try otherwise; no user is made."""
    server = make()
    visitor, answer = sign_in(server, "eve")

    assert answer.status_code == 401
    assert "None of your groups has a role here. Ask an administrator" in text_of(answer)
    assert "or with a password" in text_of(answer)
    assert server.parts.accounts.store.accounts() == []
    assert visitor.get(LIST).status_code == 303


def test_without_a_map_roles_are_given_here(make: Make) -> None:
    """Who is new has none, and is told what to do."""
    server = make(oidc_roles=())
    visitor, answer = sign_in(server, "eve", "/console")
    assert "No tracker for you yet" in text_of(visitor.follow(answer))

    (account,) = server.parts.accounts.store.accounts()
    server.parts.accounts.give_role(account.name, "*", ROLES["viewer"], actor="test")
    sign_in(server, "eve")

    assert visitor.get(LIST).status_code == 200


def test_an_address_that_is_not_verified_counts_for_nothing(make: Make) -> None:
    """This provider does not say that it is: it lets nobody in by a domain, and makes nobody another user."""
    _, refused = sign_in(make(oidc_email_domains=("shop.example",)), "ann")
    server = make(oidc_link_by_email=True)
    server.create_user("ann@shop.example", "viewer")
    sign_in(server, "ann")

    assert refused.status_code == 401
    assert "verified e-mail address of certain domains" in text_of(refused)
    accounts = server.parts.accounts.store
    assert [each.name for each in accounts.accounts()] == ["ann", "ann@shop.example"]
    assert accounts.identities("ann@shop.example") == []


@pytest.mark.parametrize(
    ("said", "email"),
    [
        ({"email": "ann@shop.example", "email_verified": True}, "ann@shop.example"),
        ({"email": "ann@shop.example", "email_verified": "true"}, "ann@shop.example"),
        ({"email": "ann@shop.example", "email_verified": False}, ""),
        ({"email": "ann@shop.example", "email_verified": 1.5}, ""),
        ({"email": "ann@shop.example"}, ""),
        ({"email": ["ann@shop.example"], "email_verified": True}, ""),
    ],
)
def test_an_address_counts_where_the_provider_has_verified_it(
    said: dict[str, Any], email: str
) -> None:
    """Some say so with a text."""
    assert vouched(Claims(ISSUER, "1", said, "/console"), "groups").email == email


@pytest.mark.parametrize(
    ("said", "claim", "groups"),
    [
        ({"groups": ["a", 7, "b"]}, "groups", {"a", "b"}),
        ({"groups": "a"}, "groups", {"a"}),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", {"a"}),
        ({"https://x.example/groups": ["a"]}, "https://x.example/groups", {"a"}),
        ({"groups": {"a": 1}}, "groups", set()),
        ({"realm_access": "a"}, "realm_access.roles", set()),
        ({}, "groups", set()),
    ],
)
def test_groups_are_where_a_setting_says(
    said: dict[str, Any], claim: str, groups: set[str]
) -> None:
    """A list or one text, by name or inside of another claim; anything else is none."""
    assert vouched(Claims(ISSUER, "1", said, "/console"), claim).groups == groups


def test_a_disabled_user_stays_out(make: Make) -> None:
    """Whatever the provider says; and a session that was open is over at once."""
    server = make()
    visitor, _ = sign_in(server, "ann")
    accounts = server.parts.accounts
    (account,) = accounts.store.accounts()
    accounts.switch(account.name, disabled=True, actor="test")

    assert visitor.get(LIST).status_code == 303
    answer = come_back(visitor, "ann")
    assert answer.status_code == 401
    assert "Your user is disabled" in text_of(answer)


def test_signing_out_everywhere_ends_such_sessions_too(make: Make) -> None:
    """They are in the same table. At the provider one may sign out as well."""
    server = make()
    visitor, _ = sign_in(server, "ann")
    visitor.get("/console/account")
    answer = visitor.post("/console/account/sign-out-everywhere")
    assert answer.status_code == 303
    assert visitor.get(LIST).status_code == 303

    come_back(visitor, "ann")
    visitor.get("/console/account")
    door = visitor.follow(visitor.post("/console/sign-out"))
    assert "Sign out of single sign-on too" in text_of(door)
    there = visitor.get("/console/oidc/sign-out").headers["location"]
    assert "oauth/end_session" in there
    assert parse_qs(urlsplit(there).query)["post_logout_redirect_uri"] == [
        f"https://{HOST}/console/sign-in"
    ]


@pytest.mark.parametrize("what", ["state", "cookie", "code", "iss", "none"])
def test_a_sign_in_that_was_tampered_with_is_refused(make: Make, what: str) -> None:
    """Another state, another browser, another code, another provider, or nothing at all."""
    server = make()
    visitor = Visitor(server)
    there = visitor.get(START).headers["location"]
    back = urlsplit(sign_in_at(there, "ann"))
    query = {key: value[0] for key, value in parse_qs(back.query).items()}
    match what:
        case "cookie":
            visitor.cookies["__Host-endcap_provider"] = "x" * 43
        case "none":
            query = {}
        case _:
            query[what] = f"{query[what]}x"
    sent = "&".join(f"{key}={value}" for key, value in query.items())

    answer = visitor.get(f"{back.path}?{sent}")

    assert answer.status_code == 401
    assert server.parts.accounts.store.accounts() == []
    assert "__Host-endcap_session" not in visitor.cookies


def test_an_answer_counts_once(make: Make) -> None:
    """The cookie is taken away, and the provider takes no code twice."""
    server = make()
    visitor = Visitor(server)
    there = visitor.get(START).headers["location"]
    secret = visitor.cookies["__Host-endcap_provider"]
    back = urlsplit(sign_in_at(there, "ann"))
    path = f"{back.path}?{back.query}"

    first, second = visitor.get(path), visitor.get(path)
    visitor.cookies["__Host-endcap_provider"] = secret
    third = visitor.get(path)

    assert [each.status_code for each in (first, second, third)] == [303, 401, 401]


def test_a_refusal_of_the_provider_is_told(make: Make) -> None:
    """In its words, which are nothing but text here."""
    visitor = Visitor(make())
    there = visitor.get(START).headers["location"]
    state = parse_qs(urlsplit(there).query)["state"][0]
    issuer = f"{urlsplit(there).scheme}://{urlsplit(there).netloc}/"
    said = "error=access_denied&error_description=%3Cb%3ENot%20today%3C/b%3E"

    answer = visitor.get(f"/console/oidc/callback?state={state}&iss={issuer}&{said}")

    assert answer.status_code == 401
    assert "single sign-on refused: &lt;b&gt;Not today&lt;/b&gt;" in answer.text


def test_where_to_go_on_stays_inside(make: Make) -> None:
    """Nobody is sent elsewhere by a link to the way in."""
    server = make()
    _, answer = sign_in(server, "ann", "https://evil.test/")

    assert answer.headers["location"] == "/console"


def test_a_provider_that_changes_its_keys_is_believed(make: Make, provider: LiveProvider) -> None:
    """A token by a key that is not known yet makes us look once."""
    server = make()
    sign_in(server, "ann")
    provider.stop()
    provider.start()

    _, answer = sign_in(server, "bea")

    assert answer.status_code == 303


def test_a_provider_that_is_away_leaves_passwords(make: Make, provider: LiveProvider) -> None:
    """Before one goes there, and between going and coming back; what is known of it is not asked again."""
    server = make()
    server.create_user("kim")
    visitor, late = Visitor(server), Visitor(make())
    there = visitor.get(START).headers["location"]
    back = urlsplit(sign_in_at(there, "ann"))
    provider.stop()
    try:
        between = visitor.get(f"{back.path}?{back.query}")
        before = late.get(START)
    finally:
        provider.start()

    for answer in (between, before):
        assert answer.status_code == 503
        assert "The sign-in provider does not answer as it should" in text_of(answer)
        assert 'name="password"' in answer.text
    assert Visitor(server).sign_in("kim").status_code == 303


def test_a_token_that_is_over_is_refused(make: Make, now: Now) -> None:
    """By our clock, with a minute for differences."""
    server = make()
    now.advance(30 * 24 * 3_600)

    _, answer = sign_in(server, "ann")

    assert answer.status_code == 401
    assert "its token is not valid" in text_of(answer)


def test_passwords_can_be_switched_off(make: Make) -> None:
    """Then nobody sees a form for one, and one that is sent is refused; a link made at the server signs in, once."""
    server = make(console_passwords=False)
    server.create_user("kim", "admin")
    visitor = Visitor(server)

    door = visitor.get("/console/sign-in")
    assert 'name="password"' not in door.text
    assert "Sign in with single sign-on" in text_of(door)
    visitor.csrf = csrf_of(visitor.cookies["__Host-endcap_visit"])
    refused = visitor.post("/console/sign-in", {"name": "kim", "password": PASSWORD})
    assert refused.status_code == 401

    token = server.parts.accounts.make_link("kim", actor="test")
    page = visitor.get(f"/console/link?token={token}")
    assert "Sign in as kim" in text_of(page)
    answer = visitor.post("/console/link", {"token": token})
    assert answer.status_code == 303
    assert visitor.get(LIST).status_code == 200
    assert "Present password" not in text_of(visitor.get("/console/account"))
    stranger = Visitor(server)
    assert stranger.get(f"/console/link?token={token}").status_code == 401
    stranger.csrf = csrf_of(stranger.cookies["__Host-endcap_visit"])
    assert stranger.post("/console/link", {"token": token}).status_code == 401


def test_a_link_ends_after_ten_minutes(make: Make, now: Now) -> None:
    """And with the next one."""
    server = make()
    server.create_user("kim", "admin")
    accounts = server.parts.accounts
    first, second = (accounts.make_link("kim", actor="test") for _ in range(2))

    assert accounts.link_owner(first) is None
    assert accounts.link_owner(second) == "kim"
    now.advance(601)
    assert accounts.link_owner(second) is None


# Tokens

KEY = RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256"}, auto_kid=True)
OTHER = RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256", "kid": str(KEY.kid)})
AT = 1_750_000_000


def token(key: Any = KEY, alg: str = "RS256", **claims: Any) -> str:
    whole = {
        "iss": ISSUER,
        "sub": "ann",
        "aud": "endcap",
        "exp": AT + 300,
        "iat": AT,
        "nonce": "a nonce",
        **claims,
    }
    header = {"alg": alg, "kid": KEY.kid}
    kept = {name: value for name, value in whole.items() if value is not None}
    return jwt.encode(header, kept, key, algorithms=[alg])


def verified(sent: str) -> Any:
    """As it is at an instant, with the provider's keys at hand."""
    settings = Settings(oidc_issuer=ISSUER, oidc_client_id="endcap")
    provider = Provider(settings, lambda: AT * 1_000_000)  # type: ignore[arg-type, return-value]
    provider._keys = (time.monotonic(), KeySet([KEY]))
    return asyncio.run(provider._verified(sent, "a nonce"))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"aud": ["endcap"]},
        {"aud": ["endcap", "other"], "azp": "endcap"},
        {"exp": AT - 30},
        {"iat": AT + 30},
        {"azp": "endcap"},
    ],
)
def test_a_good_token_is_believed(claims: dict[str, Any]) -> None:
    """Also for several, if we asked for it, and within a minute of difference between clocks."""
    assert verified(token(**claims))["sub"] == "ann"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://login.example.com"},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": ["endcap", "other"]},
        {"aud": ["endcap", "other"], "azp": "other"},
        {"aud": None},
        {"azp": "other"},
        {"exp": AT - 120},
        {"exp": None},
        {"iat": AT + 120},
        {"iat": None},
        {"nbf": AT + 120},
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ["a nonce"]},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"sub": "x" * 300},
        {"sub": "a\x00b"},
    ],
)
def test_a_token_with_another_claim_is_refused(claims: dict[str, Any]) -> None:
    """Of another issuer, for others, over, from the future, of another sign-in, of nobody."""
    with pytest.raises(SignInRefused):
        verified(token(**claims))


def test_a_token_by_another_key_is_refused() -> None:
    """Signed by somebody else, by a secret that is no secret, by nobody, or changed afterwards."""
    head, body, signature = token().split(".")
    shared = token(OctKey.import_key("a secret that everybody shares"), "HS256")
    signed = shared.rpartition(".")[0].encode()
    digest = hmac.digest(KEY.as_pem(private=False), signed, "sha256")
    confused = f"{signed.decode()}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
    sent = [
        token(OTHER),
        shared,
        confused,
        f"eyJhbGciOiJub25lIn0.{body}.",
        f"{head}.{body[:-2]}AA.{signature}",
        f"{head}.{body}.{signature[:-6]}AAAAAA",
        f"{head}.{body}",
        "no token",
        "",
    ]

    for each in sent:
        with pytest.raises(SignInRefused):
            verified(each)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ENDCAP_OIDC_ISSUER": "http://login.example.com"}, "oidc_issuer"),
        ({"ENDCAP_OIDC_ISSUER": "https://login.example.com"}, "needs oidc_client_id"),
        ({"ENDCAP_OIDC_ROLES": "merchandisers"}, "GROUP=ROLE"),
        ({"ENDCAP_OIDC_ROLES": "merchandisers=owner"}, "viewer, editor, publisher, admin"),
        ({"ENDCAP_OIDC_ROLES": "merchandisers=admin@"}, "GROUP=ROLE"),
    ],
)
def test_settings_that_cannot_work_are_said(settings: dict[str, str], said: str) -> None:
    """When the server starts, and not when somebody signs in."""
    with pytest.raises(UsageFault, match=said):
        load(settings)


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    """Without the line's end; one that is not there is said."""
    file = tmp_path / "secret"
    file.write_text("kept apart\n")
    known = {"oidc_issuer": ISSUER, "oidc_client_id": "endcap"}

    provider = Provider(Settings(**known, oidc_client_secret_file=str(file)), system_clock)  # type: ignore[arg-type]
    assert provider._secret == "kept apart"
    with pytest.raises(UsageFault, match="cannot be read"):
        Provider(Settings(**known, oidc_client_secret_file="/nowhere"), system_clock)  # type: ignore[arg-type]
