"""
Servers that build by a schedule: once for new orders whoever they are, and never half.
"""

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from endcap.clock import system_clock
from endcap.domain import Micros, TrackerId
from endcap.store import open_store
from tests.cli.driver import Shell
from tests.durability.load import Caller, children_of, load, put_items, recommends
from tests.durability.storm import KEY, TRACKER
from tests.services.server import LiveServer, start_server

pytestmark = pytest.mark.slow

SECONDS_MAX = 60.0
OTHER = "8765-4321"
MASTER_KEY = "one master key for all hosts"
MANY_ORDERS = 60_000  # so that a build takes long enough to be met in the middle


class Host:
    """A data directory with a server that builds every two seconds, if there is something new."""

    def __init__(self, data_dir: Path, url: str) -> None:
        data_dir.mkdir(exist_ok=True)
        self.data_dir = data_dir
        self.settings = {
            "ENDCAP_DATABASE_URL": url,
            "ENDCAP_MASTER_KEY": MASTER_KEY,
            "ENDCAP_BUILD_EVERY": "2s",
        }
        self.shell = Shell(data_dir, **self.settings)

    def order(self, item: str, *, orders: int = 5, tracker: str = TRACKER) -> None:
        """Orders of an item together with others."""
        chance = Random(item)
        yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        file = self.data_dir / "orders.jsonl"
        with file.open("w") as out:
            for number in range(orders):
                others = [f"/p/{chance.randrange(8, 20)}" for _ in range(5 if orders > 5 else 0)]
                for identity in {item, *others}:
                    line = {"order_id": f"{item}-{number}", "identity": identity}
                    out.write(json.dumps({**line, "created_at": yesterday}) + "\n")
        self.shell.call("import", "transactions", file, "--tracker", tracker)

    @property
    def artifacts(self) -> set[str]:
        folder = self.data_dir / "artifacts" / TRACKER
        return {each.name for each in folder.iterdir()} if folder.exists() else set()

    @property
    def served(self) -> str | None:
        return self.served_of(TRACKER)

    def served_of(self, tracker: str) -> str | None:
        (found,) = self.shell.json("artifact", "status", "--tracker", tracker)
        served: str | None = found["served"]
        return served


@contextmanager
def serving(host: Host, *, workers: int = 1) -> Iterator[LiveServer]:
    server = start_server(host.data_dir, workers=workers, env=host.settings)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Host:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'endcap.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    made = Host(tmp_path / "host", url)
    made.shell.create_tracker(TRACKER, KEY)
    return made


def best(url: str) -> str:
    caller = Caller(url)
    answer = caller.recommend()
    caller.close()
    hits = json.loads(answer.body)[0]["hits"]
    return str(hits[0]["url"]) if hits else ""


def soon(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.05)


def events(server: LiveServer, event: str) -> int:
    return len(re.findall(rf'"event": "{event}"', server.log))


def test_new_orders_are_built_once_and_served_by_every_worker(host: Host) -> None:
    """Of two workers one builds; without new orders nobody does; /metrics and a command tell."""
    host.order("/p/7")
    with serving(host, workers=2) as server:
        put_items(server.url)
        soon(lambda: best(server.url) == "/p/7" and host.served is not None)
        first = host.served
        assert events(server, "build began") == 1

        looked_at = _attempt_of(host)
        soon(
            lambda: _attempt_of(host) > looked_at
        )  # somebody looked again, and there was nothing new
        assert host.shell.json("artifact", "status")[0]["result"] == "unchanged"
        assert (host.artifacts, host.served) == ({first}, first)

        host.order("/p/3", orders=9)
        soon(lambda: host.served != first)
        soon(lambda: best(server.url) == "/p/3")
        soon(lambda: events(server, "build done") == 2)  # a moment after it is served
        assert events(server, "build began") == 2
        caller = Caller(server.url)
        soon(lambda: b'endcap_build_failures{tracker="1234-5678"} 0.0' in _metrics(caller))
        (succeeded,) = re.findall(
            rb"^endcap_build_success_time_seconds\S+ (\S+)", _metrics(caller), re.MULTILINE
        )
        caller.close()
        assert float(succeeded) > 1.7e9


def test_what_shoppers_buy_is_learned_by_the_schedule(host: Host) -> None:
    """Without any import: transactions told to a running server are built from, and served."""
    with serving(host, workers=2) as server:
        put_items(server.url)
        caller = Caller(server.url)
        for number in range(3):
            bought = {"id": f"t{number}", "type": "transaction", "client_id": number}
            bought |= {"tracker_id": TRACKER, "items": [{"url": "/p/5"}]}
            assert caller.ask("POST", "/v1", json.dumps(bought).encode()).status == 200
        caller.close()

        soon(lambda: best(server.url) == "/p/5")

    assert host.served is not None


def test_an_earlier_artifact_is_gone_back_to_while_it_serves(host: Host) -> None:
    """Every worker takes it over without a restart; paused, new orders change nothing until somebody builds."""
    host.order("/p/3")
    with serving(host, workers=2) as server:
        put_items(server.url)
        soon(lambda: best(server.url) == "/p/3" and host.served is not None)
        first = host.served
        host.order("/p/7", orders=20)
        soon(lambda: best(server.url) == "/p/7")

        host.shell.call("artifact", "rollback", "--tracker", TRACKER, "--pause")

        assert host.served == first
        soon(lambda: {best(server.url) for _ in range(8)} == {"/p/3"})
        host.order("/p/4", orders=60)
        _other_is_built_twice(host)
        assert host.served == first
        host.shell.call("build", "--tracker", TRACKER)
        soon(lambda: {best(server.url) for _ in range(8)} == {"/p/4"})


