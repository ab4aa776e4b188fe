"""
Both clients in front of the real server, so that one scene is played by each.

The sync client talks to the installed server over a socket; the async one to the application in this process, whose
clock is told the time. Each scene has a tracker of its own.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from endcap.api.app import App, build
from endcap.client import AsyncClient
from endcap.config import Settings
from endcap.domain import Micros, TrackerId
from endcap.store.writes import CreateTracker

KEY = "your_private_api_key"
NOON = Micros(1_737_374_400_000_000)  # Mon, 20 Jan 2025 12:00:00 GMT
T = TypeVar("T")


class ToldClock:
    """Says what it was told, and each time `step` later, so that what is made one by one has an order."""

    def __init__(self) -> None:
        self.now = NOON
        self.step = 1

    def __call__(self) -> Micros:
        self.now = Micros(self.now + self.step)
        return self.now


class InProcess:
    """The application over a folder, without a socket."""

    def __init__(self, data_dir: Path, **settings: Any) -> None:
        self.clock = ToldClock()
        self.parts = build(Settings(data_dir=data_dir, **settings), clock=self.clock)
        self.app = App(self.parts)
        self.app.start()

    def create_tracker(self, tracker: str) -> None:
        sealed = self.parts.vault.seal(KEY)
        write = CreateTracker(TrackerId(tracker), tracker, sealed, "test", self.clock())
        self.parts.committer.commit_now([write])

    def client(self, tracker: str, **options: Any) -> AsyncClient:
        transport = httpx2.ASGITransport(self.app)
        given = {"clock": self.clock, "transport": transport, **options}
        return AsyncClient("http://endcap.test", tracker, given.pop("key", KEY), **given)

    def stop(self) -> None:
        self.app.stop()


class Awaiting:
    """An async client under the sync client's verbs: each is awaited to its end."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._runner = asyncio.Runner()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        verb = getattr(self._client, name)

        def awaited(*args: Any, **kwargs: Any) -> Any:
            asked = verb(*args, **kwargs)
            if isinstance(asked, AsyncGenerator):
                return self._runner.run(_collected(asked))
            return self._runner.run(asked)

        return awaited

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


async def _collected(generator: AsyncGenerator[T, None]) -> list[T]:
    return [each async for each in generator]
