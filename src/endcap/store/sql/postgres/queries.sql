-- Every query of the PostgreSQL store.
--
-- A query is a line with its name, a comment on what it is for, and the SQL up to the next name. Both adapters carry
-- the same names. What is no query (SET, LISTEN, NOTIFY, BEGIN) is in the adapter.
--
-- Sets of rows come as columns, an array each, in the order of the placeholders. They come in binary, %b: as texts they
-- took the client twice the time of the whole commit.

-- name: claim_trackers
-- Makes the rows of new trackers, so that there is something to queue on; tells which were not there.
INSERT INTO tracker (id, name, revision, sealed_keys, artifact, created_at)
SELECT * FROM unnest(
    %b::text[], %b::text[], %b::bigint[], %b::text[], %b::text[], %b::bigint[])
ON CONFLICT (id) DO NOTHING
RETURNING id

-- name: lock_trackers
-- Queues for the rows of a commit's trackers, in one order everywhere, so that none wait in a circle.
SELECT id, name, revision, sealed_keys, artifact, created_at
FROM tracker
WHERE id = ANY(%(trackers)s)
ORDER BY id
FOR UPDATE

-- name: save_trackers
-- Ends a commit: the new revisions.
INSERT INTO tracker (id, name, revision, sealed_keys, artifact, created_at)
SELECT * FROM unnest(
    %b::text[], %b::text[], %b::bigint[], %b::text[], %b::text[], %b::bigint[])
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, revision = excluded.revision, sealed_keys = excluded.sealed_keys,
    artifact = excluded.artifact

-- name: fetch_present_customizations
-- The customizations that a batch names, or that changed.
SELECT
    c.tracker, c.id, c.model, c.target_type, c.target_identity, c.tags, c.document, c.metadata,
    c.creator, c.created_at, c.updated_at, c.revision, c.disabled
FROM unnest(%b::text[], %b::text[]) AS k (tracker, id)
JOIN customization AS c ON c.tracker = k.tracker AND c.id = k.id

-- name: fetch_present_objects
-- The catalog objects that a batch names, or that changed.
SELECT o.tracker, o.identity, o.type, o.generation, o.document
FROM unnest(%b::text[], %b::text[]) AS k (tracker, key)
JOIN object AS o ON o.tracker = k.tracker AND o.key = k.key

-- name: fetch_present_replays
-- The replays that a batch names.
SELECT r.tracker, r.key, r.fingerprint, r.created_at, r.record
FROM unnest(%b::text[], %b::text[]) AS k (tracker, key)
JOIN replay AS r ON r.tracker = k.tracker AND r.key = k.key

-- name: save_customizations
-- New rows, and rows of which something changed that indexes are made of.
INSERT INTO customization (
    tracker, id, model, target_type, target_identity, tags, document, metadata, creator,
    created_at, updated_at, revision, disabled)
SELECT * FROM unnest(
    %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bytea[],
    %b::bytea[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::boolean[])
ON CONFLICT (tracker, id) DO UPDATE SET
    model = excluded.model, target_type = excluded.target_type,
    target_identity = excluded.target_identity, tags = excluded.tags, creator = excluded.creator,
    created_at = excluded.created_at, updated_at = excluded.updated_at,
    revision = excluded.revision, document = excluded.document, metadata = excluded.metadata,
    disabled = excluded.disabled

-- name: rewrite_customizations
-- The usual PUT: all but what indexes are made of.
UPDATE customization
SET tags = r.tags, document = r.document, metadata = r.metadata, updated_at = r.updated_at,
    revision = r.revision, disabled = r.disabled
FROM unnest(
    %b::text[], %b::text[], %b::text[], %b::bytea[], %b::bytea[], %b::bigint[], %b::bigint[],
    %b::boolean[])
    AS r (tracker, id, tags, document, metadata, updated_at, revision, disabled)
WHERE customization.tracker = r.tracker AND customization.id = r.id

-- name: delete_customizations
DELETE FROM customization
USING unnest(%b::text[], %b::text[]) AS k (tracker, id)
WHERE customization.tracker = k.tracker AND customization.id = k.id

-- name: delete_tags
-- All tags of some customizations.
DELETE FROM customization_tag
USING unnest(%b::text[], %b::text[]) AS k (tracker, id)
WHERE customization_tag.tracker = k.tracker AND customization_tag.id = k.id

-- name: save_tags
INSERT INTO customization_tag (tracker, id, tag)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[])

