"""
`endcap check-signature`: what a stranger did wrong is named, with what to do instead.
"""

import base64
import hashlib
import hmac
import re
from pathlib import Path

import pytest

from endcap import signing
from endcap.clock import system_clock
from endcap.domain import Micros
from tests.cli.driver import KEY, TRACKER, Shell, unwrapped

PATH = f"/v1/recommender/pin/{TRACKER}/scope"
TYPE = "application/json; charset=utf-8"
DATE = "Mon, 20 Jan 2025 12:00:00 GMT"
TEXT = f"POST\n{TYPE}\n{DATE}\n{PATH}"


def digest(text: str = TEXT, key: str = KEY) -> bytes:
    """As a client makes it, without our code."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()


def signature(text: str = TEXT, key: str = KEY) -> str:
    return base64.b64encode(digest(text, key)).decode()


def with_(**parts: str) -> str:
    """The text with another part."""
    right = {"method": "POST", "type": TYPE, "date": DATE, "path": PATH}
    return "\n".join((right | parts).values())


def check(shell: Shell, signed: str, *, code: int, path: str = PATH, **given: str) -> str:
    """What the command says of a signature."""
    options = {
        "tracker": TRACKER, "method": "POST", "path": path, "content-type": TYPE, "date": DATE,
        "signature": signed, **given,
    }  # fmt: skip
    arguments = [part for name, text in options.items() for part in (f"--{name}", text)]
    return unwrapped(shell.call("check-signature", *arguments, code=code).stdout)


def test_a_signature_that_matches_is_told(shell: Shell) -> None:
    """With the text that was signed, line by line as the server takes it."""
    said = check(shell, signature(), code=0)

    assert f"'POST' '{TYPE}' '{DATE}' '{PATH}'" in said
    assert "Signature: matches" in said


def test_every_live_key_may_have_signed(shell: Shell) -> None:
    """While keys are rotated both are right."""
    shell.call("tracker", "rotate-key", TRACKER, "--private-key", "second_key")

    assert "matches" in check(shell, signature(key="second_key"), code=0)


# Keys whose digests need both signs that URL-safe Base64 spells otherwise
AWKWARD = next(
    f"key{number}" for number in range(1_000) if {"+", "/"} <= set(signature(key=f"key{number}"))
)

SLIPS = {
    "hexadecimal": (digest().hex(), "was sent in hexadecimal; send it in Base64"),
    "HEXADECIMAL": (digest().hex().upper(), "was sent in hexadecimal; send it in Base64"),
    "hexadecimal in Base64": (
        base64.b64encode(digest().hex().encode()).decode(),
        "take the raw digest",
    ),
    "no padding": (signature().rstrip("="), "padded with ="),
    "line break in the text": (signature(TEXT + "\n"), "a line break was signed at the end"),
    "line break in the key": (signature(key=KEY + "\n"), "read with a line break at its end"),
    "CRLF": (signature(TEXT.replace("\n", "\r\n")), "join them with LF"),
    "no Content-Type": (signature(with_(type="")), "Content-Type '' was signed"),
    "bare Content-Type": (
        signature(with_(type="application/json")),
        "Content-Type 'application/json' was signed",
    ),
    "charset in capitals": (
        signature(with_(type="application/json; charset=UTF-8")),
        "charset=UTF-8' was signed",
    ),
    "another method": (signature(with_(method="PUT")), "method PUT was signed, but POST was sent"),
    "method in small letters": (signature(with_(method="post")), "method post was signed"),
    "slash at the end": (signature(with_(path=PATH + "/")), f"path '{PATH}/' was signed"),
    "no slash before": (signature(with_(path=PATH[1:])), f"path '{PATH[1:]}' was signed"),
    "another zone": (
        signature(with_(date=DATE.replace("GMT", "+0000"))),
        "+0000' was signed",
    ),
    "two slips": (digest(TEXT + "\n").hex(), "send it in Base64; a line break was signed"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_usual_slip_is_named(shell: Shell, slip: str) -> None:
    """And nothing else is blamed."""
    signed, explanation = SLIPS[slip]

    said = check(shell, signed, code=1)

    assert "Signature: does not match: " in said
    assert explanation in said


def test_url_safe_base64_is_named(shell: Shell) -> None:
    """Of a digest where it makes a difference."""
    shell.call("tracker", "rotate-key", TRACKER, "--private-key", AWKWARD)
    sent = base64.urlsafe_b64encode(digest(key=AWKWARD)).decode()

    assert "it must be standard Base64" in check(shell, sent, code=1)


def test_a_signed_query_is_named(shell: Shell) -> None:
    """The path is signed without it."""
    said = check(shell, signature(with_(path=f"{PATH}?size=10")), path=f"{PATH}?size=10", code=1)

    assert "the query string was signed; sign the path without it" in said


def test_a_query_that_was_not_signed_is_right(shell: Shell) -> None:
    """It may be pasted along."""
    assert "matches" in check(shell, signature(), path=f"{PATH}?size=10", code=0)


def test_a_whole_url_may_be_given_for_the_path(shell: Shell) -> None:
    """What was signed with the host is named."""
    url = f"https://live.luigisbox.com{PATH}"

    assert "matches" in check(shell, signature(), path=url, code=0)


def test_a_signed_host_is_named(shell: Shell) -> None:
    """Where the pasted request names its host."""
    request = pasted(signature(with_(path=f"https://shop.example{PATH}")), host="shop.example")

    said = unwrapped(shell.call("check-signature", "--request", "-", input=request, code=1).stdout)

    assert f"path 'https://shop.example{PATH}' was signed" in said


def test_a_decoded_path_is_named(shell: Shell) -> None:
    """The path is signed as it travels."""
    sent = f"/v1/recommender/pin/{TRACKER}/scope/a%20b"

    said = check(shell, signature(with_(path=sent.replace("%20", " "))), path=sent, code=1)

    assert "a b' was signed" in said


def test_the_key_of_another_tracker_is_named(shell: Shell) -> None:
    """By the tracker, never by the key."""
    shell.call("tracker", "create", "test-shop", "--private-key", "its_key")

    said = check(shell, signature(key="its_key"), code=1)

    assert "signed with the private key of tracker test-shop" in said
    assert "its_key" not in said


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (signature(key="unknown"), "is it this tracker's private key"),
        (base64.b64encode(hashlib.sha1(b"x").digest()).decode(), "Base64 of 32 bytes"),
        ("nonsense!", "Base64 of 32 bytes"),
        (signature()[:20], "Base64 of 32 bytes"),
    ],
)
def test_what_no_slip_explains_is_told_as_such(shell: Shell, sent: str, said: str) -> None:
    """With what to look at next; no digest and no key is ever shown."""
    shown = check(shell, sent, code=1)

    assert said in shown
    assert KEY not in shown
    assert signature() not in shown


def pasted(signed: str, *, date: str = DATE, host: str = "localhost:8000") -> str:
    """What curl -v says, with what it does not send."""
    return f"""\
