-- What people of the console have besides a password: files that wait for a word, who they are at a
-- provider, and ways in for one time.

-- An order that was shown as a plan and is not carried out yet. Few, and gone within the hour.
CREATE TABLE upload (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    tracker TEXT NOT NULL,  -- which it would change
    made_at INTEGER NOT NULL,
    facts TEXT NOT NULL,  -- JSON: what it is, and what was asked
    content BLOB NOT NULL  -- deflated
) STRICT;

CREATE INDEX upload_account ON upload (account, made_at);
CREATE INDEX upload_made_at ON upload (made_at);

-- Who signs in by a provider is known by what the provider calls them for ever (OpenID Connect, `iss` and `sub`).
CREATE TABLE identity (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    account TEXT NOT NULL,
    linked_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX identity_account ON identity (account);

-- A way in without a password, made at the server for one time. Of the token only its digest is kept.
CREATE TABLE sign_in_link (
    digest TEXT NOT NULL PRIMARY KEY,  -- SHA-256, hexadecimal
    account TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
