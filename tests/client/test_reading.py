"""
How answers are read: the vendor's own samples, every problem of the server, and bodies in pieces.
"""

import json
from typing import Any

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap import errors
from endcap.client import Customization, Hit, Pin, Summary
from endcap.client import _catalog_calls as catalog_calls
from endcap.client import _customization_calls as customization_calls
from endcap.client import _recommending_calls as recommending_calls
from endcap.client._calls import RETRY_AFTER_SECONDS_MAX, Call, pause_before_repeat
from endcap.client._reading import (
    Answer,
    Lines,
    Whole,
    customizations,
    problem_of,
    retry_after_seconds,
)
from endcap.domain import Micros
from endcap.errors import CatalogFault, CatalogFaults, Problem
from endcap.wire.problems import STATUSES, catalog_json, problem_json

NOON = Micros(1_737_374_400_000_000)  # Mon, 20 Jan 2025 12:00:00 GMT
ID = "199620b4-df1a-46e8-ab59-9e9ed9af7106"
SAMPLE: dict[str, Any] = {  # as the vendor's page on Get Customization shows it
    "id": ID,
    "created_at": "2025-01-22T08:49:58Z",
    "model": "basket",
    "target_type": "item",
    "target_identity": "/p/123",
    "target_metadata": {
        "title": "Fender Telecaster",
        "image_link": "https://doe.com/123.jpg",
    },
    "pin_definitions": [
        {
            "position": 1,
            "pin_type": "item",
            "pin_identity": "/p/555",
            "active_from": "2025-02-01T00:00:00Z",
        }
    ],
}
RECOMMENDATION: dict[str, Any] = {
    "generated_at": "2025-01-06T23:34:59.585570",
    "model_version": 1588682662,
    "recommendation_id": "a24588e9-0664-4637-91d5-165313a6eac8",
    "recommendation_type": "basket",
    "recommender": "c01",
    "recommender_client_identifier": "basket-sidebar",
    "recommender_version": "b36705710",
    "user_id": "6822981852855588000",
    "hits": [
        {
            "url": "/products/123456",
            "type": "item",
            "attributes": {"title": "Product X"},
            "nested": [],
            "exact": True,
        }
    ],
}


def answer(shape: object = None, *, status: int = 200, **headers: str) -> Answer:
    body = shape if isinstance(shape, bytes) else json.dumps(shape).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, httpx2.Headers(named), body)


def test_reads_the_vendors_sample() -> None:
    """The vendor's own answer has neither tags nor creator nor an ETag, and is a customization."""
    read = customization_calls.get("1234-5678", ID).read(answer(SAMPLE))

    assert read == Customization(
        id=ID,
        created_at="2025-01-22T08:49:58Z",
        model="basket",
        target_type="item",
        target_identity="/p/123",
        target_metadata={"title": "Fender Telecaster", "image_link": "https://doe.com/123.jpg"},
        pin_definitions=(
            Pin(
                position=1,
                pin_type="item",
                pin_identity="/p/555",
                active_from="2025-02-01T00:00:00Z",
            ),
        ),
    )


def test_null_is_absent_and_the_unknown_is_ignored() -> None:
    """Another server may say null where ours says nothing, and may know fields that we do not."""
    pin = {**SAMPLE["pin_definitions"][0], "pin_criteria": None, "season": "spring"}
    shape = {**SAMPLE, "tags": None, "creator": None, "priority": 3, "pin_definitions": [pin]}

    read = customization_calls.get("1234-5678", ID).read(answer(shape))

    assert read == customization_calls.get("1234-5678", ID).read(answer(SAMPLE))


def test_metadata_and_criteria_keep_their_nulls() -> None:
    """What a client once sent there comes back as it was."""
    shape = {**SAMPLE, "target_metadata": {"title": None}, "target_criteria": {"brand": None}}

    read = customization_calls.get("1234-5678", ID).read(answer(shape))

    assert read.target_metadata == {"title": None}
    assert read.target_criteria == {"brand": None}


