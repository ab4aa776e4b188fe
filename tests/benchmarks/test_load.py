"""
The load generator finds the end of an answer, and does not hide a stall.
"""

import asyncio

import pytest

from benchmarks import load
from benchmarks.load import Plan, Result, Run

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 204 No Content\r\nx-request-id: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ],
    ids=["length", "no body", "chunks"],
)
def test_answer_ends_where_it_ends(answer: bytes) -> None:
    """Whole, it has its length; any part of it is not an answer yet."""
    assert load.answer_length(answer) == len(answer)
    assert all(load.answer_length(answer[:cut]) is None for cut in range(len(answer)))


def test_quantile_of_a_short_list_is_its_last() -> None:
    """No figure is told that was not measured."""
    assert load.quantile([1.0, 2.0, 3.0], 0.999) == 3.0
    assert load.quantile([float(number) for number in range(100)], 0.5) == 50.0


def test_fixed_rate_is_not_exceeded() -> None:
    """A quick server is asked as often as was planned, and no more, however quick it is."""
    result = asyncio.run(_loaded(stalls_at=None))

    assert 0 < result.count <= PLANNED
    assert result.unexpected == 0


def test_stall_counts_for_all_who_were_due_in_it() -> None:
    """A late answer delays the requests that were due meanwhile, and these count from when they were due."""
    result = asyncio.run(_loaded(stalls_at=5))

    late = result.p99 / 1e6
    assert late > STALL_SECONDS * 0.75
    assert result.p50 / 1e6 > STALL_SECONDS * 0.1


SECONDS, STALL_SECONDS, PER_SECOND = 0.4, 0.3, 200
PLANNED = SECONDS * PER_SECOND * 1.1


async def _loaded(*, stalls_at: int | None) -> Result:
    """Two connections; with `stalls_at` each of them waits long for that answer."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Server(stalls_at), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    requests = ["GET / HTTP/1.1\r\n\r\n"]
    plan = Plan("127.0.0.1", port, requests, 2, SECONDS, 0.0, 200, per_second=PER_SECOND)
    try:
        return await Run(plan).go()
    finally:
        server.close()


class _Server(asyncio.Protocol):
    """Answers everything, one answer late."""

    def __init__(self, stalls_at: int | None) -> None:
        self._stalls_at = stalls_at
        self._count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._count += 1
        late = STALL_SECONDS if self._count == self._stalls_at else 0.0
        asyncio.get_running_loop().call_later(late, self._transport.write, OK)
