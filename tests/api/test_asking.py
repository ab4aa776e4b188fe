"""
Asking recommenders elsewhere: a real server that is good, slow, broken or away. Whatever it does, there is an answer.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx2
import pytest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from endcap.api.asking import OUTSTANDING_MAX, Asker
from endcap.recommend.strategies import External
from endcap.wire.recommending import Request, read_requests
from tests.services.ports import free_port
from tests.services.recommender import RANKED, LiveRecommender

ASKED = Request("mine", user="682")
PATIENT_MS = 5_000  # for what answers: noisy cores may make it wait
HASTY_MS = 50  # for what never answers


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[LiveRecommender]:
    server = LiveRecommender()
    yield server
    server.stop()


class Clock:
    """Seconds, as told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """An asker on a loop of its own, in front of one server."""

    def __init__(self, elsewhere: LiveRecommender, **environment: str) -> None:
        self.elsewhere = elsewhere
        self.clock = Clock()
        self.asker = Asker({elsewhere.service}, environment=environment, monotonic=self.clock)
        self._runner = asyncio.Runner()

    def ask(self, *asked: External | str, request: Request = ASKED) -> list[Sequence[str]]:
        """What the objects of one call are answered, each by a service or by the server's path."""
        wishes = [
            (index, request, self.service(each) if isinstance(each, str) else each)
            for index, each in enumerate(asked)
        ]
        brought = self._runner.run(self.asker.answers("1234-5678", wishes))
        return [brought.get(index, ()) for index in range(len(asked))]

    def service(self, path: str, **settings: Any) -> External:
        return External(self.elsewhere.url(path), **{"timeout_ms": PATIENT_MS, **settings})

    def tell(self, path: str) -> Any:
        """Asks the server something about itself."""
        with httpx2.Client(trust_env=False) as http:
            return http.post(self.elsewhere.url(path), json={}).json()

    def outcomes(self) -> dict[str, int]:
        """How many questions had which outcome."""
        found: dict[str, int] = {}
        for family in self.asker.metrics():
            if isinstance(family, CounterMetricFamily):
                for sample in family.samples:
                    outcome = sample.labels["outcome"]
                    found[outcome] = found.get(outcome, 0) + int(sample.value)
        return found

    def is_left_alone(self) -> bool:
        (gauge,) = (each for each in self.asker.metrics() if isinstance(each, GaugeMetricFamily))
        return any(sample.value for sample in gauge.samples)

    def close(self) -> None:
        self._runner.run(self.asker.close())
        self._runner.close()


@pytest.fixture
def desk(elsewhere: LiveRecommender) -> Iterator[Desk]:
    made = Desk(elsewhere, RECOMMENDER_TOKEN="a secret\n", HOME="/root")
    yield made
    made.close()


@pytest.mark.parametrize("path", ["well", "scored", "chunked"])
def test_a_ranking_is_read(desk: Desk, path: str) -> None:
    """In both forms, in one piece or in several."""
    assert desk.ask(path) == [RANKED] or desk.ask(path) == [tuple(RANKED)]
    assert set(desk.outcomes()) == {"answered"}


def test_the_question_says_what_is_asked(desk: Desk) -> None:
    """The call's object in one form, the context as it came; secrets come from the environment."""
    (request,) = read_requests(
        json.dumps(
            [
                {
                    "recommendation_type": "mine_2",
                    "user_id": "682",
                    "item_ids": ["/p/123", "/p/unknown"],
                    "size": 7,
                    "recommendation_context": {"brand": {"values": ["Fender"]}},
                }
            ]
        ).encode()
    )
    headers = {"Authorization": "Bearer ${RECOMMENDER_TOKEN}", "X-Shop": "guitars"}

    desk.ask(desk.service("well", headers=headers, count=30), request=request)

    last = desk.tell("seen/well")["last"]
    assert last["question"] == {
        "tracker": "1234-5678",
        "model": "mine_2",
        "user_id": "682",
        "item_ids": ["/p/123", "/p/unknown"],
        "size": 30,
        "context": {"brand": {"values": ["Fender"]}},
    }
    assert last["headers"]["authorization"] == "bearer a secret"
    assert last["headers"]["x-shop"] == "guitars"
    assert last["headers"]["content-type"] == "application/json; charset=utf-8"
    desk.ask("well")
    bare = desk.tell("seen/well")["last"]["question"]
    assert (bare["context"], bare["item_ids"], bare["size"]) == (None, [], 50)


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("garbage", "bad_answer"),
        ("another_shape", "bad_answer"),
        ("no_http", "bad_answer"),
        ("fails", "bad_answer"),
        ("elsewhere", "bad_answer"),
        ("huge", "bad_answer"),
        ("hangs_up", "unreachable"),
        ("breaks_off", "unreachable"),
    ],
)
def test_what_is_no_ranking_is_nothing(desk: Desk, path: str, outcome: str) -> None:
    """It counts as a failure, and nothing is raised; redirections are not followed."""
    followed = desk.tell("seen/well")["count"]

    assert desk.ask(path) == [()]

    assert desk.outcomes() == {outcome: 1}
    assert desk.tell("seen/well")["count"] == followed


