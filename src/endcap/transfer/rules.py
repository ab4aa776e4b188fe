"""
Reads customizations that are kept in files: YAML, JSON, JSON Lines, CSV and XLSX, single files or folders of them.

Each becomes an `Entry`: what it says, and which customization it is. That is told by its `id`, or by its `name`, from
which an id follows that is the same wherever the file is read; an entry with neither is known by what it says alone.
All faults are kept beside where they were found, so that one pass over the files finds every one.
"""

import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import msgspec
from msgspec import Raw, Struct

from endcap.domain import CustomizationId, Definition, Micros
from endcap.errors import Problem, UsageFault
from endcap.transfer.customizations import bodies_of_table
from endcap.transfer.found import NO_LINES, Found
from endcap.transfer.rows import (
    Format,
    Progress,
    Unreadable,
    csv_header,
    format_of,
    quietly,
    read_raw,
    read_rows,
    read_whole,
)
from endcap.transfer.rules_yaml import LIST_KEYS, read_yaml
from endcap.wire.customizations import CSV_COLUMNS, FIELDS, PIN_FIELDS, one_line, read_definition
from endcap.wire.reading import UNREADABLE, instant

ENTRIES_MAX = 500_000  # a plan holds them in memory, at some 2 kB each
NAME_CHARACTERS_MAX = 200
NAMES = UUID("6d0c1f5e-0b0e-5c0f-9a57-3f6f0a2f9c11")
"""The name space of ids that follow from names (version 5 of https://www.rfc-editor.org/rfc/rfc9562)."""
OPTIONAL_COLUMNS = ("tags", "target_metadata")
"""What a table without such a column leaves as it is; an empty cell in one takes it away."""
_SUFFIXES = frozenset({".yaml", ".yml", ".json", ".jsonl", ".ndjson"})
_YAML = frozenset({".yaml", ".yml"})
_KNOWN = frozenset((*FIELDS, "name"))
_KNOWN_PIN = frozenset(PIN_FIELDS)
_KNOWN_COLUMNS = frozenset((*CSV_COLUMNS, "name"))
NO_NAMES: Mapping[str, str] = {}
_OF_PINS = dict.fromkeys(PIN_FIELDS, "to a pin, under pin_definitions")
_OF_RULES = dict.fromkeys(_KNOWN, "to the customization, beside pin_definitions")
_ZIP = b"PK\x03\x04"
_LIKENESS = 0.75  # of a field to a known one, from which on it counts as a slip: `activ_from`


class RulesFormat(StrEnum):
    """What a file of customizations may be. Lines are one JSON object each."""

    YAML = "yaml"
    JSON = "json"
    LINES = "ndjson"
    CSV = "csv"
    XLSX = "xlsx"


class RulesFile(Struct, frozen=True):
    """A file, and what it is called in messages."""

    path: Path
    name: str
    format: RulesFormat | None = None
    """None: what its name and its content say."""


class Entry(Struct, frozen=True):
    """
    One customization of a file. `id` is its own or follows from its `name`; `definition` is None where there are
    faults. `notes` are what its author may want to know. `unsaid` are fields that a table has no column for.
    """

    where: str
    id: CustomizationId | None = None
    name: str | None = None
    definition: Definition | None = None
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    created_at: Micros | None = None
    creator: str | None = None
    unsaid: tuple[str, ...] = ()


def files_in(paths: Iterable[Path]) -> Sequence[RulesFile]:
    """
    Files as they are given, and those of folders in the order of their names: YAML and JSON, in folders below too, but
    nothing whose name begins with a dot. Raises UsageFault for a folder without any.
    """
    found: list[RulesFile] = []
    for path in paths:
        if not path.is_dir():
            found.append(RulesFile(path, str(path)))
            continue
        inside = [
            each
            for each in sorted(path.rglob("*"))
            if each.suffix.lower() in _SUFFIXES
            and each.is_file()
            and not any(part.startswith(".") for part in each.relative_to(path).parts)
        ]
        if not inside:
            raise UsageFault(f"{path} holds no file that ends in {', '.join(sorted(_SUFFIXES))}")
        found += (RulesFile(each, str(each)) for each in inside)
    return found


