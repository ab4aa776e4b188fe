"""
The two shells, against answers as the vendor's host gives them: sending, repeating, paging, streaming.

Every test runs both clients through the same scene; the live server has its own file.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeVar

import httpx2
import pytest

from endcap import errors
from endcap.client import AsyncClient, Client, RecommendationRequest

HOST = "https://live.luigisbox.com"
TRACKER = "1234-5678"
KEY = "your_private_api_key"
T = TypeVar("T")


class Vendor:
    """Answers as told, in order, and keeps what it was asked."""

    def __init__(self, *answers: httpx2.Response) -> None:
        self._answers = iter(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return next(self._answers)

    def queries(self) -> list[str]:
        return [request.url.query.decode() for request in self.requests]


Scene = Callable[[Client], T]
AsyncScene = Callable[[AsyncClient], Awaitable[T]]


def play(vendor: Vendor, scene: Scene[T], *, base_url: str = HOST, **options: Any) -> T:
    transport = httpx2.MockTransport(vendor)
    with Client(base_url, TRACKER, KEY, transport=transport, **options) as client:
        return scene(client)


def play_async(vendor: Vendor, scene: AsyncScene[T], **options: Any) -> T:
    async def played() -> T:
        transport = httpx2.MockTransport(vendor)
        async with AsyncClient(HOST, TRACKER, KEY, transport=transport, **options) as client:
            return await scene(client)

    return asyncio.run(played())


def customization(number: int) -> dict[str, Any]:
    return {
        "id": f"199620b4-df1a-46e8-ab59-{number:012}",
        "model": "basket",
        "target_type": "all",
        "pin_definitions": [],
    }


def page(total: int, *numbers: int) -> httpx2.Response:
    results = [customization(number) for number in numbers]
    return httpx2.Response(200, json={"pagination": {"total": total}, "results": results})


def throttled(seconds: str = "0") -> httpx2.Response:
    return httpx2.Response(
        429,
        headers={"Retry-After": seconds},
        json={"reason": "Too many requests", "exception_details": {}},
    )


def numbers(found: list[Any]) -> list[int]:
    return [int(each.id[-12:]) for each in found]


def test_sends_what_the_documentation_says() -> None:
    """The headers of the vendor's examples, on a GET as well."""
    vendor = Vendor(httpx2.Response(200, json=customization(1)))

    play(vendor, lambda client: client.get("199620b4-df1a-46e8-ab59-9e9ed9af7106"))

    (request,) = vendor.requests
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    assert request.headers["Date"].endswith(" GMT")
    assert request.headers["Authorization"].startswith(f"ApiAuth {TRACKER}:")
    assert request.headers["Host"] == "live.luigisbox.com"


def test_a_public_call_carries_no_signature() -> None:
    """A private key has no business where none is asked for."""
    vendor = Vendor(httpx2.Response(200, json=[]))

    play(
        vendor,
        lambda client: client.recommend([RecommendationRequest(recommendation_type="basket")]),
    )

    assert "Authorization" not in vendor.requests[0].headers


def test_a_base_url_may_have_a_path() -> None:
    """The path in front is part of the request, so it is signed too."""
    vendor = Vendor(httpx2.Response(200, json=customization(1)))

    play(vendor, lambda client: client.get("x"), base_url="https://shop.example/endcap/")

    path = vendor.requests[0].url.raw_path
    assert path == b"/endcap/v1/recommender/pin/1234-5678/scope/x"


def test_the_vendors_problem_is_raised() -> None:
    """The documented refusal is the class that the server of this project raises."""
    body = {"reason": "Customization not found", "exception_details": {}}

    with pytest.raises(errors.CustomizationNotFound):
        play(Vendor(httpx2.Response(404, json=body)), lambda client: client.delete("x"))
    with pytest.raises(errors.CustomizationNotFound):
        play_async(Vendor(httpx2.Response(404, json=body)), lambda client: client.delete("x"))


