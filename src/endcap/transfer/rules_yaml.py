"""
Customizations in YAML: read with the line of everything, written so that they are read as what they were.

A file is one customization, a list of them, `customizations:` with such a list, or several documents of these. Values
are read by the rules of JSON, whatever older versions of YAML made of them: `no`, `on`, `012` and dates are texts,
`true`, `null` and JSON's numbers are what they are in JSON (https://yaml.org/spec/1.2.2/#102-json-schema). No tag makes
an object, a key that is there twice is a fault, and what anchors repeat is counted, so that no small file becomes a
large one.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from endcap.transfer.found import Found
from endcap.wire.reading import NESTING_MAX

LIST_KEYS = ("customizations", "results")
NODES_MAX = 200_000  # of one customization: 500 pins with the largest criteria that are of any use
NODES_TOTAL_MAX = 50_000_000  # of a file: a million customizations
_TEXT = frozenset({None, "!", "tag:yaml.org,2002:str"})
_PLAIN = frozenset({None, "!"})
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_ENDS = (SequenceEndEvent, MappingEndEvent)


class NotYaml(Exception):
    """The text cannot be read on; its first argument is the line, its second says why."""


def read_yaml(content: bytes) -> Iterator[Found]:
    """The customizations of a text, in its order; the last one may be the fault that ended it."""
    reader = _Reader(content)
    try:
        yield from reader.documents()
    except NotYaml as fault:
        line, why = fault.args
        yield Found(line, None, (why,))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = reader.line if mark is None else mark.line + 1
        yield Found(line, None, (f"is not YAML: {error.problem or error.context}",))
    except yaml.YAMLError as error:  # a character that YAML does not allow
        yield Found(reader.line, None, (f"is not YAML: {str(error).splitlines()[0]}",))


class _Reader:
    """One text under way."""

    def __init__(self, content: bytes) -> None:
        self._events = iter(yaml.parse(content, Loader=_Loader))
        self._anchored: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        self._nodes_before = 0
        self._faults: list[str] = []
        self._lines: dict[str, int] = {}
        self.line = 1

    def documents(self) -> Iterator[Found]:
        for event in self._events:
            if isinstance(event, StreamEndEvent):
                return
            if isinstance(event, DocumentStartEvent):
                self._anchored.clear()
                yield from self._document(self._next())

    def _document(self, event: Any) -> Iterator[Found]:
        match event:
            case SequenceStartEvent():
                yield from self._listed()
            case MappingStartEvent():
                yield from self._mapping(event)
            case ScalarEvent(value="", implicit=(True, _)):
                return  # nothing but comments
            case _:
                raise NotYaml(self.line, "must be a customization, or a list of them")

    def _listed(self) -> Iterator[Found]:
        while not isinstance(event := self._next(), SequenceEndEvent):
            yield self._one(event)

    def _one(self, event: Any) -> Found:
        line = self._begin()
        value = self._value(event, "", 1)
        return self._found(line, value)

    def _mapping(self, event: Any) -> Iterator[Found]:
        """A customization, or what holds a list of them; beside that only `x-` keys may be, for anchors."""
        line = self._begin()
        own: dict[str, Any] = {}
        is_list = False
        while not isinstance(event := self._next(), MappingEndEvent):
            key = self._key(event)
            at = self.line
            event = self._next()
            if key in LIST_KEYS and isinstance(event, SequenceStartEvent) and not own:
                is_list = True
                yield from self._listed()
                self._begin()
            elif key.startswith("x-"):
                self._value(event, "", 2)
            else:
                if key in own:
                    self._faults.append(f"line {at}: {key} is there twice")
                self._lines[key] = at
                own[key] = self._value(event, key, 2)
        if own and is_list:
            raise NotYaml(
                min(self._lines.values(), default=line),
                f"beside a list of customizations there is {', '.join(own)}; "
                "only keys that begin with x- may be there",
            )
        if not is_list:
            yield self._found(line, own)

    def _begin(self) -> int:
        self._faults, self._lines, self._nodes_before = [], {}, self._nodes
        return self.line

    def _found(self, line: int, value: Any) -> Found:
        if not isinstance(value, dict):
            self._faults.append("must be a customization: keys with values")
        if self._faults:
            return Found(line, None, tuple(self._faults), self._lines)
        return Found(line, msgspec.json.encode(value), (), self._lines)

    def _next(self) -> Any:
        event: Any = next(self._events)
        self.line = event.start_mark.line + 1
        return event

    def _count(self, nodes: int = 1) -> None:
        self._nodes += nodes
        if self._nodes - self._nodes_before > NODES_MAX:
            raise NotYaml(self.line, f"has more than {NODES_MAX:,} values in one customization")
        if self._nodes > NODES_TOTAL_MAX:
            raise NotYaml(self.line, f"has more than {NODES_TOTAL_MAX:,} values: make it two files")

    def _value(self, event: Any, path: str, depth: int) -> Any:
        """`path` is the field, `pin 0`, or the empty text for what has no line of its own."""
        if depth > NESTING_MAX + 4:
            raise NotYaml(self.line, f"is nested deeper than {NESTING_MAX} levels")
        before = self._nodes
        self._count()
        value: Any
        match event:
            case AliasEvent(anchor=name):
                if name not in self._anchored:
                    raise NotYaml(self.line, f"*{name} is not there, or not complete yet")
                value, nodes = self._anchored[name]
                self._count(nodes)
                return value
            case ScalarEvent():
                value = self._scalar(event)
            case SequenceStartEvent():
                self._check_tag(event)
                value = []
                while not isinstance(each := self._next(), SequenceEndEvent):
                    pin = f"pin {len(value)}" if path == "pin_definitions" else ""
                    if pin:
                        self._lines[pin] = self.line
                    value.append(self._value(each, pin, depth + 1))
            case _:
                self._check_tag(event)
                value = self._members(path, depth)
        if event.anchor is not None:
            self._anchored[event.anchor] = (value, self._nodes - before)
        return value

    def _members(self, path: str, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while not isinstance(each := self._next(), MappingEndEvent):
            key, at = self._key(each), self.line
            if key in members:
                self._faults.append(f"line {at}: {key} is there twice")
            if depth == 1:
                self._lines[key] = at
            members[key] = self._value(self._next(), key if depth == 1 else "", depth + 1)
        return members

    def _key(self, event: Any) -> str:
        if not isinstance(event, ScalarEvent):
            raise NotYaml(self.line, "a key must be a text")
        if event.value == "<<" and event.implicit[0]:
            self._faults.append(
                f"line {self.line}: merge keys (<<) are not read: repeat what is meant, or its anchor"
            )
        return str(event.value)

    def _scalar(self, event: Any) -> Any:
        self._check_tag(event)
        text = event.value
        if not event.implicit[0] or event.tag is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if number := _NUMBER.fullmatch(text):
            return _number(text, is_whole=number[1] is None and number[2] is None)
        return text

    def _check_tag(self, event: Any) -> None:
        known = _TEXT if isinstance(event, ScalarEvent) else _PLAIN
        if event.tag not in known:
            self._faults.append(f"line {self.line}: the tag {event.tag} is not read")


def _number(text: str, *, is_whole: bool) -> Any:
    """As JSON has it; what no number of JSON's readers holds stays a text."""
    try:
        return msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        return int(text) if is_whole and len(text) < 400 else text


class _Writer(_Dumper):  # type: ignore[misc]  # libyaml's class has no types
    """Writes no anchors, and quotes all that some reader of YAML would take for something else than a text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Writer.add_implicit_resolver("tag:yaml.org,2002:float", _NUMBER, list("-0123456789"))


def yaml_document(customization: dict[str, Any]) -> bytes:
    """One customization as a text, its members in their order."""
    return _dumped(customization)


def yaml_list(customizations: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Several as `customizations:`, in chunks."""
    before = b"customizations:\n"
    for each in customizations:
        yield before + b"\n".join(
            b"" if not line else (b"  - " if number == 0 else b"    ") + line
            for number, line in enumerate(_dumped(each).rstrip(b"\n").split(b"\n"))
        )
        before = b"\n"
    yield b"customizations: []\n" if before != b"\n" else b"\n"


def _dumped(value: dict[str, Any]) -> bytes:
    text = yaml.dump(
        value,
        Dumper=_Writer,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=10**6,
    )
    return str(text).encode()
