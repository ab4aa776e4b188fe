-- Every query of the SQLite store.
--
-- A query is a line with its name, a comment on what it is for, and the SQL up to the next name. Both adapters carry
-- the same names. What is no query (BEGIN, PRAGMA) is in the adapter.
--
-- {rows} stands for as many rows of placeholders as there are rows to write. The `fetch_present_*` answer with one row
-- whatever they find, a JSON list of heads and the documents end to end: fewer rows mean fewer handovers of Python's
-- lock between the writer and a busy event loop.

-- name: claim_trackers
-- Makes the rows of new trackers, so that there is something to queue on; tells which were not there.
INSERT INTO tracker (id, name, revision, sealed_keys, artifact, created_at)
VALUES {rows}
ON CONFLICT (id) DO NOTHING
RETURNING id

-- name: lock_trackers
-- The rows of a commit's trackers; the transaction itself is the lock here.
SELECT id, name, revision, sealed_keys, artifact, created_at
FROM tracker
WHERE id IN (SELECT value FROM json_each(:trackers))

-- name: save_trackers
-- Ends a commit: the new revisions.
INSERT INTO tracker (id, name, revision, sealed_keys, artifact, created_at)
VALUES {rows}
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, revision = excluded.revision, sealed_keys = excluded.sealed_keys,
    artifact = excluded.artifact

-- name: fetch_present_customizations
-- The customizations that a batch names, or that changed.
SELECT
    json_group_array(json_array(
        json_array(c.tracker, length(c.document), length(c.metadata)),
        json_array(c.id, c.model, c.target_type, c.target_identity, json(c.tags)),
        json_array(c.creator, c.created_at, c.updated_at, c.revision,
            json(iif(c.disabled, 'true', 'false'))))),
    CAST(group_concat(c.document, '') AS BLOB),
    CAST(group_concat(c.metadata, '') AS BLOB)
FROM json_each(:keys) AS k
CROSS JOIN customization AS c
    ON c.tracker = json_extract(k.value, '$[0]') AND c.id = json_extract(k.value, '$[1]')

-- name: fetch_present_objects
-- The catalog objects that a batch names, or that changed.
SELECT
    json_group_array(json_array(
        json_array(o.tracker, length(o.document)),
        json_array(o.identity, o.type, o.generation))),
    CAST(group_concat(o.document, '') AS BLOB)
FROM json_each(:keys) AS k
CROSS JOIN object AS o
    ON o.tracker = json_extract(k.value, '$[0]') AND o.identity = json_extract(k.value, '$[1]')

-- name: fetch_present_replays
-- The replays that a batch names.
SELECT
    json_group_array(json_array(
        json_array(r.tracker, length(r.record)),
        json_array(r.key, r.fingerprint, r.created_at))),
    CAST(group_concat(r.record, '') AS BLOB)
FROM json_each(:keys) AS k
CROSS JOIN replay AS r
    ON r.tracker = json_extract(k.value, '$[0]') AND r.key = json_extract(k.value, '$[1]')

-- name: save_customizations
-- New rows, and rows of which something changed that indexes are made of.
INSERT INTO customization (
    tracker, id, model, target_type, target_identity, tags, document, metadata, creator,
    created_at, updated_at, revision, disabled)
VALUES {rows}
ON CONFLICT (tracker, id) DO UPDATE SET
    model = excluded.model, target_type = excluded.target_type,
    target_identity = excluded.target_identity, tags = excluded.tags, creator = excluded.creator,
    created_at = excluded.created_at, updated_at = excluded.updated_at,
    revision = excluded.revision, document = excluded.document, metadata = excluded.metadata,
    disabled = excluded.disabled

-- name: rewrite_customizations
-- The usual PUT: all but what indexes are made of.
WITH rewritten (
    tracker, id, tags, document, metadata, updated_at, revision, disabled) AS (VALUES {rows})
UPDATE customization
SET tags = r.tags, document = r.document, metadata = r.metadata, updated_at = r.updated_at,
    revision = r.revision, disabled = r.disabled
