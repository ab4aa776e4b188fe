"""
Problems on the wire: one table, read in both directions, and two shapes that are never mixed.
"""

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap import errors
from endcap.errors import CatalogFault, CatalogFaults, MethodNotAllowed, Problem, TooManyRequests
from endcap.wire import problems
from endcap.wire.problems import STATUSES, problem_from, problem_json, status_of

AT_HOME: dict[type[Problem], str] = {
    errors.Problem: "the trunk of the tree",
    errors.Refused: "a branch of the tree",
    errors.CatalogFault: "one of many: CatalogFaults has the status",
    errors.BuildUnderWay: "of commands and the schedule",
    errors.ArtifactConflict: "of commands and the schedule",
    errors.UsageFault: "of commands and settings",
    errors.NothingToLearn: "of commands and the schedule",
    errors.PeerUnavailable: "of hosts that a command asks",
    errors.RefusedTogether: "of those who write together: commands, and the console's pages",
    errors.StalePlan: "of commands and of the console's pages",
    errors.AccountFault: "of commands and of the console's pages, which have statuses of their own",
    errors.FormRefused: "of the console's pages",
    errors.RoleLacking: "of the console's pages",
    errors.SignInRefused: "of the console's pages",
    errors.TooManyAttempts: "of the console's pages",
    errors.ProviderUnavailable: "of the console's pages",
}
"""Problems that no answer speaks of."""


def every_class(top: type[Problem] = Problem) -> Iterator[type[Problem]]:
    yield top
    for below in top.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from every_class(below)


ALL = sorted(set(every_class()), key=lambda kind: str(kind.code))


def made(kind: type[Problem]) -> Problem:
    """One of its kind, as the code would raise it."""
    if kind is MethodNotAllowed:
        return MethodNotAllowed(["GET", "PUT"])
    if kind is TooManyRequests:
        return TooManyRequests(30)
    if kind is errors.FaultyRows:
        return errors.FaultyRows({2: "identity: is missing", 11: "created_at: is missing"})
    if kind is CatalogFaults:
        return CatalogFaults(
            1, {"/p/1": CatalogFault("malformed_input", "incorrect object format")}
        )
    return kind(details={"field": ["one", "two"]})


@pytest.mark.parametrize("kind", ALL)
def test_every_problem_has_a_status_or_stays_at_home(kind: type[Problem]) -> None:
    """One of the two: what has no status reaches a reader as an internal error."""
    assert (kind in STATUSES) != (kind in AT_HOME)
    assert status_of(Problem()) == problems.INTERNAL


@pytest.mark.parametrize("kind", ALL)
def test_every_problem_has_a_code_and_a_message_of_its_own(kind: type[Problem]) -> None:
    """The code is for programs and differs; the docstring is for people and says something."""
    assert [each for each in every_class() if each.code == kind.code] == [kind]
    assert kind.__doc__
    assert kind.code.replace("_", "").isalpha()


@pytest.mark.parametrize("kind", [kind for kind in STATUSES if kind is not CatalogFaults])
def test_an_answer_is_read_back_as_the_same_problem(kind: type[Problem]) -> None:
    """Class, reason and details: a client raises what the server raised."""
    problem = made(kind)

    found = problem_from(status_of(problem), problem_json(problem))

    assert type(found) is kind
    assert found.reason == problem.reason
    assert found.details == problem.details


def test_faulty_rows_are_read_back_by_line() -> None:
    """With how many there are, when not all are named."""
    problem = errors.FaultyRows({2: "identity: is missing", 3: "x"}, total=40)
    problem.details = {"file": ["40 lines are faulty, the first 2 are named"], **problem.details}

    found = problem_from(422, problem_json(problem))

    assert isinstance(found, errors.FaultyRows)
    assert (found.faults, found.total) == ({2: "identity: is missing", 3: "x"}, 40)
    assert found.details == problem.details


def test_a_refusal_for_coming_too_often_says_when_to_come_again() -> None:
    """In seconds, both ways."""
    found = problem_from(429, problem_json(TooManyRequests(30)))

    assert isinstance(found, TooManyRequests)
    assert found.retry_after_seconds == 30


@pytest.mark.parametrize("kind", [errors.FaultyFields, errors.MalformedBody])
def test_a_reason_of_its_own_survives(kind: type[Problem]) -> None:
    """A 422 may say which request was invalid."""
    problem = kind("Invalid list parameters provided", {"limit": ["x"]})

    found = problem_from(status_of(problem), problem_json(problem))

    assert found.reason == "Invalid list parameters provided"
    assert found.details == {"limit": ["x"]}


