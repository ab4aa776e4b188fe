"""
Somebody else's recommender: a real HTTP server in a process of its own, good, slow, broken or away as its path says.

`python -m tests.services.recommender` says its port. It counts the questions of each path; `/seen/PATH` tells how many
there were, with the last one's body and headers.
"""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

Writer = asyncio.StreamWriter
Answering = Callable[[Writer, Mapping[str, Any]], Coroutine[Any, Any, None]]
RANKED = ["/p/126", "/p/555", "/p/124"]
"""What it ranks where it ranks."""


async def well(writer: Writer, question: Mapping[str, Any]) -> None:
    """The form that is documented."""
    send(writer, {"items": RANKED})


async def scored(writer: Writer, question: Mapping[str, Any]) -> None:
    """The other form."""
    send(writer, [{"identity": item, "score": -at} for at, item in enumerate(RANKED)][::-1])


async def chunked(writer: Writer, question: Mapping[str, Any]) -> None:
    """In pieces, as many frameworks answer."""
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    body = json.dumps(RANKED).encode()
    for piece in (body[:5], body[5:], b""):
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))


async def nothing(writer: Writer, question: Mapping[str, Any]) -> None:
    """A good answer without an item."""
    send(writer, {"items": []})


async def never(writer: Writer, question: Mapping[str, Any]) -> None:
    """It takes the question and says nothing."""
    await asyncio.Event().wait()


async def trickles(writer: Writer, question: Mapping[str, Any]) -> None:
    """It begins and never ends: there is always progress."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n[")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.005)


async def garbage(writer: Writer, question: Mapping[str, Any]) -> None:
    send(writer, b"\xff<html>nothing for machines")


async def another_shape(writer: Writer, question: Mapping[str, Any]) -> None:
    send(writer, {"items": [{"product": 5}]})


async def no_http(writer: Writer, question: Mapping[str, Any]) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")
    writer.close()


async def fails(writer: Writer, question: Mapping[str, Any]) -> None:
    send(writer, {"error": "out of order"}, status="500 Internal Server Error")


async def elsewhere(writer: Writer, question: Mapping[str, Any]) -> None:
    """It sends whoever asks to another place."""
    send(writer, RANKED, status="307 Temporary Redirect", headers="location: /well\r\n")


async def huge(writer: Writer, question: Mapping[str, Any]) -> None:
    """More than anybody should read."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n[")
    while not writer.is_closing():
        writer.write(b'"/p/126",' * 10_000)
        await writer.drain()


async def hangs_up(writer: Writer, question: Mapping[str, Any]) -> None:
    """Without a word."""
    writer.close()


async def breaks_off(writer: Writer, question: Mapping[str, Any]) -> None:
    """In the middle of its answer."""
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n["/p/126"')
    writer.close()


async def once(writer: Writer, question: Mapping[str, Any]) -> None:
    """Each connection is good for one answer, which does not say so."""
    send(writer, RANKED)
    await writer.drain()
    writer.close()


KINDS: dict[str, Answering] = {
    each.__name__: each
    for each in (
        *(well, scored, chunked, nothing, never, trickles, garbage, another_shape, no_http),
        *(fails, elsewhere, huge, hangs_up, breaks_off, once),
    )
}


def send(writer: Writer, answer: object, *, status: str = "200 OK", headers: str = "") -> None:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
    writer.write(head.encode() + body)


class Recommender:
    """The server: what it does is the first part of a path, or what `/become/KIND` made of `/changing`."""

    def __init__(self) -> None:
        self.seen: dict[str, list[Any]] = {}
        self.kind = "well"

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines if line)
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                path = first.split()[1].strip("/")
                await self.answer(writer, path, headers, body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def answer(
        self, writer: Writer, path: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        order, _, what = path.partition("/")
        if order == "become":
            self.kind = what
            send(writer, {})
        elif order == "seen":
            asked = self.seen.get(what, [])
            send(writer, {"count": len(asked), "last": asked[-1] if asked else None})
        else:
            question = json.loads(body)
            self.seen.setdefault(path, []).append({"question": question, "headers": headers})
            await KINDS[self.kind if path == "changing" else path](writer, question)


async def main() -> None:
    server = await asyncio.start_server(Recommender().serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sys.exit)
    await asyncio.Event().wait()


class LiveRecommender:
    """It running."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.services.recommender"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.service = f"127.0.0.1:{int(self._process.stdout.readline())}"

    def url(self, path: str) -> str:
        return f"http://{self.service}/{path}"

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


if __name__ == "__main__":
    asyncio.run(main())
