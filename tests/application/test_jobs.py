"""
Jobs: done step by step, once, whoever dies in the middle.
"""

import json
from collections import Counter

from endcap.domain import CatalogObject, Field, ItemId, Micros
from endcap.errors import CatalogFault, JobNotFound
from endcap.jobs import JobRunner
from endcap.store.states import FIELDS_JOB, JOB_ATTEMPTS_MAX, JOB_DAYS, JOB_FAULTS_MAX, Job
from endcap.store.writes import PutObjects, StartJob, StepJob, TakeJob
from endcap.wire.updates import read_update
from tests.application.world import SHOP, World, committed

LEASE_SECONDS = 10.0
OLIVE_TO_GREEN = {
    "search": {"types": ["item"], "partial": {"fields": {"color": "olive"}}},
    "update": {"fields": {"color": "green"}},
}


def job(world: World, id: int = 1, body: object = OLIVE_TO_GREEN, **fields: object) -> StartJob:
    now = world.tick()
    kept = {"kind": "update", "request": json.dumps(body).encode(), **fields}
    return StartJob(
        SHOP,
        Job(id=id, actor="api", created_at=now, updated_at=now, **kept),  # type: ignore[arg-type]
        now,
    )


def runner(world: World, **settings: int) -> JobRunner:
    """Another process's, over its own connections."""
    return JobRunner(
        world.store(), lease_seconds=LEASE_SECONDS, clock=lambda: world.now, **settings
    )


def colors(world: World) -> dict[str, object]:
    with world.here.load(SHOP) as load:
        return {
            each.identity: json.loads(each.document)["fields"].get("color")
            for each in load.objects()
        }


def writes_of(world: World) -> Counter[str]:
    """How often each object was changed by jobs."""
    lines = world.here.history(SHOP)
    return Counter(line.subject for line in lines if line.actor == "api")


def found(world: World, id: int = 1) -> Job:
    known = world.here.job(SHOP, id)
    assert known is not None
    return known


def identities(count: int) -> list[str]:
    return [f"/p/{number:03}" for number in range(count)]


def test_a_job_is_done_in_steps(world: World) -> None:
    """Each object that matches is changed once; mirrors follow; what was asked for is forgotten at the end."""
    committed(world.here, world.put(*identities(5), color=["red", "olive"]))
    committed(world.here, world.put("/q", color="Olive"), world.put("/r"), job(world))
    mirror = world.mirror(world.elsewhere)
    mirror.load()

    assert runner(world, step_objects=2).work()

    assert colors(world) == {**dict.fromkeys(identities(5), "green"), "/q": "Olive", "/r": None}
    assert writes_of(world) == dict.fromkeys(identities(5), 1)
    done = found(world)
    assert (done.status, done.updates, done.failures, done.checked) == ("complete", 5, 0, 7)
    assert (done.request, done.holder, done.place) == (b"", "", "")
    mirror.refresh()
    shop = mirror.shop(SHOP)
    assert shop is not None
    assert shop.revision == world.here.revisions()[SHOP]
    number = shop.snapshot.catalog.number("/p/004")
    assert number is not None
    assert shop.snapshot.catalog.attributes(number)["color"] == "green"
    assert not runner(world).work()


def test_a_job_of_somebody_who_is_gone_is_taken_over(world: World) -> None:
    """When the lease is over, and from where the last step ended."""
    committed(world.here, world.put(*identities(6), color="olive"), job(world))
    died = _dies_after_a_step(world, objects=2)

    assert not runner(world).work()
    assert found(world).holder == "dead"
    world.now = Micros(died + round(LEASE_SECONDS * 1_000_000) + 1)
    assert runner(world, step_objects=2).work()

    assert writes_of(world) == dict.fromkeys(identities(6), 1)
    done = found(world)
    assert (done.status, done.updates, done.checked) == ("complete", 6, 6)


def test_a_late_step_of_a_former_holder_does_nothing(world: World) -> None:
    """A process that was paused believes that it still holds the job."""
    committed(world.here, world.put(*identities(4), color="olive"), job(world))
    _dies_after_a_step(world, objects=1)
    late = _step(world, found(world), objects=2)
    world.now = Micros(world.now + round(LEASE_SECONDS * 1_000_000) + 1)
    (taken,) = committed(world.here, TakeJob(SHOP, 1, "heir", Micros(world.now + 1), world.now))
    assert taken.job is not None
    assert taken.job.holder == "heir"

    (outcome,) = committed(world.here, late)

    assert outcome.job == found(world) == taken.job
    assert sum(writes_of(world).values()) == 1


def test_the_same_step_twice_is_done_once(world: World) -> None:
    """It may have been committed although its answer was lost."""
    committed(world.here, world.put(*identities(4), color="olive"), job(world))
    committed(world.here, TakeJob(SHOP, 1, "dead", Micros(world.now + 9), world.now))
    step = _step(world, found(world), objects=2)

    first, second = committed(world.here, step, step)

    assert first.job == second.job == found(world)
    assert found(world).updates == 2


