"""
What a call is: a request and how to read its answer, as a value; when it may be sent again; how its path, query and
headers are spelled.

The verbs stand beside this module, by subject: each, once, a function from its arguments to a `Call`. The shells turn
it into a method, sync and async, with its signature (less the tracker) and its docstring.
"""

from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote

from msgspec import Struct

from endcap.client._reading import Answer, Parser, problem_of, retry_after_seconds
from endcap.domain import Micros

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Pairs = tuple[tuple[str, str], ...]
Several = str | Sequence[str]
"""One value or many, any of which may match."""


class Streamed(Protocol):
    """A body that is made while it is sent, each time anew."""

    def chunks(self) -> Iterator[bytes]: ...
    def awaited(self) -> AsyncIterator[bytes]: ...


class Outgoing(Struct, frozen=True, kw_only=True):
    """
    A request, before it is dated and signed. `understood` are statuses beside 2xx that are an answer; `upload` stands
    in the place of `content`.
    """

    method: str
    path: str
    query: Pairs = ()
    headers: Pairs = ()
    content: bytes | None = None
    upload: Streamed | None = None
    signed: bool = True
    repeatable: bool = True
    understood: tuple[int, ...] = ()

    def is_answered_by(self, status: int) -> bool:
        return 200 <= status < 300 or status in self.understood


class Call(Outgoing, Generic[T_co], frozen=True, kw_only=True):
    """A request, and how to read its answer."""

    read: Callable[[Answer], T_co]


class Download(Outgoing, Generic[T], frozen=True, kw_only=True):
    """A request, and how to read its answer while it arrives; the parser is chosen by the answer's headers."""

    parser: Callable[[Mapping[str, str]], Parser[T]]


class Paged(Protocol[T_co]):
    """An answer that is one page of many."""

    @property
    def results(self) -> tuple[T_co, ...]: ...


Walk = Generator[Call[Paged[T]], Any, None]
"""Asks for page after page; is sent each, of the kind it asked for, before it asks for the next."""

THROTTLED = 429
UNAVAILABLE = 503
RETRY_AFTER_SECONDS_MAX = 60  # a caller that can wait longer does better to plan for it


def pause_before_repeat(
    outgoing: Outgoing, answer: Answer, *, repeats: int, repeats_max: int, now: Micros
) -> int:
    """
    How many seconds to wait before sending again. Raises the answer's problem when that is not to be done.

    A 429 was not carried out. A 503 may have been, unknown to its server, so only what can be said twice is repeated.
    """
    again = answer.status == THROTTLED or (answer.status == UNAVAILABLE and outgoing.repeatable)
    asked = retry_after_seconds(answer, now=now)
    seconds = 2**repeats if asked is None else asked
    if not again or repeats >= repeats_max or seconds > RETRY_AFTER_SECONDS_MAX:
        raise problem_of(answer, now=now)
    return seconds


def segment_of(text: str) -> str:
    """A text as one segment of a path; dots alone would be taken for steps up the path."""
    return text.replace(".", "%2E") if text in (".", "..") else quote(text, safe="")


def query_of(**parameters: Several | int | None) -> Pairs:
    """Repeated by plain key, as the wire has it; what was not given is not sent."""
    pairs: list[tuple[str, str]] = []
    for name, value in parameters.items():
        if value is None:
            continue
        values = [str(value)] if isinstance(value, str | int) else value
        pairs.extend((name, each) for each in values)
    return tuple(pairs)


def headers_of(**headers: str | None) -> Pairs:
    return tuple(
        (name.replace("_", "-"), value) for name, value in headers.items() if value is not None
    )
