"""
Signing in and out: that it works, each way to be refused, and what ends a session.
"""

from pathlib import Path

import pytest

from endcap.accounts import ATTEMPTS_OF_BOTH_MAX, ATTEMPTS_SECONDS
from tests.api.driver import ToldClock
from tests.web.driver import LIST, PASSWORD, ConsoleServer, Visitor, text_of

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


def test_signing_in_leads_on(stranger: Visitor) -> None:
    """To the page that was asked for; a list, when none was."""
    asked = stranger.get(f"{LIST}?model=basket")

    door = stranger.follow(asked)
    answer = stranger.post(
        "/console/sign-in",
        {"name": "Ann ", "password": PASSWORD, "next": f"{LIST}?model=basket"},
    )

    assert "Sign in" in text_of(door)
    assert answer.headers["location"] == f"{LIST}?model=basket"
    assert stranger.get(answer.headers["location"]).status_code == 200
    assert stranger.get("/console").headers["location"] == LIST


@pytest.mark.parametrize(
    "place", ["//evil.test", "https://evil.test/console", "/console\\evil", "/docs", "/console/ x"]
)
def test_signing_in_leads_nowhere_else(stranger: Visitor, place: str) -> None:
    """A link that somebody prepared cannot send anybody to another site."""
    stranger.get("/console/sign-in")

    answer = stranger.post("/console/sign-in", {"name": "ann", "password": PASSWORD, "next": place})

    assert answer.headers["location"] == "/console"


@pytest.mark.parametrize(
    ("host", "name", "secure"),
    [
        ("localhost:8000", "endcap_session", False),
        ("127.0.0.1", "endcap_session", False),
        ("[::1]:8000", "endcap_session", False),
        ("shop.test", "__Host-endcap_session", True),
        ("localhost.evil.test", "__Host-endcap_session", True),
    ],
)
def test_the_cookie_is_for_https_but_on_this_machine(
    server: ConsoleServer, host: str, name: str, secure: bool
) -> None:
    """Scripts cannot read it, other sites cannot send it with their forms."""
    server.create_user("ann")
    visitor = Visitor(server, host=host)
    visitor.get("/console/sign-in")

    visitor.post("/console/sign-in", {"name": "ann", "password": PASSWORD})

    (text,) = [each for each in visitor.set_cookies if "session" in each]
    parts = text.split("; ")
    assert parts[0].partition("=")[0] == name
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} < set(parts)
    assert ("Secure" in parts) is secure


@pytest.mark.parametrize("path", ["/console/sign-in", LIST, "/console/nowhere", "/console/account"])
def test_every_answer_has_the_headers(ann: Visitor, path: str) -> None:
    """Pages, redirects and errors alike."""
    answer = ann.get(path)

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    ("name", "password"),
    [("ann", "another password"), ("nobody", PASSWORD), ("", ""), ("ann", ""), ("a\x00b", "x")],
)
def test_the_wrong_name_and_the_wrong_password_look_alike(
    stranger: Visitor, name: str, password: str
) -> None:
    """Nobody learns which names there are."""
    answer = stranger.sign_in(name, password)

    assert answer.status_code == 401
    assert "The name or the password is not right." in text_of(answer)
    assert stranger.get(LIST).status_code == 303


def test_too_many_attempts_have_to_wait(stranger: Visitor, clock: ToldClock) -> None:
    """The right password as well; after a while it does."""
    for _ in range(ATTEMPTS_OF_BOTH_MAX):
        assert stranger.sign_in(password="a wrong password").status_code == 401

    refused = stranger.sign_in()
    clock.advance(ATTEMPTS_SECONDS + 1)

    assert refused.status_code == 429
    assert "Try again in 15 minutes" in text_of(refused)
    assert stranger.sign_in().status_code == 303


