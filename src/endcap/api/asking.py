"""
Asks recommenders that are somewhere else, before a page is placed.

All objects of a call are asked about at once, each within the bound of its model; what has not answered by then is as
if it had nothing to say, and the ranking's fallback fills the page. A service that fails is left alone for a while. No
request whose models are all here comes by.
"""

import asyncio
import os
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from endcap.breaker import Breaker, State
from endcap.recommend.external import headers_of, objection, service_of
from endcap.recommend.strategies import External
from endcap.telemetry import LATENCY_BUCKETS_SECONDS, cumulated, log
from endcap.wire.asking import BadAnswer, Unreachable, question_json, read_answer
from endcap.wire.recommending import Request

if TYPE_CHECKING:
    from endcap.api.outgoing import Outgoing

OUTSTANDING_MAX = (
    256  # questions to one service of one worker: more of them only wait for each other
)
SERVICES_MAX = 1_000  # that are remembered

Brought = Mapping[int, Sequence[str]]
"""By the index of an object in its call: what a service ranked for it."""
NOTHING: Brought = {}


class Outcome(StrEnum):
    """What became of a question. All but the first leave the page to the fallback."""

    ANSWERED = "answered"
    LATE = "late"
    UNREACHABLE = "unreachable"
    BAD_ANSWER = "bad_answer"
    LEFT_ALONE = "left_alone"
    CROWDED = "crowded"
    REFUSED = "refused"