def test_the_catalog_has_a_shape_of_its_own() -> None:
    """Counts, and each fault under its object; success has the same shape."""
    faults = {
        "/p/1": CatalogFault("malformed_input", "incorrect object format", {"title": ["x"]}),
        "object #31": CatalogFault("not_found", "Identity not in catalog"),
    }

    body = problems.catalog_json(3, faults)

    assert msgspec.json.decode(body) == {
        "ok_count": 3,
        "errors_count": 2,
        "errors": {
            "/p/1": {
                "type": "malformed_input",
                "reason": "incorrect object format",
                "caused_by": {"title": ["x"]},
            },
            "object #31": {"type": "not_found", "reason": "Identity not in catalog"},
        },
    }
    assert problems.catalog_json(2, {}) == b'{"ok_count":2,"errors_count":0,"errors":{}}'


def test_faults_of_the_catalog_are_read_back() -> None:
    """Each with its object, kind, reason and messages."""
    faults = {"/p/1": CatalogFault("malformed_input", "incorrect object format", {"title": ["x"]})}

    found = problem_from(400, problems.catalog_json(3, faults))

    assert isinstance(found, CatalogFaults)
    assert found.ok_count == 3
    [(key, fault)] = found.faults.items()
    assert (key, fault.kind, fault.reason) == ("/p/1", "malformed_input", "incorrect object format")
    assert fault.details == {"title": ["x"]}


def test_the_shape_of_everything_else() -> None:
    """A reason, and details that are empty when there is nothing to add."""
    assert problem_json(errors.CustomizationNotFound()) == (
        b'{"reason":"Customization not found","exception_details":{}}'
    )
    assert problems.internal_json("r-1") == (
        b'{"reason":"internal error","exception_details":{"request_id":["r-1"]}}'
    )


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (404, b"<html>", Problem, "HTTP status 404"),
        (404, b'{"reason": "Recommender not found"}', errors.RecommenderNotFound, None),
        (404, b'{"reason": "No such thing"}', Problem, "No such thing"),
        (400, b"Bad Request", errors.MalformedBody, "HTTP status 400"),
        (400, b'{"reason": "No"}', errors.MalformedBody, "No"),
        (401, b"", errors.Unauthenticated, "HTTP status 401"),
        (412, b"[]", errors.RevisionConflict, "HTTP status 412"),
        (422, b'{"reason": ["x"]}', errors.FaultyFields, "HTTP status 422"),
        (502, b"Bad Gateway", Problem, "HTTP status 502"),
        (503, b"\xff", errors.StoreUnavailable, "HTTP status 503"),
        (405, b"{}", MethodNotAllowed, "HTTP status 405"),
    ],
)
def test_the_answer_of_another_server_is_read_leniently(
    status: int, body: bytes, kind: type[Problem], reason: str | None
) -> None:
    """A proxy before this one may say anything at all."""
    found = problem_from(status, body)

    assert type(found) is kind
    assert found.reason == (reason or "Recommender not found")


@pytest.mark.parametrize(
    ("sent", "details"),
    [
        ("sorry", {"details": ["sorry"]}),
        ("", {}),
        (None, {}),
        ([], {}),
        ({"field": "sorry"}, {"field": ["sorry"]}),
        ({"field": [1]}, {"field": ["1"]}),
    ],
)
def test_details_in_another_form_are_kept(sent: object, details: dict[str, list[str]]) -> None:
    """As messages, under a field if they came with none."""
    body = msgspec.json.encode({"reason": "No", "exception_details": sent})

    assert problem_from(422, body).details == details


json_values = st.recursive(
    st.sampled_from([None, 0, "x", True]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(
                [
                    "reason",
                    "exception_details",
                    "errors_count",
                    "errors",
                    "ok_count",
                    "type",
                    "caused_by",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
)


@given(st.integers(400, 599), json_values)
def test_any_answer_at_all_is_a_problem(status: int, body: object) -> None:
    """One that can be shown."""
    found = problem_from(status, msgspec.json.encode(body))

    assert str(found)


def test_a_problem_in_one_line() -> None:
    """The reason, and all details."""
    problem = errors.FaultyPins(details={"a": ["one", "two"], "b": ["three"]})

    assert str(problem) == "Invalid pin definition provided (a: one, two; b: three)"
    assert str(errors.TrackerNotFound()) == "Tracker not found"
