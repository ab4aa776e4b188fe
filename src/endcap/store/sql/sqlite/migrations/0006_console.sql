-- The console: a switch for customizations, and who may sign in.

-- Behind the documents, where SQLite puts a column that comes later. Nothing selects by it: lists ask memory.
ALTER TABLE customization ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;

-- People. Names are in small letters. Roles are a JSON object, tracker to role; the tracker * stands for all.
CREATE TABLE account (
    name TEXT NOT NULL PRIMARY KEY,
    password TEXT NOT NULL,  -- Argon2's own encoding, with salt and parameters
    roles TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    password_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who is signed in where. Of the token only its digest is kept.
CREATE TABLE session (
    digest TEXT NOT NULL PRIMARY KEY,  -- SHA-256, hexadecimal
    account TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_account ON session (account);

-- What was tried and done about signing in: the audit log of accounts, and what throttling counts.
CREATE TABLE sign_in (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,  -- as it was typed, in small letters: it may be nobody's
    address TEXT NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_in_account ON sign_in (account, at);
CREATE INDEX sign_in_address ON sign_in (address, at);
CREATE INDEX sign_in_at ON sign_in (at);
