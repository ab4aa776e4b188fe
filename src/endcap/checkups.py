"""
What `health` finds in the trackers that somebody looks at, kept and renewed when it is asked for.

The first look at a large tracker waits for its examination. From then on what is held is answered at once: those that
were changed, and those that speak together with them, are examined anew, while a new catalog, other recommenders or
the passing of time have all of them examined again in the background, no more often than that takes a tenth of the
time. Until it is done the older findings are shown, and how old they are.
"""

import threading
import time
from bisect import insort
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from endcap.by_tracker import ByTracker
from endcap.clock import Clock
from endcap.domain import Micros, TrackerId
from endcap.engine.catalog import Catalog
from endcap.engine.rules import Rules
from endcap.health import Complaint, Finding, alike, findings, findings_among
from endcap.shops import Shop
from endcap.telemetry import log

TRACKERS_MAX = 8  # the one looked at longest ago is forgotten
FINDINGS_MAX = 100_000  # of a tracker: some 50 MB; what is beyond is counted
CHANGED_MAX = 25_000  # customizations: whatever one action changes; more are left to the background
AGE_SECONDS_MAX = 300  # windows end while nobody changes anything
PAUSE_SECONDS_MIN = 5
PAUSE_TIMES = 10  # so many times as long as an examination takes it is left alone


class Group(Struct, frozen=True):
    """All that is found of one complaint. `counts` by model are of all, `findings` of those that are held."""

    counts: Mapping[str, int]
    findings: Mapping[str, Sequence[Finding]]
    """By model, those that end sooner first, then by id."""


class Checkup(Struct, frozen=True):
    """An examination of one shop. `at` is when all of it was examined, by the clock; `seconds` how long that took."""

    at: Micros
    rules: Rules
    catalog: Catalog
    models: Mapping[str, object]
    groups: Mapping[Complaint, Group]
    seconds: float
    is_cut: bool
    """Whether there are more findings than are held, or so many that no more are followed."""
    is_renewing: bool = False

    @property
    def total(self) -> int:
        return sum(sum(group.counts.values()) for group in self.groups.values())


class _Examined(Struct):
    """What is kept of one tracker; `ended` is when the last examination did, in seconds of a steady clock."""

    checkup: Checkup
    ended: float


