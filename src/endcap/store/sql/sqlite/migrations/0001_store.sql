-- The store. The tracker leads every key. Instants are microseconds since the epoch, UTC. Documents are the bytes that
-- came in. Texts compare by code point, which is SQLite's own order.

-- A row a tracker, and the lock that its writers queue on: the order of its revisions is the order of commits.
CREATE TABLE tracker (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    sealed_keys TEXT NOT NULL,  -- JSON, a list of hexadecimal texts, oldest first
    artifact TEXT,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The documents come last: a row is read from the left, so that filters and sorts stay clear of long ones.
CREATE TABLE customization (
    tracker TEXT NOT NULL,
    id TEXT NOT NULL,
    model TEXT NOT NULL,
    target_type TEXT NOT NULL,
    target_identity TEXT,
    tags TEXT NOT NULL,  -- JSON, a list of texts
    creator TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    document BLOB NOT NULL,
    metadata BLOB,
    PRIMARY KEY (tracker, id)
) STRICT;

-- Nothing that a PUT usually changes is in an index, so that it dirties one page and not one more an index: each costs
-- a third of the writes per second. What lists filter and sort by, and rarely, is carried by the first one.
CREATE INDEX customization_newest
    ON customization (tracker, created_at DESC, id, target_type, creator);
CREATE INDEX customization_model ON customization (tracker, model, created_at DESC, id);
CREATE INDEX customization_target
    ON customization (tracker, coalesce(target_identity, ''), created_at DESC, id);

-- The tags of `customization` once more, to be found by.
CREATE TABLE customization_tag (
    tracker TEXT NOT NULL,
    tag TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (tracker, tag, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX customization_tag_of ON customization_tag (tracker, id);

CREATE TABLE object (
    tracker TEXT NOT NULL,
    identity TEXT NOT NULL,
    type TEXT NOT NULL,
    generation TEXT,
    document BLOB NOT NULL,
    PRIMARY KEY (tracker, identity)
) STRICT;

-- The feed that mirrors follow, and the audit log. A write has one revision and may change many things.
CREATE TABLE change (
    tracker TEXT NOT NULL,
    revision INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    action TEXT NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL,
    old BLOB,
    new BLOB
) STRICT;

-- Grows at its end, and holds all that followers ask. The log of one subject is found by walking it: an index by
-- subject would be as dear as the one by time of update that is not there either.
CREATE UNIQUE INDEX change_feed ON change (tracker, revision, ordinal, kind, subject);

-- What a caller's key led to, for a day.
CREATE TABLE replay (
    tracker TEXT NOT NULL,
    key TEXT NOT NULL,  -- SHA-256 of the caller's, hexadecimal
    fingerprint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    record BLOB NOT NULL,  -- MessagePack, endcap.domain.Record as first created
    PRIMARY KEY (tracker, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX replay_age ON replay (tracker, created_at);
