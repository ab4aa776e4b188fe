-- The store. The tracker leads every key, and there are no sequences, triggers or foreign keys, so that the tables can
-- be spread over machines by tracker. Instants are microseconds since the epoch, UTC. Documents are the bytes that came
-- in. Texts compare by code point, COLLATE "C", whatever the database's own order.

-- A row a tracker, and the lock that its writers queue on: the order of its revisions is the order of commits.
CREATE TABLE tracker (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    name text NOT NULL,
    revision bigint NOT NULL,
    sealed_keys text NOT NULL,  -- JSON, a list of hexadecimal texts, oldest first
    artifact text,
    created_at bigint NOT NULL
);

CREATE TABLE customization (
    tracker text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    model text COLLATE "C" NOT NULL,
    target_type text COLLATE "C" NOT NULL,
    target_identity text COLLATE "C",
    tags text NOT NULL,  -- JSON, a list of texts
    document bytea NOT NULL,
    metadata bytea,
    creator text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (tracker, id)
);

-- Nothing that a PUT usually changes is in an index: it makes a new version of one row then, and no index entry.
CREATE INDEX customization_newest ON customization (tracker, created_at DESC, id);
CREATE INDEX customization_model ON customization (tracker, model, created_at DESC, id);
-- Identities may be longer than an index entry; the rest of one is compared in the row.
CREATE INDEX customization_target ON customization (tracker, left(target_identity, 250));

-- The tags of `customization` once more, to be found by.
CREATE TABLE customization_tag (
    tracker text COLLATE "C" NOT NULL,
    tag text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    PRIMARY KEY (tracker, tag, id)
);

CREATE INDEX customization_tag_of ON customization_tag (tracker, id);

CREATE TABLE object (
    tracker text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,  -- the identity, or the digest of a long one
    identity text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    generation text COLLATE "C",
    document bytea NOT NULL,
    PRIMARY KEY (tracker, key)
);

-- The feed that mirrors follow, and the audit log. A write has one revision and may change many things.
CREATE TABLE change (
    tracker text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    ordinal bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    actor text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    old bytea,
    new bytea,
    PRIMARY KEY (tracker, revision, ordinal)
);

CREATE INDEX change_subject ON change (tracker, left(subject, 250), revision);

-- What a caller's key led to, for a day.
CREATE TABLE replay (
    tracker text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,  -- SHA-256 of the caller's, hexadecimal
    fingerprint text NOT NULL,
    created_at bigint NOT NULL,
    record bytea NOT NULL,  -- MessagePack, endcap.domain.Record as first created
    PRIMARY KEY (tracker, key)
);

CREATE INDEX replay_age ON replay (tracker, created_at);
