-- Who builds a tracker's recommenders, and how that went: a row a tracker. No revision is spent on it, and nobody
-- follows it: what is served changes with `tracker.artifact` alone.
CREATE TABLE build (
    tracker TEXT NOT NULL PRIMARY KEY,
    holder TEXT,  -- who builds now; NULL: nobody
    held_until INTEGER NOT NULL,  -- when somebody else may, whatever the holder does
    paused INTEGER NOT NULL,  -- 1: the schedule leaves this tracker alone
    record TEXT NOT NULL  -- JSON, endcap.store.port.BuildRecord
) STRICT, WITHOUT ROWID;
