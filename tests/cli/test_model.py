"""
`endcap model`: the table of models seen and set, one by one and by a file.
"""

import json
from pathlib import Path

import pytest

from endcap.recommend.models import REFERENCE
from tests.cli.driver import TRACKER, Json, Shell, unwrapped

AT = ("--tracker", TRACKER)


def wide(shell: Shell) -> Shell:
    """The same before a terminal in which no cell is folded."""
    return Shell(shell.data_dir, COLUMNS="200")


def model_of(shell: Shell, name: str) -> Json:
    return shell.json("model", "show", name, *AT)


def own(shell: Shell) -> dict[str, Json]:
    """What the tracker's own table holds."""
    models = shell.json("model", "list", *AT)
    return {each["name"]: each["model"] for each in models if each["origin"] == "own"}


def test_the_reference_is_listed(shell: Shell) -> None:
    """Each name with its strategy, as far as its settings are not the usual, and what follows."""
    said = unwrapped(wide(shell).call("model", "list", *AT).stdout)

    assert "favorites reference due_again for_user, popular" in said
    assert 'trends reference popular span="recent"' in said
    assert {each["name"] for each in shell.json("model", "list", *AT)} == set(REFERENCE)


def test_one_setting_is_changed(shell: Shell) -> None:
    """Everything else stays as it was; the table holds the name from now on."""
    before = model_of(shell, "basket")["model"]

    said = shell.call(
        "model", "set", "basket", *AT, "--set", "variety.most=2", "--set", "strategy.cheaper=0.2"
    )

    after = model_of(shell, "basket")
    assert "cheaper: 0.2" in said.stdout
    assert after["origin"] == "own"
    assert after["model"]["variety"] == {**before["variety"], "most": 2}
    assert after["model"]["strategy"] == {"kind": "bought_together", "cheaper": 0.2}
    assert after["model"]["fallback"] == before["fallback"]


def test_a_name_of_ones_own_begins_like_another(shell: Shell) -> None:
    """Or with a strategy; a value that is no JSON is a text."""
    shell.call("model", "set", "home", *AT, "--like", "trends", "--set", "personal=false")
    shell.call(
        "model",
        "set",
        "fresh",
        *AT,
        "--strategy",
        "popular",
        "--set",
        "strategy.span=rise",
        "--set",
        'fallback=["newest"]',
    )

    assert own(shell)["home"]["strategy"] == {"kind": "popular", "span": "recent"}
    assert own(shell)["home"]["personal"] is False
    assert own(shell)["fresh"]["strategy"]["span"] == "rise"
    assert [each["kind"] for each in own(shell)["fresh"]["fallback"]] == ["newest"]


def test_a_numbered_name_is_its_stem_until_it_is_set(shell: Shell) -> None:
    """Then it has a meaning of its own."""
    assert model_of(shell, "basket_2")["name"] == "basket"

    shell.call("model", "set", "basket_2", *AT, "--set", "variety=null")

    assert model_of(shell, "basket_2")["model"]["variety"] is None
    assert model_of(shell, "basket")["origin"] == "reference"


def test_a_dry_run_stores_nothing(shell: Shell) -> None:
    """It checks, and shows what would be."""
    revision = shell.revision()

    told = shell.json("model", "set", "basket", *AT, "--set", "variety.most=1", "--dry-run")

    assert told["dry_run"] is True
    assert told["model"]["variety"]["most"] == 1
    assert shell.revision() == revision