def test_signing_in_forgets_earlier_mistakes(stranger: Visitor) -> None:
    """Who mistypes now and then is not locked out by and by."""
    for _ in range(3):
        for _ in range(ATTEMPTS_OF_BOTH_MAX - 1):
            assert stranger.sign_in(password="a wrong password").status_code == 401
        assert stranger.sign_in().status_code == 303
        stranger.post("/console/sign-out")


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({"csrf": "wrong"}, {}),
        ({"csrf": ""}, {}),
        ({}, {"Origin": "https://evil.test"}),
        ({}, {"Origin": "null"}),
        ({}, {"Origin": "-"}),
        ({}, {"Origin": "-", "Sec_Fetch_Site": "cross-site"}),
    ],
)
def test_forms_of_elsewhere_are_refused(
    ann: Visitor, fields: dict[str, str], headers: dict[str, str]
) -> None:
    """Without the token, or from a page of another origin; nothing happens."""
    answer = ann.post("/console/sign-out", fields, **headers)

    assert answer.status_code == 403
    assert "This form does not come from a page that you have open" in text_of(answer)
    assert ann.get(LIST).status_code == 200


def test_a_browser_that_says_where_it_is_needs_no_origin(ann: Visitor) -> None:
    """Some leave Origin out and send Sec-Fetch-Site."""
    answer = ann.post("/console/sign-out", Origin="-", Sec_Fetch_Site="same-origin")

    assert answer.status_code == 303


def test_a_token_of_another_session_is_refused(server: ConsoleServer, ann: Visitor) -> None:
    """Each session has its own."""
    other = Visitor(server)
    other.sign_in()

    assert other.csrf != ann.csrf
    assert ann.post("/console/sign-out", {"csrf": other.csrf}).status_code == 403


def test_a_browser_that_keeps_no_cookie_is_told(stranger: Visitor) -> None:
    """Most likely the console is not behind HTTPS."""
    stranger.get("/console/sign-in")
    stranger.cookies.clear()

    answer = stranger.post("/console/sign-in", {"name": "ann", "password": PASSWORD})

    assert answer.status_code == 403
    assert "The console needs HTTPS" in text_of(answer)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data"])
def test_other_kinds_of_bodies_are_refused(ann: Visitor, content_type: str) -> None:
    """A form of a page is sent in one way."""
    assert ann.post("/console/sign-out", Content_Type=content_type).status_code == 415


def test_signing_out_ends_the_session(server: ConsoleServer, ann: Visitor) -> None:
    """In the store: the cookie is worth nothing any more, whoever has kept it."""
    kept = dict(ann.cookies)

    answer = ann.post("/console/sign-out")
    ann.cookies = kept

    assert answer.headers["location"] == "/console/sign-in"
    assert ann.get(LIST).status_code == 303


def test_signing_out_everywhere(server: ConsoleServer, ann: Visitor) -> None:
    """All browsers, this one as well."""
    other = Visitor(server)
    other.sign_in()

    ann.post("/console/account/sign-out-everywhere")

    assert [each.get(LIST).status_code for each in (ann, other)] == [303, 303]


def test_a_session_ends_when_it_is_unused(ann: Visitor, clock: ToldClock) -> None:
    """Each use begins the time anew."""
    for _ in range(3):
        clock.advance(7 * 3_600)
        assert ann.get(LIST).status_code == 200
    clock.advance(8 * 3_600 + 1)

    assert ann.get(LIST).status_code == 303


def test_a_session_ends_however_it_is_used(ann: Visitor, clock: ToldClock) -> None:
    """A week after signing in."""
    for _ in range(24):
        clock.advance(7 * 3_600)
        ann.get(LIST)
    clock.advance(3_600)

    assert ann.get(LIST).status_code == 303


def test_a_form_of_an_ended_session_leads_to_the_door(ann: Visitor, clock: ToldClock) -> None:
    """Which says why, since a form cannot be repeated by itself."""
    clock.advance(9 * 3_600)

    door = ann.follow(ann.post("/console/account/sign-out-everywhere"))

    assert "Your session has ended" in text_of(door)


@pytest.mark.parametrize("what", ["disable", "password", "delete", "sign out"])
def test_sessions_end_at_once_whoever_ends_them(
    server: ConsoleServer, ann: Visitor, what: str
) -> None:
    """An operator's command is another process: the next request knows."""
    accounts = server.parts.accounts
    match what:
        case "disable":
            accounts.switch("ann", disabled=True, actor="cli")
        case "password":
            accounts.set_password("ann", "a new long password", actor="cli")
        case "delete":
            accounts.remove("ann", actor="cli")
        case _:
            accounts.sign_out_everywhere("ann", actor="cli")

    assert ann.get(LIST).status_code == 303


