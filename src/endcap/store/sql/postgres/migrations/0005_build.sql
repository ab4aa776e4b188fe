-- Who builds a tracker's recommenders, and how that went: a row a tracker. No revision is spent on it, and nobody
-- follows it: what is served changes with `tracker.artifact` alone.
CREATE TABLE build (
    tracker text COLLATE "C" NOT NULL PRIMARY KEY,
    holder text COLLATE "C",  -- who builds now; NULL: nobody
    held_until bigint NOT NULL,  -- when somebody else may, whatever the holder does
    paused bigint NOT NULL,  -- 1: the schedule leaves this tracker alone
    record text NOT NULL  -- JSON, endcap.store.port.BuildRecord
);
