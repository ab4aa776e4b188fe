"""
Files of customizations: what each format says, and where a fault is.
"""

import json
from pathlib import Path
from textwrap import indent
from typing import Any

import msgspec
import pytest

from endcap.errors import UsageFault
from endcap.transfer.rules import (
    Entry,
    RulesFile,
    RulesFormat,
    files_in,
    id_of_name,
    read_content,
    read_files,
)
from endcap.wire.customizations import body_of

RULE: dict[str, Any] = {
    "name": "strings",
    "model": "basket",
    "target_type": "all",
    "tags": ["git"],
    "pin_definitions": [{"position": 1, "pin_type": "item", "pin_identity": "/p/1"}],
}
YAML = """\
# strings go with guitars
name: strings
model: basket
target_type: all
tags: [git]
pin_definitions:
  - position: 1
    pin_type: item
    pin_identity: /p/1
"""
CSV = (
    "name,model,target_type,tags,position,pin_type,pin_identity\nstrings,basket,all,git,1,item,/p/1"
)
POSITIONS = "position: Must be an integer: 1 to 1000, -1 for everywhere, 0 to block"
CONTENTS = {
    "yaml": YAML,
    "yaml list": "customizations:\n  -\n" + indent(YAML, "    "),
    "yaml documents": f"---\n{YAML}...\n",
    "json": json.dumps(RULE),
    "json indented": json.dumps(RULE, indent=2),
    "json array": json.dumps([RULE], indent=1),
    "json answer": json.dumps({"results": [RULE], "pagination": {"total": 1}}),
    "json list": json.dumps({"customizations": [RULE]}),
    "ndjson": json.dumps(RULE) + "\n\n",
    "csv": CSV,
}  # fmt: skip


def read(content: str | bytes, format: str) -> list[Entry]:
    """A file's entries, called after its format."""
    body = content.encode() if isinstance(content, str) else content
    return list(read_content(body, RulesFormat(format), name=f"rules.{format}"))


def faults(entries: list[Entry]) -> list[tuple[str, tuple[str, ...]]]:
    return [(entry.where, entry.faults) for entry in entries if entry.faults]


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_rule_in_every_shape(kind: str, tmp_path: Path) -> None:
    """The same entry, whichever way it is written down; with the format said, or told by the file."""
    kind_of_file = kind.partition(" ")[0]
    path = tmp_path / f"rules.{kind_of_file}"
    path.write_text(CONTENTS[kind])

    (said,) = read(CONTENTS[kind], kind_of_file)
    (told,) = read_files(files_in([path]))

    for entry in (said, told):
        assert (entry.faults, entry.notes) == ((), ())
        assert (entry.id, entry.name) == (id_of_name("strings"), "strings")
        assert entry.definition is not None
        without_name = {key: value for key, value in RULE.items() if key != "name"}
        assert msgspec.json.decode(body_of(entry.definition)) == without_name


def test_a_rule_has_its_line() -> None:
    """Where it begins, in every text."""
    two = f"{YAML}---\n{YAML.replace('strings', 'others')}"
    array = json.dumps([RULE, RULE], indent=1)
    begins = [n for n, line in enumerate(array.splitlines(), 1) if line == " {"]

    assert [each.where for each in read(two, "yaml")] == ["rules.yaml:2", "rules.yaml:12"]
    assert [each.where for each in read(array, "json")] == [f"rules.json:{n}" for n in begins]


def test_a_fault_has_its_own_line_in_yaml() -> None:
    """The field's, or the pin's; all of them at once."""
    content = YAML.replace("model: basket", "model: 5").replace("position: 1", "position: one")

    assert faults(read(content, "yaml")) == [
        (
            "rules.yaml:2",
            (
                "line 3: model: Must be a non-empty text",
                f"line 7: pin_definitions: {POSITIONS} (pin 0)",
            ),
        )
    ]


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        ("a: [\n  b: c", 3, "is not YAML"),
        ("model: basket\nmodel: trends\n", 1, "line 2: model is there twice"),
        ("model: !!python/name:os.system x\n", 1, "is not read"),
        ("model: *nowhere\n", 1, "nowhere"),
        ("- 5\n", 1, "must be a customization"),
        ("just a text\n", 1, "must be a customization"),
        ("? [a]\n: b\n", 1, "a key must be a text"),
        ("model: basket\n<<: {tags: []}\n", 1, "line 2: merge keys"),
        ("results: []\nmodel: basket\n", 2, "beside a list of customizations there is model"),
        ("a: \x07\n", 1, "is not YAML"),
        ("a: " + "[" * 200, 1, "nested deeper"),
    ],
)
def test_what_is_no_rule_in_yaml(content: str, line: int, why: str) -> None:
    """Is named by its line, and read no further where nothing can be."""
    ((where, reasons), *_) = faults(read(content, "yaml"))

    assert where == f"rules.yaml:{line}"
    assert any(why in reason for reason in reasons)


def test_values_of_yaml_are_those_of_json() -> None:
    """No country becomes a boolean, and no date an object."""
    content = YAML.replace("[git]", '[no, on, 012, 0x1f, 1_000, 2025-01-01, "1", ~x, !!str 5]')

    (entry,) = read(content, "yaml")

    assert entry.definition is not None
    expected = ("no", "on", "012", "0x1f", "1_000", "2025-01-01", "1", "~x", "5")
    assert entry.definition.tags == expected