class _Failed(Exception):
    """A question without an answer that can be used."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        self.outcome = outcome
        super().__init__(reason)


class _Service:
    """One URL with one set of bounds: what is known of it."""

    def __init__(self, external: External) -> None:
        self.name = service_of(external.url)
        self.breaker = Breaker(
            failures=external.failures,
            window_seconds=external.window_seconds,
            open_seconds=external.open_seconds,
        )
        self.outstanding = 0


class Asker:
    """One a worker. `hosts` are those that may be asked."""

    def __init__(
        self,
        hosts: Collection[str],
        *,
        environment: Mapping[str, str] = os.environ,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hosts = frozenset(hosts)
        self._environment = environment
        self._monotonic = monotonic
        self._services: dict[tuple[object, ...], _Service] = {}
        self._refused: dict[str, str] = {}
        self._outgoing: Outgoing | None = None
        if hosts:  # now, because a page cannot wait for it
            from endcap.api import outgoing  # noqa: PLC0415 - 6 MB that most servers need not spend

            self._new_outgoing = outgoing.Outgoing
        self._counts: Counter[tuple[str, str]] = Counter()
        self._latency: dict[str, list[int]] = {}
        self._latency_sum: dict[str, float] = defaultdict(float)

    async def answers(
        self, tracker: str, wishes: Sequence[tuple[int, Request, External]]
    ) -> Brought:
        """
        What services answer for objects of a call, given with their index and whom they ask. Takes no longer than the
        longest of their bounds, and raises nothing.
        """
        if not wishes:
            return NOTHING
        loop = asyncio.get_running_loop()
        asked: dict[asyncio.Task[Sequence[str]], int] = {}
        timers: list[asyncio.TimerHandle] = []
        for index, request, external in wishes:
            task = loop.create_task(self._answer(tracker, request, external))
            timers.append(loop.call_later(external.timeout_ms / 1_000, task.cancel))
            asked[task] = index
        longest = max(external.timeout_ms for _, _, external in wishes) / 1_000
        try:
            done, late = await asyncio.wait(asked, timeout=longest)
        finally:
            for timer in timers:
                timer.cancel()
        for (
            task
        ) in late:  # it has been told to end, and whoever waits for the page need not see it do so
            task.cancel()
        return {
            asked[task]: ranked
            for task in done
            if not task.cancelled() and (ranked := task.result())
        }

    async def close(self) -> None:
        """Closes the connections."""
        if self._outgoing is not None:
            await self._outgoing.close()
            self._outgoing = None

    async def _answer(self, tracker: str, request: Request, external: External) -> Sequence[str]:
        """The identities that a service ranks; none where it fails."""
        service = self._service(external)
        if service is None:
            return ()
        began = self._monotonic()
        if hindrance := self._hindrance(service, began):
            self._counts[service.name, hindrance] += 1
            return ()
        service.outstanding += 1
        outcome, reason = Outcome.LATE, f"no answer within {external.timeout_ms} ms"
        try:
            ranked = await self._asked(tracker, request, external)
            outcome = Outcome.ANSWERED
        except _Failed as failed:
            outcome, reason = failed.outcome, str(failed)
            return ()
        else:
            return ranked
        finally:
            service.outstanding -= 1
            self._told(service, outcome, reason, self._monotonic() - began)

    def _hindrance(self, service: _Service, now: float) -> Outcome | None:
        if service.outstanding >= OUTSTANDING_MAX:
            return Outcome.CROWDED
        return None if service.breaker.lets_through(now) else Outcome.LEFT_ALONE

    async def _asked(self, tracker: str, request: Request, external: External) -> Sequence[str]:
        """Raises _Failed."""
        if self._outgoing is None:
            self._outgoing = self._new_outgoing()
        question = question_json(tracker, request, size=max(external.count, request.size))
        headers = headers_of(external, self._environment)
        try:
            return read_answer(await self._outgoing.post(external.url, question, headers))
        except Unreachable as error:
            raise _Failed(Outcome.UNREACHABLE, str(error)) from error
        except BadAnswer as error:
            raise _Failed(Outcome.BAD_ANSWER, str(error)) from error
        except Exception as error:  # nothing that a service says may keep a page from being shown
            log.error("asking failed", url=external.url, exc_info=error)
            raise _Failed(Outcome.BAD_ANSWER, str(error)) from error

    def _told(self, service: _Service, outcome: Outcome, reason: str, seconds: float) -> None:
        """Counts what became of a question, and opens or closes the breaker."""
        name, breaker, now = service.name, service.breaker, self._monotonic()
        self._counts[name, outcome] += 1
        held = self._latency.setdefault(name, [0] * (len(LATENCY_BUCKETS_SECONDS) + 1))
        held[bisect_left(LATENCY_BUCKETS_SECONDS, seconds)] += 1
        self._latency_sum[name] += seconds
        if outcome is Outcome.ANSWERED:
            if breaker.succeeded(now):
                log.info("recommender answers again", service=name)
            return
        was_closed = breaker.state is State.CLOSED
        if breaker.failed(now) and was_closed:
            log.warning("recommender is left alone", service=name, outcome=outcome, reason=reason)

    def _service(self, external: External) -> _Service | None:
        """None if it may not be asked; the log says why, once."""
        key = (external.url, external.failures, external.window_seconds, external.open_seconds)
        service = self._services.get(key)
        if service is None:
            reason = objection(external, self._hosts) or self._lacking(external)
            if reason is not None:
                self._refuse(external.url, reason)
                return None
            if len(self._services) >= SERVICES_MAX:
                self._services.clear()
            service = self._services[key] = _Service(external)
        return service

    def _lacking(self, external: External) -> str | None:
        try:
            headers_of(external, self._environment)
        except KeyError as error:
            return f"headers: the environment variable {error.args[0]} is not set"
        return None

    def _refuse(self, url: str, reason: str) -> None:
        self._counts["", Outcome.REFUSED] += 1
        if self._refused.get(url) != reason:
            if len(self._refused) >= SERVICES_MAX:
                self._refused.clear()
            self._refused[url] = reason
            log.error("recommender cannot be asked", url=url, reason=reason)

    def metrics(self) -> Iterable[Metric]:
        """For the exposition: questions by outcome, how long they took, and who is left alone."""
        questions = CounterMetricFamily(
            "endcap_external_requests",
            "Questions of this worker to recommenders elsewhere, by what became of them",
            labels=("service", "outcome"),
        )
        for labels, count in list(self._counts.items()):
            questions.add_metric(labels, count)
        yield questions
        latency = HistogramMetricFamily(
            "endcap_external_seconds",
            "How long recommenders elsewhere were waited for",
            labels=("service",),
        )
        for name, counts in list(self._latency.items()):
            latency.add_metric((name,), cumulated(counts), self._latency_sum[name])
        yield latency
        alone = GaugeMetricFamily(
            "endcap_external_left_alone",
            "1 while a recommender elsewhere is left alone because it fails",
            labels=("service",),
        )
        states: dict[str, bool] = {}
        for service in list(self._services.values()):
            is_alone = service.breaker.state is not State.CLOSED
            states[service.name] = is_alone or states.get(service.name, False)
        for name, is_alone in states.items():
            alone.add_metric((name,), int(is_alone))
        yield alone
