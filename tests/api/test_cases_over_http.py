"""
Every case of tests/cases over HTTP: catalog and customizations as a shop sends them, one signed call, explained. Once
for the server's own ranking, and once for the same ranking brought by the caller.
"""

import httpx2
import pytest

from tests import cases
from tests.api.driver import RECOMMEND, TRACKER, Json, Server
from tests.cases import Case, Expected, PinOutcome


@pytest.mark.parametrize("name", cases.names())
def test_the_server_does_what_the_case_says(empty: Server, name: str) -> None:
    """Items and pins of every object of the call are as expected; the explanation is compared whole."""
    case = cases.load(name)
    if case.engine_only is not None:
        return  # it needs what only the engine can be told: ids, or two customizations at one instant
    labels = told(empty, case)

    answer = empty.send("POST", f"{RECOMMEND}&explain=true", case.requests)

    check(answer, case, labels)


@pytest.mark.parametrize("fill", [False, True])
@pytest.mark.parametrize("name", cases.names())
def test_a_callers_ranking_is_placed_as_the_case_says(empty: Server, name: str, fill: bool) -> None:
    """The whole order of popularity, as the caller's own or as what the server fills with."""
    case = cases.load(name)
    if case.engine_only is not None:
        return
    labels = told(empty, case)
    ranking = [] if fill else [each["identity"] for each in case.catalog]
    wishes = [{**each, "ranking": ranking, "fill": fill} for each in case.requests]

    answer = empty.send("POST", f"/api/place?tracker_id={TRACKER}", wishes)

    check(answer, case, labels)


def told(empty: Server, case: Case) -> dict[str, str]:
    """Tells the server what the case has, each customization at its time; their labels by id."""
    empty.put_objects(*case.catalog)
    labels = {}
    for made in case.customizations:
        empty.clock.tell(made.created_at)
        answer = empty.send("POST", "/v1/recommender/pin/1234-5678/scope", made.body)
        assert answer.status_code == 201, answer.text
        labels[answer.json()["id"]] = made.label
    empty.clock.tell(case.now)
    return labels


def check(answer: httpx2.Response, case: Case, labels: dict[str, str]) -> None:
    """The answer is the case's, and its explanation is of the same items."""
    assert answer.status_code == 200, answer.text
    assert [expected(each, labels) for each in answer.json()] == case.expect
    for each in answer.json():
        hits = [hit["url"] for hit in each["hits"]]
        told = each["explanation"]["items"]
        assert [item["url"] for item in told] == hits
        assert [item["slot"] for item in told] == list(range(1, len(hits) + 1))


def expected(answer: Json, labels: dict[str, str]) -> Expected:
    """One object of the answer in the words of a case."""
    return Expected(
        [hit["url"] for hit in answer["hits"]],
        [
            PinOutcome(
                labels[pin["customization_id"]],
                pin["pin"],
                pin["verdict"],
                pin["item"],
                pin["slot"],
            )
            for pin in answer["explanation"]["pins"]
        ],
    )
