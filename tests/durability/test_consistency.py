"""
Editors who hop between four worker processes and send back the revision that they have seen: each of them reads its own
writes, and never an older state after a newer one.

Everything is written down while three editors work at once, and judged afterwards, when every write and its revision is
known: an answer that names a revision has to show exactly the state at that revision.
"""

import json
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec import Struct

from tests.durability.load import PATIENT, Answer, Caller, put_items
from tests.durability.storm import BASE, KEY, TRACKER
from tests.services.server import LiveServer, create_tracker, start_server

pytestmark = pytest.mark.slow

WORKERS = 4
EDITORS = 3
STEPS = 80
WIDGETS = 6  # each has at most one customization, which pins one item in it
ITEMS = 20
SECONDS_MAX = 30.0


class Write(Struct, frozen=True):
    """What one write changed: a customization's item (None: it is gone), or an item's title."""

    revision: int
    widget: int | None = None
    id: str = ""
    item: str | None = None
    titled: str = ""
    title: str = ""


class Read(Struct, frozen=True):
    """What an editor that had seen a revision was shown at another one."""

    kind: str
    seen: int
    revision: int | None
    subject: str
    shown: object


class State(Struct, frozen=True):
    pins: Mapping[int, str]
    ids: frozenset[str]
    titles: Mapping[str, str]


