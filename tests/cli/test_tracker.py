"""
`endcap tracker`: shops and their private keys.
"""

import pytest

from tests.cli.driver import KEY, TRACKER, Shell, unwrapped


def keys_of(shell: Shell, tracker: str = TRACKER) -> list[str]:
    """The live private keys, opened; oldest first."""
    parts = shell.parts()
    try:
        (row,) = [each for each in parts.store.trackers() if each.id == tracker]
        return [parts.vault.open(sealed) for sealed in row.sealed_keys]
    finally:
        parts.close()


def test_create_prints_a_new_key_once(empty: Shell) -> None:
    """The key alone is on standard output, and no other command shows it again."""
    said = empty.call("tracker", "create", TRACKER)

    (key,) = keys_of(empty)
    assert said.stdout.splitlines() == [f"Tracker     {TRACKER}", f"Private key {key}"]
    assert "not shown again" in said.stderr
    assert key not in empty.call("tracker", "list").output
    assert key not in str(empty.json("tracker", "list"))


def test_create_says_what_comes_next_on_a_line_of_its_own(empty: Shell) -> None:
    """So that it can be copied."""
    said = empty.call("tracker", "create", TRACKER)

    assert f"Next: endcap import catalog FILE --tracker {TRACKER}\n" in said.stderr


def test_keys_of_two_trackers_differ(empty: Shell) -> None:
    """Each is random."""
    keys = {empty.json("tracker", "create", each)["private_key"] for each in ("a", "b")}

    assert len(keys) == 2
    assert all(len(key) >= 40 for key in keys)


def test_create_takes_an_existing_key_over(empty: Shell) -> None:
    """A shop that moves leaves its clients as they are."""
    empty.call("tracker", "create", TRACKER, "--private-key", KEY)

    assert keys_of(empty) == [KEY]


def test_create_in_json(empty: Shell) -> None:
    """One document with all that a script needs."""
    made = empty.json("tracker", "create", TRACKER, "--name", "Guitars", "--private-key", KEY)

    assert made == {"tracker": TRACKER, "name": "Guitars", "private_key": KEY}


def test_a_tracker_is_created_once(shell: Shell) -> None:
    """The second attempt changes nothing: the key stays."""
    said = shell.fault("tracker", "create", TRACKER, "--private-key", "another", code=2)

    assert "This tracker exists" in said
    assert TRACKER in said
    assert keys_of(shell) == [KEY]


@pytest.mark.parametrize("id", ["", ".", "..", "a b", "a/b", "a:b", "a?b", "a%20b", "ü", "x" * 101])
def test_an_id_that_paths_would_not_show_as_it_is_is_refused(empty: Shell, id: str) -> None:
    """Clients sign paths as sent; what has to be encoded, or walks up a folder, is asking for trouble."""
    said = empty.fault("tracker", "create", id, code=2)

    assert "e.g. 1234-5678" in said


@pytest.mark.parametrize("key", ["", "  ", " key", "key\n"])
def test_a_key_with_spaces_around_it_is_refused(empty: Shell, key: str) -> None:
    """It came along from a terminal or a file, and no client would sign with it."""
    said = empty.fault("tracker", "create", TRACKER, "--private-key", key, code=2)

    assert "spaces around it" in said


def test_list_of_none_says_how_to_begin(empty: Shell) -> None:
    """On standard error: the list itself is empty."""
    said = empty.call("tracker", "list")

    assert said.stdout == ""
    assert "endcap tracker create 1234-5678" in said.stderr
    assert empty.json("tracker", "list") == []


def test_list_shows_every_tracker(shell: Shell) -> None:
    """Names as they are, whatever a terminal library thinks that they mean."""
    shell.call("tracker", "create", "2", "--name", "[b]:guitar:")

    said = shell.call("tracker", "list").stdout

    assert TRACKER in said
    assert "[b]:guitar:" in said
    assert "not built" in said
    assert "…" not in said
    assert max(map(len, said.splitlines())) <= 80


def test_list_in_json(shell: Shell) -> None:
    """For programs: revision, number of keys, what is served."""
    (row,) = shell.json("tracker", "list")

    assert row["created_at"].endswith("Z")
    del row["created_at"]
    assert row == {"tracker": TRACKER, "name": TRACKER, "revision": 1, "keys": 1, "artifact": None}


def test_rotate_adds_a_key_and_prints_it_once(shell: Shell) -> None:
    """Both are live; what is left to do is said with the tracker's id."""
    said = shell.call("tracker", "rotate-key", TRACKER)

    old, new = keys_of(shell)
    assert old == KEY
    assert said.stdout == f"Private key {new}\n"
    assert f"endcap tracker revoke-key {TRACKER} OLD-KEY" in said.stderr


def test_rotate_in_json(shell: Shell) -> None:
    """With a key that is given."""
    made = shell.json("tracker", "rotate-key", TRACKER, "--private-key", "second_key")

    assert made == {"tracker": TRACKER, "private_key": "second_key"}
    assert keys_of(shell) == [KEY, "second_key"]


def test_a_key_that_is_live_already_is_refused(shell: Shell) -> None:
    """Twice the same key would survive being revoked."""
    said = shell.fault("tracker", "rotate-key", TRACKER, "--private-key", KEY, code=2)

    assert "has this key already" in said


def test_revoke_takes_one_key_away(shell: Shell) -> None:
    """The other one goes on signing."""
    shell.call("tracker", "rotate-key", TRACKER, "--private-key", "second_key")

    said = shell.call("tracker", "revoke-key", TRACKER, KEY)

    assert keys_of(shell) == ["second_key"]
    assert "Revoked" in said.stderr


def test_the_last_key_cannot_be_revoked(shell: Shell) -> None:
    """Nobody could sign any more; the message says what to do first."""
    said = shell.fault("tracker", "revoke-key", TRACKER, KEY, code=2)

    assert "add another one first" in said
    assert keys_of(shell) == [KEY]


def test_an_unknown_key_cannot_be_revoked(shell: Shell) -> None:
    """Nothing is changed, and the key is not repeated."""
    said = shell.fault("tracker", "revoke-key", TRACKER, "no_such_key", code=2)

    assert "no such key" in said
    assert "no_such_key" not in said


@pytest.mark.parametrize("command", [("rotate-key", "nowhere"), ("revoke-key", "nowhere", "key")])
def test_an_unknown_tracker_is_named_with_those_there_are(
    shell: Shell, command: tuple[str, ...]
) -> None:
    """A slip in the id is seen at once."""
    said = unwrapped(shell.fault("tracker", *command))

    assert "nowhere does not exist" in said
    assert TRACKER in said


def test_keys_sealed_with_another_master_key_are_told(shell: Shell) -> None:
    """Not a traceback: which setting, which file."""
    moved = Shell(shell.data_dir, ENDCAP_MASTER_KEY="another master key, long enough")

    said = moved.fault("tracker", "rotate-key", TRACKER, code=2)

    assert "ENDCAP_MASTER_KEY" in said
    assert "master.key" in said
