-- What customizations may become, beside what they are. A row goes when it is published, in the same transaction.
CREATE TABLE draft (
    tracker text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,  -- of the customization, be it published or not
    base bigint,  -- the revision of the published one that it was made from
    author text NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL,
    creator text NOT NULL,
    created_at bigint NOT NULL,
    publish_at bigint,  -- when it is to be published; NULL: not by itself
    publisher text,  -- who said so
    held text,  -- why it was not published when it was to be
    document bytea NOT NULL,  -- a version, as `change` keeps them
    PRIMARY KEY (tracker, id)
);

-- What every worker looks at now and then: those that are to be published, and no others.
CREATE INDEX draft_due ON draft (publish_at) WHERE publish_at IS NOT NULL;