class Checkups:
    """May be used from several threads at once. Callers on an event loop use a thread."""

    def __init__(
        self,
        clock: Clock,
        *,
        trackers_max: int = TRACKERS_MAX,
        findings_max: int = FINDINGS_MAX,
        age_seconds_max: float = AGE_SECONDS_MAX,
        pause_seconds_min: float = PAUSE_SECONDS_MIN,
        pause_times: float = PAUSE_TIMES,
    ) -> None:
        self._clock = clock
        self._findings_max = findings_max
        self._age_micros_max = round(age_seconds_max * 1_000_000)
        self._pause_seconds_min = pause_seconds_min
        self._pause_times = pause_times
        self._held: ByTracker[_Examined] = ByTracker(trackers_max)
        self._lock = threading.Lock()
        """Held by who begins or ends an examination in the background."""
        self._renewing: dict[TrackerId, threading.Thread] = {}

    def known(self, tracker: TrackerId) -> int | None:
        """How much was found when somebody looked last; None if nobody has. Costs nothing."""
        examined = self._held.known(tracker)
        return None if examined is None else examined.checkup.total

    def of(self, shop: Shop) -> Checkup:
        """The findings of a shop, or of a later one that another caller has brought."""
        held = self._held.of(shop.tracker)
        with held.lock:
            examined = held.value
            if examined is None:
                examined = held.value = self._examined(shop)
                return examined.checkup
            checkup = examined.checkup = self._followed(shop, examined.checkup)
            is_renewing = shop.tracker in self._renewing or (
                self._is_due(shop, examined) and self._renew(shop)
            )
        return replace(checkup, is_renewing=is_renewing)

    def settle(self, tracker: TrackerId) -> None:
        """Waits for an examination in the background, if there is one."""
        thread = self._renewing.get(tracker)
        if thread is not None:
            thread.join()

    def _examined(self, shop: Shop) -> _Examined:
        now, began = self._clock(), time.monotonic()
        rules, catalog = shop.snapshot.rules, shop.snapshot.catalog
        groups, is_cut = _grouped(findings(shop, now=now), self._findings_max)
        seconds = time.monotonic() - began
        checkup = Checkup(now, rules, catalog, shop.models, groups, seconds, is_cut)
        return _Examined(checkup, time.monotonic())

    def _followed(self, shop: Shop, before: Checkup) -> Checkup:
        """With those that were changed since, and those beside them, as they are now; where that is quickly done."""
        rules = shop.snapshot.rules
        if rules is before.rules or before.is_cut:
            return before
        changes = rules.changed_since(before.rules)
        if len(changes) > CHANGED_MAX:
            return before
        were = (before.rules.customization(id_) for id_ in changes)
        touched = [each for each in (*were, *changes.values()) if each is not None]
        examined = alike(rules, touched)
        found = findings_among(shop, examined, now=self._clock())
        without = {*changes, *(each.id for each in examined)}
        followed = replace(before, rules=rules, groups=_joined(before.groups, found, without))
        return replace(followed, is_cut=followed.total > self._findings_max)

    def _is_due(self, shop: Shop, examined: _Examined) -> bool:
        checkup, snapshot = examined.checkup, shop.snapshot
        is_old = (
            checkup.rules is not snapshot.rules
            or checkup.catalog is not snapshot.catalog
            or checkup.models is not shop.models
            or self._clock() - checkup.at > self._age_micros_max
        )
        pause = max(self._pause_seconds_min, self._pause_times * checkup.seconds)
        return is_old and time.monotonic() - examined.ended >= pause

    def _renew(self, shop: Shop) -> bool:
        """Whether it begins. One at a time in the process: it takes turns with the answers for shoppers."""
        with self._lock:
            if self._renewing:
                return False
            thread = threading.Thread(
                target=self._renewed, args=(shop,), name="checkup", daemon=True
            )
            self._renewing[shop.tracker] = thread
        thread.start()
        return True

    def _renewed(self, shop: Shop) -> None:
        try:
            examined = self._examined(shop)
            held = self._held.of(shop.tracker)
            with held.lock:
                held.value = examined
        except Exception as error:  # noqa: BLE001 - the older findings stay, and the next look tries again
            log.error("examination failed", tracker=shop.tracker, exc_info=error)
        finally:
            with self._lock:
                del self._renewing[shop.tracker]


def _grouped(found: Iterable[Finding], findings_max: int) -> tuple[Mapping[Complaint, Group], bool]:
    """By complaint and model; and whether some are only counted."""
    held: dict[Complaint, dict[str, list[Finding]]] = {}
    counts: dict[Complaint, Counter[str]] = {}
    count = 0
    for count, each in enumerate(found, 1):
        counts.setdefault(each.complaint, Counter())[each.model] += 1
        if count <= findings_max:
            held.setdefault(each.complaint, {}).setdefault(each.model, []).append(each)
    groups = {
        complaint: Group(counts[complaint], _sorted(held.get(complaint, {})))
        for complaint in counts
    }
    return groups, count > findings_max


def _sorted(by_model: Mapping[str, list[Finding]]) -> Mapping[str, Sequence[Finding]]:
    for each in by_model.values():
        each.sort(key=_place)
    return dict(sorted(by_model.items()))


def _place(found: Finding) -> tuple[int, str, int]:
    return found.at or 0, found.customization, -1 if found.pin is None else found.pin


def _joined(
    groups: Mapping[Complaint, Group], found: Iterable[Finding], without: Collection[str]
) -> Mapping[Complaint, Group]:
    """The same with findings of some customizations instead of those that there were. Costs a look at each."""
    come: dict[Complaint, dict[str, list[Finding]]] = {}
    for each in found:
        come.setdefault(each.complaint, {}).setdefault(each.model, []).append(each)
    joined = {}
    for complaint in (*groups, *(each for each in come if each not in groups)):
        before = groups[complaint].findings if complaint in groups else {}
        after = {
            model: [each for each in listed if each.customization not in without]
            for model, listed in before.items()
        }
        for model, new in come.get(complaint, {}).items():
            listed = after.setdefault(model, [])
            for each in new:
                insort(listed, each, key=_place)
        left = {model: listed for model, listed in sorted(after.items()) if listed}
        if left:
            joined[complaint] = Group({model: len(each) for model, each in left.items()}, left)
    return joined