FROM rewritten AS r
WHERE customization.tracker = r.tracker AND customization.id = r.id

-- name: delete_customizations
DELETE FROM customization WHERE (tracker, id) IN (SELECT column1, column2 FROM (VALUES {rows}))

-- name: delete_tags
-- All tags of some customizations.
DELETE FROM customization_tag WHERE (tracker, id) IN (SELECT column1, column2 FROM (VALUES {rows}))

-- name: save_tags
INSERT INTO customization_tag (tracker, id, tag) VALUES {rows}

-- name: save_objects
INSERT INTO object (tracker, identity, type, generation, document)
VALUES {rows}
ON CONFLICT (tracker, identity) DO UPDATE SET
    type = excluded.type, generation = excluded.generation, document = excluded.document

-- name: delete_objects
DELETE FROM object WHERE (tracker, identity) IN (SELECT column1, column2 FROM (VALUES {rows}))

-- name: fetch_present_fields
-- The fields that a batch names, as far as they have a kind.
SELECT json_group_array(json_array(f.tracker, json_array(f.name, f.kind, f.identity, f.since)))
FROM json_each(:keys) AS k
CROSS JOIN field AS f
    ON f.tracker = json_extract(k.value, '$[0]') AND f.name = json_extract(k.value, '$[1]')

-- name: fetch_present_jobs
-- The jobs that a batch names.
SELECT json_group_array(json_array(j.tracker, json(j.state)))
FROM json_each(:keys) AS k
CROSS JOIN job AS j
    ON j.tracker = json_extract(k.value, '$[0]') AND j.id = json_extract(k.value, '$[1]')

-- name: save_fields
INSERT INTO field (tracker, name, kind, identity, since)
VALUES {rows}
ON CONFLICT (tracker, name) DO UPDATE SET
    kind = excluded.kind, identity = excluded.identity, since = excluded.since

-- name: delete_fields
DELETE FROM field WHERE (tracker, name) IN (SELECT column1, column2 FROM (VALUES {rows}))

-- name: save_jobs
INSERT INTO job (tracker, id, status, created_at, updated_at, state)
VALUES {rows}
ON CONFLICT (tracker, id) DO UPDATE SET
    status = excluded.status, updated_at = excluded.updated_at, state = excluded.state

-- name: purge_jobs
-- Jobs that ended, and were asked for long enough.
DELETE FROM job WHERE tracker = :tracker AND updated_at <= :before AND status <> 'in progress'

-- name: count_generation
-- What a commit of a generation keeps.
SELECT count(*)
FROM object
WHERE tracker = :tracker AND type = :type AND generation = :generation

-- name: sweep
-- A commit of a generation: removes some of what is not of it. Along the index: what has none, what is before it, and
-- what is behind it.
DELETE FROM object
WHERE rowid IN (
    SELECT rowid FROM object WHERE tracker = :tracker AND type = :type AND generation IS NULL
    UNION ALL
    SELECT rowid FROM object WHERE tracker = :tracker AND type = :type AND generation < :generation
    UNION ALL
    SELECT rowid FROM object WHERE tracker = :tracker AND type = :type AND generation > :generation
    LIMIT :limit
)
RETURNING identity

-- name: save_replays
-- An outdated replay gives way.
INSERT INTO replay (tracker, key, fingerprint, created_at, record)
VALUES {rows}
ON CONFLICT (tracker, key) DO UPDATE SET
    fingerprint = excluded.fingerprint, created_at = excluded.created_at, record = excluded.record

-- name: purge_replays
-- Replays that have served.
DELETE FROM replay WHERE tracker = :tracker AND created_at <= :before

-- name: save_models
INSERT INTO model (tracker, name, document, updated_at, revision)
VALUES {rows}
ON CONFLICT (tracker, name) DO UPDATE SET
    document = excluded.document, updated_at = excluded.updated_at, revision = excluded.revision