def test_the_etag_comes_from_the_header() -> None:
    """GET and create give it with the customization, PUT alone."""
    given = answer(SAMPLE, etag='"7"')

    assert customization_calls.get("1234-5678", ID).read(given).etag == '"7"'
    assert customization_calls.create("1234-5678", SAMPLE).read(given).etag == '"7"'
    assert (
        customization_calls.replace("1234-5678", ID, SAMPLE).read(
            answer(b"", status=204, etag='"8"')
        )
        == '"8"'
    )
    assert (
        customization_calls.replace("1234-5678", ID, SAMPLE).read(answer(b"", status=204)) is None
    )


def test_not_modified_is_none() -> None:
    """A 304 is an answer of get_if_changed, and of nothing else."""
    call = customization_calls.get_if_changed("1234-5678", ID, '"7"')

    assert call.is_answered_by(304)
    assert call.read(answer(b"", status=304)) is None
    assert call.read(answer(SAMPLE, etag='"8"')) is not None
    assert not customization_calls.get("1234-5678", ID).is_answered_by(304)


def test_reads_a_page_and_a_summary() -> None:
    """As the vendor's pages show them."""
    page = customization_calls.list_page("1234-5678").read(
        answer({"pagination": {"total": 42}, "results": [SAMPLE]})
    )
    summary = customization_calls.summary("1234-5678").read(
        answer({"scope_counts": {"basket": 12, "home": 3}, "user_tags": ["black-friday", "spring"]})
    )

    assert page.total == 42
    assert [each.id for each in page.results] == [ID]
    assert summary == Summary({"basket": 12, "home": 3}, ("black-friday", "spring"))


def test_reads_recommendations() -> None:
    """The vendor's answer, and the least that an answer may be."""
    call = recommending_calls.recommend("1234-5678", [])

    whole, least = call.read(
        answer([RECOMMENDATION, {"hits": [{"url": "PR-100659"}], "model_version": None}])
    )

    assert whole.hits == (
        Hit(url="/products/123456", attributes={"title": "Product X"}, exact=True),
    )
    assert whole.recommendation_id == "a24588e9-0664-4637-91d5-165313a6eac8"
    assert whole.explanation is None
    assert least.hits == (Hit(url="PR-100659"),)
    assert least.model_version is None


def test_reads_an_explanation() -> None:
    """Verdicts of pins and origins of items."""
    explanation = {
        "pins": [
            {
                "customization_id": ID,
                "pin": 0,
                "target_type": "item",
                "position": 1,
                "verdict": "unavailable",
                "item": None,
                "slot": None,
                "because": "",
            }
        ],
        "items": [{"slot": 1, "url": "/p/7", "from": "ranking", "place": 1}],
    }

    (read,) = recommending_calls.recommend("1234-5678", [], explain=True).read(
        answer([{**RECOMMENDATION, "explanation": explanation}])
    )

    assert read.explanation is not None
    assert [(pin.verdict, pin.item) for pin in read.explanation.pins] == [("unavailable", None)]
    assert [(item.url, item.from_) for item in read.explanation.items] == [("/p/7", "ranking")]


def test_stored_objects_are_counted() -> None:
    """The catalog says how many it stored."""
    stored = answer({"ok_count": 99, "errors_count": 0, "errors": {}})

    assert catalog_calls.put_objects("1234-5678", []).read(stored) == 99


def test_partial_failure_is_raised_even_from_a_success() -> None:
    """The catalog answers 400 for it; an older one that answers 200 is not believed."""
    body = catalog_json(99, {"/p/1": CatalogFault("not_found", "Identity not in catalog")})

    with pytest.raises(CatalogFaults, match="Identity not in catalog") as raised:
        catalog_calls.patch_objects("1234-5678", []).read(answer(body))

    assert raised.value.ok_count == 99
    assert raised.value.faults["/p/1"].kind == "not_found"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"id": 5}', b"\xff", b"[" * 9_999]
)
def test_an_answer_that_cannot_be_read_is_a_problem(body: bytes) -> None:
    """A proxy's page instead of a customization is told as a problem, not as a decoder's error."""
    with pytest.raises(Problem, match="The answer cannot be read"):
        customization_calls.get("1234-5678", ID).read(answer(body))


