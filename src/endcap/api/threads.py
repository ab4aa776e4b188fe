"""
Blocking reads beside the event loop.

A store that answers point reads in microseconds is asked on the loop; long reads, and every read of a store behind a
network, go through threads.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
CHUNK_ITEMS = 200


async def ask(ask_now: Callable[[], T], *, inline: bool) -> T:
    """A point read, where it is quickest."""
    return ask_now() if inline else await asyncio.to_thread(ask_now)


async def begun(items: AsyncIterator[T]) -> AsyncIterator[T]:
    """The same items, the first already read: what cannot begin fails here, while there is a status to choose."""
    try:
        first = await anext(items)
    except StopAsyncIteration:
        return items
    return _from(first, items)


async def _from(first: T, items: AsyncIterator[T]) -> AsyncIterator[T]:
    yield first
    async for item in items:
        yield item


async def in_thread(items: Callable[[], Iterable[T]]) -> AsyncIterator[list[T]]:
    """Chunks of an iterable that is made and read in one thread of its own (a cursor belongs to its thread)."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="stream") as executor:
        iterator: Iterator[T] = await loop.run_in_executor(executor, lambda: iter(items()))
        try:
            while chunk := await loop.run_in_executor(
                executor, lambda: list(islice(iterator, CHUNK_ITEMS))
            ):
                yield chunk
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                await asyncio.shield(loop.run_in_executor(executor, close))
