"""
The calendar: which campaigns are on when, and moving one by days, asked first and undone.
"""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest

from endcap.web import campaigns
from tests.api.driver import BASE, TRACKER, ToldClock, catalog, customization, item, pin
from tests.web.driver import ConsoleServer, Visitor, hidden_of, text_of
from tests.web.test_changing import undo
from tests.web.test_roles import visitor_of

CALENDAR = f"/console/t/{TRACKER}/calendar"
WEEK: Any = {"active_from": "2025-01-20", "active_to": "2025-01-27"}


def bars(page: httpx2.Response) -> list[tuple[int, int, int]]:
    """First column, days and lane of each bar, from top to bottom."""
    found = re.findall(r'class="spell c-(\d+) s-(\d+) l-(\d+)', page.text)
    return [(int(first), int(days), int(lane)) for first, days, lane in found]


def links(page: httpx2.Response) -> list[str]:
    """Of the forms that move bars."""
    return [unescape(each) for each in re.findall(r'href="([^"]*/calendar/move[^"]*)"', page.text)]


def form_of(page: httpx2.Response) -> list[tuple[str, str]]:
    """The hidden fields of the form of a move."""
    form = page.text.partition('action="' + CALENDAR + '/move"')[2].partition("</form>")[0]
    return [(k, unescape(v)) for k, v in re.findall(r'name="(\w+)" value="([^"]*)"', form)][:6]


def move(visitor: Visitor, what: str, days: object, page: str = CALENDAR, bar: int = 0) -> Any:
    form = visitor.get(links(visitor.get(page))[bar])
    fields = [*form_of(form), ("what", what), ("days", str(days))]
    return visitor.post(f"{CALENDAR}/move", fields)


def say_yes(visitor: Visitor, asked: httpx2.Response) -> str:
    assert asked.status_code == 200, text_of(asked)
    done = visitor.post(f"{CALENDAR}/move", hidden_of(asked))
    assert done.status_code == 303, text_of(done)
    return str(done.headers["location"])


def window_of(server: ConsoleServer, id: str, index: int = 0) -> tuple[str | None, str | None]:
    found = server.get(id)["pin_definitions"][index]
    return found.get("active_from"), found.get("active_to")


def test_a_month_and_a_week(server: ConsoleServer, ann: Visitor) -> None:
    """Each window is a bar over its days; what goes on beyond is cut and says so."""
    server.create(pin_definitions=[pin(**WEEK)])
    server.create(
        target_identity="/p/124",
        pin_definitions=[pin(active_from="2025-01-29T12:00:00Z"), pin("/p/125", 2)],
    )

    month, week = ann.get(CALENDAR), ann.get(f"{CALENDAR}?view=week")
    next_ = ann.get(f"{CALENDAR}?day=2025-02-05")

    assert "January 2025" in text_of(month)
    assert bars(month) == [(20, 7, 1), (29, 3, 1)]
    assert re.search(r"s-3 l-1 scheduled after", month.text)
    assert "20 – 26 Jan 2025" in text_of(week)
    assert bars(week) == [(1, 7, 1)]
    assert "February 2025" in text_of(next_)
    assert bars(next_) == [(1, 28, 1)]
    assert (
        "Fender Telecaster, from 20 Jan 2025, 00:00 until 27 Jan 2025, 00:00, 1 pin" in month.text
    )
    assert "20 – 26 Jan" in text_of(month)


def test_what_has_no_window_is_counted(server: ConsoleServer, ann: Visitor) -> None:
    """With a link to the list; and what is disabled is not on."""
    server.create()
    server.create(target_identity="/p/124", pin_definitions=[pin(**WEEK)], disabled=True)

    said = text_of(ann.get(CALENDAR))

    assert "0 campaigns" in said
    assert "1 customization without a window is always on, and not drawn. 1 disabled." in said
    assert "Nothing in this month" in said


