"""
Bytes that come back as they went in.
"""

import pytest

from endcap.domain import Filter, TrackerId
from endcap.store.port import Store
from tests.store.writes import (
    at,
    committed,
    create,
    definition,
    put,
    recorded,
    replace,
    some_id,
    thing,
)

DOCUMENTS = {
    "odd whitespace": b' {\t"a" :\r\n[ 1 , 2.50, 1e2 ]  } \n',
    "order and repetition": b'{"b":1,"a":2,"b":3}',
    "escapes": rb'{"a":"\u00e9\u0000\ud83c\udfb8\/\\"}',
    "utf-8": '{"a":"\N{GUITAR} é ﷽ \u200d"}'.encode(),
    "empty": b"",
    "bytes that are no text": bytes(range(256)),
    "quotes of SQL": b'{"a":"\' \\" %s {rows} :x ?"}',
    "large": b'{"a":"' + b"x" * 300_000 + b'"}',
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_documents_come_back_exactly(store: Store, tracker: TrackerId, document: bytes) -> None:
    """From every read, as document and as metadata, alone and between others, old and new."""
    id_ = some_id()
    others = [create(tracker, wanted=definition(b"?", metadata=b"!")) for _ in range(2)]
    wanted = definition(document, metadata=document)

    record = recorded(store, create(tracker, id_, wanted))
    committed(store, *others, put(tracker, thing("a", document), thing("b", b"?")))
    replaced = recorded(store, replace(tracker, id_, wanted, now=at(1)))
    committed(store, *(replace(tracker, each.id, each.definition, now=at(2)) for each in others))

    assert record.document == record.metadata == document
    assert store.customization(tracker, id_) == replaced
    assert replaced in store.page(tracker, Filter(), limit=9, offset=0).records
    assert replaced in list(store.records(tracker, Filter()))
    changes = store.changes(tracker, since=0)
    assert changes.records[id_] == replaced
    assert changes.objects == {"a": thing("a", document), "b": thing("b", b"?")}
    with store.load(tracker) as load:
        assert replaced in list(load.records())
        assert thing("a", document) in list(load.objects())
    created, changed = store.history(tracker, subject=id_)
    logged = document[:-1] + b',"target_metadata":' + document + b"}"
    assert (created.old, created.new) == (None, logged)
    assert (changed.old, changed.new) == (logged, logged)


def test_no_metadata_is_not_empty_metadata(store: Store, tracker: TrackerId) -> None:
    """Both come back as they are, also side by side."""
    none, empty = some_id(), some_id()
    committed(
        store,
        create(tracker, none, definition(metadata=None)),
        create(tracker, empty, definition(metadata=b"")),
    )

    changes = store.changes(tracker, since=0).records

    assert [getattr(changes[each], "metadata", "gone") for each in (none, empty)] == [None, b""]


def test_texts_come_back_exactly(store: Store, tracker: TrackerId) -> None:
    """Composed and decomposed, directed, beyond the basic plane, quoted: nothing is normalized."""
    text = "é e\u0301 \u202eabc\u202c \N{GUITAR} \u2028 \t'\"\\ %s"
    wanted = definition(model=text, identity=text, tags=(text, text + " "))
    record = recorded(store, create(tracker, wanted=wanted, creator=text))
    committed(store, put(tracker, thing(text, type=text, generation=text)))

    assert store.customization(tracker, record.id) == record
    assert (record.model, record.target_identity, record.creator) == (text, text, text)
    assert store.changes(tracker, since=0).records[record.id] == record
    assert store.changes(tracker, since=0).objects == {
        text: thing(text, type=text, generation=text)
    }
    assert list(store.summary(tracker).tags) == [text, text + " "]