def test_a_problem_is_raised_at_once_by_default() -> None:
    """Nobody waits who did not ask to."""
    vendor = Vendor(throttled("5"))

    with pytest.raises(errors.TooManyRequests) as raised:
        play(vendor, lambda client: client.summary())

    assert raised.value.retry_after_seconds == 5
    assert len(vendor.requests) == 1


def test_a_throttled_call_is_repeated() -> None:
    """As often as allowed, until there is an answer; each time signed anew."""
    summary = {"scope_counts": {"basket": 1}, "user_tags": []}

    def answers() -> Vendor:
        return Vendor(throttled(), throttled(), httpx2.Response(200, json=summary))

    first, second = answers(), answers()

    found = play(first, lambda client: client.summary(), retries=2)
    found_too = play_async(second, lambda client: client.summary(), retries=2)

    assert found == found_too
    assert found.scope_counts == {"basket": 1}
    assert len(first.requests) == len(second.requests) == 3
    assert all("Authorization" in request.headers for request in first.requests)


def test_repeating_has_an_end() -> None:
    """The last answer is raised when the repetitions are used up."""
    vendor = Vendor(throttled(), throttled())

    with pytest.raises(errors.TooManyRequests):
        play(vendor, lambda client: client.summary(), retries=1)

    assert len(vendor.requests) == 2


def test_list_all_walks_every_page() -> None:
    """Page after page, also where the server gives fewer than asked for."""

    def answers() -> Vendor:
        return Vendor(page(5, 1, 2), page(5, 3, 4), page(5, 5))

    async def collected(client: AsyncClient) -> list[Any]:
        return [each async for each in client.list_all(tag="spring", page_size=3)]

    first, second = answers(), answers()

    found = play(first, lambda client: list(client.list_all(tag="spring", page_size=3)))
    found_too = play_async(second, collected)

    assert numbers(found) == numbers(found_too) == [1, 2, 3, 4, 5]
    assert first.queries() == second.queries()
    assert first.queries() == [
        f"tag=spring&sort=created_at%3Aasc&limit=3&offset={offset}" for offset in (0, 2, 4)
    ]


def test_list_all_ends_with_an_empty_page() -> None:
    """A total that is not reached, because something was deleted meanwhile, is no endless loop."""
    vendor = Vendor(page(3, 1, 2), page(3))

    assert numbers(play(vendor, lambda client: list(client.list_all()))) == [1, 2]