def test_windows_that_overlap_lie_in_lanes(server: ConsoleServer, ann: Visitor) -> None:
    """Pins with one window are one bar."""
    server.create(
        pin_definitions=[
            pin(**WEEK),
            pin("/p/124", 2, **WEEK),
            pin("/p/125", 3, active_from="2025-01-26", active_to="2025-01-28"),
            pin("/p/126", 4, active_from="2025-01-27", active_to="2025-01-28"),
        ]
    )

    page = ann.get(CALENDAR)

    assert bars(page) == [(20, 7, 1), (26, 2, 2), (27, 1, 1)]
    assert "until 27 Jan 2025, 00:00, 2 pins" in page.text


def test_by_recommender_and_tag(server: ConsoleServer, ann: Visitor) -> None:
    """Each recommender has a chapter; filters are in the address, and kept when turning pages."""
    server.create(pin_definitions=[pin(**WEEK)], tags=["winter"])
    server.create(pin_definitions=[pin(**WEEK)], model="basket")

    page = ann.get(CALENDAR)
    of_model = ann.get(f"{CALENDAR}?model=basket")
    of_tag = ann.get(f"{CALENDAR}?tag=winter&view=week")

    chapters = re.findall(r'<th scope="rowgroup".*?</th>', page.text)
    assert [re.sub("<[^>]+>", "", each) for each in chapters] == ["basket 1", "test_reco 1"]
    assert len(bars(of_model)) == len(bars(of_tag)) == 1
    assert "view=week&amp;day=2025-01-27&amp;tag=winter" in of_tag.text
    assert "Clear filters" in text_of(of_tag)


def test_what_cannot_be_understood_is_left_out(ann: Visitor) -> None:
    """And the calendar ends before the years do."""
    titles = {
        query: text_of(ann.get(f"{CALENDAR}?{query}"))
        for query in ("view=x&day=never", "day=9999-12-31", "day=0001-01-01", "day=2025-02-30")
    }

    assert [re.search(r"\w+ \d{4}(?= Month Week)", each)[0] for each in titles.values()] == [  # type: ignore[index]
        "January 2025",
        "December 9998",
        "January 1970",
        "January 2025",
    ]


def test_rows_are_bounded(server: ConsoleServer, ann: Visitor) -> None:
    """Of each recommender as many as there is room for; the rest is counted and linked. One alone has more room."""
    most = campaigns.ROWS_OF_MODEL_MAX
    for number in range(most + 2):
        server.create(model="trends", target_identity=f"/p/{number}", pin_definitions=[pin(**WEEK)])
    server.create(model="basket", pin_definitions=[pin(**WEEK)])

    every, one = ann.get(CALENDAR), ann.get(f"{CALENDAR}?model=trends")

    assert f"{most + 3} campaigns" in text_of(every)
    assert re.findall(r"and (\d+) more", text_of(every)) == ["2"]
    assert "customizations?model=trends&amp;sort=closes" in every.text
    assert len(bars(every)) == most + 1
    assert (len(bars(one)), re.findall(r"and (\d+) more", text_of(one))) == (most + 2, [])


def test_recommenders_share_the_rows_of_a_page() -> None:
    """None has more than its share, all together no more than the page; one alone may fill it."""
    three = {"basket": 5, "test_reco": 1, "trends": 5}

    assert campaigns.rooms(three, rows_max=4, of_model_max=2) == {
        "basket": 2,
        "test_reco": 1,
        "trends": 1,
    }
    assert campaigns.rooms({"basket": 5}, rows_max=4, of_model_max=2) == {"basket": 4}
    assert campaigns.rooms({}) == {}


def test_bars_of_a_row_are_bounded(server: ConsoleServer, ann: Visitor) -> None:
    """The customization itself has all of them."""
    pins = [
        pin(f"/p/{n}", n, active_from=f"2025-01-{n:02}", active_to="2025-02-01")
        for n in range(1, 10)
    ]
    made = server.create(pin_definitions=pins)["id"]

    page = ann.get(CALENDAR)

    assert len(bars(page)) == campaigns.BARS_OF_ROW_MAX
    assert "and 3 more windows" in text_of(page)
    assert f'<a href="/console/t/{TRACKER}/customizations/{made}">and 3' in page.text


