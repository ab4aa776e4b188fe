-- Shopper events. As in the other tables the tracker leads every key, and there is no sequence.

-- The last number given to a line of a tracker, and the lock that those who append queue on.
CREATE TABLE event_head (
    tracker text COLLATE "C" NOT NULL PRIMARY KEY,
    number bigint NOT NULL
);

CREATE TABLE event (
    tracker text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    id text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    client text COLLATE "C" NOT NULL,
    customer text COLLATE "C",
    at bigint NOT NULL,
    received_at bigint NOT NULL,
    document bytea NOT NULL,  -- as it was sent
    PRIMARY KEY (tracker, number)
);

CREATE UNIQUE INDEX event_id ON event (tracker, id);

-- Who is to be forgotten, for those who follow.
CREATE TABLE erasure (
    tracker text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    "user" text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (tracker, number)
);

-- Work that one of many processes does.
CREATE TABLE lease (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    holder text COLLATE "C" NOT NULL,
    until bigint NOT NULL
);
