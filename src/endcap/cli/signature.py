"""
`endcap check-signature`: what the server would sign, and which common slips explain the difference.

A slip is in the signature's spelling, in the key, or in the text; one of each may come together.
"""

import base64
import binascii
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import dropwhile, takewhile
from typing import IO
from urllib.parse import unquote

import click
from msgspec import Struct
from msgspec.structs import replace

from endcap import signing
from endcap.api.app import Parts
from endcap.cli.support import console, json_option, parts, print_json, tracker_id
from endcap.clock import system_clock
from endcap.domain import TrackerId
from endcap.errors import UsageFault

MICROS = 1_000_000
DIGEST_BYTES = 32
MATCHES = "matches"


class Attempt(Struct, frozen=True):
    """What was signed, or might have been."""

    method: str
    path: str
    content_type: str
    date: str
    host: str = ""
    """As the request named it, if we know."""

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
    help="A pasted request, first line and headers, or all that curl -v said; - reads standard input.",
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
    Paste the failing request, or give its parts:
      curl -v … 2>&1 | endcap check-signature --request -
      endcap check-signature --tracker 1234-5678 --method GET \\
        --path /v1/recommender/pin/1234-5678/scopes \\
        --content-type 'application/json; charset=utf-8' \\
        --date 'Mon, 20 Jan 2025 12:00:00 GMT' --signature …

    Ends with 0 if the signature matches, with 1 if not. A Date is judged by this machine's clock, now.
    """
    pasted = _pasted(request) if request else {}
    facts = {**pasted, **{key: value for key, value in given.items() if value is not None}}
    tracker = tracker or pasted.get("tracker")
    missing = [key for key in ("method", "path", "date", "signature") if not facts.get(key)]
    if tracker is None or missing:
        lacking = ["tracker"] * (tracker is None) + missing
        named = ", ".join(f"--{each}" for each in lacking)
        raise UsageFault(f"Missing: {named}. Give them, or paste a request that has them")
    attempt = Attempt(
        facts["method"].upper(),
        facts["path"],
        facts.get("content_type", ""),
        facts["date"],
        facts.get("host", ""),
    )
    with parts(ctx) as built:
        known = tracker_id(built, tracker)
        live = dict(_live_keys(built, known))
        skew_max = built.settings.clock_skew_seconds
    verdict = diagnose(attempt, facts["signature"].strip(), live.pop(known), others=live)
    at = signing.parse_http_date(attempt.date)
    date = _unreadable(attempt.date) if at is None else _age(system_clock() - at, skew_max)
    text = as_received(attempt).text
    matches = verdict == MATCHES
    if as_json:
        print_json({"matches": matches, "signature": verdict, "date": date, "signed_text": text})
    else:
        console.print("The server signs this text:", style="bold")
        for line in text.split("\n"):
            console.print(f"  {line!r}", soft_wrap=True)
        console.print(f"Signature: {verdict}", style="green" if matches else "red")
        console.print(f"Date: {date}")
    sys.exit(0 if matches and at is not None else 1)


def _live_keys(built: Parts, asked: TrackerId) -> Iterator[tuple[TrackerId, Sequence[str]]]:
    """Raises UsageFault if the keys of the tracker that is asked for cannot be opened; others may be sealed away."""
    for row in built.store.trackers():
        try:
            yield row.id, [built.vault.open(sealed) for sealed in row.sealed_keys]
        except UsageFault:
            if row.id == asked:
                raise


def diagnose(
    attempt: Attempt,
    signature: str,
    keys: Sequence[str],
    *,
    others: Mapping[TrackerId, Sequence[str]] | None = None,
) -> str:
    """`matches`, or the slips that explain the signature, or that none does. `others`: other trackers' keys."""
    text = as_received(attempt).text
    if signing.verify([signing.Key(key) for key in keys], text, signature):
        return MATCHES
    digests = dict(_digests(signature))
    for spelled, digest in digests.items():
        for keyed, key in _keys(keys, others or {}):
            made = signing.Key(key)
            for worded, signed in (("", text), *_texts(attempt)):
                if base64.b64decode(made.sign(signed)) == digest:
                    return "does not match: " + "; ".join(filter(None, (spelled, keyed, worded)))
    if not any(len(digest) == DIGEST_BYTES for digest in digests.values()):
        return (
            "does not match: it is not the Base64 of 32 bytes, as HMAC-SHA256 makes them; was another digest used, "
            "or is a part of it missing?"
        )
    return (
        "does not match any live key of the tracker, nor any usual slip: is it this tracker's private key, and is "
        "the text above what was signed, byte for byte?"
    )


def as_received(attempt: Attempt) -> Attempt:
    """What the server takes: the path without host and query."""
    _, scheme, rest = attempt.path.partition("://")
    path = "/" + rest.partition("/")[2] if scheme else attempt.path
    return replace(attempt, path=path.partition("?")[0])


