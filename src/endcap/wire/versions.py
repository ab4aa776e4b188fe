"""
Versions of customizations, and drafts, as the log keeps them: bytes from which each can be had back whole.

A version is the document with what else an editor said of it, the metadata and the switch, as its last members. Of a
customization that goes, who made it and when come behind that, because no later version would tell. A draft is an
object around its version.
"""

import re

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from endcap.domain import CustomizationId, Definition, Draft, Micros, Record
from endcap.errors import FaultyFields
from endcap.wire.customizations import read_definition
from endcap.wire.reading import UNREADABLE

_ORIGIN = re.compile(rb',"creator":"(?:[^"\\]|\\.)*","created_at":-?\d+\}\Z')


class Origin(Struct, frozen=True):
    """Who made a customization, and when."""

    creator: str
    created_at: Micros


class Spelled(Struct, frozen=True, omit_defaults=True):
    """A draft as the log keeps it."""

    version: Raw
    base: int | None
    author: str
    updated_at: Micros
    creator: str
    created_at: Micros
    publish_at: Micros | None = None
    publisher: str | None = None
    held: str | None = None


def version_of(record: Record) -> bytes:
    """What a record says, without what the server says of it."""
    return _version(record.document, record.metadata, is_disabled=record.disabled)


def version_from(definition: Definition) -> bytes:
    """The same of what shall be; a switch that is left open is on."""
    disabled = bool(definition.disabled)
    return _version(definition.document, definition.metadata, is_disabled=disabled)


def farewell(record: Record) -> bytes:
    """The version of a record that goes, with its origin."""
    origin = b',"creator":%b,"created_at":%d}' % (
        msgspec.json.encode(record.creator),
        record.created_at,
    )
    return version_of(record)[:-1] + origin


def without_origin(logged: bytes) -> bytes:
    """The version alone, of either kind of line."""
    return _ORIGIN.sub(b"}", logged)


def origin_of(logged: bytes) -> Origin | None:
    """None where a line does not tell."""
    try:
        return msgspec.json.decode(logged, type=Origin)
    except UNREADABLE:
        return None


def read_version(logged: bytes) -> Definition:
    """
    The definition in a version; what it does not say of the switch is that it was on. Raises FaultyFields for a version
    that is not understood (any more).
    """
    definition = read_definition(without_origin(logged))
    return replace(definition, disabled=bool(definition.disabled))


def spell_draft(draft: Draft) -> bytes:
    return msgspec.json.encode(
        Spelled(
            Raw(draft.document),
            draft.base,
            draft.author,
            draft.updated_at,
            draft.creator,
            draft.created_at,
            draft.publish_at,
            draft.publisher,
            draft.held,
        )
    )


def read_draft(id: CustomizationId, logged: bytes) -> Draft:
    """At revision 0: it gets a new one where it is stored. Raises FaultyFields."""
    try:
        spelled = msgspec.json.decode(logged, type=Spelled)
    except UNREADABLE as error:
        raise FaultyFields("The draft in the log cannot be read") from error
    return Draft(
        id,
        bytes(spelled.version),
        spelled.base,
        spelled.author,
        spelled.updated_at,
        0,
        spelled.creator,
        spelled.created_at,
        spelled.publish_at,
        spelled.publisher,
        spelled.held,
    )


def _version(document: bytes, metadata: bytes | None, *, is_disabled: bool) -> bytes:
    if metadata is None and not is_disabled:
        return document
    told = b"" if metadata is None else b',"target_metadata":' + metadata
    return document[:-1] + told + (b',"disabled":true}' if is_disabled else b"}")