@pytest.mark.parametrize("path", ["never", "trickles"])
def test_what_takes_too_long_is_not_waited_for(desk: Desk, path: str) -> None:
    """Neither without a word nor with progress for ever: the question ends, by its bound alone."""
    assert desk.ask(desk.service(path, timeout_ms=HASTY_MS)) == [()]
    assert desk.outcomes() == {"late": 1}


def test_nobody_there_is_nothing() -> None:
    """A port where nobody listens."""
    asker = Asker({f"127.0.0.1:{(port := free_port())}"})

    async def asked() -> object:
        external = External(f"http://127.0.0.1:{port}/", timeout_ms=PATIENT_MS)
        brought = await asker.answers("1", [(0, ASKED, external)])
        await asker.close()
        return brought

    assert asyncio.run(asked()) == {}


def test_objects_of_a_call_are_asked_at_once(desk: Desk) -> None:
    """One that never answers keeps nothing from the others."""
    hasty = desk.service("never", timeout_ms=HASTY_MS)

    answers = desk.ask("well", hasty, "fails", "scored", "nothing")

    assert list(map(list, answers)) == [RANKED, [], [], RANKED, []]
    assert desk.outcomes() == {"answered": 3, "late": 1, "bad_answer": 1}


def test_connections_are_kept_and_those_that_were_closed_do_no_harm(desk: Desk) -> None:
    """A service that ends each connection after an answer, without saying so, is answered every time."""
    for _ in range(20):
        assert list(map(list, desk.ask("once"))) == [RANKED]

    assert desk.outcomes() == {"answered": 20}


def test_a_service_that_fails_is_left_alone(desk: Desk) -> None:
    """After so many failures nobody asks it; after a while one question tries, and then all do again."""
    service = desk.service("changing", failures=3, open_seconds=5)
    desk.tell("become/fails")
    before = desk.tell("seen/changing")["count"]

    for _ in range(6):
        assert desk.ask(service) == [()]

    assert desk.outcomes() == {"bad_answer": 3, "left_alone": 3}
    assert desk.tell("seen/changing")["count"] == before + 3
    assert desk.is_left_alone()
    desk.clock.now += 5
    assert desk.ask(service, service) == [(), ()], "one tries, and fails"
    assert desk.tell("seen/changing")["count"] == before + 4
    desk.tell("become/well")
    assert desk.ask(service) == [()], "the time begins again"
    desk.clock.now += 5
    assert list(map(list, desk.ask(service))) == [RANKED]
    assert not desk.is_left_alone()
    assert list(map(list, desk.ask(service, service))) == [RANKED, RANKED]


def test_too_many_questions_at_once_are_not_asked(desk: Desk) -> None:
    """They would only wait for each other."""
    service = desk.service("never", timeout_ms=HASTY_MS, failures=1_000)

    desk.ask(*[service] * (OUTSTANDING_MAX + 7))

    assert desk.outcomes() == {"late": OUTSTANDING_MAX, "crowded": 7}


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://127.0.0.1:1/", {}),
        ("http://169.254.169.254/latest/meta-data", {}),
        ("http://user:password@{service}/well", {}),
        ("ftp://{service}/well", {}),
        ("http:///well", {}),
        ("http://{service}:x/well", {}),
        ("http://{service}/well", {"Host": "another.example"}),
        ("http://{service}/well", {"Authorization": "${HOME}"}),
        ("http://{service}/well", {"Authorization": "${RECOMMENDER_UNSET}"}),
    ],
)
def test_what_the_operator_does_not_allow_is_not_asked(
    desk: Desk, url: str, headers: dict[str, str]
) -> None:
    """Another host, another scheme, a password, a header that is HTTP's, a secret of something else."""
    external = External(url.format(service=desk.elsewhere.service), headers=headers)
    before = desk.tell("seen/well")["count"]

    assert desk.ask(external) == [()]

    assert desk.outcomes() == {"refused": 1}
    assert desk.tell("seen/well")["count"] == before