def read_files(files: Iterable[RulesFile], *, progress: Progress = quietly) -> Iterator[Entry]:
    """Every customization of the files, in their order. Raises UsageFault for a file that is none, and for too many."""
    count = 0
    for file in files:
        for entry in _read_file(file, progress):
            count += 1
            if count > ENTRIES_MAX:
                raise UsageFault(f"At most {ENTRIES_MAX:,} customizations can be planned at once")
            yield entry


def read_content(
    content: bytes, format: RulesFormat | None, *, name: str, folder: Path | None = None
) -> Iterator[Entry]:
    """
    The same of bytes, for example of an upload, which lie in a temporary file meanwhile. Without a format: what their
    name and they themselves say. Raises UsageFault.
    """
    with tempfile.NamedTemporaryFile(prefix=".rules-", dir=folder) as file:
        file.write(content)
        file.flush()
        yield from read_files([RulesFile(Path(file.name), name, format)])


def id_of_name(name: str) -> CustomizationId:
    """The id of the customization that files call so, in every tracker."""
    return CustomizationId(str(uuid5(NAMES, name)))


def format_of_rules(file: RulesFile) -> RulesFormat:
    """What a file is: as it was said, else by its name, else by its content. Raises UsageFault."""
    if file.format is not None:
        return file.format
    suffixes = [each.lower() for each in Path(file.name).suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    if suffixes and suffixes[-1] in _YAML:
        return RulesFormat.YAML
    try:
        with file.path.open("rb") as opened:
            if opened.read(len(_ZIP)) == _ZIP:
                return RulesFormat.XLSX
    except OSError as error:
        raise UsageFault(f"{file.name} cannot be read: {error.strerror}") from error
    match format_of(file.path):
        case Format.CSV:
            return RulesFormat.CSV
        case Format.JSON_LINES:
            return RulesFormat.LINES
        case Format.JSON_ARRAY | Format.ANSWER:
            return RulesFormat.JSON
        case Format.PARQUET:
            raise UsageFault(f"{file.name} is Parquet; customizations are YAML, JSON, CSV or XLSX")


def _read_file(file: RulesFile, progress: Progress) -> Iterator[Entry]:
    try:
        match format_of_rules(file):
            case RulesFormat.YAML:
                yield from _entries(file, read_yaml(read_whole(file.path, progress=progress)))
            case RulesFormat.JSON:
                yield from _entries(file, _json(read_whole(file.path, progress=progress)))
            case RulesFormat.LINES:
                yield from _entries(file, _lines(file.path, progress))
            case RulesFormat.CSV:
                yield from _csv_entries(file, progress)
            case RulesFormat.XLSX:
                yield from _sheet_entries(file, progress)
    except UsageFault as fault:
        raise _of_file(file, fault) from fault


def _of_file(file: RulesFile, fault: UsageFault) -> UsageFault:
    """A fault of the file at `path`, of which its author knows another name."""
    return UsageFault(fault.reason.replace(str(file.path), file.name), fault.details)


# Tables


def _csv_entries(file: RulesFile, progress: Progress) -> Iterator[Entry]:
    columns = csv_header(file.path).columns
    bodies = bodies_of_table(read_rows(file.path, progress=progress))
    yield from _table_entries(file, columns, bodies)


def _sheet_entries(file: RulesFile, progress: Progress) -> Iterator[Entry]:
    # Its library takes longer to import than most files take to read.
    from endcap.transfer.rules_sheet import Sheet  # noqa: PLC0415

    with Sheet(file.path, file.name, progress) as sheet:
        yield from _table_entries(file, sheet.columns, bodies_of_table(sheet.records()))


def _table_entries(
    file: RulesFile, columns: Sequence[str], bodies: Iterable[tuple[int, bytes | Unreadable]]
) -> Iterator[Entry]:
    faults, notes = _strangers([each for each in columns if each], _KNOWN_COLUMNS, "column ")
    if faults or notes:
        yield Entry(f"{file.name}:1", faults=tuple(faults), notes=tuple(notes))
    unsaid = tuple(each for each in OPTIONAL_COLUMNS if each not in columns)
    for line, body in bodies:
        if isinstance(body, Unreadable):
            yield Entry(f"{file.name}:{line}", faults=(body.reason,))
        else:
            yield _entry(file, Found(line, body), unsaid)


# JSON


def _lines(path: Path, progress: Progress) -> Iterator[Found]:
    """A line may also hold a list of them, as a whole answer of the API in one line does."""
    for line, raw in read_raw(path, progress=progress):
        if isinstance(raw, Unreadable):
            yield Found(line, None, (raw.reason,))
            continue
        try:
            listed = _listed(raw)
        except UNREADABLE:
            listed = [Raw(raw)]  # whose own fault says what it is
        for each in listed:
            yield Found(line, bytes(each))


class _Listed(Struct):
    """What holds a list of customizations: our files, and saved answers of the API."""

    customizations: list[Raw] | None = None
    results: list[Raw] | None = None


def _json(content: bytes) -> Iterator[Found]:
    """One customization, an array, or an object that holds an array; each with its line."""
    try:
        listed = _listed(content)
    except UNREADABLE as error:
        yield Found(1, None, (f"is not JSON: {error}",))
        return
    at, line = 0, 1
    for raw in listed:
        body = bytes(raw)
        begins = content.index(body, at)
        line += content.count(b"\n", at, begins)
        yield Found(line, body)
        line += body.count(b"\n")
        at = begins + len(body)


def _listed(content: bytes) -> list[Raw]:
    if content.lstrip().startswith(b"["):
        return msgspec.json.decode(content, type=list[Raw])
    held = msgspec.json.decode(content, type=_Listed)
    for each in (held.customizations, held.results):
        if each is not None:
            return each
    return [Raw(content.strip())]


# What they say


class _Pin(Struct, forbid_unknown_fields=True):
    """Its members' names, and nothing of what they hold."""

    position: Raw = Raw()
    pin_type: Raw = Raw()
    pin_identity: Raw = Raw()
    pin_criteria: Raw = Raw()
    widget_id: Raw = Raw()
    is_block_pin: Raw = Raw()
    is_bundle_pin: Raw = Raw()
    active_from: Raw = Raw()
    active_to: Raw = Raw()


class _Said(Struct, forbid_unknown_fields=True):
    """What a file says beside the definition, and the names of all the rest."""

    id: Any = None
    name: Any = None
    created_at: Any = None
    creator: Any = None
    updated_at: Raw = Raw()
    available: Raw = Raw()
    disabled: Raw = Raw()
    model: Raw = Raw()
    target_type: Raw = Raw()
    target_identity: Raw = Raw()
    target_criteria: Raw = Raw()
    target_metadata: Raw = Raw()
    tags: Raw = Raw()
    pin_definitions: list[_Pin] = []


class _Origin(Struct):
    id: Any = None
    name: Any = None
    created_at: Any = None
    creator: Any = None


_SAID = msgspec.json.Decoder(_Said)
_ORIGIN = msgspec.json.Decoder(_Origin)


def _entries(file: RulesFile, found: Iterable[Found]) -> Iterator[Entry]:
    for each in found:
        yield _entry(file, each, ())


def _entry(file: RulesFile, found: Found, unsaid: tuple[str, ...]) -> Entry:
    where = f"{file.name}:{found.line}"
    if found.body is None:
        return Entry(where, faults=found.faults)
    body = _one_line(found.body)
    faults: list[str] = []
    notes: list[str] = []
    definition: Definition | None = None
    try:
        definition = read_definition(body)
    except Problem as problem:
        faults += _told(problem, found.lines)
    said: _Said | _Origin
    try:
        said = _SAID.decode(body)
    except UNREADABLE:
        slips, notes = _unknown_members(body)
        faults += slips
        said = _origin(body)
    id_, name = _identity(said, faults)
    created = _instant(said.created_at, faults)
    creator = said.creator if isinstance(said.creator, str) and said.creator else None
    if faults:
        definition = None
    return Entry(
        where, id_, name, definition, tuple(faults), tuple(notes), created, creator, unsaid
    )


def _one_line(body: bytes) -> bytes:
    """Without the layout of the file, which would be stored inside of criteria."""
    try:
        return one_line(body)
    except UNREADABLE:
        return body


def _origin(body: bytes) -> _Origin:
    try:
        return _ORIGIN.decode(body)
    except UNREADABLE:
        return _Origin()  # not an object, as the definition's own fault says


def _told(problem: Problem, lines: Mapping[str, int]) -> Iterator[str]:
    """A problem's messages, each with its line where that is another than the customization's own."""
    for field, messages in problem.details.items():
        for message in messages:
            text = message if field in message or field == "body" else f"{field}: {message}"
            line = _line(lines, field, message)
            yield text if line is None else f"line {line}: {text}"


def _line(lines: Mapping[str, int], field: str, message: str) -> int | None:
    if lines is NO_LINES:
        return None
    _, found, pin = message.rpartition(" (pin ")
    return lines.get(f"pin {pin[:-1]}" if found else field)


def _identity(
    said: _Said | _Origin, faults: list[str]
) -> tuple[CustomizationId | None, str | None]:
    name = said.name
    if name is not None and not _is_name(name):
        faults.append(f"name: Must be a text of 1 to {NAME_CHARACTERS_MAX} characters")
        name = None
    if said.id is None:
        return (None if name is None else id_of_name(name)), name
    try:
        if str(UUID(said.id)) == said.id.lower():
            return CustomizationId(said.id.lower()), name
    except (ValueError, AttributeError, TypeError):
        pass
    faults.append("id: Must be a UUID; what you call it yourself is its name")
    return None, name


def _is_name(value: object) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= NAME_CHARACTERS_MAX
        and value == value.strip()
        and value.isprintable()
    )