def _other_is_built_twice(host: Host) -> None:
    """So the schedule looked at all trackers, and was done with what it found."""
    host.shell.create_tracker(OTHER, KEY)
    for item in ("/p/1", "/p/2"):
        before = host.served_of(OTHER)
        host.order(item, tracker=OTHER)
        soon(lambda: host.served_of(OTHER) != before)  # noqa: B023 - of this turn


def _attempt_of(host: Host) -> int:
    store = open_store(host.settings["ENDCAP_DATABASE_URL"])
    try:
        return store.builds()[TrackerId(TRACKER)].record.began_at or 0
    finally:
        store.close()


def _metrics(caller: Caller) -> bytes:
    return caller.ask("GET", "/metrics").body


@pytest.mark.postgres
def test_two_hosts_build_once(tmp_path: Path, postgres_url: str) -> None:
    """With one database, and a shared folder of orders and one of artifacts; either serves what either built."""
    here, there = Host(tmp_path / "here", postgres_url), Host(tmp_path / "there", postgres_url)
    for shared in ("orders", "artifacts"):
        (here.data_dir / shared).mkdir()
        (there.data_dir / shared).symlink_to(here.data_dir / shared)
    here.shell.create_tracker(TRACKER, KEY)
    here.order("/p/7")
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(each, workers=2)) for each in (here, there)]
        put_items(servers[0].url)
        for item in ("/p/7", "/p/3", "/p/4"):
            if item != "/p/7":
                there.order(item, orders=20 if item == "/p/3" else 60)
            soon(lambda: best(servers[0].url) == best(servers[1].url) == item)  # noqa: B023 - of this turn

        soon(lambda: sum(events(each, "build done") for each in servers) == 3)
        assert sum(events(each, "build began") for each in servers) == 3
    assert len(here.artifacts) == 3


def test_a_server_that_is_told_to_end_ends_its_build(host: Host) -> None:
    """Nothing half is left, nobody is in the way, and the next server builds at once."""
    host.order("/p/7", orders=MANY_ORDERS)
    with serving(host) as server:
        soon(lambda: events(server, "build began") == 1)
        soon(lambda: any(each.startswith(".") for each in host.artifacts))
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < SECONDS_MAX
        assert server.exit_code == 0
        stopped = events(server, "build stopped")

    if stopped:  # it was not done before it was told
        assert host.served is None
        assert not host.artifacts
    with serving(host) as server:
        soon(lambda: host.served is not None)


def test_a_kill_in_the_middle_leaves_nothing_half_served(host: Host) -> None:
    """What was served before is served by the next server; what was begun is cleaned away, and built."""
    host.order("/p/3")
    with serving(host) as server:
        put_items(server.url)
        soon(lambda: best(server.url) == "/p/3")
    first = host.served
    host.order("/p/7", orders=MANY_ORDERS)
    server = start_server(host.data_dir, env=host.settings)
    try:
        soon(lambda: any(each.startswith(".") for each in host.artifacts))
        builds = {pid for worker in children_of(server.pid) for pid in children_of(worker)}
    finally:
        server.kill()
    assert builds
    soon(lambda: not any(map(_is_alive, builds)))

    assert host.served == first
    _let_lapse(host)
    with serving(host) as server:
        assert best(server.url) == "/p/3"
        soon(lambda: best(server.url) == "/p/7")
        soon(lambda: events(server, "build done") == 1)
    assert host.artifacts == {first, host.served}
    assert all(each["ok"] for each in host.shell.json("artifact", "verify", "--tracker", TRACKER))


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _let_lapse(host: Host) -> None:
    """What a minute would do: somebody comes when the killed one's time is over, and lets go again."""
    store = open_store(host.settings["ENDCAP_DATABASE_URL"])
    later = Micros(system_clock() + 120_000_000)
    claimed = store.claim_build(TrackerId(TRACKER), "another", now=later, until=later)
    assert claimed is not None
    store.keep_build(TrackerId(TRACKER), "another", claimed.record, until=None)
    store.close()


def test_a_build_that_is_killed_is_a_failure_and_the_server_goes_on(host: Host) -> None:
    """As when the system is out of memory: requests are answered, the reason is on record, it is tried again."""
    host.order("/p/7", orders=MANY_ORDERS)
    with serving(host) as server:
        put_items(server.url)
        soon(lambda: any(each.startswith(".") for each in host.artifacts))
        (worker,) = children_of(server.pid)
        with load(server.url, recommends, threads=1) as answers:
            for build in children_of(worker):
                os.kill(build, signal.SIGKILL)
            soon(lambda: events(server, "build failed") == 1)
            answers.wait_for(20, lambda answer: answer.status == 200)
        assert set(answers.counts()) == {200}

    (status,) = host.shell.json("artifact", "status")
    assert (status["result"], status["failures"]) == ("failed", 1)
    assert "killed by signal 9" in status["reason"]


def test_a_corrupted_artifact_is_not_served(host: Host) -> None:
    """A bit that flipped on disk: the log says so, the last good one is served, and a rebuild makes it good."""
    host.order("/p/3")
    host.shell.call("build", "--tracker", TRACKER)
    host.order("/p/7", orders=9)
    broken = host.shell.json("build", "--tracker", TRACKER)["artifact"]
    file = host.data_dir / "artifacts" / TRACKER / broken / "popularity.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    del host.settings["ENDCAP_BUILD_EVERY"]

    with serving(host) as server:
        put_items(server.url)
        assert best(server.url) == "/p/3"
        assert "the checksum of popularity.npy does not match" in server.log
        host.shell.call("artifact", "verify", broken, "--tracker", TRACKER, code=1)

        host.shell.call("build", "--tracker", TRACKER)

        soon(lambda: best(server.url) == "/p/7")
