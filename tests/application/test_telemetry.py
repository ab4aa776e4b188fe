"""
What a worker counts, as Prometheus reads it; what a process logs, as people and programs read it.
"""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from endcap.config import load
from endcap.telemetry import LATENCY_BUCKETS_SECONDS, Metrics, configure_logging, log


def families(metrics: Metrics) -> dict[str, Metric]:
    """The exposition, read by Prometheus's own parser."""
    text = metrics.exposition().decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(metric: Metric, name: str, **labels: str) -> float:
    """The one sample of a name with these labels."""
    (found,) = [
        sample.value
        for sample in metric.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return float(found)


def test_nothing_yet_is_an_exposition_too() -> None:
    """A worker that was just started is scraped like any other."""
    assert set(families(Metrics())) == {"endcap_requests", "endcap_request_seconds"}


def test_requests_are_counted_by_route_and_status() -> None:
    """Routes are patterns, so that there are few."""
    metrics = Metrics()
    for route, status in (("/a/{id}", 200), ("/a/{id}", 200), ("/a/{id}", 404), ("/b", 200)):
        metrics.count(route, status, 0.001)

    requests = families(metrics)["endcap_requests"]

    assert requests.type == "counter"
    assert value(requests, "endcap_requests_total", route="/a/{id}", status="200") == 2
    assert value(requests, "endcap_requests_total", route="/a/{id}", status="404") == 1
    assert value(requests, "endcap_requests_total", route="/b", status="200") == 1


def test_latency_falls_into_buckets() -> None:
    """A bucket holds what took as long as its bound or less; all of them are cumulated."""
    metrics = Metrics()
    for seconds in (0.0, 0.0005, 0.00051, 0.05, 5.0, 60.0):
        metrics.count("/a", 200, seconds)

    latency = families(metrics)["endcap_request_seconds"]
    buckets = {
        sample.labels["le"]: sample.value
        for sample in latency.samples
        if sample.name == "endcap_request_seconds_bucket"
    }

    assert latency.type == "histogram"
    assert list(buckets) == [*map(str, LATENCY_BUCKETS_SECONDS), "+Inf"]
    assert [buckets[bound] for bound in ("0.0005", "0.001", "0.02", "0.05", "2.0", "5.0", "+Inf")] == [
        2, 3, 3, 4, 4, 5, 6,
    ]  # fmt: skip
    assert value(latency, "endcap_request_seconds_count", route="/a") == 6
    assert value(latency, "endcap_request_seconds_sum", route="/a") == pytest.approx(65.05101)


def test_latency_is_kept_by_route() -> None:
    """A slow export does not hide in fast answers."""
    metrics = Metrics()
    metrics.count("/fast", 200, 0.001)
    metrics.count("/slow", 200, 1.0)

    latency = families(metrics)["endcap_request_seconds"]

    assert value(latency, "endcap_request_seconds_bucket", route="/fast", le="0.001") == 1
    assert value(latency, "endcap_request_seconds_bucket", route="/slow", le="0.5") == 0
    assert value(latency, "endcap_request_seconds_bucket", route="/slow", le="1.0") == 1


def test_gauges_are_read_when_scraped() -> None:
    """Each family once, whoever speaks of it; labels are escaped."""
    metrics = Metrics()
    revision = 1
    metrics.watch(
        lambda: [
            ("endcap_revision", "Revision shown", {"tracker": 'a"b\\c\nd'}, revision),
            ("endcap_worker_pid", "Process id", {}, 4711),
            ("endcap_revision", "Revision shown", {"tracker": "other"}, 7),
        ]
    )
    metrics.watch(lambda: [("endcap_revision", "Revision shown", {"tracker": "third"}, 9)])

    revision = 2
    shown = families(metrics)

    assert shown["endcap_revision"].type == "gauge"
    assert shown["endcap_revision"].documentation == "Revision shown"
    assert value(shown["endcap_revision"], "endcap_revision", tracker='a"b\\c\nd') == 2
    assert value(shown["endcap_revision"], "endcap_revision", tracker="third") == 9
    assert value(shown["endcap_worker_pid"], "endcap_worker_pid") == 4711
    assert metrics.exposition().count(b"# TYPE endcap_revision ") == 1


# Logs


@pytest.fixture
def restored() -> Iterator[None]:
    """Logs are a process's own, and this process is the tests'."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    vars(log).pop("bind", None)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    vars(log).pop("bind", None)


def configure(**settings: str) -> None:
    configure_logging(load({}, settings))


def test_a_log_line_is_json_where_nobody_watches(
    restored: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """One event a line on standard error, with when and how bad; standard output is for results."""
    configure()

    log.warning("store is away", tracker="ü", seconds=1.5)

    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    event = json.loads(line)
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "store is away", "level": "warning", "tracker": "ü", "seconds": 1.5}
    assert said.out == ""


def test_an_error_is_logged_whole_in_one_line(
    restored: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its traceback, which a collector of lines would else tear apart."""
    configure()

    try:
        raise ZeroDivisionError("of ours")
    except ZeroDivisionError as error:
        log.error("internal error", exc_info=error)

    (line,) = capsys.readouterr().err.splitlines()
    assert "ZeroDivisionError: of ours" in json.loads(line)["exception"]


def test_text_is_for_people(restored: None, capsys: pytest.CaptureFixture[str]) -> None:
    """When it is asked for, or when somebody watches."""
    configure(log_format="text")

    log.warning("store is away", tracker="1234-5678")

    (line,) = capsys.readouterr().err.splitlines()
    assert "store is away" in line
    assert "tracker=1234-5678" in line
    assert not line.startswith("{")


def test_less_than_the_level_is_not_logged(
    restored: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Info by default."""
    configure()
    log.debug("small")
    log.info("large")
    configure(log_level="error")
    vars(log).pop("bind", None)
    log.warning("not so bad")

    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["large"]


def test_other_libraries_log_in_the_same_way(
    restored: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server below speaks through the standard library; its warnings are lines like ours."""
    configure()

    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("uvicorn.error").error("Exception in %s", "ASGI application")

    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert (event["event"], event["level"]) == ("Exception in ASGI application", "error")
