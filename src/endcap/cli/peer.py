"""
The host that a pull asks, over HTTP: signed, patient, and bounded in what it reads.

Only reads are sent, so any of them may be sent again: after a failed connection, a 408, a 429 or a 5xx, with growing
pauses or the one that the host asked for. What is signed goes to the host that was named and to no other, whatever host
a link or a redirection names.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx2
import msgspec
from msgspec import Raw, Struct

from endcap import __version__
from endcap.client import SignedAuth
from endcap.client._reading import Answer, problem_of, retry_after_seconds
from endcap.clock import Clock, system_clock
from endcap.errors import PeerUnavailable, Problem, TrackerNotFound, UsageFault
from endcap.signing import JSON_CONTENT_TYPE
from endcap.transfer.pull import LinkExpired, PeerPage
from endcap.transfer.rows import ARRAY_BYTES_MAX, Progress
from endcap.wire.catalog_export import PATH, SIZE_MAX
from endcap.wire.customizations import one_line
from endcap.wire.reading import UNREADABLE

ATTEMPTS_MAX = 8  # about two minutes of pauses: a restart or a deployment passes
PAUSE_SECONDS_MAX = 60
RETRY_AFTER_SECONDS_MAX = 900  # a host that asks for more is asked again by a person
TIMEOUT_SECONDS = 60.0
PAGE_BYTES_MAX = 200_000_000  # 500 objects, each far larger than any is
LIST_SIZE = 100
AGAIN = frozenset({408, 429, 500, 502, 503, 504})
NOT_EXPIRED = frozenset({401, 403})
NO_EXPORT = frozenset({404, 405, 501})


class _Link(Struct):
    rel: str = ""
    href: str = ""


class _ContentPage(Struct):
    objects: list[Raw]
    total: int = 0
    links: list[_Link] = []


class _Pagination(Struct):
    total: int


class _ListPage(Struct):
    pagination: _Pagination
    results: list[Raw]


_content_pages = msgspec.json.Decoder(_ContentPage)
_list_pages = msgspec.json.Decoder(_ListPage)
Query = Sequence[tuple[str, str]]


class HttpPeer:
    """See `transfer.pull.Peer`. `say` is told of pauses."""

    def __init__(
        self,
        url: str,
        tracker: str,
        private_key: str,
        *,
        clock: Clock = system_clock,
        sleep: Callable[[float], None] = time.sleep,
        say: Callable[[str], None] = lambda text: None,
        page_bytes_max: int = PAGE_BYTES_MAX,
    ) -> None:
        """Raises UsageFault for what is not the URL of a host."""
        self.url = _host(url)
        self._base = f"/v1/recommender/pin/{quote(tracker, safe='')}"
        self._clock = clock
        self._sleep = sleep
        self._say = say
        self._page_bytes_max = page_bytes_max
        self._http = httpx2.Client(
            base_url=self.url,
            auth=SignedAuth(tracker, private_key, clock=clock),
            timeout=TIMEOUT_SECONDS,
            headers={"Content-Type": JSON_CONTENT_TYPE, "User-Agent": f"endcap/{__version__}"},
        )

    def __enter__(self) -> "HttpPeer":
        return self

    def __exit__(self, *raised: object) -> None:
        self._http.close()

    def catalog_page(self, link: str | None) -> PeerPage:
        query: Query = [("size", str(SIZE_MAX))]
        if link is not None:
            query = parse_qsl(urlsplit(link).query, keep_blank_values=True)
        answer = self._read("GET", PATH, query)
        if link is not None and 400 <= answer.status < 500 and answer.status not in NOT_EXPIRED:
            raise LinkExpired from self._problem(answer)
        page = _decoded(_content_pages, self._accepted(answer))
        following = next((each.href for each in page.links if each.rel == "next"), None)
        return PeerPage(page.total, page.objects, following)

    def save_customizations(self, path: Path, progress: Progress) -> None:
        """By the export; where a host has none, by its list, page by page."""
        with path.open("wb") as file:
            answer = self._read("POST", f"{self._base}/scopes/export", into=file)
            if answer.status in NO_EXPORT and not isinstance(
                self._problem(answer), TrackerNotFound
            ):
                self._save_list(file, progress)
            else:
                self._accepted(answer)

    def _save_list(self, file: IO[bytes], progress: Progress) -> None:
        """
        One customization a line, oldest first. One that is deleted meanwhile hides another behind the border of two
        pages, and no count tells it for sure: the list is read until it was the same twice.
        """
        before: Sequence[bytes] | None = None
        for _ in range(ATTEMPTS_MAX):
            found = list(self._listed(progress))
            if found == before:
                file.seek(0)
                file.truncate()
                file.writelines(one_line(each) + b"\n" for each in found)
                return
            before = found
        raise PeerUnavailable(
            f"The customizations at {self.url} change faster than they can be read"
        )

    def _listed(self, progress: Progress) -> Iterator[bytes]:
        offset, total = 0, 1
        while offset < total:
            query = [("limit", str(LIST_SIZE)), ("offset", str(offset)), ("sort", "created_at:asc")]
            answer = self._read("POST", f"{self._base}/scopes", query)
            page = _decoded(_list_pages, self._accepted(answer))
            total = page.pagination.total
            yield from map(bytes, page.results)
            if not page.results:
                return
            offset += len(page.results)
            progress("customizations", offset, total)

    def _accepted(self, answer: Answer) -> bytes:
        if answer.status == 200:
            return answer.body
        if 300 <= answer.status < 400:
            there = answer.headers.get("location", "elsewhere")
            raise UsageFault(f"{self.url} sends on to {there}: give that host to --from")
        raise self._problem(answer)

    def _problem(self, answer: Answer) -> Problem:
        """What the peer says, and who says it."""
        problem = problem_of(answer, now=self._clock())
        problem.details = {**problem.details, "from": [self.url]}
        return problem

    def _read(
        self, method: str, path: str, query: Query = (), *, into: IO[bytes] | None = None
    ) -> Answer:
        """
        The answer to a request, asked for until there is one that stands. A good one goes into a file, if given.

        Raises PeerUnavailable.
        """
        for attempt in range(ATTEMPTS_MAX):
            try:
                answer = self._answer(method, path, query, into)
            except httpx2.RequestError as error:
                why, asked = f"{type(error).__name__}: {error}", None
            else:
                if answer.status not in AGAIN:
                    return answer
                why = f"HTTP status {answer.status}"
                asked = retry_after_seconds(answer, now=self._clock())
            if attempt + 1 < ATTEMPTS_MAX:
                self._pause(attempt, why, asked)
        raise PeerUnavailable(details={"from": [f"{self.url} ({why})"]})

    def _pause(self, attempt: int, why: str, asked: int | None) -> None:
        if asked is not None and asked > RETRY_AFTER_SECONDS_MAX:
            raise PeerUnavailable(
                f"{self.url} asks to be left alone for {asked} seconds; go on then with --resume",
                {"from": [why]},
            )
        grown = min(2.0**attempt, PAUSE_SECONDS_MAX) * random.uniform(0.5, 1)
        seconds = grown if asked is None else float(asked)
        self._say(f"{self.url}: {why}; again in {seconds:.0f} s")
        self._sleep(seconds)

    def _answer(self, method: str, path: str, query: Query, into: IO[bytes] | None) -> Answer:
        content = b"{}" if method == "POST" else None
        headers = {"Accept": "application/x-ndjson, application/json;q=0.9"} if into else None
        request = self._http.build_request(
            method, path, params=tuple(query) or None, content=content, headers=headers
        )
        response = self._http.send(request, stream=True)
        try:
            is_saved = into is not None and response.status_code == 200
            chunks = _bounded(response, ARRAY_BYTES_MAX if is_saved else self._page_bytes_max)
            if into is None or not is_saved:
                return Answer(response.status_code, response.headers, b"".join(chunks))
            into.seek(0)
            into.truncate()
            into.writelines(chunks)
            return Answer(response.status_code, response.headers, b"")
        finally:
            response.close()


def _bounded(response: httpx2.Response, bytes_max: int) -> Iterator[bytes]:
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > bytes_max:
            raise PeerUnavailable(f"{response.url} answers with more than {bytes_max} bytes")
        yield chunk


def _decoded(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except UNREADABLE as error:
        raise PeerUnavailable(f"The answer of the host cannot be read: {error}") from error


def _host(url: str) -> str:
    """A base URL without anything behind the host: what is signed is the path, and it begins with /v1."""
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.hostname:
        raise UsageFault(f"--from {url}: must be a URL such as https://live.luigisbox.com")
    if split.path.strip("/") or split.query or split.fragment or split.username:
        raise UsageFault(
            f"--from {url}: must end with the host, as https://live.luigisbox.com does"
        )
    return f"{split.scheme}://{split.netloc}"
