"""
The table of models as documents: what a shop may say of a model, read and checked, and said back.

A document is one JSON (or YAML) object:

    {"strategy": {"kind": "bought_together", "cheaper": 0.1},
     "fallback": ["bought_with_similar", {"kind": "popular", "span": "recent"}],
     "variety": {"by": "category", "most": 3},
     "personal": false}

Only `strategy` must be there; a strategy without settings may be its kind alone. What is left out has its default,
also after an update of the program: kept is what differs from it. Every fault of a document is told, with what would
be right.
"""

from collections.abc import Iterator, Mapping, Sequence
from inspect import cleandoc
from math import isfinite
from typing import Any, get_args

import msgspec
from msgspec import NODEFAULT, Struct, inspect
from msgspec.structs import FieldInfo, fields

from endcap.domain import MODEL_CHARACTERS_MAX
from endcap.errors import FaultyFields
from endcap.recommend.models import Model, Models
from endcap.recommend.rerank import Personal, Variety
from endcap.recommend.strategies import AnyStrategy, External, Listed, returned_type
from endcap.wire.reading import Faults

FALLBACKS_MAX = (
    8  # each is asked only where those before it ended, but then in the time of one request
)
DOCUMENT_BYTES_MAX = 20_000
INVALID = "Invalid model provided"
_PARTS = ("strategy", "fallback", "variety", "personal")


class Setting(Struct, frozen=True):
    """One setting, for people: what it takes (`a number from 0 to 2`), its default as JSON, what it does."""

    name: str
    takes: str
    default: str | None
    does: str


class Described(Struct, frozen=True):
    """One kind of strategy, or another part of a model, for people."""

    kind: str
    does: str
    settings: Sequence[Setting]


def kind_of(strategy: type[Struct]) -> str:
    return str(strategy.__struct_config__.tag)


KINDS: Mapping[str, type[Struct]] = {kind_of(each): each for each in get_args(AnyStrategy)}


def described(part: type[Struct]) -> Described:
    """A part of a model by its class."""
    kind = kind_of(part) if part.__struct_config__.tag else part.__name__.lower()
    settings = [
        Setting(
            each.name,
            _taken(inspect.type_info(each.type)),
            _default(each),
            _description(each),
        )
        for each in fields(part)
    ]
    return Described(kind, cleandoc(part.__doc__ or ""), settings)


def name_faults(name: str) -> Iterator[str]:
    """Why this cannot name a model."""
    if not 1 <= len(name) <= MODEL_CHARACTERS_MAX:
        yield f"Must have 1 to {MODEL_CHARACTERS_MAX} characters"
    if not name.isprintable() or "/" in name or name != name.strip():
        yield "Must have no slash, no control characters and no spaces around it"


def read_model(document: Any) -> Model:
    """A decoded document as a model. Raises FaultyFields with all that is wrong with it, by path."""
    reader = _Reader()
    model = reader.model(document)
    if model is None or reader.faults:
        raise FaultyFields(INVALID, reader.faults.by_field)
    return model


def kept(model: Model) -> bytes:
    """What is stored of a model: the document without what is at its default. Equal models are equal bytes."""
    document: dict[str, Any] = {"strategy": _chosen(model.strategy)}
    if model.fallback:
        document["fallback"] = [_chosen(each) for each in model.fallback]
    if model.variety is not None:
        document["variety"] = _chosen(model.variety)
    if model.personal != Personal():
        document["personal"] = False if model.personal is None else _chosen(model.personal)
    return msgspec.json.encode(document)


def stored(document: bytes) -> Model:
    """The model of a stored document. Raises FaultyFields where another version of the program wrote it."""
    try:
        return read_model(msgspec.json.decode(document))
    except msgspec.DecodeError as error:
        raise FaultyFields(INVALID, {"body": [str(error)]}) from error


def shown(model: Model) -> dict[str, Any]:
    """The whole document of a model, defaults included."""
    return {
        "strategy": _shown(model.strategy),
        "fallback": [_shown(each) for each in model.fallback],
        "variety": None if model.variety is None else _shown(model.variety),
        "personal": False if model.personal is None else _shown(model.personal),
    }


def known_models(own: Models, reference: Models) -> Models:
    """What a tracker's names mean: its own before those of the reference."""
    return {**reference, **own}


def _shown(part: Struct) -> dict[str, Any]:
    kind = part.__struct_config__.tag
    said: dict[str, Any] = {"kind": kind} if kind else {}
    for each in fields(type(part)):
        value = getattr(part, each.name)
        said[each.name] = list(value) if isinstance(value, tuple) else value
    return said


def _chosen(part: Struct) -> dict[str, Any]:
    """The same without what is at its default."""
    usual = {each.name: each.default for each in fields(type(part))}
    return {
        name: value
        for name, value in _shown(part).items()
        if name == "kind" or getattr(part, name) != usual[name]
    }