def test_changing_ones_password(server: ConsoleServer, ann: Visitor) -> None:
    """This session goes on, the others end; the new password is the one that counts."""
    other = Visitor(server)
    other.sign_in()
    new = "correct horse battery"

    changed = ann.follow(
        ann.post("/console/account/password", {"old": PASSWORD, "new": new, "again": new})
    )

    assert "The password is changed" in text_of(changed)
    assert ann.get(LIST).status_code == 200
    assert other.get(LIST).status_code == 303
    assert other.sign_in().status_code == 401
    assert other.sign_in(password=new).status_code == 303


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"old": "wrong", "new": "n" * 11 + "m", "again": "n" * 11 + "m"}, "not right"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "Must have 12 to 1,000 characters"),
        ({"old": PASSWORD, "new": "x" * 12, "again": "x" * 12}, "harder to guess"),
        ({"old": PASSWORD, "new": "one long password", "again": "another one"}, "not the same"),
    ],
)
def test_a_password_that_cannot_be_is_refused(
    ann: Visitor, fields: dict[str, str], said: str
) -> None:
    """With what would do; the old one stays."""
    answer = ann.post("/console/account/password", fields)

    assert answer.status_code == 422
    assert said in text_of(answer)
    assert ann.sign_in().status_code == 303


def test_the_account_page_tells_of_sessions_and_attempts(ann: Visitor) -> None:
    """So that one notices what one has not done."""
    page = text_of(ann.get("/console/account"))

    assert "this one" in page
    assert "Signed in" in page
    assert "Every tracker admin" in page


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_light_and_dark_are_chosen_without_scripts(ann: Visitor, theme: str) -> None:
    """It is kept in a cookie, and the page comes back as it is to be."""
    answer = ann.post("/console/theme", {"theme": theme, "next": LIST})

    assert answer.headers["location"] == LIST
    assert f'data-theme="{theme}"' in ann.get(LIST).text


def test_an_unknown_theme_is_refused(ann: Visitor) -> None:
    """It goes into the page."""
    assert ann.post("/console/theme", {"theme": '"><script>'}).status_code == 403


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/console/nowhere", "GET", 404),
        ("/console/t/1234-5678/nowhere", "GET", 404),
        ("/console/static/console.css", "GET", 404),
        ("/console/sign-out", "GET", 405),
        (LIST, "POST", 405),
        ("/console/t/unknown/customizations", "GET", 404),
        (f"{LIST}/00000000-0000-4000-8000-000000000000", "GET", 404),
        (f"{LIST}/%00", "GET", 404),
    ],
)
def test_what_goes_wrong_is_a_page(ann: Visitor, path: str, method: str, status: int) -> None:
    """With a way back."""
    answer = ann.get(path) if method == "GET" else ann.post(path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Go to the beginning" in text_of(answer)


def test_an_escape_is_a_page_with_its_number(
    server: ConsoleServer, ann: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is in the log."""

    def escape(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(server.parts.service, "clock", escape)
    answer = ann.get(LIST)

    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in text_of(answer)
    assert "a fault of ours" not in answer.text


def test_behind_proxies_the_address_is_the_browsers(tmp_path: Path, clock: ToldClock) -> None:
    """What the outermost of our own saw; what a browser claims before that does not count."""
    server = ConsoleServer(tmp_path, clock, console_proxies=2)
    try:
        server.create_tracker()
        server.create_user("ann")
        visitor = Visitor(server)
        forwarded = "203.0.113.9, 198.51.100.7, 10.0.0.1"
        visitor.get("/console/sign-in")

        visitor.post(
            "/console/sign-in", {"name": "ann", "password": PASSWORD}, X_Forwarded_For=forwarded
        )

        (session,) = server.parts.accounts.store.sessions("ann")
        assert session.address == "198.51.100.7"
    finally:
        server.close()


def test_a_console_that_is_switched_off_is_not_there(tmp_path: Path) -> None:
    """Its paths are as unknown as any other."""
    from endcap.config import Settings
    from endcap.web.worker import whole

    app = whole(Settings(data_dir=tmp_path, console=False))
    app.parts.accounts.close()

    assert app._routes.find("/console") is None
    assert app._routes.below("/console/x") is None
