"""
A model that asks a service elsewhere: its ranking is placed like any other, and whatever the service does the page is
filled.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from endcap.client import SignedAuth
from tests.api.driver import KEY, RECOMMEND, TRACKER, Json, Server, ToldClock, catalog, pin
from tests.services.ports import free_port
from tests.services.recommender import KINDS, RANKED, LiveRecommender
from tests.services.server import create_tracker, start_server

MODELS = f"/api/trackers/{TRACKER}/models"
POPULAR = ["/p/123", "/p/124", "/p/125", "/p/126", "/p/555"]
GOOD = {"well", "scored", "chunked", "once"}
ENDLESS = {"never", "trickles"}


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[LiveRecommender]:
    started = LiveRecommender()
    yield started
    started.stop()


@pytest.fixture
def asking(tmp_path: Path, clock: ToldClock, elsewhere: LiveRecommender) -> Iterator[Server]:
    """A server that may ask it."""
    server = Server(tmp_path, clock, recommender_hosts=(elsewhere.service,))
    server.create_tracker()
    server.put_objects(*catalog())
    yield server
    server.close()


def external(elsewhere: LiveRecommender, path: str, **settings: Json) -> Json:
    waits = 50 if path in ENDLESS else 5_000
    return {"kind": "external", "url": elsewhere.url(path), "timeout_ms": waits, **settings}


def put_model(server: Server, document: Json, *, name: str = "mine") -> httpx2.Response:
    return server.send("PUT", f"{MODELS}/{name}", document)


def ask(server: Server, **wish: Json) -> Json:
    (answer,) = server.recommend(
        {"recommendation_type": "mine", "mark_fallback_results": True, **wish}
    )
    return answer


def test_its_ranking_is_placed_like_any_other(asking: Server, elsewhere: LiveRecommender) -> None:
    """Pins lie over it, the explanation tells of both, and where it ends the model's chain goes on."""
    document = {"strategy": external(elsewhere, "well"), "fallback": ["newest"]}
    assert put_model(asking, document).status_code == 200
    asking.create(model="mine", target_type="all", pin_definitions=[pin("/p/123", 2)])

    answer = asking.send(
        "POST", f"{RECOMMEND}&explain=true", [{"recommendation_type": "mine", "size": 5}]
    )

    (given,) = answer.json()
    assert [hit["url"] for hit in given["hits"]] == [
        "/p/126",
        "/p/123",
        "/p/555",
        "/p/124",
        "/p/125",
    ]
    assert [
        (each["from"], each.get("place"), each.get("stage"))
        for each in given["explanation"]["items"]
    ] == [
        ("ranking", 1, "external"),
        ("pin", None, None),
        ("ranking", 2, "external"),
        ("ranking", 3, "external"),
        ("fallback", None, "newest"),
    ]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_whatever_it_does_the_page_is_filled(
    asking: Server, elsewhere: LiveRecommender, kind: str
) -> None:
    """With its ranking, or with the chain's, which is marked."""
    put_model(asking, {"strategy": external(elsewhere, kind), "fallback": ["popular"]})

    answer = ask(asking)

    shown = [hit["url"] for hit in answer["hits"]]
    marked = [hit["fallback"] for hit in answer["hits"]]
    if kind in GOOD:
        assert shown == [*RANKED, "/p/123", "/p/125"]
        assert marked == [False] * 3 + [True] * 2
    else:
        assert shown == POPULAR
        assert marked == [True] * 5


def test_a_page_of_several_asks_for_those_that_need_it(
    asking: Server, elsewhere: LiveRecommender
) -> None:
    """Nothing appears twice, whoever ranked it; who has the answer at hand is not asked about."""
    put_model(asking, {"strategy": external(elsewhere, "well")})
    put_model(asking, {"strategy": external(elsewhere, "fails")}, name="broken")
    before = httpx2.post(elsewhere.url("seen/well"), json={}, trust_env=False).json()["count"]

    answers = asking.recommend(
        *({"recommendation_type": name, "size": 2} for name in ("trends", "mine", "broken"))
    )

    assert [[hit["url"] for hit in each["hits"]] for each in answers] == [
        ["/p/123", "/p/124"],
        ["/p/126", "/p/555"],
        ["/p/125"],
    ]
    asking.recommend({"recommendation_type": "trends"})
    after = httpx2.post(elsewhere.url("seen/well"), json={}, trust_env=False).json()["count"]
    assert after == before + 1


def test_who_refused_to_be_known_is_not_named(asking: Server, elsewhere: LiveRecommender) -> None:
    """To nobody."""
    put_model(asking, {"strategy": external(elsewhere, "scored")})

    def named() -> Json:
        seen = httpx2.post(elsewhere.url("seen/scored"), json={}, trust_env=False).json()
        return seen["last"]["question"]["user_id"]

    ask(asking, user_id="682")
    assert named() == "682"
    ask(asking, user_id="682", consent_granted=False)
    assert named() is None