*   Trying 127.0.0.1:8000...
* Connected to localhost (127.0.0.1) port 8000 (#0)
> POST {PATH}?a=b HTTP/1.1
> Host: {host}
> User-Agent: curl/7.88.1
> Accept: */*
> Content-Type: {TYPE}
> Date: {date}
> Authorization: ApiAuth {TRACKER}:{signed}
> Content-Length: 100
>
{{ [100 bytes data]
< HTTP/1.1 401 Unauthorized
< content-type: application/json; charset=utf-16
< date: Tue, 21 Jan 2025 12:00:00 GMT
<
{{"reason":"Authentication failed"}}
"""


def without_age(said: str) -> str:
    """A second may pass between two calls."""
    return re.sub(r"\d+ s ago", "long ago", said)


@pytest.mark.parametrize("quoted", ["all", "sent lines alone", "raw"])
def test_a_request_may_be_pasted(shell: Shell, tmp_path: Path, quoted: str) -> None:
    """All that curl -v said, what grep left of it, or the request as it travels, body and all."""
    text = pasted(signature())
    if quoted != "all":
        text = "".join(f"{line}\n" for line in text.splitlines() if line.startswith(">"))
    if quoted == "raw":
        text = text.replace("> ", "").replace(">", "") + '{"date": "tomorrow"}'
    file = tmp_path / "request"
    file.write_text(text)

    from_file = shell.call("check-signature", "--request", file)
    from_input = shell.call("check-signature", "--request", "-", input=text)

    assert "Signature: matches" in from_file.stdout
    assert without_age(from_input.stdout) == without_age(from_file.stdout)


def test_what_is_given_wins_over_what_is_pasted(shell: Shell) -> None:
    """To try what if."""
    text = pasted(signature(with_(method="PUT")))

    shell.call("check-signature", "--request", "-", input=text, code=1)
    shell.call("check-signature", "--request", "-", "--method", "PUT", input=text, code=0)


@pytest.mark.parametrize("text", ["", "\n\n", "* nothing was sent\n", "hello"])
def test_a_paste_that_is_no_request_is_refused(shell: Shell, text: str) -> None:
    """With what one looks like."""
    said = shell.call("check-signature", "--request", "-", input=text, code=2)

    assert "Error" in said.stderr
    assert said.stdout == ""


def test_what_is_missing_is_listed(shell: Shell) -> None:
    """All at once, as options."""
    said = shell.fault("check-signature", "--method", "GET", code=2)

    assert "Missing: --tracker, --path, --date, --signature" in said


def test_an_unknown_tracker_is_told(shell: Shell) -> None:
    """With those there are."""
    text = pasted(signature()).replace(f"ApiAuth {TRACKER}", "ApiAuth 9999-9999")

    said = shell.call("check-signature", "--request", "-", input=text, code=1)

    assert "9999-9999 does not exist" in unwrapped(said.stderr)


def ago(seconds: float) -> str:
    return signing.format_http_date(Micros(system_clock() - round(seconds * 1_000_000)))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "by this machine's clock, in time"),
        (90, "s ago by this machine's clock; a request is refused when it arrives more than 5 s"),
        (-90, "s ahead by this machine's clock; a request is refused"),
    ],
)
def test_the_date_is_judged_by_this_clock(shell: Shell, seconds: float, said: str) -> None:
    """It alone makes no failure: who pastes a request takes longer than five seconds."""
    date = ago(seconds)

    shown = check(shell, signature(with_(date=date)), date=date, code=0)

    assert said in shown


def test_a_date_that_cannot_be_read_is_told(shell: Shell) -> None:
    """The signature may match, the server refuses it all the same: so the code is 1."""
    shown = check(shell, signature(with_(date="2025-01-20")), date="2025-01-20", code=1)

    assert "Signature: matches" in shown
    assert "Date: cannot be read: '2025-01-20'. Send e.g. Mon, 20 Jan 2025 12:00:00 GMT" in shown


@pytest.mark.parametrize("matching", [True, False])
def test_the_verdict_in_json(shell: Shell, matching: bool) -> None:
    """Whether it matches, in one word; the rest for people."""
    said = shell.json(
        "check-signature", "--tracker", TRACKER, "--method", "POST", "--path", PATH,
        "--content-type", TYPE, "--date", DATE,
        "--signature", signature() if matching else "other",
        code=0 if matching else 1,
    )  # fmt: skip

    assert said["matches"] is matching
    assert said["signed_text"] == TEXT
    assert set(said) == {"matches", "signature", "date", "signed_text"}
