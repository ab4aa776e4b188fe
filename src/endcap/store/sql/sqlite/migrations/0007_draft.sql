-- What customizations may become, beside what they are. A row goes when it is published, in the same transaction.
CREATE TABLE draft (
    tracker TEXT NOT NULL,
    id TEXT NOT NULL,  -- of the customization, be it published or not
    base INTEGER,  -- the revision of the published one that it was made from
    author TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    creator TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    publish_at INTEGER,  -- when it is to be published; NULL: not by itself
    publisher TEXT,  -- who said so
    held TEXT,  -- why it was not published when it was to be
    document BLOB NOT NULL,  -- a version, as `change` keeps them
    PRIMARY KEY (tracker, id)
) STRICT;

-- What every worker looks at now and then: those that are to be published, and no others.
CREATE INDEX draft_due ON draft (publish_at) WHERE publish_at IS NOT NULL;
