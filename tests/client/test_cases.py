"""
The cases of placement, asked through the client as a shop would ask them.
"""

from collections.abc import Iterator

import pytest

from endcap.client import Explanation, Recommendation
from tests import cases
from tests.cases import Case, Expected, PinOutcome
from tests.client.world import Awaiting, InProcess

NAMES = [name for name in cases.names() if cases.load(name).engine_only is None]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """A server whose clock stands where it is put: cases tell instants to the microsecond."""
    application = InProcess(tmp_path_factory.mktemp("endcap-cases"))
    application.clock.step = 0
    yield application
    application.stop()


@pytest.mark.parametrize("name", NAMES)
def test_the_client_is_answered_what_the_case_says(server: InProcess, name: str) -> None:
    """Items and pins of every object of the call are as expected."""
    case = cases.load(name)
    server.create_tracker(name)
    client = Awaiting(server.client(name))
    client.put_objects(case.catalog)
    labels = made(case, client, server)

    server.clock.now = cases.micros(case.now)
    answers = client.recommend(case.requests, explain=True)
    client.close()

    assert [outcome(answer, labels) for answer in answers] == case.expect


@pytest.mark.parametrize("name", NAMES)
def test_a_ranking_of_the_clients_is_placed_as_the_case_says(server: InProcess, name: str) -> None:
    """The order of popularity, brought along: the same items and pins."""
    case = cases.load(name)
    tracker = f"{name}-placed"
    server.create_tracker(tracker)
    client = Awaiting(server.client(tracker))
    client.put_objects(case.catalog)
    labels = made(case, client, server)
    ranking = [each["identity"] for each in case.catalog]

    server.clock.now = cases.micros(case.now)
    answers = client.place([{**each, "ranking": ranking} for each in case.requests])
    client.close()

    assert [outcome(answer, labels) for answer in answers] == case.expect


def made(case: Case, client: Awaiting, server: InProcess) -> dict[str, str]:
    """Creates the customizations, each at its time; their labels by id."""
    labels = {}
    for each in case.customizations:
        server.clock.now = cases.micros(each.created_at)
        labels[client.create(each.body).id] = each.label
    return labels


def outcome(answer: Recommendation, labels: dict[str, str]) -> Expected:
    assert isinstance(answer.explanation, Explanation)
    return Expected(
        [hit.url for hit in answer.hits],
        [
            PinOutcome(labels[pin.customization_id], pin.pin, pin.verdict, pin.item, pin.slot)
            for pin in answer.explanation.pins
        ],
    )
