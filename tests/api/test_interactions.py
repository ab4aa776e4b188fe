"""
`POST /v1/interactions/{TRACKER_ID}/files`: past transactions, all of a file or nothing.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import httpx2
import pytest

from endcap.domain import TrackerId
from endcap.recommend.orders import COLUMNS, orders_directory
from tests.api.driver import KEY, TRACKER, Json, Server, ToldClock, problem
from tests.services.server import LiveServer

PATH = f"/v1/interactions/{TRACKER}/files"
BOUNDARY = "----7d9a"
LINES: list[dict[str, Json]] = [
    {"order_id": "1", "identity": "/p/1", "auth_user_id": "ann", "created_at": "2025-01-05T10:00:00"},
    {"order_id": "1", "url": "/p/2", "user_id": "ann", "created_at": "2025-01-05 10:00:00"},
    {"order_id": 2, "identity": "/p/1", "created_at": "2025-01-06"},
]  # fmt: skip


def form(*parts: tuple[str, bytes], end: bytes = b"--") -> bytes:
    """A multipart body."""
    mark = f"--{BOUNDARY}".encode()
    shown = [
        b'%b\r\nContent-Disposition: form-data; name="%b"; filename="a.jsonl"\r\n\r\n%b\r\n'
        % (mark, name.encode(), content)
        for name, content in parts
    ]
    return b"".join(shown) + mark + end + b"\r\n"


def json_lines(lines: Sequence[Json]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


def upload(server: Server, *parts: tuple[str, bytes], **options: Json) -> httpx2.Response:
    options.setdefault("content_type", f"multipart/form-data; boundary={BOUNDARY}")
    signed_as = server.signature("POST", PATH, content_type="multipart/form-data")
    return server.send("POST", PATH, form(*parts), signed=False, headers=signed_as, **options)


def stored(server: Server) -> list[tuple[object, ...]]:
    """What builds read."""
    folder = orders_directory(server.parts.settings.data_dir, TrackerId(TRACKER))
    if not folder.is_dir():
        return []
    with duckdb.connect() as connection:
        return connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM read_parquet('{folder}/*.parquet') ORDER BY ALL"
        ).fetchall()


def leftovers(server: Server) -> list[str]:
    """Of uploads, when they are over."""
    found = server.parts.settings.data_dir.iterdir()
    return [each.name for each in found if each.name.startswith((".upload", ".import"))]


def test_json_lines_are_stored(server: Server) -> None:
    """By either name of each column; the answer counts what there was."""
    answer = upload(server, ("file", json_lines(LINES)))

    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert {name: told[name] for name in ("lines", "stored", "orders", "items", "users")} == {
        "lines": 3,
        "stored": 3,
        "orders": 2,
        "items": 2,
        "users": 1,
    }
    assert [row[:3] for row in stored(server)] == [
        ("1", "/p/1", "ann"),
        ("1", "/p/2", "ann"),
        ("2", "/p/1", None),
    ]
    assert leftovers(server) == []


def test_a_csv_has_no_header(server: Server) -> None:
    """Four columns, always in this order; an empty cell is nothing."""
    file = b"1,/p/1,ann,2025-01-05T10:00:00\n1,/p/2,,2025-01-05T10:00:00.5\n"

    answer = upload(server, ("file", file))

    assert answer.status_code == 200, answer.text
    assert [row[:3] for row in stored(server)] == [("1", "/p/1", "ann"), ("1", "/p/2", None)]


def test_other_parts_are_passed_over(server: Server) -> None:
    """A form may say more, before the file and after."""
    answer = upload(server, ("note", b"x" * 9_000), ("file", json_lines(LINES)), ("more", b"y"))

    assert answer.json()["lines"] == 3


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"created_at": "2025-01-05T10:00:00Z"}, "created_at: must have no zone"),
        ({"created_at": "2025-01-05T10:00:00+01:00"}, "created_at: must have no zone"),
        ({"created_at": "2025-01-05 10:00:00 UTC"}, "created_at: must have no zone"),
        ({"created_at": "yesterday"}, "created_at: must be like"),
        ({"created_at": None}, "created_at: is missing"),
        ({"order_id": None}, "order_id: is missing"),
        ({"identity": None}, "identity: is missing"),
        ({"identity": "x" * 2_001}, "identity: must have at most"),
    ],
)
def test_a_faulty_line_cancels_the_file(server: Server, line: Json, says: str) -> None:
    """`422`, with the line's number and what is wrong; nothing is stored."""
    answer = upload(server, ("file", json_lines([*LINES, {**LINES[0], **line}])))

    shape = problem(answer, 422)
    assert shape["reason"] == "The file has faulty rows; nothing was stored"
    assert says in shape["exception_details"]["line 4"][0]
    assert stored(server) == []
    assert leftovers(server) == []


