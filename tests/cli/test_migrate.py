"""
`endcap migrate`: the schema, brought up to date by hand.
"""

from pathlib import Path

import pytest

from tests.cli.driver import Shell, unwrapped


def test_the_first_time_applies_and_the_second_has_nothing_to_do(empty: Shell) -> None:
    """Both go well."""
    first = empty.call("migrate").stdout
    second = empty.call("migrate").stdout

    assert first.startswith("Applied: 0001_store")
    assert second == "Up to date.\n"


def test_migrations_in_json(empty: Shell) -> None:
    """By name."""
    first = empty.json("migrate")
    second = empty.json("migrate")

    assert first["applied"][0] == "0001_store"
    assert second == {"applied": []}


def test_a_database_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    """With why."""
    (tmp_path / "file").write_text("")
    url = f"sqlite:///{tmp_path}/file/endcap.db"
    shell = Shell(tmp_path, ENDCAP_DATABASE_URL=url)

    said = unwrapped(shell.fault("migrate"))

    assert f"database: {url}" in said
    assert "because: " in said


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """And it stays as it was."""
    file = tmp_path / "letter.db"
    file.write_text("Dear Sir or Madam, " * 100)
    shell = Shell(tmp_path, ENDCAP_DATABASE_URL=f"sqlite:///{file}")

    said = shell.fault("migrate")

    assert "file is not a database" in said
    assert file.read_text().startswith("Dear Sir")


@pytest.mark.postgres
def test_migrate_on_postgres(tmp_path: Path, postgres_url: str) -> None:
    """The same command."""
    shell = Shell(tmp_path, ENDCAP_DATABASE_URL=postgres_url)

    assert shell.json("migrate")["applied"]
    assert shell.json("migrate") == {"applied": []}


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    """Nobody listens on port 1; what is said ends up in logs."""
    url = "postgresql://endcap:secret@127.0.0.1:1/shop?connect_timeout=2"
    shell = Shell(tmp_path, ENDCAP_DATABASE_URL=url)

    said = unwrapped(shell.fault("migrate"))

    assert "database: postgresql://127.0.0.1:1/shop" in said
    assert "secret" not in said
