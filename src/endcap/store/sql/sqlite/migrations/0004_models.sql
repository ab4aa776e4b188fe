-- What models' names mean for a tracker, where it is not what they mean by themselves: a bounded table, read whole.
CREATE TABLE model (
    tracker TEXT NOT NULL,
    name TEXT NOT NULL,
    document BLOB NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tracker, name)
) STRICT, WITHOUT ROWID;
