"""
How answers become values or problems. Pure: an answer is a status, headers and bytes, whoever fetched it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from endcap.client._values import (
    CatalogPage,
    Customization,
    ExportedObject,
    Model,
    Page,
    UpdateProgress,
)
from endcap.domain import Micros
from endcap.errors import Problem, StoreUnavailable, TooManyRequests
from endcap.signing import parse_http_date
from endcap.wire.problems import catalog_fault, problem_from
from endcap.wire.reading import UNREADABLE

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Answer(Struct, frozen=True):
    """What came back. `headers` is asked by lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def decoded(body: bytes, type: type[T]) -> T:
    """The body as a value of a type. Raises Problem when it is no such thing."""
    try:
        return msgspec.convert(_told(msgspec.json.decode(body)), type)
    except UNREADABLE as error:
        raise Problem("The answer cannot be read", {"body": [str(error)]}) from error


_VERBATIM = frozenset(
    {
        "target_criteria",
        "target_metadata",
        "pin_criteria",
        "attributes",
        "nested",
        "explanation",
        "model",
    }
)


def _told(value: Any) -> Any:
    """Without the members that are null: on this wire null and absent are the same."""
    if isinstance(value, list):
        return [_told(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: member if key in _VERBATIM else _told(member)
        for key, member in value.items()
        if member is not None
    }


def customization(answer: Answer) -> Customization:
    found = decoded(answer.body, Customization)
    return msgspec.structs.replace(found, etag=etag(answer))


class _Models(Struct, frozen=True):
    models: tuple[Model, ...]


def model_table(answer: Answer) -> tuple[Model, ...]:
    return decoded(answer.body, _Models).models


def model_told(answer: Answer) -> Model:
    return msgspec.structs.replace(decoded(answer.body, Model), etag=etag(answer))


def etag(answer: Answer) -> str | None:
    return answer.headers.get("etag")


REVISION_DIGITS_MAX = 18  # what the server takes back


def revision(headers: Mapping[str, str]) -> int:
    """The revision that an answer names; 0 if it names none."""
    text = headers.get("endcap-revision", "")
    return (
        int(text) if text.isascii() and text.isdigit() and len(text) <= REVISION_DIGITS_MAX else 0
    )


def nothing(answer: Answer) -> None:
    """For calls that say all with their status."""


class _Pagination(Struct, frozen=True):
    total: int


class _Page(Struct, frozen=True):
    pagination: _Pagination
    results: tuple[Customization, ...] = ()


def page(answer: Answer) -> Page:
    found = decoded(answer.body, _Page)
    return Page(found.pagination.total, found.results)


class _Link(Struct, frozen=True):
    rel: str
    href: str


class _CatalogPage(Struct, frozen=True):
    total: int
    objects: tuple[ExportedObject, ...] = ()
    links: tuple[_Link, ...] = ()


def catalog_page(answer: Answer) -> CatalogPage:
    found = decoded(answer.body, _CatalogPage)
    following = next((link.href for link in found.links if link.rel == "next"), None)
    return CatalogPage(found.total, found.objects, following)


class _Stored(Struct, frozen=True):
    ok_count: int
    errors_count: int = 0
    removed_count: int = 0


class _Started(Struct, frozen=True):
    status_url: str


class _Progress(Struct, frozen=True):
    status: str
    updates_count: int = 0
    failures_count: int = 0
    failures: dict[str, Any] = {}
    checked_count: int = 0


_JOB_ID = re.compile(r"[?&]job_id=([0-9]+)", re.ASCII)


def ok_count(answer: Answer) -> int:
    """How many objects were stored. Raises CatalogFaults when some were not, whatever the status says."""
    stored = decoded(answer.body, _Stored)
    if stored.errors_count:
        raise problem_from(answer.status, answer.body)
    return stored.ok_count


def removed_count(answer: Answer) -> int:
    """How many objects a commit took away. The vendor may answer with no body at all."""
    stored = decoded(answer.body, _Stored) if answer.body.strip() else _Stored(0)
    if stored.errors_count:
        raise problem_from(answer.status, answer.body)
    return stored.removed_count


def job_id(answer: Answer) -> int:
    """The number in the status URL of a job. Raises Problem where there is none."""
    url = decoded(answer.body, _Started).status_url
    found = _JOB_ID.search(url)
    if found is None:
        raise Problem("The answer names no job", {"status_url": [url]})
    return int(found[1])


def update_progress_of(answer: Answer) -> UpdateProgress:
    told = decoded(answer.body, _Progress)
    return UpdateProgress(
        told.status.replace("_", " "),  # the vendor spells it in both ways
        told.updates_count,
        told.failures_count,
        {identity: catalog_fault(fault) for identity, fault in told.failures.items()},
        told.checked_count,
    )


def problem_of(answer: Answer, *, now: Micros) -> Problem:
    """The problem that an answer speaks of; how long to wait is among its details where the server said so."""
    problem = problem_from(answer.status, answer.body)
    seconds = retry_after_seconds(answer, now=now)
    if seconds is not None:
        problem.details = {**problem.details, "retry_after": [f"{seconds} s"]}
        if isinstance(problem, TooManyRequests | StoreUnavailable):
            problem.retry_after_seconds = seconds
    return problem


RETRY_AFTER_DIGITS_MAX = 9  # thirty years; a longer number is noise


def retry_after_seconds(answer: Answer, *, now: Micros) -> int | None:
    """Retry-After, in either of its forms; None if it is absent or unreadable."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) <= RETRY_AFTER_DIGITS_MAX:
        return int(text)
    at = parse_http_date(text)
    return None if at is None else max(0, -((now - at) // 1_000_000))


class Parser(Protocol[T_co]):
    """Makes values of a body that arrives in chunks."""

    def feed(self, chunk: bytes) -> Iterable[T_co]: ...

    def end(self) -> Iterable[T_co]: ...


class Chunks:
    """The body as it comes."""

    def feed(self, chunk: bytes) -> Iterable[bytes]:
        return (chunk,)

    def end(self) -> Iterable[bytes]:
        return ()


class Lines:
    """One customization a line, each as soon as its line is whole."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterable[Customization]:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return (decoded(line, Customization) for line in lines if line.strip())

    def end(self) -> Iterable[Customization]:
        return self.feed(b"\n")


class Whole:
    """One array, readable at its end: what a server sends that knows no lines."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterable[Customization]:
        self._chunks.append(chunk)
        return ()

    def end(self) -> Iterable[Customization]:
        return decoded(b"".join(self._chunks), tuple[Customization, ...])


def chunks(headers: Mapping[str, str]) -> Parser[bytes]:
    return Chunks()


def customizations(headers: Mapping[str, str]) -> Parser[Customization]:
    return Lines() if "ndjson" in headers.get("content-type", "") else Whole()