class Slowly(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body in chunks, which knows how many were taken and whether it was closed."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks
        self.taken = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.taken += 1
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


LINES = {"Content-Type": "application/x-ndjson; charset=utf-8"}


def line(number: int) -> bytes:
    return httpx2.Response(200, json=customization(number)).content + b"\n"


def test_an_export_is_read_while_it_arrives() -> None:
    """The first is there before the last was sent, and leaving early closes the connection."""
    body = Slowly(line(1), line(2), line(3))

    def scene(client: Client) -> int:
        found = client.export(model="basket")
        first = next(found)
        found.close()
        return int(first.id[-12:])

    assert play(Vendor(httpx2.Response(200, headers=LINES, stream=body)), scene) == 1
    assert body.taken == 1
    assert body.closed


def test_an_export_is_read_to_its_end() -> None:
    """Lines where the server knows them, an array where it does not; both clients alike."""

    def answers() -> list[httpx2.Response]:
        array = httpx2.Response(200, json=[customization(1), customization(2)])
        return [httpx2.Response(200, headers=LINES, stream=Slowly(line(1), line(2))), array]

    async def collected(client: AsyncClient) -> list[Any]:
        return [each async for each in client.export()]

    for lines_or_array in (0, 1):
        vendor = Vendor(answers()[lines_or_array])
        assert numbers(play(vendor, lambda client: list(client.export()))) == [1, 2]
        assert vendor.requests[0].headers["Accept"].startswith("application/x-ndjson")
        assert numbers(play_async(Vendor(answers()[lines_or_array]), collected)) == [1, 2]


def test_export_as_gives_the_bytes() -> None:
    """A file is written as it comes."""
    body = Slowly(b"id,model\r\n", b"1,basket\r\n")
    vendor = Vendor(httpx2.Response(200, headers={"Content-Type": "text/csv"}, stream=body))

    found = play(vendor, lambda client: b"".join(client.export_as("csv")))

    assert found == b"id,model\r\n1,basket\r\n"
    assert vendor.requests[0].headers["Accept"] == "text/csv"


def test_a_refused_export_is_raised_or_repeated() -> None:
    """A stream's problem is read whole and treated as any other."""

    async def collected(client: AsyncClient) -> list[Any]:
        return [each async for each in client.export()]

    refused = {"reason": "Tracker not found", "exception_details": {}}

    def good() -> httpx2.Response:
        return httpx2.Response(200, headers=LINES, content=line(1))

    with pytest.raises(errors.TrackerNotFound):
        play(Vendor(httpx2.Response(404, json=refused)), lambda client: list(client.export()))
    with pytest.raises(errors.TrackerNotFound):
        play_async(Vendor(httpx2.Response(404, json=refused)), collected)
    vendor = Vendor(throttled(), good())
    assert numbers(play(vendor, lambda client: list(client.export()), retries=1)) == [1]
    vendor = Vendor(throttled(), good())
    assert numbers(play_async(vendor, collected, retries=1)) == [1]


def told(revision: str) -> httpx2.Response:
    return httpx2.Response(200, json=customization(1), headers={"Endcap-Revision": revision})


def test_a_consistent_client_says_what_it_has_seen() -> None:
    """The highest revision, with each call from the second on; what is no revision counts for nothing."""
    answers = ["7", "9", "8", "soon", "-1", "1" * 19, "10"]

    def scene(client: Client) -> int:
        for _ in answers:
            client.get("1")
        return client.revision

    async def async_scene(client: AsyncClient) -> int:
        for _ in answers:
            await client.get("1")
        return client.revision

    one, other = Vendor(*map(told, answers)), Vendor(*map(told, answers))
    assert play(one, scene, consistent=True) == 10
    assert play_async(other, async_scene, consistent=True) == 10
    for vendor in (one, other):
        sent = [request.headers.get("Endcap-Revision") for request in vendor.requests]
        assert sent == [None, "7", "9", "9", "9", "9", "9"]


def test_a_consistent_client_takes_part_in_exports_and_refusals() -> None:
    """A stream names its revision too; a server that is behind raises, and what was seen is kept."""
    export = httpx2.Response(200, json=[customization(1)], headers={"Endcap-Revision": "5"})
    reason = errors.RevisionNotReached().reason
    behind = httpx2.Response(503, json={"reason": reason, "exception_details": {}})
    vendor = Vendor(export, behind)

    def scene(client: Client) -> int:
        client.revision = 3  # what somebody else has seen
        list(client.export())
        with pytest.raises(errors.RevisionNotReached):
            client.summary()
        return client.revision

    assert play(vendor, scene, consistent=True) == 5
    assert [request.headers["Endcap-Revision"] for request in vendor.requests] == ["3", "5"]


def test_other_clients_say_nothing_of_it() -> None:
    """A shop front takes the answer that is there."""
    vendor = Vendor(told("7"), told("8"))

    assert play(vendor, lambda client: [client.get("1"), client.get("1"), client.revision])[2] == 8
    assert not any("Endcap-Revision" in request.headers for request in vendor.requests)


def test_not_ready_is_an_answer() -> None:
    """A server that is still loading says so; that is what the question was."""
    loading = httpx2.Response(503, headers={"Retry-After": "1"}, json={"status": "loading"})

    assert play(Vendor(loading), lambda client: client.ready()) is False
    assert play(Vendor(httpx2.Response(200, json={})), lambda client: client.ready()) is True
    assert play(Vendor(httpx2.Response(200, json={})), lambda client: client.health()) is True


def test_a_failed_connection_is_the_transports_error() -> None:
    """Nothing was answered, so there is no problem to tell; httpx2's own error passes through."""

    def broken(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    with (
        Client(HOST, TRACKER, KEY, transport=httpx2.MockTransport(broken), retries=3) as client,
        pytest.raises(httpx2.ConnectError),
    ):
        client.summary()