def _digests(signature: str) -> Iterator[tuple[str, bytes]]:
    """The digests that a signature may mean, each with what is wrong with its spelling."""
    spelled = signature.translate(str.maketrans("-_", "+/")).rstrip("=")
    padded = spelled + "=" * (-len(spelled) % 4)
    try:
        digest = base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if padded == signature:
        yield "", digest
    elif digest:
        yield "it must be standard Base64 (+ and /), padded with =", digest
    for text, wrong in (
        (signature, "the digest was sent in hexadecimal; send it in Base64"),
        (
            digest.decode("ascii", "replace"),
            "the hexadecimal digest was sent in Base64; take the raw digest (in PHP: hash_hmac's last argument)",
        ),
    ):
        try:
            yield wrong, bytes.fromhex(text)
        except ValueError:
            continue


def _keys(
    keys: Sequence[str], others: Mapping[TrackerId, Sequence[str]]
) -> Iterator[tuple[str, str]]:
    """Keys that clients are known to sign with."""
    for key in keys:
        yield "", key
        for spoiled in (key + "\n", key + "\r\n"):
            yield "the private key was read with a line break at its end", spoiled
    for tracker, theirs in others.items():
        for key in theirs:
            yield f"it was signed with the private key of tracker {tracker}", key


def _texts(attempt: Attempt) -> Iterator[tuple[str, str]]:
    """Texts that clients are known to sign by mistake."""
    right = as_received(attempt)
    query = "?" + attempt.path.partition("?")[2]
    if len(query) > 1:
        signed = replace(right, path=right.path + query)
        yield "the query string was signed; sign the path without it", signed.text
    yield "a line break was signed at the end", right.text + "\n"
    yield "the lines were joined with CRLF; join them with LF", right.text.replace("\n", "\r\n")
    for content_type in (
        signing.JSON_CONTENT_TYPE,
        "application/json",
        "application/json;charset=utf-8",
        "application/json; charset=UTF-8",
        "application/x-www-form-urlencoded",
        "",
    ):
        if content_type != right.content_type:
            yield (
                f"Content-Type {content_type!r} was signed, but {right.content_type!r} was sent; they must be equal",
                replace(right, content_type=content_type).text,
            )
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", right.method.lower()):
        if method != right.method:
            yield (
                f"method {method} was signed, but {right.method} was sent",
                replace(right, method=method).text,
            )
    for path in dict.fromkeys(_paths(right)):
        if path != right.path:
            yield (
                f"path {path!r} was signed, but {right.path!r} was sent",
                replace(right, path=path).text,
            )
    at = signing.parse_http_date(right.date)
    if at is not None:
        written = signing.format_http_date(at)
        for date in (written, written.replace("GMT", "+0000"), written.replace("GMT", "UTC")):
            if date != right.date:
                yield (
                    f"Date {date!r} was signed, but {right.date!r} was sent",
                    replace(right, date=date).text,
                )


def _paths(right: Attempt) -> Iterator[str]:
    yield from (right.path.rstrip("/"), right.path + "/", right.path.lstrip("/"))
    yield unquote(right.path)
    if right.host:
        yield from (f"{before}{right.host}{right.path}" for before in ("", "http://", "https://"))


def _unreadable(date: str) -> str:
    return f"cannot be read: {date!r}. Send e.g. Mon, 20 Jan 2025 12:00:00 GMT"


def _age(micros: int, skew_seconds_max: int) -> str:
    seconds = abs(micros) / MICROS
    when = f"{seconds:.0f} s ago" if micros >= 0 else f"{seconds:.0f} s ahead"
    if seconds <= skew_seconds_max:
        return f"{when} by this machine's clock, in time"
    return (
        f"{when} by this machine's clock; a request is refused when it arrives more than {skew_seconds_max} s "
        "before or after its Date"
    )


def _pasted(request: "IO[str]") -> dict[str, str]:
    """The parts of a pasted request; of what curl -v says, those that it marks as sent."""
    lines = [line.strip() for line in request]
    sent = [line.removeprefix(">").strip() for line in lines if line.startswith(">")] or lines
    head = list(takewhile(bool, dropwhile(lambda line: not line, sent)))
    if not head or len(head[0].split()) < 2:
        raise UsageFault(
            "The pasted request must begin with its first line, e.g. GET /v1/… HTTP/1.1"
        )
    method, path = head[0].split()[:2]
    headers = {
        name.strip().lower(): value.strip()
        for name, colon, value in (line.partition(":") for line in head[1:])
        if colon
    }
    facts = {"method": method, "path": path, "content_type": headers.get("content-type", "")}
    facts.update({name: headers[name] for name in ("date", "host") if name in headers})
    credentials = signing.parse_authorization(headers.get("authorization", ""))
    if credentials is not None:
        facts.update(tracker=credentials.tracker, signature=credentials.signature)
    return facts
