"""
`endcap` as a process: exit codes, what goes where, what is not imported.
"""

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from endcap import __version__
from tests.cli.driver import KEY, TRACKER, Shell, lines
from tests.cli.installed import SECONDS_MAX, run
from tests.services.server import endcap_command

HEAVY = ("duckdb", "uvicorn", "uvloop", "psycopg", "numpy", "pyroaring", "httpx2", "rich", "scipy")


def test_version(tmp_path: Path) -> None:
    """The package's own."""
    done = run(tmp_path, "--version")

    assert (done.returncode, done.stdout) == (0, f"endcap, version {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nonsense"], 2, "No such command 'nonsense'"),
        ([], 2, "endcap tracker create 1234-5678"),
        (["tracker", "create"], 2, "Missing argument 'ID'"),
        (["serve", "--prot", "8000"], 2, "--port"),
        (["tracker", "create", "a/b"], 2, "e.g. 1234-5678"),
        (["explain", "--tracker", "nowhere", "--model", "basket"], 1, "nowhere does not exist"),
        (["serve", "--port", "70000"], 2, "The setting port (ENDCAP_PORT) cannot be used"),
        (["--database-url", "mysql://x", "migrate"], 2, "Use sqlite:///relative/path.db"),
    ],
)
def test_what_cannot_be_done_ends_with_its_code(
    tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    """1 for what was refused, 2 for what cannot work as given; nothing on standard output, no traceback."""
    done = run(tmp_path, *arguments)

    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_results_go_to_standard_output_and_all_else_to_standard_error(tmp_path: Path) -> None:
    """So that `> file` and `| program` take the result alone."""
    done = run(tmp_path, "tracker", "create", TRACKER, "--private-key", KEY)

    assert done.returncode == 0
    assert done.stdout == f"Tracker     {TRACKER}\nPrivate key {KEY}\n"
    assert "Next: endcap import catalog" in done.stderr


def test_json_is_one_document_and_nothing_else(tmp_path: Path) -> None:
    """Whether it went well or not; then the code is 0 or not."""
    made = run(tmp_path, "tracker", "create", TRACKER, "--json")
    refused = run(tmp_path, "tracker", "create", TRACKER, "--json")

    assert (made.returncode, refused.returncode) == (0, 2)
    assert json.loads(made.stdout)["tracker"] == TRACKER
    assert json.loads(refused.stdout) == {
        "error": {
            "code": "usage",
            "reason": "This tracker exists",
            "details": {"tracker": [TRACKER]},
        }
    }
    assert (made.stderr, refused.stderr) == ("", "")


def test_a_setting_that_cannot_be_used_is_named_as_variable(tmp_path: Path) -> None:
    """That is where the operator has to look."""
    done = run(tmp_path, "tracker", "list", env={"ENDCAP_WORKERS": "many"})

    assert done.returncode == 2
    assert "The setting workers (ENDCAP_WORKERS) cannot be used" in done.stderr


def test_an_option_of_all_commands_after_the_command_is_put_right(tmp_path: Path) -> None:
    """A slip that everybody makes once."""
    done = run(tmp_path, "migrate", "--database-url", "sqlite:///x.db")

    assert done.returncode == 2
    assert "It goes before the command: endcap --database-url … migrate" in done.stderr


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """With its name."""
    (tmp_path / "file").write_text("")

    done = run(tmp_path / "file" / "data", "tracker", "list")

    assert done.returncode == 2
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_ends_an_export_quietly(tmp_path: Path) -> None:
    """`endcap export … | head` is no reason for a traceback."""
    shell = Shell(tmp_path)
    shell.create_tracker()
    pins = [{"position": 1, "pin_type": "item", "pin_identity": f"/p/{n}"} for n in range(50)]
    rule = {"model": "basket", "target_type": "all", "pin_definitions": pins}
    shell.put_customizations(*[rule] * 200)

    done = subprocess.run(
        f"{endcap_command()} export customizations --tracker {TRACKER} | head -c 1",
        shell=True,
        env={**os.environ, "ENDCAP_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=True,
    )

    assert (done.stdout, done.stderr) == ("[", "")


def test_progress_is_for_those_who_watch(tmp_path: Path) -> None:
    """On a terminal standard error draws bars; the result is on standard output, and is all there is in JSON."""
    shell = Shell(tmp_path)
    shell.create_tracker()
    file = tmp_path / "orders.jsonl"
    order = {"order_id": "1", "identity": "/p/1", "created_at": "2025-01-05"}
    file.write_text(lines([order, {**order, "identity": "/p/2"}]))
    shell.call("import", "transactions", file, "--tracker", TRACKER)
    build = ("build", "--tracker", TRACKER)

    watched, drawn = run_on_terminal(tmp_path, *build)
    asked, silence = run_on_terminal(tmp_path, *build, "--json")

    assert watched.startswith("Built ")
    assert "building: done" in drawn
    assert "100%" in drawn
    assert set(json.loads(asked)) == {"artifact", "items", "revision"}
    assert silence == ""
    assert run(tmp_path, *build).stderr == ""


def run_on_terminal(data_dir: Path, *arguments: str) -> tuple[str, str]:
    """What a command prints on standard output, and what it draws on standard error, a terminal."""
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [endcap_command(), *arguments],
        env={**os.environ, "ENDCAP_DATA_DIR": str(data_dir), "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=end,
    )
    os.close(end)
    drawn = b""
    with suppress(OSError):  # how a terminal says that nobody is at the other end any more
        while some := os.read(terminal, 65_536):
            drawn += some
    os.close(terminal)
    printed, _ = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 0, drawn
    return printed.decode(), drawn.decode()


TELLING_IMPORTS = """
import sys
from endcap.cli.main import main
sys.argv = ["endcap", *sys.argv[1:]]
try:
    main()
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""
"""A program that runs the command, and then says on the second channel what was imported."""


def test_help_starts_fast(tmp_path: Path) -> None:
    """Nothing heavy is imported to say what there is, nor for a mistyped command."""
    for argument in ("--help", "--version", "nonsense"):
        done = subprocess.run(
            [sys.executable, "-c", TELLING_IMPORTS, argument],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )

        assert set(HEAVY).isdisjoint(done.stderr.split())


@pytest.mark.parametrize("names", ["tracker list", "export customizations --help", "serve --help"])
def test_a_command_imports_what_it_needs(tmp_path: Path, names: str) -> None:
    """What only a server, a build or another database needs stays out."""
    done = subprocess.run(
        [sys.executable, "-c", TELLING_IMPORTS, "--data-dir", str(tmp_path), *names.split()],
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=True,
    )

    assert {"duckdb", "uvicorn", "psycopg", "httpx2"}.isdisjoint(done.stderr.split())


def test_python_m_endcap_is_the_command(tmp_path: Path) -> None:
    """Where scripts are not on the path."""
    done = subprocess.run(
        [sys.executable, "-m", "endcap", "nonsense"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )

    assert done.returncode == 2
    assert "No such command" in done.stderr