-- name: save_objects
INSERT INTO object (tracker, key, identity, type, generation, document)
SELECT * FROM unnest(
    %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bytea[])
ON CONFLICT (tracker, key) DO UPDATE SET
    type = excluded.type, generation = excluded.generation, document = excluded.document

-- name: delete_objects
DELETE FROM object
USING unnest(%b::text[], %b::text[]) AS k (tracker, key)
WHERE object.tracker = k.tracker AND object.key = k.key

-- name: fetch_present_fields
-- The fields that a batch names, as far as they have a kind.
SELECT f.tracker, f.name, f.kind, f.identity, f.since
FROM unnest(%b::text[], %b::text[]) AS k (tracker, name)
JOIN field AS f ON f.tracker = k.tracker AND f.name = k.name

-- name: fetch_present_jobs
-- The jobs that a batch names.
SELECT j.tracker, j.state
FROM unnest(%b::text[], %b::bigint[]) AS k (tracker, id)
JOIN job AS j ON j.tracker = k.tracker AND j.id = k.id

-- name: save_fields
INSERT INTO field (tracker, name, kind, identity, since)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[])
ON CONFLICT (tracker, name) DO UPDATE SET
    kind = excluded.kind, identity = excluded.identity, since = excluded.since

-- name: delete_fields
DELETE FROM field
USING unnest(%b::text[], %b::text[]) AS k (tracker, name)
WHERE field.tracker = k.tracker AND field.name = k.name

-- name: save_jobs
INSERT INTO job (tracker, id, status, created_at, updated_at, state)
SELECT * FROM unnest(
    %b::text[], %b::bigint[], %b::text[], %b::bigint[], %b::bigint[], %b::text[])
ON CONFLICT (tracker, id) DO UPDATE SET
    status = excluded.status, updated_at = excluded.updated_at, state = excluded.state

-- name: purge_jobs
-- Jobs that ended, and were asked for long enough.
DELETE FROM job
WHERE tracker = %(tracker)s AND updated_at <= %(before)s AND status <> 'in progress'

-- name: count_generation
-- What a commit of a generation keeps.
SELECT count(*)
FROM object
WHERE tracker = %(tracker)s AND type = %(type)s AND generation = %(generation)s

-- name: sweep
-- A commit of a generation: removes some of what is not of it. Along the index: what has none, what is before it, and
-- what is behind it.
DELETE FROM object
WHERE tracker = %(tracker)s AND key IN (
    SELECT key FROM object
    WHERE tracker = %(tracker)s AND type = %(type)s AND generation IS NULL
    UNION ALL
    SELECT key FROM object
    WHERE tracker = %(tracker)s AND type = %(type)s AND generation < %(generation)s
    UNION ALL
    SELECT key FROM object
    WHERE tracker = %(tracker)s AND type = %(type)s AND generation > %(generation)s
    LIMIT %(limit)s
)
RETURNING identity

-- name: save_replays
-- An outdated replay gives way.
INSERT INTO replay (tracker, key, fingerprint, created_at, record)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::bytea[])
ON CONFLICT (tracker, key) DO UPDATE SET
    fingerprint = excluded.fingerprint, created_at = excluded.created_at, record = excluded.record

-- name: purge_replays
-- Replays that have served.
DELETE FROM replay WHERE tracker = %(tracker)s AND created_at <= %(before)s

-- name: save_models
INSERT INTO model (tracker, name, document, updated_at, revision)
SELECT * FROM unnest(%b::text[], %b::text[], %b::bytea[], %b::bigint[], %b::bigint[])
ON CONFLICT (tracker, name) DO UPDATE SET
    document = excluded.document, updated_at = excluded.updated_at, revision = excluded.revision

-- name: delete_models
DELETE FROM model
USING unnest(%b::text[], %b::text[]) AS k (tracker, name)
WHERE model.tracker = k.tracker AND model.name = k.name

