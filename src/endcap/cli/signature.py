"""
`endcap check-signature`: what the server would sign, and which common slip explains the difference.
"""

import base64
import sys
from collections.abc import Iterator
from typing import IO

import click
from msgspec import Struct

from endcap import signing
from endcap.cli.support import console, json_option, parts, print_json, tracker_id
from endcap.clock import system_clock
from endcap.errors import UsageFault

SKEW_MICROS = 1_000_000


class Attempt(Struct, frozen=True):
    """What was signed, or might have been."""

    method: str
    path: str
    content_type: str
    date: str

    @property
    def text(self) -> str:
        return signing.string_to_sign(
            method=self.method, content_type=self.content_type, date=self.date, path=self.path
        )


@click.command("check-signature")
@click.option(
    "--tracker", metavar="ID", help="The tracker's id; default: the one in the pasted request."
)
@click.option("--method", help="GET, POST, PUT, DELETE, PATCH.")
@click.option("--path", "path", help="The path as sent, without host.")
@click.option("--content-type", help="The Content-Type header as sent; empty if none.")
@click.option("--date", help="The Date header as sent.")
@click.option("--signature", help="What follows the last colon of the Authorization header.")
@click.option(
    "--request",
    type=click.File("r"),
    metavar="FILE",
    help="A pasted request, first line and headers (e.g. from curl -v); - reads standard input.",
)
@json_option
@click.pass_context
def check_signature(
    ctx: click.Context,
    /,
    tracker: str | None,
    request: "IO[str] | None",
    *,
    as_json: bool,
    **given: str | None,
) -> None:
    """
    See why a signature fails.

    \b
    Give the parts, or paste the failing request:
      curl -v … 2>&1 | grep '^>' | endcap check-signature --request -
    """
    pasted = _pasted(request) if request else {}
    facts = {**pasted, **{key: value for key, value in given.items() if value is not None}}
    tracker = tracker or pasted.get("tracker")
    missing = [key for key in ("method", "path", "date", "signature") if not facts.get(key)]
    if tracker is None or missing:
        lacking = ["tracker"] * (tracker is None) + missing
        raise UsageFault("Missing: " + ", ".join(f"--{each}" for each in lacking))
    attempt = Attempt(
        facts["method"].upper(), facts["path"], facts.get("content_type", ""), facts["date"]
    )
    with parts(ctx) as built:
        row = built.store.tracker(tracker_id(built, tracker))
        keys = [built.vault.open(sealed) for sealed in (row.sealed_keys if row else ())]
        skew_max = built.settings.clock_skew_seconds
    signature = facts["signature"].strip()
    verdict = diagnose(attempt, signature, keys)
    clock = _clock(attempt.date, skew_max)
    matches = verdict == "matches"
    if as_json:
        print_json({"signature": verdict, "date": clock, "signed_text": _server_side(attempt).text})
    else:
        console.print("The server signs this text:", style="bold")
        for line in _server_side(attempt).text.split("\n"):
            console.print(f"  {line!r}", markup=False)
        console.print(f"Signature: {verdict}", style="green" if matches else "red", markup=False)
        console.print(f"Date: {clock}", markup=False)
    sys.exit(0 if matches else 1)


def diagnose(attempt: Attempt, signature: str, keys: list[str]) -> str:
    """`matches`, or the slip that explains the signature, or that none does."""
    if _signed_by(keys, _server_side(attempt).text, signature):
        return "matches"
    for slip, text in _slips(attempt):
        if _signed_by(keys, text, signature):
            return f"does not match: {slip}"
    for key in keys:
        if (
            signature.lower()
            == base64.b64decode(signing.Key(key).sign(_server_side(attempt).text)).hex()
        ):
            return "does not match: the digest was sent in hexadecimal; send it in Base64"
    return (
        "does not match any live key of the tracker, nor any usual slip: is it this tracker's private key, "
        "without spaces or a line break?"
    )


def _server_side(attempt: Attempt) -> Attempt:
    """What the server takes: the path without its query."""
    return Attempt(
        attempt.method, attempt.path.split("?", 1)[0], attempt.content_type, attempt.date
    )


def _signed_by(keys: list[str], text: str, signature: str) -> bool:
    return signing.verify([signing.Key(key) for key in keys], text, signature)


def _slips(attempt: Attempt) -> Iterator[tuple[str, str]]:
    """Texts that clients are known to sign by mistake."""
    right = _server_side(attempt)
    if "?" in attempt.path:
        yield "the query string was signed; sign the path without it", attempt.text
    yield "a line break was signed at the end", right.text + "\n"
    for content_type in (
        signing.JSON_CONTENT_TYPE,
        "application/json",
        "application/json;charset=utf-8",
        "",
    ):
        if content_type != attempt.content_type:
            text = Attempt(right.method, right.path, content_type, right.date).text
            yield (
                f"Content-Type {content_type!r} was signed, but {attempt.content_type!r} was sent; they must be equal",
                text,
            )
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", right.method.lower()):
        if method != right.method:
            text = Attempt(method, right.path, right.content_type, right.date).text
            yield f"method {method} was signed, but {right.method} was sent", text
    for path in (right.path.rstrip("/"), right.path + "/", right.path.lstrip("/")):
        if path != right.path:
            text = Attempt(right.method, path, right.content_type, right.date).text
            yield f"path {path!r} was signed, but {right.path!r} was sent", text
    at = signing.parse_http_date(right.date)
    if at is not None:
        written = signing.format_http_date(at)
        for date in (written, written.replace("GMT", "+0000"), written.replace("GMT", "UTC")):
            if date != right.date:
                text = Attempt(right.method, right.path, right.content_type, date).text
                yield f"Date {date!r} was signed, but {right.date!r} was sent", text


def _clock(date: str, skew_seconds_max: int) -> str:
    at = signing.parse_http_date(date)
    if at is None:
        return f"cannot be read: {date!r}. Send e.g. Mon, 20 Jan 2025 12:00:00 GMT"
    age = (system_clock() - at) / SKEW_MICROS
    within = abs(age) <= skew_seconds_max
    verdict = "in time" if within else f"too far off (at most {skew_seconds_max} s when it arrives)"
    return f"{age:+.0f} s before now by this machine's clock, {verdict}"


def _pasted(request: "IO[str]") -> dict[str, str]:
    """The parts of a pasted request; `> ` of curl -v is taken off."""
    lines = [line.strip().removeprefix(">").strip() for line in request]
    lines = [line for line in lines if line]
    if not lines or len(lines[0].split()) < 2:
        raise UsageFault(
            "The pasted request must begin with its first line, e.g. GET /v1/… HTTP/1.1"
        )
    method, path = lines[0].split()[:2]
    headers = {
        name.strip().lower(): value.strip()
        for name, colon, value in (line.partition(":") for line in lines[1:])
        if colon
    }
    facts = {"method": method, "path": path, "content_type": headers.get("content-type", "")}
    if "date" in headers:
        facts["date"] = headers["date"]
    credentials = signing.parse_authorization(headers.get("authorization", ""))
    if credentials is not None:
        facts.update(tracker=credentials.tracker, signature=credentials.signature)
    return facts
