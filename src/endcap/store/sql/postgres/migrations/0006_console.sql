-- The console: a switch for customizations, and who may sign in.

-- Nothing selects by it: lists ask memory.
ALTER TABLE customization ADD COLUMN disabled boolean NOT NULL DEFAULT false;

-- People. Names are in small letters. Roles are a JSON object, tracker to role; the tracker * stands for all.
CREATE TABLE account (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    password text NOT NULL,  -- Argon2's own encoding, with salt and parameters
    roles text NOT NULL,
    disabled boolean NOT NULL,
    created_at bigint NOT NULL,
    password_at bigint NOT NULL
);

-- Who is signed in where. Of the token only its digest is kept.
CREATE TABLE session (
    digest text COLLATE "C" NOT NULL PRIMARY KEY,  -- SHA-256, hexadecimal
    account text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    seen_at bigint NOT NULL,
    address text NOT NULL,
    agent text NOT NULL
);

CREATE INDEX session_account ON session (account);

-- What was tried and done about signing in: the audit log of accounts, and what throttling counts.
CREATE TABLE sign_in (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    account text COLLATE "C" NOT NULL,  -- as it was typed, in small letters: it may be nobody's
    address text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    actor text NOT NULL,
    at bigint NOT NULL
);

CREATE INDEX sign_in_account ON sign_in (account, at);
CREATE INDEX sign_in_address ON sign_in (address, at);
CREATE INDEX sign_in_at ON sign_in (at);
