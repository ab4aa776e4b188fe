"""
The two shells: they send and wait, one with `await`. What is sent and how an answer is read is in `_calls` and
beside it.
"""

import asyncio
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
    Iterator,
    Mapping,
)
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx2

from endcap import __version__
from endcap.client import _catalog_calls as catalog_calls
from endcap.client import _customization_calls as customization_calls
from endcap.client import _event_calls as event_calls
from endcap.client import _ops_calls as ops_calls
from endcap.client import _past_calls as past_calls
from endcap.client import _recommending_calls as recommending_calls
from endcap.client._calls import Call, Download, Outgoing, Paged, Walk, pause_before_repeat
from endcap.client._reading import Answer, revision
from endcap.client._signing import Clock, SignedAuth, system_clock
from endcap.signing import JSON_CONTENT_TYPE

P = ParamSpec("P")
T = TypeVar("T")

REVISION = "Endcap-Revision"
TIMEOUT_SECONDS_DEFAULT = 10.0
_HEADERS = {"Content-Type": JSON_CONTENT_TYPE, "User-Agent": f"endcap/{__version__}"}


class _Shell:
    """What both shells know: whom they speak for, when, and how patiently."""

    def __init__(
        self, tracker: str, private_key: str, *, clock: Clock, retries: int, consistent: bool
    ) -> None:
        self.tracker = tracker
        self.revision = 0
        """The highest revision that an answer named. It may be set, to one that somebody else has seen."""
        self._consistent = consistent
        self._auth = SignedAuth(tracker, private_key, clock=clock)
        self._clock = clock
        self._retries = retries

    def _auth_of(self, outgoing: Outgoing) -> SignedAuth | None:
        return self._auth if outgoing.signed else None

    def _pause(self, outgoing: Outgoing, answer: Answer, repeats: int) -> int:
        return pause_before_repeat(
            outgoing, answer, repeats=repeats, repeats_max=self._retries, now=self._clock()
        )

    def _request(
        self, http: httpx2.Client | httpx2.AsyncClient, outgoing: Outgoing
    ) -> httpx2.Request:
        seen = ((REVISION, str(self.revision)),) if self._consistent and self.revision else ()
        return http.build_request(
            outgoing.method,
            outgoing.path,
            params=outgoing.query or None,
            headers=(*outgoing.headers, *seen),
            content=_content(http, outgoing),
        )

    def _note(self, headers: Mapping[str, str]) -> None:
        self.revision = max(self.revision, revision(headers))


def _content(
    http: httpx2.Client | httpx2.AsyncClient, outgoing: Outgoing
) -> bytes | Iterator[bytes] | AsyncIterator[bytes] | None:
    if outgoing.upload is None:
        return outgoing.content
    is_awaited = isinstance(http, httpx2.AsyncClient)
    return outgoing.upload.awaited() if is_awaited else outgoing.upload.chunks()


def _next(walk: Walk[T], page: Paged[T]) -> Call[Paged[T]] | None:
    try:
        return walk.send(page)
    except StopIteration:
        return None