-- name: save_changes
-- The feed and the log.
INSERT INTO change (
    tracker, revision, ordinal, kind, subject, action, actor, at, old, new)
SELECT * FROM unnest(
    %b::text[], %b::bigint[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::bigint[], %b::bytea[], %b::bytea[])

-- name: fetch_trackers
SELECT id, name, revision, sealed_keys, artifact, created_at FROM tracker ORDER BY id

-- name: fetch_tracker
SELECT id, name, revision, sealed_keys, artifact, created_at FROM tracker WHERE id = %(tracker)s

-- name: fetch_revisions
-- What followers poll.
SELECT id, revision FROM tracker

-- name: fetch_customization
-- The point read behind GET.
SELECT
    id, model, target_type, target_identity, tags, document, metadata, creator, created_at,
    updated_at, revision, disabled
FROM customization
WHERE tracker = %(tracker)s AND id = %(id)s

-- name: count_customizations
-- The total of a page.
SELECT count(*) FROM customization WHERE tracker = %(tracker)s{conditions}

-- name: fetch_page
-- One page, found by narrow rows first: the documents of what is sorted away are not read.
SELECT
    id, model, target_type, target_identity, tags, document, metadata, creator, created_at,
    updated_at, revision, disabled
FROM customization
WHERE tracker = %(tracker)s AND id = ANY(ARRAY(
    SELECT id
    FROM customization
    WHERE tracker = %(tracker)s{conditions}
    ORDER BY {order}
    LIMIT %(limit)s OFFSET %(offset)s
))
ORDER BY {order}

-- name: fetch_matches
-- All, sorted.
SELECT
    id, model, target_type, target_identity, tags, document, metadata, creator, created_at,
    updated_at, revision, disabled
FROM customization
WHERE tracker = %(tracker)s{conditions}
ORDER BY {order}

-- name: has_model
-- A condition of the three above, as are the next three.
model IN ({values})

-- name: has_tag
id IN (SELECT id FROM customization_tag WHERE tracker = %(tracker)s AND tag IN ({values}))

-- name: has_target_type
target_type IN ({values})

-- name: has_target_identity
target_identity IN ({values})
AND left(target_identity, 250) IN (SELECT left(value, 250) FROM unnest(ARRAY[{values}]) AS value)

-- name: count_models
SELECT model, count(*) FROM customization WHERE tracker = %(tracker)s GROUP BY model ORDER BY model

-- name: fetch_tags
SELECT DISTINCT tag FROM customization_tag WHERE tracker = %(tracker)s ORDER BY tag

-- name: fetch_models
-- A tracker's table of models, whole: it is bounded.
SELECT name, document, updated_at, revision FROM model WHERE tracker = %(tracker)s ORDER BY name

-- name: count_rows
-- What a load is about to read.
SELECT
    (SELECT count(*) FROM customization WHERE tracker = %(tracker)s),
    (SELECT count(*) FROM object WHERE tracker = %(tracker)s)

-- name: load_customizations
SELECT
    id, model, target_type, target_identity, tags, document, metadata, creator, created_at,
    updated_at, revision, disabled
FROM customization
WHERE tracker = %(tracker)s

-- name: load_objects
SELECT identity, type, generation, document FROM object WHERE tracker = %(tracker)s

-- name: fetch_objects_after
-- A page of the catalog, walked along its key. `fetch_objects_of_types_after` is the same for some types alone.
SELECT identity, type, generation, document
FROM object
WHERE tracker = %(tracker)s AND key > %(after)s
ORDER BY key
LIMIT %(limit)s

-- name: fetch_objects_of_types_after
SELECT identity, type, generation, document
FROM object
WHERE tracker = %(tracker)s AND key > %(after)s AND type = ANY(%(types)s)
ORDER BY key
LIMIT %(limit)s

-- name: count_objects
SELECT count(*) FROM object WHERE tracker = %(tracker)s

-- name: count_objects_of_types
SELECT count(*) FROM object WHERE tracker = %(tracker)s AND type = ANY(%(types)s)

-- name: fetch_fields
SELECT name, kind, identity, since FROM field WHERE tracker = %(tracker)s ORDER BY name

-- name: fetch_job
SELECT state FROM job WHERE tracker = %(tracker)s AND id = %(id)s

-- name: fetch_open_jobs
-- What is to be worked on: the oldest job of every tracker.
SELECT tracker, state
FROM (
    SELECT DISTINCT ON (tracker) tracker, created_at, state
    FROM job
    WHERE status = 'in progress'
    ORDER BY tracker, created_at, id
) AS first
ORDER BY created_at, tracker

-- name: count_open_jobs
SELECT count(*) FROM job WHERE tracker = %(tracker)s AND status = 'in progress'

-- name: fetch_changed_subjects
-- What changed after a revision: kinds and subjects.
SELECT DISTINCT kind, subject
FROM change
WHERE tracker = %(tracker)s AND revision > %(since)s AND kind IN ('customization', 'object', 'model')

-- name: count_changes
-- How far a follower is behind, as far as it wants to know.
SELECT count(*)
FROM (
    SELECT 1
    FROM change
    WHERE tracker = %(tracker)s AND revision > %(since)s
    LIMIT %(at_most)s
) AS counted

-- name: fetch_history
-- The log, oldest first.
SELECT revision, kind, subject, action, actor, at, old, new
FROM change
WHERE tracker = %(tracker)s
ORDER BY revision, ordinal

-- name: fetch_log
-- A stretch of the log, oldest first.
SELECT revision, kind, subject, action, actor, at, old, new
FROM change
WHERE tracker = %(tracker)s AND revision > %(after)s AND revision <= %(through)s
ORDER BY revision, ordinal

-- name: fetch_history_of
-- The log of one subject, oldest first.
SELECT revision, kind, subject, action, actor, at, old, new
FROM change
WHERE tracker = %(tracker)s AND left(subject, 250) = left(%(subject)s, 250)
    AND subject = %(subject)s
ORDER BY revision, ordinal

-- name: fetch_present_drafts
-- The drafts that a batch names.
SELECT
    d.tracker, d.id, d.document, d.base, d.author, d.updated_at, d.revision, d.creator,
    d.created_at, d.publish_at, d.publisher, d.held
FROM unnest(%b::text[], %b::text[]) AS k (tracker, id)
JOIN draft AS d ON d.tracker = k.tracker AND d.id = k.id

-- name: save_drafts
INSERT INTO draft (
    tracker, id, document, base, author, updated_at, revision, creator, created_at, publish_at,
    publisher, held)
SELECT * FROM unnest(
    %b::text[], %b::text[], %b::bytea[], %b::bigint[], %b::text[], %b::bigint[], %b::bigint[],
    %b::text[], %b::bigint[], %b::bigint[], %b::text[], %b::text[])
ON CONFLICT (tracker, id) DO UPDATE SET
    document = excluded.document, base = excluded.base, author = excluded.author,
    updated_at = excluded.updated_at, revision = excluded.revision, creator = excluded.creator,
    created_at = excluded.created_at, publish_at = excluded.publish_at,
    publisher = excluded.publisher, held = excluded.held

-- name: delete_drafts
DELETE FROM draft
USING unnest(%b::text[], %b::text[]) AS k (tracker, id)
WHERE draft.tracker = k.tracker AND draft.id = k.id

-- name: fetch_draft
SELECT
    id, document, base, author, updated_at, revision,
    creator, created_at, publish_at, publisher, held
FROM draft
WHERE tracker = %(tracker)s AND id = %(id)s

-- name: fetch_drafts
-- A page of them: those to be published first, as they will be.
SELECT
    id, document, base, author, updated_at, revision,
    creator, created_at, publish_at, publisher, held
FROM draft
WHERE tracker = %(tracker)s
ORDER BY publish_at IS NULL, publish_at, updated_at DESC, id
LIMIT %(limit)s OFFSET %(offset)s

-- name: count_drafts
SELECT count(*) FROM draft WHERE tracker = %(tracker)s

-- name: fetch_drafts_named
SELECT
    id, document, base, author, updated_at, revision,
    creator, created_at, publish_at, publisher, held
FROM draft
WHERE tracker = %(tracker)s AND id IN (SELECT jsonb_array_elements_text(%(ids)s::jsonb))

-- name: fetch_due
-- What is to be published by now, of all trackers.
SELECT
    tracker, id, document, base, author, updated_at, revision,
    creator, created_at, publish_at, publisher, held
FROM draft
WHERE publish_at <= %(now)s
ORDER BY publish_at, tracker, id
LIMIT %(limit)s

-- name: fetch_last_line
SELECT revision
FROM change
WHERE tracker = %(tracker)s
ORDER BY revision DESC
LIMIT 1

-- name: fetch_instant
-- When a revision, or else the next one, was made.
SELECT revision, at
FROM change
WHERE tracker = %(tracker)s AND revision >= %(revision)s
ORDER BY revision, ordinal
LIMIT 1

-- name: fetch_lines
-- The log backwards, from before a place, as far as it is asked for.
SELECT revision, ordinal, kind, subject, action, actor, at, old, new
FROM change
WHERE tracker = %(tracker)s AND revision > %(after)s
    AND (revision, ordinal) < (%(revision)s::bigint, %(ordinal)s::bigint)
    AND (%(kinds)s::text IS NULL OR kind IN (SELECT jsonb_array_elements_text(%(kinds)s::jsonb)))
    AND (%(actors)s::text IS NULL OR actor IN (SELECT jsonb_array_elements_text(%(actors)s::jsonb)))
    AND (%(actions)s::text IS NULL OR action IN (SELECT jsonb_array_elements_text(%(actions)s::jsonb)))
    AND (%(subject)s::text IS NULL OR subject = %(subject)s)
    AND (%(since)s::bigint IS NULL OR at >= %(since)s)
    AND (%(until)s::bigint IS NULL OR at < %(until)s)
ORDER BY revision DESC, ordinal DESC
LIMIT %(limit)s

-- name: fetch_touched
-- What customizations were at a revision, of those changed since: before the first change after it they were as they
-- had been. Narrow rows first, one for each; then two lines of the log, and what is there now.
WITH touched AS MATERIALIZED (
    SELECT
        subject, min((revision << 32) | ordinal) AS first_line,
        max((revision << 32) | ordinal) AS last_line
    FROM change
    WHERE tracker = %(tracker)s AND revision > %(since)s AND kind = 'customization'
    GROUP BY subject
)
SELECT
    t.subject, f.old, l.old, c.id, c.model, c.target_type, c.target_identity, c.tags, c.document,
    c.metadata, c.creator, c.created_at, c.updated_at, c.revision, c.disabled
FROM touched AS t
JOIN change AS f
    ON f.tracker = %(tracker)s AND f.revision = t.first_line >> 32
        AND f.ordinal = t.first_line & 4294967295
JOIN change AS l
    ON l.tracker = %(tracker)s AND l.revision = t.last_line >> 32
        AND l.ordinal = t.last_line & 4294967295
LEFT JOIN customization AS c ON c.tracker = %(tracker)s AND c.id = t.subject

-- name: claim_build
-- Takes a tracker's build, or takes it for longer; nothing comes back where somebody else has it.
INSERT INTO build (tracker, holder, held_until, paused, record)
VALUES (%(tracker)s, %(holder)s, %(until)s, 0, %(record)s)
ON CONFLICT (tracker) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
WHERE build.holder IS NULL OR build.holder = excluded.holder OR build.held_until <= %(now)s
RETURNING tracker, holder, held_until, paused, record

-- name: keep_build
-- What the holder says of its build; without `until` it lets go.
UPDATE build
SET record = %(record)s, held_until = coalesce(%(until)s::bigint, held_until),
    holder = CASE WHEN %(until)s::bigint IS NULL THEN NULL ELSE holder END
WHERE tracker = %(tracker)s AND holder = %(holder)s
RETURNING tracker

-- name: pause_build
-- Has the schedule leave a tracker alone, or no longer.
INSERT INTO build (tracker, holder, held_until, paused, record)
VALUES (%(tracker)s, NULL, 0, %(paused)s, %(record)s)
ON CONFLICT (tracker) DO UPDATE SET paused = excluded.paused
RETURNING tracker

-- name: fetch_builds
SELECT tracker, holder, held_until, paused, record FROM build ORDER BY tracker
