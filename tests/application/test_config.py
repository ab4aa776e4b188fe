"""
Settings: one table, three sources, and messages that name what is wrong.
"""

from pathlib import Path

import pytest

from endcap.config import load
from endcap.errors import UsageFault


def test_defaults_are_one_box_with_an_embedded_store() -> None:
    """Without any setting the store is a file in the data directory."""
    settings = load({})

    assert settings.store_url == "sqlite:///endcap-data/endcap.db"
    assert settings.clock_skew_seconds == 5


def test_flags_win_over_the_environment_and_it_over_the_file(tmp_path: Path) -> None:
    """Later sources win; a flag that was not given (None) does not count."""
    file = tmp_path / "endcap.toml"
    file.write_text('port = 1\nhost = "10.0.0.1"\nworkers = 3\n')
    environment = {"ENDCAP_CONFIG": str(file), "ENDCAP_PORT": "2", "ENDCAP_HOST": "10.0.0.2"}

    settings = load(environment, {"port": 3, "host": None})

    assert (settings.port, settings.host, settings.workers) == (3, "10.0.0.2", 3)


def test_texts_of_the_environment_become_values() -> None:
    """Numbers, flags, paths and lists are understood."""
    settings = load(
        {
            "ENDCAP_ACCESS_LOG": "True",
            "ENDCAP_DATA_DIR": "/srv/endcap",
            "ENDCAP_SCALAR_ATTRIBUTES": "title, price",
            "ENDCAP_POLL_SECONDS": "0.2",
        }
    )

    assert settings.access_log is True
    assert settings.data_dir == Path("/srv/endcap")
    assert settings.scalar_attributes == ("title", "price")
    assert settings.poll_seconds == 0.2


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("ENDCAP_PORT", "eighty"),
        ("ENDCAP_WORKERS", "0"),
        ("ENDCAP_CLOCK_SKEW_SECONDS", "301"),
        ("ENDCAP_UNKNOWN_MODELS", "maybe"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(variable: str, text: str) -> None:
    """The message names the setting and where to read on."""
    with pytest.raises(UsageFault, match=variable.removeprefix("ENDCAP_").lower()):
        load({variable: text})


def test_an_unknown_name_in_the_file_is_refused(tmp_path: Path) -> None:
    """A slip of the pen must not silently leave a default in force."""
    file = tmp_path / "endcap.toml"
    file.write_text("porrt = 1\n")

    with pytest.raises(UsageFault, match="porrt"):
        load({"ENDCAP_CONFIG": str(file)})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(UsageFault, match=r"missing\.toml"):
        load({"ENDCAP_CONFIG": str(tmp_path / "missing.toml")})