def _verb(make: Callable[Concatenate[str, P], Call[T]]) -> Callable[Concatenate["Client", P], T]:
    @wraps(make)
    def verb(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client._send(make(client.tracker, *args, **kwargs))

    return verb


def _walk(
    make: Callable[Concatenate[str, P], Walk[T]],
) -> Callable[Concatenate["Client", P], Generator[T, None, None]]:
    @wraps(make)
    def verb(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
        return client._follow(make(client.tracker, *args, **kwargs))

    return verb


def _download(
    make: Callable[Concatenate[str, P], Download[T]],
) -> Callable[Concatenate["Client", P], Generator[T, None, None]]:
    @wraps(make)
    def verb(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
        return client._receive(make(client.tracker, *args, **kwargs))

    return verb


class Client(_Shell):
    """
    Speaks to Endcap, or to the vendor's host. Use it in a `with` block, or close it.

    `retries` is how often a call that was answered 429 or 503 is sent again, each time after the pause that the
    server asked for; never by default. A `consistent` client tells Endcap the highest revision that it has seen, and is
    never shown an older state, whichever worker or host answers; one that is too far behind answers 503.
    """

    def __init__(
        self,
        base_url: str,
        tracker: str,
        private_key: str,
        *,
        timeout: float | httpx2.Timeout = TIMEOUT_SECONDS_DEFAULT,
        transport: httpx2.BaseTransport | None = None,
        clock: Clock = system_clock,
        retries: int = 0,
        consistent: bool = False,
    ) -> None:
        super().__init__(tracker, private_key, clock=clock, retries=retries, consistent=consistent)
        self._http = httpx2.Client(
            base_url=base_url, timeout=timeout, transport=transport, headers=_HEADERS
        )

    create = _verb(customization_calls.create)
    get = _verb(customization_calls.get)
    get_if_changed = _verb(customization_calls.get_if_changed)
    replace = _verb(customization_calls.replace)
    delete = _verb(customization_calls.delete)
    list = _verb(customization_calls.list_page)
    list_all = _walk(customization_calls.every_page)
    export = _download(customization_calls.export)
    export_as = _download(customization_calls.export_as)
    summary = _verb(customization_calls.summary)
    recommend = _verb(recommending_calls.recommend)
    place = _verb(recommending_calls.place)
    models = _verb(recommending_calls.models)
    model = _verb(recommending_calls.model)
    put_model = _verb(recommending_calls.put_model)
    delete_model = _verb(recommending_calls.delete_model)
    put_objects = _verb(catalog_calls.put_objects)
    patch_objects = _verb(catalog_calls.patch_objects)
    delete_objects = _verb(catalog_calls.delete_objects)
    commit_generation = _verb(catalog_calls.commit_generation)
    update_by_query = _verb(catalog_calls.update_by_query)
    update_progress = _verb(catalog_calls.update_progress)
    export_page = _verb(catalog_calls.export_page)
    export_catalog = _walk(catalog_calls.export_catalog)
    send_event = _verb(event_calls.send_event)
    import_transactions = _verb(event_calls.import_transactions)
    history = _verb(past_calls.history)
    restore_version = _verb(past_calls.restore_version)
    undo = _verb(past_calls.undo)
    restore_tracker = _verb(past_calls.restore_tracker)
    drafts = _verb(past_calls.drafts)
    create_draft = _verb(past_calls.create_draft)
    draft = _verb(past_calls.draft)
    save_draft = _verb(past_calls.save_draft)
    discard_draft = _verb(past_calls.discard_draft)
    publish = _verb(past_calls.publish)
    publish_at = _verb(past_calls.publish_at)
    unpublish = _verb(past_calls.unpublish)
    health = _verb(ops_calls.health)
    ready = _verb(ops_calls.ready)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, call: Call[T]) -> T:
        repeats = 0
        while True:
            response = self._http.send(self._request(self._http, call), auth=self._auth_of(call))
            self._note(response.headers)
            answer = Answer(response.status_code, response.headers, response.content)
            if call.is_answered_by(answer.status):
                return call.read(answer)
            time.sleep(self._pause(call, answer, repeats))
            repeats += 1

    def _follow(self, walk: Walk[T]) -> Generator[T, None, None]:
        call: Call[Paged[T]] | None = next(walk)
        while call is not None:
            page = self._send(call)
            yield from page.results
            call = _next(walk, page)

    def _receive(self, download: Download[T]) -> Generator[T, None, None]:
        repeats = 0
        while True:
            request = self._request(self._http, download)
            response = self._http.send(request, auth=self._auth_of(download), stream=True)
            self._note(response.headers)
            try:
                if download.is_answered_by(response.status_code):
                    parser = download.parser(response.headers)
                    for chunk in response.iter_bytes():
                        yield from parser.feed(chunk)
                    yield from parser.end()
                    return
                answer = Answer(response.status_code, response.headers, response.read())
            finally:
                response.close()
            time.sleep(self._pause(download, answer, repeats))
            repeats += 1


def _async_verb(
    make: Callable[Concatenate[str, P], Call[T]],
) -> Callable[Concatenate["AsyncClient", P], Coroutine[Any, Any, T]]:
    @wraps(make)
    async def verb(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await client._send(make(client.tracker, *args, **kwargs))

    return verb


def _async_walk(
    make: Callable[Concatenate[str, P], Walk[T]],
) -> Callable[Concatenate["AsyncClient", P], AsyncGenerator[T, None]]:
    @wraps(make)
    def verb(
        client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncGenerator[T, None]:
        return client._follow(make(client.tracker, *args, **kwargs))

    return verb


def _async_download(
    make: Callable[Concatenate[str, P], Download[T]],
) -> Callable[Concatenate["AsyncClient", P], AsyncGenerator[T, None]]:
    @wraps(make)
    def verb(
        client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncGenerator[T, None]:
        return client._receive(make(client.tracker, *args, **kwargs))

    return verb


class AsyncClient(_Shell):
    """`Client` for asyncio: the same verbs, awaited; `list_all`, `export` and `export_as` are for `async for`."""

    def __init__(
        self,
        base_url: str,
        tracker: str,
        private_key: str,
        *,
        timeout: float | httpx2.Timeout = TIMEOUT_SECONDS_DEFAULT,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Clock = system_clock,
        retries: int = 0,
        consistent: bool = False,
    ) -> None:
        super().__init__(tracker, private_key, clock=clock, retries=retries, consistent=consistent)
        self._http = httpx2.AsyncClient(
            base_url=base_url, timeout=timeout, transport=transport, headers=_HEADERS
        )

    create = _async_verb(customization_calls.create)
    get = _async_verb(customization_calls.get)
    get_if_changed = _async_verb(customization_calls.get_if_changed)
    replace = _async_verb(customization_calls.replace)
    delete = _async_verb(customization_calls.delete)
    list = _async_verb(customization_calls.list_page)
    list_all = _async_walk(customization_calls.every_page)
    export = _async_download(customization_calls.export)
    export_as = _async_download(customization_calls.export_as)
    summary = _async_verb(customization_calls.summary)
    recommend = _async_verb(recommending_calls.recommend)
    place = _async_verb(recommending_calls.place)
    models = _async_verb(recommending_calls.models)
    model = _async_verb(recommending_calls.model)
    put_model = _async_verb(recommending_calls.put_model)
    delete_model = _async_verb(recommending_calls.delete_model)
    put_objects = _async_verb(catalog_calls.put_objects)
    patch_objects = _async_verb(catalog_calls.patch_objects)
    delete_objects = _async_verb(catalog_calls.delete_objects)
    commit_generation = _async_verb(catalog_calls.commit_generation)
    update_by_query = _async_verb(catalog_calls.update_by_query)
    update_progress = _async_verb(catalog_calls.update_progress)
    export_page = _async_verb(catalog_calls.export_page)
    export_catalog = _async_walk(catalog_calls.export_catalog)
    send_event = _async_verb(event_calls.send_event)
    import_transactions = _async_verb(event_calls.import_transactions)
    history = _async_verb(past_calls.history)
    restore_version = _async_verb(past_calls.restore_version)
    undo = _async_verb(past_calls.undo)
    restore_tracker = _async_verb(past_calls.restore_tracker)
    drafts = _async_verb(past_calls.drafts)
    create_draft = _async_verb(past_calls.create_draft)
    draft = _async_verb(past_calls.draft)
    save_draft = _async_verb(past_calls.save_draft)
    discard_draft = _async_verb(past_calls.discard_draft)
    publish = _async_verb(past_calls.publish)
    publish_at = _async_verb(past_calls.publish_at)
    unpublish = _async_verb(past_calls.unpublish)
    health = _async_verb(ops_calls.health)
    ready = _async_verb(ops_calls.ready)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _send(self, call: Call[T]) -> T:
        repeats = 0
        while True:
            response = await self._http.send(
                self._request(self._http, call), auth=self._auth_of(call)
            )
            self._note(response.headers)
            answer = Answer(response.status_code, response.headers, response.content)
            if call.is_answered_by(answer.status):
                return call.read(answer)
            await asyncio.sleep(self._pause(call, answer, repeats))
            repeats += 1

    async def _follow(self, walk: Walk[T]) -> AsyncGenerator[T, None]:
        call: Call[Paged[T]] | None = next(walk)
        while call is not None:
            page = await self._send(call)
            for each in page.results:
                yield each
            call = _next(walk, page)

    async def _receive(self, download: Download[T]) -> AsyncGenerator[T, None]:
        repeats = 0
        while True:
            request = self._request(self._http, download)
            response = await self._http.send(request, auth=self._auth_of(download), stream=True)
            self._note(response.headers)
            try:
                if download.is_answered_by(response.status_code):
                    parser = download.parser(response.headers)
                    async for chunk in response.aiter_bytes():
                        for each in parser.feed(chunk):
                            yield each
                    for each in parser.end():
                        yield each
                    return
                answer = Answer(response.status_code, response.headers, await response.aread())
            finally:
                await response.aclose()
            await asyncio.sleep(self._pause(download, answer, repeats))
            repeats += 1
