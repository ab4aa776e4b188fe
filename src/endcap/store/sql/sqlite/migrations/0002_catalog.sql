-- The catalog's kinds of fields, its generations, and jobs that work on it in the background.

-- What a field's values are: fixed by the first one.
CREATE TABLE field (
    tracker TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    identity TEXT NOT NULL,  -- of the object with the first value; empty when an operator fixed it
    since INTEGER NOT NULL,
    PRIMARY KEY (tracker, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
    tracker TEXT NOT NULL,
    id INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    state TEXT NOT NULL,  -- JSON, endcap.store.port.Job
    PRIMARY KEY (tracker, id)
) STRICT;

CREATE INDEX job_open ON job (tracker, created_at, id) WHERE status = 'in progress';

-- A commit of a generation looks at nothing but this.
CREATE INDEX object_generation ON object (tracker, type, generation, identity);

-- What is stored since before there were kinds is looked through by a job, while everybody works on.
INSERT INTO job (tracker, id, status, created_at, updated_at, state)
SELECT
    id, 0, 'in progress', 0, 0,
    '{"id":0,"kind":"fields","actor":"migration","created_at":0,"updated_at":0}'
FROM tracker
WHERE EXISTS (SELECT 1 FROM object WHERE object.tracker = tracker.id);