PROBLEMS: list[Problem] = [
    errors.TooManyRequests(7) if kind is errors.TooManyRequests else kind(details={"field": ["x"]})
    for kind in STATUSES
    if kind not in (errors.CatalogFaults, errors.FaultyRows, errors.MethodNotAllowed)
]
PROBLEMS.append(errors.FaultyRows({3: "identity: is missing", 17: "created_at: is missing"}))


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.code)
def test_the_servers_problem_is_raised_again(problem: Problem) -> None:
    """The same class, reason and details on this side of the wire as on the other."""
    given = answer(problem_json(problem), status=STATUSES[type(problem)])

    raised = problem_of(given, now=NOON)

    assert type(raised) is type(problem)
    assert raised.code == problem.code
    assert raised.reason == problem.reason
    assert raised.details == problem.details


def test_a_refused_method_and_a_catalogs_faults_are_raised_again() -> None:
    """The two problems that are made otherwise."""
    method = errors.MethodNotAllowed(["GET", "PUT"])
    fault = CatalogFault(
        "malformed_input", "incorrect object format", {"title": ["must be filled"]}
    )

    refused = problem_of(answer(problem_json(method), status=405), now=NOON)
    faults = problem_of(answer(catalog_json(2, {"/p/1": fault}), status=400), now=NOON)

    assert type(refused) is errors.MethodNotAllowed
    assert "GET, PUT" in str(refused)
    assert isinstance(faults, CatalogFaults)
    assert faults.ok_count == 2
    assert faults.faults["/p/1"].details == {"title": ["must be filled"]}