def test_the_first_ten_faulty_lines_are_named(server: Server) -> None:
    """And how many there are."""
    faulty = [{**LINES[0], "order_id": None}] * 12

    details = problem(upload(server, ("file", json_lines([LINES[0], *faulty]))), 422)[
        "exception_details"
    ]

    assert details.pop("file") == ["12 lines are faulty, the first 10 are named"]
    assert list(details) == [f"line {number}" for number in range(2, 12)]


def test_a_csv_with_a_header_is_told_its_first_line(server: Server) -> None:
    """What names the columns is no order line."""
    file = b"order_id,identity,auth_user_id,created_at\n1,/p/1,ann,2025-01-05T10:00:00\n"

    details = problem(upload(server, ("file", file)), 422)["exception_details"]

    assert "created_at" in details["line 1"][0]


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (b"", "empty"),
        (b"[]", "JSON array"),
        (b"PAR1....", "Parquet"),
        (b"\x1f\x8b....", "compressed"),
        (b"\xff\xfe,1,2,3", "UTF-8"),
    ],
)
def test_a_file_of_another_kind(server: Server, file: bytes, says: str) -> None:
    """It is told by its content, and none of our own files is named."""
    details = problem(upload(server, ("file", file)), 422)["exception_details"]

    assert says in details["file"][0]
    assert ".upload" not in details["file"][0]


@pytest.mark.parametrize(
    ("parts", "says"),
    [((), "Missing required part: file"), ((("file", b"1"), ("file", b"2")), "one part, not 2")],
)
def test_a_form_without_the_file_or_with_two(
    server: Server, parts: tuple[tuple[str, bytes], ...], says: str
) -> None:
    """Which of two was meant nobody knows."""
    details = problem(upload(server, ("note", b"x"), *parts), 422)["exception_details"]

    assert says in details["file"][0]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (form(("file", b"x"), end=b""), f"multipart/form-data; boundary={BOUNDARY}"),
        (b"nothing of the kind", f"multipart/form-data; boundary={BOUNDARY}"),
        (b"", f"multipart/form-data; boundary={BOUNDARY}"),
        (form(("file", b"x")), "multipart/form-data"),
        (form(("file", b"x")), f"multipart/form-data; boundary={'x' * 1_000}"),
    ],
)
def test_what_is_no_form(server: Server, body: bytes, content_type: str) -> None:
    """`400`: cut short, or without its boundary."""
    headers = server.signature("POST", PATH, content_type="multipart/form-data")

    answer = server.send(
        "POST", PATH, body, signed=False, headers=headers, content_type=content_type
    )

    assert problem(answer, 400)["reason"] == "Invalid upload provided"


def test_a_body_of_another_type(server: Server) -> None:
    """`415` says what to send."""
    answer = server.send("POST", PATH, b"{}")

    assert "multipart/form-data" in problem(answer, 415)["reason"]


def test_a_signature_is_needed(server: Server) -> None:
    """It is checked before anything is read."""
    answer = server.send("POST", PATH, form(), signed=False)

    problem(answer, 401)


def test_a_compressed_body(server: Server) -> None:
    """A file of a gigabyte is sent as it is."""
    signed_as = server.signature("POST", PATH, content_type="multipart/form-data")
    headers = {**signed_as, "Content-Encoding": "gzip"}
    content_type = f"multipart/form-data; boundary={BOUNDARY}"

    answer = server.send(
        "POST", PATH, b"x", signed=False, headers=headers, content_type=content_type
    )

    problem(answer, 415)


@pytest.fixture
def small(tmp_path: Path, clock: ToldClock) -> Iterator[Server]:
    """A server that takes small files only."""
    server = Server(tmp_path, clock, transactions_bytes_max=2_000)
    server.create_tracker()
    yield server
    server.close()


def test_a_file_that_is_too_large(small: Server) -> None:
    """`413`, and nothing of it stays."""
    answer = upload(small, ("file", json_lines(LINES * 10)))

    assert problem(answer, 413)["exception_details"] == {"body": ["At most 2000 bytes"]}
    assert leftovers(small) == []


def test_a_large_file_over_a_socket(live_server: LiveServer) -> None:
    """In pieces, more than are held at once."""
    from endcap.clock import system_clock
    from endcap.signing import format_http_date, sign

    lines = [{**LINES[0], "order_id": number, "note": "x" * 100} for number in range(30_000)]
    date = format_http_date(system_clock())
    signature = sign(KEY, method="POST", content_type="multipart/form-data", date=date, path=PATH)
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Date": date,
        "Authorization": f"ApiAuth {TRACKER}:{signature}",
    }

    with httpx2.Client(base_url=live_server.url, trust_env=False, timeout=60) as http:
        answer = http.post(PATH, content=form(("file", json_lines(lines))), headers=headers)

    assert answer.status_code == 200, answer.text
    assert answer.json()["orders"] == 30_000