def test_jobs_of_a_tracker_are_done_in_the_order_they_came(world: World) -> None:
    """The second finds what the first left."""
    second = {
        "search": {"types": ["item"], "partial": {"fields": {"color": "green"}}},
        "update": {"fields": {"color": "blue"}},
    }
    committed(world.here, world.put("/p/1", color="olive"), job(world, 9), job(world, 2, second))

    assert [each.id for _, each in world.here.open_jobs()] == [9]
    runner(world).work()

    assert colors(world) == {"/p/1": "blue"}
    assert world.here.count_open_jobs(SHOP) == 0


def test_a_job_is_given_back_by_who_ends(world: World) -> None:
    """Nobody has to wait for the lease then."""
    committed(world.here, world.put("/p/1", color="olive"), job(world))
    committed(world.here, TakeJob(SHOP, 1, "here", Micros(world.now + 9), world.now))
    known = found(world)
    step = _step(world, known, objects=1, until=world.now, holder="here")

    committed(world.here, step)

    assert found(world).holder == ""
    assert runner(world).work()
    assert found(world).status == "complete"


def test_a_job_that_takes_its_worker_down_fails_in_the_end(world: World) -> None:
    """Else it would do so for ever."""
    committed(world.here, job(world))
    for attempt in range(JOB_ATTEMPTS_MAX):
        now = world.tick()
        committed(world.here, TakeJob(SHOP, 1, f"victim {attempt}", now, now))

    assert not runner(world).work()

    assert found(world).status == "failed"
    assert found(world).reason == "Taken up 5 times without getting on"


def test_a_job_that_cannot_be_done_says_so(world: World) -> None:
    """And the next one is done."""
    committed(world.here, world.put("/p/1", color="olive"), job(world, 1, []), job(world, 2))

    runner(world).work()

    assert (found(world).status, found(world).reason) == (
        "failed",
        "internal error (CatalogFaults)",
    )
    assert found(world, 2).status == "complete"


def test_objects_that_cannot_be_updated_are_counted_and_some_are_named(world: World) -> None:
    """The kind of a field may have been fixed after the job was asked for."""
    committed(world.here, world.put(*identities(JOB_FAULTS_MAX + 3), color="olive"))
    body = {**OLIVE_TO_GREEN, "update": {"fields": {"weight": "heavy"}}}
    committed(world.here, job(world, 1, body), world.put("/q", weight=5))

    runner(world).work()

    done = found(world)
    assert (done.status, done.updates, done.failures) == ("complete", 0, JOB_FAULTS_MAX + 3)
    assert len(done.faults) == JOB_FAULTS_MAX
    assert CatalogFault(*done.faults["/p/000"]).kind == "data_schema_mismatch"


def test_fields_from_before_there_were_kinds_get_them(world: World) -> None:
    """From what is stored, first come first served; what is written meanwhile fixes none, and is judged by none."""
    old = [
        CatalogObject(each.identity, each.type, None, each.document)
        for write in (world.put("/p/1", weight=5), world.put("/p/2", weight="6", size="XL"))
        for each in write.objects
    ]
    committed(world.here, PutObjects(SHOP, old, "test", world.tick()))
    committed(world.here, job(world, FIELDS_JOB, None, kind="fields", request=b""))
    committed(world.here, world.put("/p/3", weight="light", depth=7))
    assert world.here.fields(SHOP) == []

    runner(world, step_objects=1).work()

    since = {each.name: each for each in world.here.fields(SHOP)}
    assert {name: (each.kind, each.identity) for name, each in since.items()} == {
        "depth": ("number", "/p/3"),
        "size": ("text", "/p/2"),
        "weight": ("number", "/p/1"),
    }
    (outcome,) = committed(world.here, world.put("/p/4", weight="light"))
    assert list(outcome.faults) == ["/p/4"]


def test_jobs_that_ended_are_forgotten_after_a_while(world: World) -> None:
    """When another one begins."""
    committed(world.here, job(world, 1))
    runner(world).work()
    world.now = Micros(world.now + JOB_DAYS * 24 * 3_600 * 1_000_000)

    committed(world.here, job(world, 2))

    assert world.here.job(SHOP, 1) is None
    assert world.here.job(SHOP, 2) is not None


def test_a_job_that_is_not_there(world: World) -> None:
    """Cannot be taken."""
    (outcome,) = world.here.commit([TakeJob(SHOP, 5, "me", Micros(world.now + 1), world.now)])

    assert isinstance(outcome, JobNotFound)


def _dies_after_a_step(world: World, *, objects: int) -> Micros:
    """Somebody takes the job and does a step; when that was."""
    until = Micros(world.now + round(LEASE_SECONDS * 1_000_000))
    committed(world.here, TakeJob(SHOP, 1, "dead", until, world.now))
    committed(world.here, _step(world, found(world), objects=objects, until=until))
    return world.now


def _step(
    world: World,
    job: Job,
    *,
    objects: int,
    until: Micros | None = None,
    holder: str = "dead",
) -> StepJob:
    update = read_update(job.request)
    page = world.here.objects_after(SHOP, job.place or None, limit=objects)
    fields: list[Field] = []
    return StepJob(
        SHOP,
        job.id,
        holder,
        job.place,
        page[-1].identity if page else ItemId(""),
        {each.identity: update.merge for each in page},
        fields,
        len(page),
        "in progress",
        Micros(world.now + 9) if until is None else until,
        "api",
        world.now,
    )
