"""
Drives the real application: in process over ASGI, a SQLite file beneath, a clock that is told the time.
"""

import asyncio
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2

from endcap import signing
from endcap.api.app import App, build
from endcap.config import Settings
from endcap.domain import Micros, TrackerId
from endcap.recommend.shoppers import Shoppers
from endcap.store.writes import CreateTracker
from tests.cases import micros

TRACKER = "1234-5678"
KEY = "your_private_api_key"
CONTENT_TYPE = "application/json; charset=utf-8"
BASE = f"/v1/recommender/pin/{TRACKER}"
RECOMMEND = f"/v1/recommend?tracker_id={TRACKER}"
NOWHERE = "00000000-0000-4000-8000-000000000000"
"""An id that no customization has."""
POLL_SECONDS = 0.01  # the end of a server waits for its follower's poll, and every test ends one

Json = Any


class ToldClock:
    """Says what it was told, until it is told otherwise."""

    def __init__(self, text: str) -> None:
        self.now = micros(text)

    def __call__(self) -> Micros:
        return self.now

    def tell(self, text: str) -> None:
        self.now = micros(text)

    def advance(self, seconds: float) -> None:
        self.now = Micros(self.now + round(seconds * 1_000_000))


def settings_of(data_dir: Path, **settings: Any) -> Settings:
    return Settings(data_dir=data_dir, **{"poll_seconds": POLL_SECONDS, **settings})


class Server:
    """One application over a data folder. Requests are signed unless said otherwise."""

    def __init__(self, data_dir: Path, clock: ToldClock, **settings: Any) -> None:
        self.clock = clock
        self.parts = build(settings_of(data_dir, **settings), clock=clock)
        self.app = App(self.parts)
        self.app.start()
        self._runner = asyncio.Runner()
        self._http = http_over(self.app)

    @property
    def shoppers(self) -> Shoppers:
        """What is known of the shoppers of the tracker that most tests use."""
        return self.parts.activity.shoppers(TrackerId(TRACKER))

    def close(self) -> None:
        self._runner.run(self._http.aclose())
        self._runner.run(self.app.close_connections())
        self._runner.close()
        self.app.stop()

    def create_tracker(self, tracker: str = TRACKER, key: str = KEY) -> None:
        sealed = self.parts.vault.seal(key)
        write = CreateTracker(TrackerId(tracker), "Guitars", sealed, "test", self.clock())
        self.parts.committer.commit_now([write])

    def send(
        self,
        method: str,
        target: str,
        body: Json = None,
        *,
        signed: bool = True,
        tracker: str = TRACKER,
        key: str = KEY,
        date: str | None = None,
        content_type: str | None = CONTENT_TYPE,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Sends a body, JSON unless it is bytes; headers that are given win over those of the signature."""
        sent = {} if content_type is None else {"Content-Type": content_type}
        if signed:
            sent.update(
                self.signature(
                    method, target, tracker=tracker, key=key, date=date, content_type=content_type
                )
            )
        sent.update(headers or {})
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
        request = self._http.build_request(method, target, content=content, headers=encoded)
        return self._runner.run(self._http.send(request))

    def signature(
        self,
        method: str,
        target: str,
        *,
        tracker: str = TRACKER,
        key: str = KEY,
        date: str | None = None,
        content_type: str | None = CONTENT_TYPE,
    ) -> dict[str, str]:
        """The headers Date and Authorization."""
        date = date or signing.format_http_date(self.clock())
        signature = signing.sign(
            key,
            method=method,
            content_type=content_type or "",
            date=date,
            path=target.partition("?")[0],
        )
        return {"Date": date, "Authorization": f"ApiAuth {tracker}:{signature}"}

    # What most tests do on the way to what they are about

    def create(self, **fields: Json) -> Json:
        """Creates a customization and returns it."""
        answer = self.send("POST", f"{BASE}/scope", customization(**fields))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def get(self, id: str) -> Json:
        answer = self.send("GET", f"{BASE}/scope/{id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put_objects(self, *objects: Json) -> None:
        answer = self.send("POST", "/v1/content", {"objects": objects})
        assert answer.status_code == 200, answer.text

    def recommend(self, *wishes: Json) -> Json:
        """The answer to some wishes, asked for as a browser does."""
        answer = self.send("POST", RECOMMEND, wishes, signed=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def shown(self, **wish: Json) -> list[str]:
        """The identities that one wish of `test_reco` is answered with."""
        (answer,) = self.recommend({"recommendation_type": "test_reco", **wish})
        return [hit["url"] for hit in answer["hits"]]


def http_over(app: App) -> httpx2.AsyncClient:
    """A client whose requests go straight into an application."""
    transport = httpx2.ASGITransport(app, client=("192.0.2.7", 4711))
    return httpx2.AsyncClient(transport=transport, base_url="http://endcap.test")


def pin(identity: str = "/p/555", position: int = 1, **fields: Json) -> Json:
    return {"position": position, "pin_type": "item", "pin_identity": identity, **fields}


def customization(**fields: Json) -> Json:
    """A body that is accepted: the strap pinned for the guitar. Fields replace; None takes one away."""
    body = {
        "model": "test_reco",
        "target_type": "item",
        "target_identity": "/p/123",
        "pin_definitions": [pin()],
        **fields,
    }
    return {key: value for key, value in body.items() if value is not None}


def item(identity: str, /, **fields: Json) -> Json:
    return {"identity": identity, "type": "item", "fields": {"title": identity, **fields}}


def catalog() -> Sequence[Json]:
    """A small shop. Without orders popularity is how new an item is, so `test_reco` ranks in this order."""
    return [
        item(
            "/p/123",
            title="Fender Telecaster",
            brand="Fender",
            price="1 299,00 €",
            image_link="https://doe.com/123.jpg",
            introduced_at="2025-01-09",
        ),
        item("/p/124", brand="Gibson", price_amount=999, introduced_at="2025-01-08"),
        item("/p/125", brand="Fender", price_amount=450, introduced_at="2025-01-07"),
        item("/p/126", brand="Ibanez", price_amount=300, introduced_at="2025-01-06"),
        item("/p/555", title="Leather strap", brand="Fender", introduced_at="2025-01-05"),
        item("/p/900", availability=0, introduced_at="2025-01-04"),
    ]


def gzipped(body: Json) -> bytes:
    return gzip.compress(json.dumps(body).encode())


def problem(answer: httpx2.Response, status: int) -> Json:
    """The problem that an answer is, after the checks that hold for all."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == CONTENT_TYPE
    assert answer.headers["x-request-id"]
    shape = answer.json()
    assert set(shape) == {"reason", "exception_details"}
    return shape