MOVES = [
    ("move", 7, ("2025-01-27", "2025-02-03"), "Move by 7 days, later?"),
    ("move", -20, ("2024-12-31", "2025-01-07"), "Move by 20 days, earlier?"),
    ("end", 1, ("2025-01-20", "2025-01-28"), "End 1 day later?"),
    ("begin", -1, ("2025-01-19", "2025-01-27"), "Begin 1 day earlier?"),
    ("move", "+2", ("2025-01-22", "2025-01-29"), "Move by 2 days, later?"),
]


@pytest.mark.parametrize(("what", "days", "window", "question"), MOVES)
def test_a_window_is_moved_asked_first_and_undone(
    server: ConsoleServer,
    clock: ToldClock,
    ann: Visitor,
    what: str,
    days: object,
    window: tuple[str, str],
    question: str,
) -> None:
    """By name in the log; other pins stay where they are."""
    made = server.create(pin_definitions=[pin(**WEEK), pin("/p/125", 2)])
    clock.advance(60)

    asked = move(ann, what, days)
    before = window_of(server, made["id"])
    place = say_yes(ann, asked)
    moved = [window_of(server, made["id"], index) for index in (0, 1)]
    told = text_of(ann.get(place))
    back = undo(ann, place)

    assert question in text_of(asked)
    assert "Now from 20 Jan 2025, 00:00 until 27 Jan 2025, 00:00 Then from" in text_of(asked)
    assert "1 other pin of it stays as it is." in text_of(asked)
    assert before == ("2025-01-20", "2025-01-27")
    assert moved == [window, (None, None)]
    assert "1 customization moved." in told
    assert "/calendar?" in back
    assert {**server.get(made["id"]), "updated_at": ""} == {**made, "updated_at": ""}


@pytest.mark.parametrize(
    ("what", "days", "told"),
    [
        ("end", -7, "It would end before it begins"),
        ("begin", 7, "It would end before it begins"),
        ("move", "", "A whole number of days"),
        ("move", "0", "A whole number of days"),
        ("move", "a week", "A whole number of days"),
        ("move", 99999, "A whole number of days"),
    ],
)
def test_what_cannot_be_is_said_and_kept(
    server: ConsoleServer, ann: Visitor, what: str, days: object, told: str
) -> None:
    """The form again, with what was typed."""
    made = server.create(pin_definitions=[pin(**WEEK)])["id"]

    answer = move(ann, what, days)

    assert answer.status_code == 422
    assert told in text_of(answer)
    assert f'name="days" inputmode="text" value="{days}"' in answer.text
    assert re.search(rf'value="{what}" checked', answer.text)
    assert window_of(server, made) == ("2025-01-20", "2025-01-27")


def test_an_open_side_cannot_be_moved(server: ConsoleServer, ann: Visitor) -> None:
    """The form does not offer it; who asks all the same is told."""
    server.create(pin_definitions=[pin(active_from="2025-01-20")])

    form = ann.get(links(ann.get(CALENDAR))[0])
    answer = move(ann, "end", 3)

    assert "Its beginning" in text_of(form)
    assert "Its end" not in text_of(form)
    assert (answer.status_code, "It has no such bound" in text_of(answer)) == (422, True)


def test_beyond_the_calendar(server: ConsoleServer, ann: Visitor) -> None:
    server.create(pin_definitions=[pin(active_from="2025-01-20", active_to="9999-12-20")])

    assert "It would leave the years that a calendar has" in text_of(move(ann, "end", 30))