class _Reader:
    """Reads one document and gathers its faults."""

    def __init__(self) -> None:
        self.faults = Faults()

    def model(self, document: Any) -> Model | None:
        if isinstance(document, str):
            document = {"strategy": document}
        if not isinstance(document, Mapping):
            self.faults.add("body", "Must be an object with a strategy, or a kind of strategy")
            return None
        for key in document:
            if key not in _PARTS:
                self.faults.add(str(key), f"Unknown field; a model has: {', '.join(_PARTS)}")
        if document.get("strategy") is None:
            self.faults.add("strategy", "Missing required field: strategy")
            return None
        strategy = self._strategy("strategy", document["strategy"])
        fallback = self._fallback(document.get("fallback"))
        variety = self._part("variety", document.get("variety"), Variety, absent=None)
        fits = not isinstance(
            strategy, External | Listed
        )  # others made that ranking: it stays theirs
        personal = self._part("personal", document.get("personal", fits), Personal, absent=None)
        if strategy is None:
            return None
        for at, each in enumerate(fallback):
            if returned_type(each) != returned_type(strategy):
                self.faults.add(f"fallback.{at}", "Must return objects of the model's own type")
            if isinstance(
                each, External
            ):  # whoever follows is asked when it is too late to ask others
                self.faults.add(f"fallback.{at}", "external can only be the strategy of a model")
        return Model(strategy, fallback, variety, personal)

    def _fallback(self, value: Any) -> tuple[AnyStrategy, ...]:
        if value is None:
            return ()
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > FALLBACKS_MAX:
            self.faults.add("fallback", f"Must be a list of at most {FALLBACKS_MAX} strategies")
            return ()
        found = [self._strategy(f"fallback.{at}", each) for at, each in enumerate(value)]
        return tuple(each for each in found if each is not None)

    def _strategy(self, path: str, value: Any) -> AnyStrategy | None:
        if isinstance(value, str):
            value = {"kind": value}
        if not isinstance(value, Mapping):
            self.faults.add(path, "Must be an object with a kind, or a kind alone")
            return None
        kind = value.get("kind")
        chosen = KINDS.get(kind) if isinstance(kind, str) else None
        if chosen is None:
            self.faults.add(f"{path}.kind", f"Must be one of: {', '.join(KINDS)}")
            return None
        settings = {key: each for key, each in value.items() if key != "kind"}
        strategy: AnyStrategy | None = self._struct(path, settings, chosen)
        return strategy

    def _part(self, path: str, value: Any, part: type[Any], *, absent: Any) -> Any:
        """An object; `true` for its defaults, `false` and null for none."""
        if value is None or value is False:
            return absent
        if value is True:
            return part()
        if not isinstance(value, Mapping):
            self.faults.add(path, "Must be an object, true or false")
            return absent
        return self._struct(path, value, part)

    def _struct(self, path: str, value: Mapping[Any, Any], part: type[Any]) -> Any:
        known = {each.name: each for each in fields(part)}
        for key in value:
            if key not in known:
                self.faults.add(f"{path}.{key}", f"Unknown setting; {_settings_of(part)}")
        checked: dict[str, Any] = {}
        for name, each in known.items():
            if name in value:
                checked[name] = self._setting(f"{path}.{name}", value[name], each)
            elif each.required:
                self.faults.add(f"{path}.{name}", f"Missing required setting: {name}")
        if any(field.startswith(f"{path}.") for field in self.faults.by_field):
            return None
        return part(**checked)

    def _setting(self, path: str, value: Any, setting: FieldInfo) -> Any:
        try:
            if isinstance(value, float) and not isfinite(value):
                raise msgspec.ValidationError("not a number that can be compared")
            return msgspec.convert(value, type=setting.type)
        except msgspec.ValidationError:
            self.faults.add(path, f"Must be {_taken(inspect.type_info(setting.type))}")
            return None


def _default(setting: FieldInfo) -> str | None:
    if setting.default_factory is not NODEFAULT:
        return msgspec.json.encode(setting.default_factory()).decode()
    return None if setting.default is NODEFAULT else msgspec.json.encode(setting.default).decode()


def _settings_of(part: type[Struct]) -> str:
    settings = described(part).settings
    if not settings:
        return "this strategy has none"
    return "there are: " + ", ".join(f"{each.name} ({each.takes})" for each in settings)


def _description(setting: FieldInfo) -> str:
    info = inspect.type_info(setting.type)
    schema = info.extra_json_schema if isinstance(info, inspect.Metadata) else None
    return str((schema or {}).get("description", ""))


def _taken(info: inspect.Type) -> str:
    """What a type takes, in words."""
    match info:
        case inspect.Metadata(type=inner):
            return _taken(inner)
        case inspect.FloatType(ge=low, le=high):
            return f"a number{_bounds(low, high)}"
        case inspect.IntType(ge=low, le=high):
            return f"a whole number{_bounds(low, high)}"
        case inspect.StrType(pattern=str(pattern)):
            return f"a text that matches {pattern}"
        case inspect.StrType(min_length=low, max_length=high):
            return "a text" if high is None else f"a text of {low or 0} to {high} characters"
        case inspect.BoolType():
            return "true or false"
        case inspect.LiteralType(values=values):
            return f"one of: {', '.join(map(str, values))}"
        case inspect.VarTupleType(item_type=item, max_length=high):
            return f"a list of at most {high}, each {_taken(item)}"
        case inspect.DictType(value_type=value, max_length=high):
            return f"an object of at most {high} names, each with {_taken(value)}"
        case inspect.NoneType():
            return "null"
        case inspect.UnionType(types=types):
            return " or ".join(map(_taken, types))
        case _:
            raise TypeError(f"a setting of a type without words: {info}")


def _bounds(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" from {low:g} to {high:g}"