-- name: delete_models
DELETE FROM model WHERE (tracker, name) IN (VALUES {rows})

-- name: save_changes
-- The feed and the log.
INSERT INTO change (
    tracker, revision, ordinal, kind, subject, action, actor, at, old, new)
VALUES {rows}

-- name: fetch_trackers
SELECT id, name, revision, sealed_keys, artifact, created_at FROM tracker ORDER BY id

-- name: fetch_tracker
SELECT id, name, revision, sealed_keys, artifact, created_at FROM tracker WHERE id = :tracker

-- name: fetch_revisions
-- What followers poll.
SELECT id, revision FROM tracker

-- name: fetch_customization
-- The point read behind GET.
SELECT
    id, model, target_type, target_identity, tags, document, metadata, creator, created_at,
    updated_at, revision, disabled
FROM customization
WHERE tracker = :tracker AND id = :id

-- name: count_customizations
-- The total of a page.
SELECT count(*) FROM customization WHERE tracker = :tracker{conditions}

-- name: fetch_page
-- One page, found by narrow rows first: the documents of what is sorted away are not read.
WITH page AS MATERIALIZED (
    SELECT rowid AS place
    FROM customization {index}
    WHERE tracker = :tracker{conditions}
    ORDER BY {order}
    LIMIT :limit OFFSET :offset
)
SELECT
    id, model, target_type, target_identity, tags, document, metadata, creator, created_at,
    updated_at, revision, disabled
FROM page CROSS JOIN customization ON customization.rowid = page.place

-- name: fetch_matches
-- All, sorted; by narrow rows first here too. Without a limit SQLite leaves out the order of a joined subquery.
WITH page AS MATERIALIZED (
    SELECT rowid AS place
    FROM customization {index}
    WHERE tracker = :tracker{conditions}
    ORDER BY {order}
    LIMIT -1
)
SELECT
    id, model, target_type, target_identity, tags, document, metadata, creator, created_at,
    updated_at, revision, disabled
FROM page CROSS JOIN customization ON customization.rowid = page.place

-- name: has_model
-- A condition of the three above, as are the next three.
model IN ({values})

-- name: has_tag
id IN (SELECT id FROM customization_tag WHERE tracker = :tracker AND tag IN ({values}))

-- name: has_target_type
target_type IN ({values})

-- name: has_target_identity
coalesce(target_identity, '') IN ({values}) AND target_identity IS NOT NULL

-- name: count_models
SELECT model, count(*) FROM customization WHERE tracker = :tracker GROUP BY model ORDER BY model

-- name: fetch_tags
SELECT DISTINCT tag FROM customization_tag WHERE tracker = :tracker ORDER BY tag

-- name: fetch_models
-- A tracker's table of models, whole: it is bounded.
SELECT name, document, updated_at, revision FROM model WHERE tracker = :tracker ORDER BY name

-- name: count_rows
-- What a load is about to read.
SELECT
    (SELECT count(*) FROM customization WHERE tracker = :tracker),
    (SELECT count(*) FROM object WHERE tracker = :tracker)

-- name: load_customizations
SELECT
    id, model, target_type, target_identity, tags, document, metadata, creator, created_at,
    updated_at, revision, disabled
FROM customization
WHERE tracker = :tracker

-- name: load_objects
SELECT identity, type, generation, document FROM object WHERE tracker = :tracker

-- name: fetch_objects_after
-- A page of the catalog, walked along its key. `fetch_objects_of_types_after` is the same for some types alone.
SELECT identity, type, generation, document
FROM object
WHERE tracker = :tracker AND identity > :after
ORDER BY identity
LIMIT :limit

-- name: fetch_objects_of_types_after
SELECT identity, type, generation, document
FROM object
WHERE tracker = :tracker AND identity > :after AND type IN (SELECT value FROM json_each(:types))
ORDER BY identity
LIMIT :limit

-- name: count_objects
-- From the index alone, which the one of types cannot do.
SELECT count(*) FROM object WHERE tracker = :tracker