def test_what_was_changed_since_is_not_moved(server: ConsoleServer, ann: Visitor) -> None:
    """Neither when it is asked nor when yes is said."""
    made = server.create(pin_definitions=[pin(**WEEK)])["id"]
    link = links(ann.get(CALENDAR))[0]
    asked = move(ann, "move", 7)
    body = customization(pin_definitions=[pin(**WEEK), pin("/p/125", 2)])
    assert server.send("PUT", f"{BASE}/scope/{made}", body).status_code == 204

    answers = [ann.get(link), ann.post(f"{CALENDAR}/move", hidden_of(asked))]

    assert [each.status_code for each in answers] == [412, 412]
    assert "changed by someone else" in text_of(answers[1])
    assert window_of(server, made) == ("2025-01-20", "2025-01-27")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"id": "x", "revision": "1", "opens": "later", "closes": ""},
        {"id": "../x", "revision": "1", "opens": "", "closes": ""},
    ],
)
def test_forms_that_cannot_be_read_are_refused(ann: Visitor, fields: dict[str, str]) -> None:
    ann.get(CALENDAR)

    assert ann.post(f"{CALENDAR}/move", fields).status_code == 422


def test_a_window_that_no_pin_has_is_refused(server: ConsoleServer, ann: Visitor) -> None:
    """And pins without one cannot be moved."""
    server.create(pin_definitions=[pin(**WEEK), pin("/p/125", 2)])
    link = links(ann.get(CALENDAR))[0]

    for bounds in ("opens=5&closes=9", "opens=&closes="):
        assert ann.get(re.sub(r"opens=\d+&closes=\d+", bounds, link)).status_code == 422


def test_shoppers_are_told_of(server: ConsoleServer, ann: Visitor) -> None:
    """What they notice at once is said before."""
    server.create(pin_definitions=[pin(**WEEK)])

    said = [text_of(move(ann, "move", days)) for days in (30, 1)]

    assert "It is on now, and shoppers see recommendations without it" in said[0]
    assert "For shoppers nothing changes at this moment." in said[1]


@pytest.mark.parametrize("who", ["viewer", "editor"])
def test_who_may_not_move_looks(server: ConsoleServer, who: str) -> None:
    """Bars lead to their customizations."""
    made = server.create(pin_definitions=[pin(**WEEK)])["id"]
    visitor = visitor_of(server, who)

    page = visitor.get(CALENDAR)

    assert bars(page) == [(20, 7, 1)]
    assert links(page) == []
    assert "data-mover" not in page.text
    assert f'customizations/{made}" draggable' in page.text
    assert visitor.get(f"{CALENDAR}/move?id={made}").status_code == 403


@pytest.fixture
def prague(tmp_path: Path, clock: ToldClock) -> Iterator[ConsoleServer]:
    server = ConsoleServer(tmp_path, clock, console_time_zone="Europe/Prague")
    server.create_tracker()
    server.put_objects(*catalog(), item("/p/1"))
    server.create_user("ann")
    yield server
    server.close()


def test_days_are_the_shops(prague: ConsoleServer) -> None:
    """A window that ends at its midnight does not reach into the next day; moved over the change of clocks it
    still begins and ends at the same time of day, in the spelling that it had."""
    made = prague.create(
        pin_definitions=[
            pin(active_from="2025-03-24T23:00:00Z", active_to="2025-03-27T23:00:00Z"),
            pin("/p/125", 2, active_from="2025-03-25T08:00:00+01:00"),
            pin("/p/126", 3, active_from="2025-03-25", active_to="2025-03-26"),
        ]
    )["id"]
    ann = Visitor(prague)
    ann.sign_in()
    march = f"{CALENDAR}?day=2025-03-01"

    page = ann.get(march)
    for _ in range(3):  # the bar that was moved is the last one then
        say_yes(ann, move(ann, "move", 7, march))

    assert bars(page) == [(25, 7, 1), (25, 3, 2), (25, 2, 3)]
    assert "Times of Europe/Prague" in text_of(page)
    assert [window_of(prague, made, index) for index in range(3)] == [
        ("2025-03-31T22:00:00Z", "2025-04-03T22:00:00Z"),
        ("2025-04-01T08:00:00+02:00", None),
        ("2025-04-01", "2025-04-02"),
    ]
