"""
The services themselves: without these, green tests elsewhere would prove little.
"""

import os
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Page

from tests.services.needs import lacking, need_program
from tests.services.postgres import PostgresServer


@pytest.mark.postgres
def test_postgresql_answers(postgres_url: str) -> None:
    """A database made for a test is reached over loopback and says which server it is."""
    with psycopg.connect(postgres_url) as connection:
        row = connection.execute("SELECT version(), current_setting('fsync')").fetchone()

    assert row is not None
    assert row[0].startswith("PostgreSQL ")
    assert row[1] == "on"


@pytest.mark.postgres
def test_databases_are_apart(postgres_server: PostgresServer) -> None:
    """What one test writes, another with its own database does not see."""
    first, second = postgres_server.create_database(), postgres_server.create_database()

    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE mark (n int)")

    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT to_regclass('mark')").fetchone() == (None,)


@pytest.mark.postgres
def test_committed_rows_survive_a_crash(postgres_server: PostgresServer) -> None:
    """After a crash nobody is answered; after the next start what was committed is there."""
    url = postgres_server.create_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE mark AS SELECT 7 AS n")

    postgres_server.crash()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)
    postgres_server.start()

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT n FROM mark").fetchone() == (7,)


@pytest.mark.postgres
def test_a_stopped_server_comes_back_for_the_next_test(postgres_server: PostgresServer) -> None:
    """A test that leaves the server stopped does not spoil the next one."""
    postgres_server.stop()

    url = postgres_server.create_database()

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.browser
def test_chromium_renders(page: Page) -> None:
    """A page is laid out and its script is run."""
    page.set_content(
        "<h1>Plain</h1><script>document.querySelector('h1').textContent += ' bread'</script>"
    )

    heading = page.get_by_role("heading", name="Plain bread")

    assert heading.is_visible()
    box = heading.bounding_box()
    assert box is not None
    assert box["height"] > 10
    assert page.screenshot().startswith(b"\x89PNG")


@pytest.mark.real_data
def test_shared_data_is_there(shared_data: Path) -> None:
    """The data sets are found, by default beside the checkout."""
    assert (shared_data / "icecat_catalog.jsonl.gz").stat().st_size > 1_000_000
    assert (shared_data / "online_retail_lines.parquet").stat().st_size > 1_000_000


def test_a_lack_skips_on_a_laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where CI is not set a missing program is a reason to skip."""
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        need_program("no-such-program")


def test_a_lack_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where CI is set a missing program is a failure."""
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="bread is not here"):
        lacking("bread is not here")


def test_programs_are_found_under_any_of_their_names() -> None:
    """The first name that is installed wins."""
    assert os.access(need_program("no-such-program", "sh"), os.X_OK)