def _instant(sent: object, faults: list[str]) -> Micros | None:
    if sent is None:
        return None
    at = instant(sent) if isinstance(sent, str) else None
    if at is None:
        faults.append("created_at: Must be an ISO 8601 date-time, e.g. 2025-02-01T00:00:00Z")
    return at


def _unknown_members(body: bytes) -> tuple[list[str], list[str]]:
    """Fields that no customization has: those that look like a slip, and those that another program may have added."""
    members = _members(body)
    faults, notes = _strangers(members, _KNOWN, "", _OF_PINS)
    if members.keys() & set(LIST_KEYS):
        notes = []  # an outer shape that is none; the missing fields say so
    try:
        pins = msgspec.json.decode(members.get("pin_definitions", b"[]"), type=list[Raw])
    except UNREADABLE:
        pins = []
    for index, pin in enumerate(pins):
        slips, others = _strangers(_members(pin), _KNOWN_PIN, f"pin {index}: ", _OF_RULES)
        faults += slips
        notes += others
    return faults, notes


def _members(body: bytes | Raw) -> dict[str, Raw]:
    try:
        return msgspec.json.decode(body, type=dict[str, Raw])
    except UNREADABLE:
        return {}


def _strangers(
    names: Iterable[str],
    known: Collection[str],
    where: str,
    elsewhere: Mapping[str, str] = NO_NAMES,
) -> tuple[list[str], list[str]]:
    faults: list[str] = []
    notes: list[str] = []
    for name in names:
        if name in known:
            continue
        if name in elsewhere:
            faults.append(f"{where}{name}: belongs {elsewhere[name]}")
        elif like := get_close_matches(name, (*known, *elsewhere), 1, _LIKENESS):
            faults.append(f"{where}{name}: is unknown; {like[0]} is meant?")
        else:
            notes.append(f"{where}{name[:100]}: is unknown and left out")
    return faults, notes
