-- Shopper events, in a file of their own. The tracker leads every key; instants are microseconds since the epoch, UTC.

-- The last number given to a line of a tracker, bumped by whoever appends.
CREATE TABLE event_head (
    tracker TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers of a tracker only grow, so rows are added at one end and deleted at the other.
CREATE TABLE event (
    tracker TEXT NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    client TEXT NOT NULL,
    customer TEXT,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    document BLOB NOT NULL,  -- as it was sent
    PRIMARY KEY (tracker, number)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX event_id ON event (tracker, id);

-- Who is to be forgotten, for those who follow.
CREATE TABLE erasure (
    tracker TEXT NOT NULL,
    number INTEGER NOT NULL,
    user TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tracker, number)
) STRICT, WITHOUT ROWID;

-- Work that one of many processes does.
CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