-- name: count_objects_of_types
SELECT count(*)
FROM object
WHERE tracker = :tracker AND type IN (SELECT value FROM json_each(:types))

-- name: fetch_fields
SELECT name, kind, identity, since FROM field WHERE tracker = :tracker ORDER BY name

-- name: fetch_job
SELECT state FROM job WHERE tracker = :tracker AND id = :id

-- name: fetch_open_jobs
-- What is to be worked on: the oldest job of every tracker.
SELECT j.tracker, j.state
FROM (
    SELECT tracker, id, row_number() OVER (PARTITION BY tracker ORDER BY created_at, id) AS place
    FROM job
    WHERE status = 'in progress'
) AS first
JOIN job AS j ON j.tracker = first.tracker AND j.id = first.id
WHERE first.place = 1
ORDER BY j.created_at, j.tracker

-- name: count_open_jobs
SELECT count(*) FROM job WHERE tracker = :tracker AND status = 'in progress'

-- name: fetch_changed_subjects
-- What changed after a revision: kinds and subjects, as a JSON list, for the reason given above.
SELECT json_group_array(json_array(kind, subject))
FROM (
    SELECT DISTINCT kind, subject
    FROM change
    WHERE tracker = :tracker AND revision > :since AND kind IN ('customization', 'object', 'model')
)

-- name: count_changes
-- How far a follower is behind, as far as it wants to know.
SELECT count(*)
FROM (
    SELECT 1
    FROM change
    WHERE tracker = :tracker AND revision > :since
    LIMIT :at_most
)

-- name: fetch_history
-- The log, oldest first.
SELECT revision, kind, subject, action, actor, at, old, new
FROM change
WHERE tracker = :tracker
ORDER BY revision, ordinal

-- name: fetch_log
-- A stretch of the log, oldest first.
SELECT revision, kind, subject, action, actor, at, old, new
FROM change
WHERE tracker = :tracker AND revision > :after AND revision <= :through
ORDER BY revision, ordinal

-- name: fetch_history_of
-- The log of one subject, oldest first.
SELECT revision, kind, subject, action, actor, at, old, new
FROM change
WHERE tracker = :tracker AND subject = :subject
ORDER BY revision, ordinal

-- name: fetch_present_drafts
-- The drafts that a batch names.
SELECT
    d.tracker, d.id, d.document, d.base, d.author, d.updated_at, d.revision, d.creator,
    d.created_at, d.publish_at, d.publisher, d.held
FROM json_each(:keys) AS k
CROSS JOIN draft AS d
    ON d.tracker = json_extract(k.value, '$[0]') AND d.id = json_extract(k.value, '$[1]')

-- name: save_drafts
INSERT INTO draft (
    tracker, id, document, base, author, updated_at, revision, creator, created_at, publish_at,
    publisher, held)
VALUES {rows}
ON CONFLICT (tracker, id) DO UPDATE SET
    document = excluded.document, base = excluded.base, author = excluded.author,
    updated_at = excluded.updated_at, revision = excluded.revision, creator = excluded.creator,
    created_at = excluded.created_at, publish_at = excluded.publish_at,
    publisher = excluded.publisher, held = excluded.held

-- name: delete_drafts
DELETE FROM draft WHERE (tracker, id) IN (SELECT column1, column2 FROM (VALUES {rows}))

-- name: fetch_draft
SELECT
    id, document, base, author, updated_at, revision,
    creator, created_at, publish_at, publisher, held
FROM draft
WHERE tracker = :tracker AND id = :id

-- name: fetch_drafts
-- A page of them: those to be published first, as they will be.
SELECT
    id, document, base, author, updated_at, revision,
    creator, created_at, publish_at, publisher, held
FROM draft
WHERE tracker = :tracker
ORDER BY publish_at IS NULL, publish_at, updated_at DESC, id
LIMIT :limit OFFSET :offset

-- name: count_drafts
SELECT count(*) FROM draft WHERE tracker = :tracker