class Editor:
    """Works on widgets of its own, looks at all. `seen` is the highest revision that any answer named."""

    def __init__(
        self, number: int, callers: Sequence[Caller], seed: int, shared: list[str]
    ) -> None:
        self._number = number
        self._callers = callers
        self._chance = random.Random(f"{seed}-{number}")
        self._shared = shared
        self._own: dict[int, str] = {}
        self.seen = 0
        self.writes: list[Write] = []
        self.reads: list[Read] = []

    def work(self) -> None:
        for _ in range(STEPS):
            act = self._chance.random()
            if act < 0.4:
                self._write()
            elif act < 0.5:
                self._title()
            elif act < 0.8:
                self._recommend()
            elif act < 0.95:
                self._get()
            else:
                self._count()

    def close(self) -> None:
        for each in self._callers:
            each.close()

    def _ask(self, method: str, path: str, body: object = None) -> Answer:
        """Whichever worker; with what was seen."""
        content = b"" if body is None else json.dumps(body).encode()
        answer = self._chance.choice(self._callers).ask(
            method, path, content, Endcap_Revision=str(self.seen)
        )
        self.seen = max(self.seen, int(answer.headers.get("endcap-revision", 0)))
        return answer

    def _write(self) -> None:
        widget = self._number + EDITORS * self._chance.randrange(WIDGETS // EDITORS)
        item = f"/p/{self._chance.randrange(ITEMS)}"
        pin = {"position": 1, "pin_type": "item", "pin_identity": item, "widget_id": f"w{widget}"}
        body = {"model": "trends", "target_type": "all", "pin_definitions": [pin]}
        known = self._own.get(widget)
        if known is None:
            answer = self._ask("POST", BASE, body)
            assert answer.status == 201, answer
            known = self._own[widget] = json.loads(answer.body)["id"]
            self._shared.append(known)
        elif self._chance.random() < 0.7:
            answer = self._ask("PUT", f"{BASE}/{known}", body)
            assert answer.status == 204, answer
        else:
            answer = self._ask("DELETE", f"{BASE}/{known}")
            assert answer.status == 204, answer
            self._own.pop(widget)
            self.writes.append(Write(_revision(answer), widget, known))
            return
        self.writes.append(Write(_revision(answer), widget, known, item))

    def _title(self) -> None:
        item = f"/p/{self._chance.randrange(ITEMS)}"
        title = f"Title {self._number}-{len(self.writes)}"
        new = {"identity": item, "type": "item", "fields": {"title": title}}
        answer = self._ask("PATCH", "/v1/content", {"objects": [new]})
        assert answer.status == 200, answer
        self.writes.append(Write(_revision(answer), titled=item, title=title))

    def _recommend(self) -> None:
        seen, widget = self.seen, self._chance.randrange(WIDGETS)
        asked = {
            "recommendation_type": "trends",
            "recommender_client_identifier": f"w{widget}",
            "size": 1,
            "hit_fields": ["title"],
        }
        answer = self._ask("POST", f"/v1/recommend?tracker_id={TRACKER}", [asked])
        assert answer.status == 200, answer
        (hit,) = json.loads(answer.body)[0]["hits"]
        shown = (hit["url"], hit["attributes"]["title"])
        self.reads.append(Read("recommend", seen, _revision(answer), str(widget), shown))

    def _get(self) -> None:
        if not self._shared:
            return
        seen, known = self.seen, self._chance.choice(self._shared)
        answer = self._ask("GET", f"{BASE}/{known}")
        if answer.status == 404:
            self.reads.append(Read("get", seen, None, known, None))
            return
        assert answer.status == 200, answer
        item = json.loads(answer.body)["pin_definitions"][0]["pin_identity"]
        self.reads.append(Read("get", seen, _revision(answer), known, item))

    def _count(self) -> None:
        seen = self.seen
        answer = self._ask("POST", f"{BASE}s?limit=0", {})
        assert answer.status == 200, answer
        total = json.loads(answer.body)["pagination"]["total"]
        self.reads.append(Read("count", seen, _revision(answer), "", total))


def _revision(answer: Answer) -> int:
    return int(answer.headers["endcap-revision"])


@pytest.mark.parametrize("seed", [1])
def test_sqlite_workers_show_what_was_seen(tmp_path: Path, seed: int) -> None:
    """Four workers over one file."""
    _edit_and_judge(tmp_path, {}, seed)


@pytest.mark.postgres
@pytest.mark.parametrize("seed", [2])
def test_postgres_workers_show_what_was_seen(tmp_path: Path, postgres_url: str, seed: int) -> None:
    """Four workers over one database."""
    _edit_and_judge(tmp_path, {"ENDCAP_DATABASE_URL": postgres_url}, seed)


def _edit_and_judge(data_dir: Path, environment: dict[str, str], seed: int) -> None:
    create_tracker(data_dir, TRACKER, KEY, env=environment)
    server = start_server(data_dir, workers=WORKERS, env={**environment, **PATIENT})
    try:
        first = put_items(server.url, ITEMS)
        deadline = time.monotonic() + SECONDS_MAX
        while server.log.count("worker is ready") < WORKERS:
            assert time.monotonic() < deadline, "not every worker became ready"
            time.sleep(0.05)
        editors = _editors(server, seed)
        with ThreadPoolExecutor(EDITORS) as executor:
            for done in [executor.submit(editor.work) for editor in editors]:
                done.result()
        for editor in editors:
            editor.close()
    finally:
        server.stop()
    writes = sorted(
        (write for editor in editors for write in editor.writes), key=lambda write: write.revision
    )
    states = _history(writes, first)
    for editor in editors:
        for read in editor.reads:
            _judge(read, states, writes)
    judged = [read.kind for editor in editors for read in editor.reads]
    assert {"recommend", "get", "count"} == set(judged)


def _editors(server: LiveServer, seed: int) -> list[Editor]:
    """Each with a connection of its own to every worker."""
    found: dict[int, list[Caller]] = {}
    deadline = time.monotonic() + SECONDS_MAX
    while len(found) < WORKERS or any(len(callers) < EDITORS for callers in found.values()):
        assert time.monotonic() < deadline, f"workers: {found}"
        caller = Caller(server.url)
        text = caller.ask("GET", "/metrics").body.decode()
        pid = int(float(text.split("\nendcap_worker_pid ")[1].split("\n")[0]))
        callers = found.setdefault(pid, [])
        if len(callers) < EDITORS:
            callers.append(caller)
        else:
            caller.close()
    shared: list[str] = []
    by_editor = zip(*found.values(), strict=True)
    return [Editor(number, callers, seed, shared) for number, callers in enumerate(by_editor)]


def _history(writes: Sequence[Write], first: int) -> dict[int, State]:
    """The state at every revision; each was made by one write."""
    assert [write.revision for write in writes] == list(range(first + 1, first + 1 + len(writes)))
    state = State({}, frozenset(), {f"/p/{number}": f"Item {number}" for number in range(ITEMS)})
    states = {first: state}
    for write in writes:
        pins, ids, titles = dict(state.pins), set(state.ids), dict(state.titles)
        if write.widget is None:
            titles[write.titled] = write.title
        elif write.item is None:
            del pins[write.widget]
            ids.remove(write.id)
        else:
            pins[write.widget] = write.item
            ids.add(write.id)
        state = states[write.revision] = State(pins, frozenset(ids), titles)
    return states


def _judge(read: Read, states: Mapping[int, State], writes: Sequence[Write]) -> None:
    first, last = min(states), max(states)
    seen = max(read.seen, first)
    if read.kind == "get":
        mine = [write for write in writes if write.id == read.subject]
        made = [write for write in mine if write.item is not None]
        gone = [write.revision for write in mine if write.item is None]
        if read.revision is None:
            assert gone, f"it was never deleted: {read}"
            return
        assert not gone or gone[0] > seen, f"its deletion had been seen: {read}"
        (shown,) = [write for write in made if write.revision == read.revision]
        assert shown.item == read.shown, read
        newer = [write for write in made if read.revision < write.revision <= seen]
        assert not newer, f"a newer one had been seen: {read}"
        return
    assert read.revision is not None
    assert seen <= read.revision <= last, f"older than what had been seen: {read}"
    if read.kind == "count":
        possible = {len(states[at].ids) for at in range(seen, read.revision + 1)}
        assert read.shown in possible, read
    else:
        state = states[read.revision]
        item = state.pins.get(int(read.subject), _UNPINNED)
        assert read.shown == (item, state.titles[item]), f"{read} but {item}"


_UNPINNED = "/p/0"  # nothing was ordered, all are as new: by identity