def test_anchors_are_repeated_within_a_bound() -> None:
    """What windows share is written once; what would inflate is refused before it does."""
    shared = YAML.replace("tags: [git]", "x-sale: &sale [git]\ntags: *sale")
    bomb = "x-a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"x-{chr(n + 1)}: &{chr(n + 1)} [{','.join([f'*{chr(n)}'] * 10)}]\n" for n in range(97, 106)
    )

    (entry,) = read(shared, "yaml")

    assert entry.definition is not None
    assert entry.definition.tags == ("git",)
    ((_, reasons),) = faults(read(bomb + YAML, "yaml"))
    assert "more than 200,000 values" in reasons[0]


def test_one_faulty_rule_does_not_hide_the_others() -> None:
    """Of the same file, whichever way it is written."""
    good, bad = json.dumps(RULE), json.dumps({**RULE, "model": 5})
    listed = f"- {good}\n- {bad}\n- {good}\n"

    for content, kind in (
        (f"[{good},\n{bad},\n{good}]", "json"),
        (f"{good}\n{bad}\n{good}", "ndjson"),
        (listed, "yaml"),
    ):
        assert [bool(each.faults) for each in read(content, kind)] == [False, True, False]
        assert read(content, kind)[1].where == f"rules.{kind}:2"


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"id": "5"}, "id: Must be a UUID; what you call it yourself is its name"),
        ({"id": 5}, "id: Must be a UUID; what you call it yourself is its name"),
        ({"name": ""}, "name: Must be a text of 1 to 200 characters"),
        ({"name": " a"}, "name: Must be a text of 1 to 200 characters"),
        ({"name": ["a"]}, "name: Must be a text of 1 to 200 characters"),
        (
            {"created_at": "now"},
            "created_at: Must be an ISO 8601 date-time, e.g. 2025-02-01T00:00:00Z",
        ),
        (
            {"active_to": "2025-01-01"},
            "active_to: belongs to a pin, under pin_definitions",
        ),
        ({"activ_to": "2025-01-01"}, "activ_to: is unknown; active_to is meant?"),
        (
            {"pin_definitions": [{**RULE["pin_definitions"][0], "tags": []}]},
            "pin 0: tags: belongs to the customization, beside pin_definitions",
        ),
        ({"pin_definition": []}, "pin_definition: is unknown; pin_definitions is meant?"),
        (
            {"pin_definitions": [{**RULE["pin_definitions"][0], "activ_to": "2025-01-01"}]},
            "pin 0: activ_to: is unknown; active_to is meant?",
        ),
    ],
)
def test_slips_are_refused(members: dict[str, Any], reason: str) -> None:
    """A window that is misspelled would be no window at all."""
    (entry,) = read(json.dumps({**RULE, **members}), "json")

    assert entry.faults == (reason,)
    assert entry.definition is None


def test_what_another_program_has_added_is_left_out() -> None:
    """And told."""
    (entry,) = read(json.dumps({**RULE, "workspace": 5, "available": True}), "json")

    assert entry.notes == ("workspace: is unknown and left out",)
    assert entry.definition is not None


def test_an_id_counts_before_a_name() -> None:
    """The name is then what people call it."""
    id_ = "11111111-1111-4111-8111-111111111111"

    (entry,) = read(json.dumps({**RULE, "id": id_}), "json")

    assert (entry.id, entry.name) == (id_, "strings")


def test_rows_of_a_table_that_disagree_are_named() -> None:
    """Two rows of one rule say the same of all but their pin; an empty cell does."""
    other = CSV.splitlines()[1].replace("git", "sale")
    same = "strings,,,,2,item,/p/2"

    assert faults(read(f"{CSV}\n{same}\n{other}\n", "csv")) == [
        ("rules.csv:2", ("line 4: tags is another one than in line 2",))
    ]


def test_an_unknown_column_is_told_once() -> None:
    """A slip is refused, what people add for themselves is left out."""
    content = CSV.replace("tags", "taggs").replace("name,", "Who asked,", 1)

    entry, *_ = read(content, "csv")

    assert entry.faults == ("column taggs: is unknown; tags is meant?",)
    assert entry.notes == ("column Who asked: is unknown and left out",)


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    """YAML and JSON, in folders below too; what is hidden or of another kind is passed by."""
    for name in ("b.yml", "a/z.yaml", "c.json", ".git/x.yaml", "a/.hidden.yaml", "README.md"):
        path = tmp_path / "rules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**RULE, "name": name}))

    found = list(read_files(files_in([tmp_path / "rules"])))

    assert [each.name for each in found] == ["a/z.yaml", "b.yml", "c.json"]
    assert [each.faults for each in found] == [()] * 3


def test_a_folder_without_a_file_is_refused(tmp_path: Path) -> None:
    """It is most likely the wrong one."""
    with pytest.raises(UsageFault, match="holds no file"):
        files_in([tmp_path])


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"PAR1", "is Parquet"), (b"PK\x03\x04", "is not a workbook")],
)
def test_a_file_that_is_none_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    """By the name that its author knows, not that of a temporary one."""
    path = tmp_path / "stored"
    path.write_bytes(content)

    with pytest.raises(UsageFault, match=f"rules.x {reason}") as refused:
        list(read_files([RulesFile(path, "rules.x")]))

    assert str(path) not in str(refused.value)


def test_what_is_not_json_is_told() -> None:
    """With where it goes wrong."""
    ((where, reasons),) = faults(read("[{]", "json"))

    assert where == "rules.json:1"
    assert reasons[0].startswith("is not JSON:")


def test_the_layout_of_a_file_is_not_stored() -> None:
    """Criteria come back as they were sent, and nobody sent these line breaks."""
    criteria = {"target_type": "criteria", "target_criteria": {"brand": "Fender"}}

    (entry,) = read(json.dumps({**RULE, **criteria}, indent=4), "json")

    assert entry.definition is not None
    assert b"\n" not in entry.definition.document