def test_unset_brings_the_reference_back(shell: Shell) -> None:
    """And says so; what is not in the table cannot leave it."""
    shell.call("model", "set", "basket", *AT, "--strategy", "popular")
    shell.call("model", "set", "mine", *AT, "--strategy", "popular")

    assert "the reference's basket again" in shell.call("model", "unset", "basket", *AT).stderr
    assert "unknown now" in shell.call("model", "unset", "mine", *AT).stderr
    assert own(shell) == {}
    assert "Not in the table: mine" in shell.fault("model", "unset", "mine", *AT)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("cart",), 1, "cart means nothing yet; there are: article_articles"),
        (("cart", "--strategy", "best"), 1, "strategy.kind: Must be one of: popular, labelled"),
        (
            ("basket", "--set", "strategy.cheeper=1"),
            1,
            "strategy.cheeper: Unknown setting; there are: cheaper (a number from -2 to 2)",
        ),
        (("basket", "--set", "strategy.cheaper=7"), 1, "Must be a number from -2 to 2"),
        (("basket", "--set", "cheaper"), 2, "must be PATH=VALUE"),
        (("a/b", "--strategy", "popular"), 1, "name: Must have no slash"),
        (("home", "--like", "trends", "--strategy", "popular"), 2, "not both"),
    ],
)
def test_what_cannot_be_set_is_refused(
    shell: Shell, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """With what would be right, and nothing is stored."""
    name, *rest = arguments

    assert said in shell.fault("model", "set", name, *AT, *rest, code=code)
    assert own(shell) == {}


YAML = """
models:
  # fewer of one category
  basket:
    strategy: {kind: bought_together, cheaper: 0.1}
    fallback: [bought_with_similar, {kind: popular, span: recent}]
    variety: {most: 2}
  home: popular
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "models.yaml"
    file.write_text(YAML)
    return file


def test_a_file_sets_what_it_names(shell: Shell, table: Path) -> None:
    """In YAML; a second time changes nothing, not even the revision."""
    first = shell.json("model", "apply", table, *AT)
    revision = shell.revision()
    second = shell.json("model", "apply", table, *AT)

    assert first["changes"] == [
        {"name": "basket", "does": "set"},
        {"name": "home", "does": "set"},
    ]
    assert {each["does"] for each in second["changes"]} == {"unchanged"}
    assert shell.revision() == revision
    assert set(own(shell)) == {"basket", "home"}


def test_a_file_may_be_json(shell: Shell, tmp_path: Path) -> None:
    """What `list --json` told of each can be given back."""
    file = tmp_path / "models.json"
    file.write_text(json.dumps({"trends": model_of(shell, "bestsellers")["model"]}))

    shell.call("model", "apply", file, *AT)

    assert model_of(shell, "trends")["model"] == model_of(shell, "bestsellers")["model"]


def test_a_file_is_tried_first(shell: Shell, table: Path) -> None:
    """A dry run tells the changes and makes none."""
    said = unwrapped(shell.call("model", "apply", table, *AT, "--dry-run").stdout)

    assert "basket would be set" in said
    assert own(shell) == {}


def test_pruned_is_what_the_file_does_not_name(shell: Shell, table: Path) -> None:
    """Without it other names stay."""
    shell.call("model", "set", "old", *AT, "--strategy", "popular")

    shell.call("model", "apply", table, *AT)
    assert set(own(shell)) == {"basket", "home", "old"}

    told = shell.json("model", "apply", table, *AT, "--prune")
    assert {"name": "old", "does": "unset"} in told["changes"]
    assert set(own(shell)) == {"basket", "home"}


def test_one_fault_keeps_a_whole_file_out(shell: Shell, tmp_path: Path) -> None:
    """All faults of all documents are told."""
    file = tmp_path / "models.yaml"
    file.write_text("good: popular\nbad: {strategy: best}\nworse: {strategy: popular, x: 1}\n")

    said = shell.fault("model", "apply", file, *AT)

    assert "bad.strategy.kind" in said
    assert "worse.x" in said
    assert own(shell) == {}


@pytest.mark.parametrize("text", ["{", "- popular", "just text"])
def test_a_file_that_is_no_table(shell: Shell, tmp_path: Path, text: str) -> None:
    """Is refused."""
    file = tmp_path / "models.yaml"
    file.write_text(text)

    assert shell.call("model", "apply", file, *AT, code=2 if text == "{" else 1).stdout == ""


def test_strategies_are_explained(shell: Shell) -> None:
    """Every kind with its settings, for people and for programs."""
    said = unwrapped(wide(shell).call("model", "strategies").stdout)
    told = shell.json("model", "strategies")

    assert "half_life_days" in said
    assert "bought_before: What the user ordered, the latest first." in said
    assert {
        key: value
        for each in told["strategies"]
        if each["kind"] == "labelled"
        for key, value in each["settings"][0].items()
        if key != "does"
    } == {"name": "label", "takes": "a text of 1 to 100 characters", "default": None}


def test_explain_names_the_strategy(shell: Shell) -> None:
    """Also for a model of the tracker's own, and for a user."""
    shell.put_items({"identity": "/p/1", "title": "One"})
    shell.call("model", "set", "home", *AT, "--strategy", "newest")

    told = shell.json("explain", *AT, "--model", "home", "--user", "eve")

    assert told["items"][0]["stage"] == "popular"
    assert "there are: article_articles" in shell.fault("explain", *AT, "--model", "cart")