def test_placing_a_ranking_asks_nobody(asking: Server, elsewhere: LiveRecommender) -> None:
    """Who brings a ranking along has asked already; what fills it is the chain."""
    put_model(asking, {"strategy": external(elsewhere, "chunked"), "fallback": ["newest"]})

    answer = asking.send(
        "POST",
        f"/api/place?tracker_id={TRACKER}",
        {"model": "mine", "ranking": ["/p/555"], "fill": True},
    )

    assert [hit["url"] for hit in answer.json()[0]["hits"]] == ["/p/555", *POPULAR[:4]]


@pytest.mark.parametrize(
    ("document", "field", "message"),
    [
        (
            {"strategy": {"kind": "external", "url": "http://169.254.169.254/"}},
            "strategy.url",
            "add it to ENDCAP_RECOMMENDER_HOSTS",
        ),
        ({"strategy": {"kind": "external", "url": "file:///etc/passwd"}}, "strategy.url", "http"),
        ({"strategy": "external"}, "strategy.url", "Missing required setting"),
        (
            {"strategy": {"kind": "external", "url": "{}", "headers": {"X": "${PATH}"}}},
            "strategy.headers",
            "RECOMMENDER_",
        ),
        (
            {"strategy": {"kind": "external", "url": "{}", "timeout_ms": 60_000}},
            "strategy.timeout_ms",
            "from 1 to 5000",
        ),
        (
            {"strategy": "popular", "fallback": [{"kind": "external", "url": "{}"}]},
            "fallback.0",
            "only be the strategy",
        ),
        (
            {"strategy": {"kind": "neighbour_list", "list": "../../etc"}},
            "strategy.list",
            "a text that matches",
        ),
    ],
)
def test_a_model_that_may_not_be_is_refused(
    asking: Server, elsewhere: LiveRecommender, document: Json, field: str, message: str
) -> None:
    """When it is set, with what would be right."""
    for part in (document["strategy"], *document.get("fallback", ())):
        if isinstance(part, dict) and part.get("url") == "{}":
            part["url"] = elsewhere.url("well")

    refused = put_model(asking, document)

    assert refused.status_code == 422, refused.text
    (told,) = refused.json()["exception_details"][field]
    assert message in told


def test_without_leave_no_host_is_asked(server: Server, elsewhere: LiveRecommender) -> None:
    """The operator has to name it; the tracker's key is not enough."""
    refused = put_model(server, {"strategy": external(elsewhere, "well")})

    assert refused.status_code == 422
    assert "that the operator allows (none)" in refused.text


def test_a_real_server_answers_while_the_service_dies(tmp_path: Path) -> None:
    """Over sockets, by two workers: with the service, without it, and again with it."""
    create_tracker(tmp_path, TRACKER, KEY)
    service = LiveRecommender()
    env = {
        "ENDCAP_RECOMMENDER_HOSTS": f"other.example, {service.service}",
        "ENDCAP_CLOCK_SKEW_SECONDS": "300",
    }
    server = start_server(tmp_path, workers=2, env=env)
    try:
        with httpx2.Client(
            base_url=server.url, auth=SignedAuth(TRACKER, KEY), trust_env=False, timeout=60
        ) as http:
            stored = http.post("/v1/content", json={"objects": catalog()})
            document = {"strategy": external(service, "well"), "fallback": ["popular"]}
            made = http.put(f"{MODELS}/mine", json=document)
            http.headers["Endcap-Revision"] = made.headers["Endcap-Revision"]
            assert (stored.status_code, made.status_code) == (200, 200)

            def shown() -> list[str]:
                answer = http.post(RECOMMEND, json=[{"recommendation_type": "mine"}])
                assert answer.status_code == 200, answer.text
                return [hit["url"] for hit in answer.json()[0]["hits"]]

            alive = [shown() for _ in range(10)]
            service.stop()
            dead = [shown() for _ in range(20)]
            metrics = http.get("/metrics").text
    finally:
        service.stop()
        server.stop()

    assert all(each == [*RANKED, "/p/123", "/p/125"] for each in alive)
    assert all(each == POPULAR for each in dead)
    assert (
        f'endcap_external_requests_total{{outcome="unreachable",service="{service.service}"}}'
        in metrics
    )
    assert "recommender is left alone" in server.log


def test_a_service_that_was_never_there_is_no_hindrance(tmp_path: Path, clock: ToldClock) -> None:
    """Its host is allowed, and nobody listens."""
    host = f"127.0.0.1:{free_port()}"
    server = Server(tmp_path, clock, recommender_hosts=(host,))
    try:
        server.create_tracker()
        server.put_objects(*catalog())
        put_model(server, {"strategy": {"kind": "external", "url": f"http://{host}/"}})

        assert [[hit["url"] for hit in ask(server)["hits"]] for _ in range(7)] == [POPULAR] * 7
    finally:
        server.close()
