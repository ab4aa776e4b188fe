"""
Kept connections to the workers of a server, one to each: whoever writes to one worker and looks at another needs them.
"""

import asyncio

from benchmarks.load import answer_length
from benchmarks.servers import HOST, WORKER, request


class Line:
    """One kept connection, and with it one worker. Questions wait for each other's answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._free = asyncio.Lock()

    @classmethod
    async def open(cls, port: int) -> "Line":
        return cls(*await asyncio.open_connection(HOST, port))

    async def ask(self, whole: str) -> bytes:
        async with self._free:
            self._writer.write(whole.encode("latin-1"))
            answer = b""
            while answer_length(answer) is None:
                try:
                    piece = await self._reader.read(1 << 16)
                except ConnectionError:
                    piece = b""
                if not piece:
                    raise RuntimeError("a worker closed its connection: did it die?")
                answer += piece
        if answer[9:10] != b"2":
            raise RuntimeError(f"unexpected answer: {answer[:500]!r}")
        return answer

    def close(self) -> None:
        self._writer.close()


async def worker_lines(port: int, workers: int) -> list[Line]:
    """A connection to each worker. Who answers is chance, so connections are opened until all are known."""
    found: dict[bytes, Line] = {}
    while len(found) < workers:
        line = await Line.open(port)
        shown = (await line.ask(request("GET", "/metrics", port, signed=False))).splitlines()
        worker = next(each for each in shown if each.startswith(WORKER))
        if found.setdefault(worker, line) is not line:
            line.close()
            await asyncio.sleep(0.01)
    return list(found.values())
