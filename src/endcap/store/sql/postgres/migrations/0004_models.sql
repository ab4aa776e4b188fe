-- What models' names mean for a tracker, where it is not what they mean by themselves: a bounded table, read whole.
CREATE TABLE model (
    tracker text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    document bytea NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (tracker, name)
);