def test_an_error_page_is_a_problem_with_its_status() -> None:
    """What a proxy in between answers has no reason in it; the status is all there is to say."""
    raised = problem_of(answer(b"<html>Bad Gateway</html>", status=502), now=NOON)

    assert type(raised) is Problem
    assert "502" in str(raised)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("Mon, 20 Jan 2025 12:00:05 GMT", 5),
        ("Mon, 20 Jan 2025 11:59:00 GMT", 0),
        ("soon", None),
        ("-1", None),
        ("9" * 5_000, None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_both_forms(text: str, seconds: int | None) -> None:
    """Seconds or a date, as the standard allows; anything else is as if it were not there."""
    assert retry_after_seconds(answer(retry_after=text), now=NOON) == seconds


@pytest.mark.parametrize("status", [429, 503])
def test_how_long_to_wait_is_told(status: int) -> None:
    """The header counts, whatever the body says; a throttled caller finds it as a number."""
    given = answer({"reason": "Slow down"}, status=status, retry_after="12")

    raised = problem_of(given, now=NOON)

    assert raised.details["retry_after"] == ["12 s"]
    if isinstance(raised, errors.TooManyRequests):
        assert raised.retry_after_seconds == 12


def pause(call: Call[Any], given: Answer, *, repeats: int = 0, repeats_max: int = 3) -> int:
    return pause_before_repeat(call, given, repeats=repeats, repeats_max=repeats_max, now=NOON)


@pytest.mark.parametrize("status", [429, 503])
def test_pauses_as_long_as_asked(status: int) -> None:
    """With Retry-After that long; without it twice as long each time."""
    call = customization_calls.get("1234-5678", ID)

    assert pause(call, answer(status=status, retry_after="7")) == 7
    assert [pause(call, answer(status=status), repeats=repeats) for repeats in range(3)] == [
        1,
        2,
        4,
    ]


def test_does_not_repeat_without_need_or_end() -> None:
    """Other problems, too many repetitions and unreasonable pauses are raised at once."""
    call = customization_calls.get("1234-5678", ID)
    long = str(RETRY_AFTER_SECONDS_MAX + 1)

    with pytest.raises(errors.CustomizationNotFound):
        pause(call, answer({"reason": "Customization not found"}, status=404))
    with pytest.raises(errors.TooManyRequests):
        pause(call, answer(status=429, retry_after="1"), repeats=3)
    with pytest.raises(errors.StoreUnavailable):
        pause(call, answer(status=503, retry_after=long))


def test_a_creation_is_not_repeated_blindly() -> None:
    """After a 503 it may be there already, so it takes a key to repeat it; after a 429 it is not."""
    plain = customization_calls.create("1234-5678", SAMPLE)
    keyed = customization_calls.create("1234-5678", SAMPLE, idempotency_key="k")

    assert pause(plain, answer(status=429, retry_after="1")) == 1
    assert pause(keyed, answer(status=503, retry_after="1")) == 1
    with pytest.raises(errors.StoreUnavailable):
        pause(plain, answer(status=503, retry_after="1"))


@given(
    count=st.integers(0, 5),
    cuts=st.lists(st.integers(0, 2_000), max_size=8),
    blank=st.booleans(),
)
def test_an_export_may_arrive_in_any_pieces(count: int, cuts: list[int], blank: bool) -> None:
    """Lines and arrays, however they are cut, give the same customizations."""
    shapes = [{**SAMPLE, "target_identity": f"/p/é{number}"} for number in range(count)]
    lines = b"".join(msgspec.json.encode(shape) + b"\n" for shape in shapes)
    array = msgspec.json.encode(shapes)

    by_line = parsed(Lines(), pieces(lines + b"\n" * blank, cuts))
    whole = parsed(Whole(), pieces(array, cuts))

    assert [each.target_identity for each in by_line] == [f"/p/é{n}" for n in range(count)]
    assert by_line == whole


def test_a_line_is_given_as_soon_as_it_is_whole() -> None:
    """A large export is read while it arrives."""
    lines = Lines()
    line = msgspec.json.encode(SAMPLE)

    assert list(lines.feed(line)) == []
    assert len(list(lines.feed(b"\n"))) == 1
    assert list(lines.feed(line)) == []
    assert len(list(lines.end())) == 1


def test_the_answers_type_chooses_the_parser() -> None:
    """A server that knows no lines sends an array."""
    lines = httpx2.Headers({"Content-Type": "application/x-ndjson; charset=utf-8"})

    assert isinstance(customizations(lines), Lines)
    assert isinstance(customizations(httpx2.Headers({"Content-Type": "application/json"})), Whole)
    assert isinstance(customizations(httpx2.Headers()), Whole)


def parsed(parser: Lines | Whole, chunks: list[bytes]) -> list[Customization]:
    return [each for chunk in chunks for each in parser.feed(chunk)] + list(parser.end())


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted(cut for cut in cuts if cut < len(body))
    return [body[start:end] for start, end in zip([0, *ends], [*ends, len(body)], strict=True)]


def test_the_vendors_spellings_of_a_job_are_read() -> None:
    """Its status has an underscore in places, its faults are objects, a commit may be answered with nothing."""
    told = answer(
        {
            "tracker_id": "1234-5678",
            "status": "in_progress",
            "updates_count": 4,
            "failures_count": 1,
            "failures": {
                "/products/1": {
                    "type": "data_schema_mismatch",
                    "reason": "failed to parse [attributes.price]",
                    "caused_by": {"type": "number_format_exception"},
                }
            },
        }
    )

    progress = catalog_calls.update_progress("1234-5678", 1).read(told)

    assert (progress.status, progress.is_over, progress.checked_count) == ("in progress", False, 0)
    assert progress.failures["/products/1"].details == {"type": ["number_format_exception"]}
    assert catalog_calls.commit_generation("1234-5678", "item", "1").read(Answer(200, {}, b"")) == 0
    begun = answer({"status_url": "/v1/update_by_query?job_id=12345"})
    assert catalog_calls.update_by_query("1234-5678", "item", {}, {}).read(begun) == 12345
    with pytest.raises(Problem, match="names no job"):
        catalog_calls.update_by_query("1234-5678", "item", {}, {}).read(answer({"status_url": "/"}))