-- name: fetch_drafts_named
SELECT
    id, document, base, author, updated_at, revision,
    creator, created_at, publish_at, publisher, held
FROM draft
WHERE tracker = :tracker AND id IN (SELECT value FROM json_each(:ids))

-- name: fetch_due
-- What is to be published by now, of all trackers.
SELECT
    tracker, id, document, base, author, updated_at, revision,
    creator, created_at, publish_at, publisher, held
FROM draft
WHERE publish_at <= :now
ORDER BY publish_at, tracker, id
LIMIT :limit

-- name: fetch_last_line
SELECT revision
FROM change
WHERE tracker = :tracker
ORDER BY revision DESC
LIMIT 1

-- name: fetch_instant
-- When a revision, or else the next one, was made.
SELECT revision, at
FROM change
WHERE tracker = :tracker AND revision >= :revision
ORDER BY revision, ordinal
LIMIT 1

-- name: fetch_lines
-- The log backwards, from before a place, as far as it is asked for.
SELECT revision, ordinal, kind, subject, action, actor, at, old, new
FROM change
WHERE tracker = :tracker AND revision > :after
    AND (revision, ordinal) < (:revision, :ordinal)
    AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds)))
    AND (:actors IS NULL OR actor IN (SELECT value FROM json_each(:actors)))
    AND (:actions IS NULL OR action IN (SELECT value FROM json_each(:actions)))
    AND (:subject IS NULL OR subject = :subject)
    AND (:since IS NULL OR at >= :since)
    AND (:until IS NULL OR at < :until)
ORDER BY revision DESC, ordinal DESC
LIMIT :limit

-- name: fetch_touched
-- What customizations were at a revision, of those changed since: before the first change after it they were as they
-- had been. Narrow rows first, one for each; then two lines of the log, and what is there now.
WITH touched AS MATERIALIZED (
    SELECT
        subject, min((revision << 32) | ordinal) AS first_line,
        max((revision << 32) | ordinal) AS last_line
    FROM change
    WHERE tracker = :tracker AND revision > :since AND kind = 'customization'
    GROUP BY subject
)
SELECT
    t.subject, f.old, l.old, c.id, c.model, c.target_type, c.target_identity, c.tags, c.document,
    c.metadata, c.creator, c.created_at, c.updated_at, c.revision, c.disabled
FROM touched AS t
CROSS JOIN change AS f
    ON f.tracker = :tracker AND f.revision = t.first_line >> 32
        AND f.ordinal = t.first_line & 4294967295
CROSS JOIN change AS l
    ON l.tracker = :tracker AND l.revision = t.last_line >> 32
        AND l.ordinal = t.last_line & 4294967295
LEFT JOIN customization AS c ON c.tracker = :tracker AND c.id = t.subject

-- name: claim_build
-- Takes a tracker's build, or takes it for longer; nothing comes back where somebody else has it. `WHERE true` tells
-- SQLite that ON belongs to INSERT.
INSERT INTO build (tracker, holder, held_until, paused, record)
SELECT :tracker, :holder, :until, 0, :record
WHERE true
ON CONFLICT (tracker) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
WHERE build.holder IS NULL OR build.holder = excluded.holder OR build.held_until <= :now
RETURNING tracker, holder, held_until, paused, record

-- name: keep_build
-- What the holder says of its build; without `until` it lets go.
UPDATE build
SET record = :record, held_until = coalesce(:until, held_until),
    holder = CASE WHEN :until IS NULL THEN NULL ELSE holder END
WHERE tracker = :tracker AND holder = :holder
RETURNING tracker

-- name: pause_build
-- Has the schedule leave a tracker alone, or no longer.
INSERT INTO build (tracker, holder, held_until, paused, record)
VALUES (:tracker, NULL, 0, :paused, :record)
ON CONFLICT (tracker) DO UPDATE SET paused = excluded.paused
RETURNING tracker

-- name: fetch_builds
SELECT tracker, holder, held_until, paused, record FROM build ORDER BY tracker
