-- Every query about accounts, for SQLite. See queries.sql of the store for the form.
--
-- What changes a row returns something for it: that tells whether there was one.

-- name: fetch_account
SELECT name, password, roles, created_at, password_at, disabled FROM account WHERE name = :name

-- name: lock_account
-- The same for who is about to change it.
SELECT name, password, roles, created_at, password_at, disabled
FROM account
WHERE name = :name

-- name: fetch_accounts
SELECT name, password, roles, created_at, password_at, disabled FROM account ORDER BY name

-- name: add_account
INSERT INTO account (name, password, roles, created_at, password_at, disabled)
VALUES (:name, :password, :roles, :created_at, :password_at, :disabled)
ON CONFLICT (name) DO NOTHING
RETURNING 1

-- name: save_roles
UPDATE account SET roles = :roles WHERE name = :name RETURNING 1

-- name: save_password
UPDATE account SET password = :password, password_at = :at WHERE name = :name RETURNING 1

-- name: rehash
-- The same password with today's parameters, unless it was changed meanwhile.
UPDATE account SET password = :password WHERE name = :name AND password = :known RETURNING 1

-- name: switch_account
UPDATE account SET disabled = :disabled WHERE name = :name RETURNING 1

-- name: remove_account
DELETE FROM account WHERE name = :name RETURNING 1

-- name: begin_session
-- Of who may sign in at this very moment.
INSERT INTO session (digest, account, created_at, seen_at, address, agent)
SELECT :digest, name, :created_at, :seen_at, :address, :agent
FROM account
WHERE name = :account AND NOT disabled
RETURNING 1

-- name: fetch_session
-- What every request of the console asks.
SELECT
    s.digest, s.account, s.created_at, s.seen_at, s.address, s.agent,
    a.name, a.password, a.roles, a.created_at, a.password_at, a.disabled
FROM session AS s
JOIN account AS a ON a.name = s.account
WHERE s.digest = :digest AND NOT a.disabled

-- name: fetch_sessions
SELECT digest, account, created_at, seen_at, address, agent
FROM session
WHERE account = :name
ORDER BY seen_at DESC, digest

-- name: touch_session
UPDATE session SET seen_at = :seen_at WHERE digest = :digest RETURNING 1

-- name: end_session
DELETE FROM session WHERE digest = :digest RETURNING 1

-- name: end_sessions
-- All of an account but one.
DELETE FROM session WHERE account = :name AND digest <> :but RETURNING 1

-- name: purge_sessions
DELETE FROM session WHERE created_at < :begun_before OR seen_at < :seen_before RETURNING 1

-- name: note
INSERT INTO sign_in (id, account, address, event, actor, at)
VALUES (:id, :account, :address, :event, :actor, :at)
RETURNING 1

-- name: withdraw
DELETE FROM sign_in WHERE id = :id AND event = 'failed' RETURNING 1

-- name: count_failures
SELECT
    (SELECT count(*) FROM sign_in
     WHERE account = :account AND address = :address AND event = 'failed' AND at > :since
        AND at > coalesce(
            (SELECT max(at) FROM sign_in
             WHERE account = :account AND address = :address AND event = 'signed_in'), 0)),
    (SELECT count(*) FROM sign_in
     WHERE account = :account AND event = 'failed' AND at > :since),
    (SELECT count(*) FROM sign_in
     WHERE address = :address AND event = 'failed' AND at > :since)

-- name: fetch_log
SELECT id, account, address, event, actor, at FROM sign_in ORDER BY at DESC, id LIMIT :limit

-- name: fetch_log_of
SELECT id, account, address, event, actor, at
FROM sign_in
WHERE account = :account
ORDER BY at DESC, id
LIMIT :limit

-- name: fetch_lines
-- The log backwards, from before an instant and id, as far as it is asked for.
SELECT id, account, address, event, actor, at
FROM sign_in
WHERE (at, id) < (:at, :id)
    AND (:who IS NULL OR account = :who OR actor = :who)
    AND (:events IS NULL OR event IN (SELECT value FROM json_each(:events)))
    AND (:since IS NULL OR at >= :since)
    AND (:until IS NULL OR at < :until)
ORDER BY at DESC, id DESC
LIMIT :limit

-- name: purge_log
DELETE FROM sign_in WHERE at < :noted_before RETURNING 1

-- name: hold_upload
-- Of who may sign in at this very moment.
INSERT INTO upload (id, account, tracker, made_at, facts, content)
SELECT :id, name, :tracker, :made_at, :facts, :content
FROM account
WHERE name = :account AND NOT disabled
RETURNING 1

-- name: drop_uploads
-- Of an account all but its newest; of everybody those of before an instant.
DELETE FROM upload
WHERE made_at < :before OR (account = :account AND id NOT IN (
    SELECT id FROM upload WHERE account = :account ORDER BY made_at DESC, id LIMIT :kept))
RETURNING 1

-- name: fetch_upload
SELECT id, account, tracker, made_at, facts, content
FROM upload
WHERE id = :id AND account = :account AND made_at >= :since

-- name: remove_uploads
DELETE FROM upload WHERE account = :name RETURNING 1

-- name: fetch_identified
-- Who signs in by a provider, be it that they may or not.
SELECT a.name, a.password, a.roles, a.created_at, a.password_at, a.disabled
FROM identity AS i
JOIN account AS a ON a.name = i.account
WHERE i.issuer = :issuer AND i.subject = :subject

-- name: fetch_identities
SELECT issuer, subject, account, linked_at
FROM identity
WHERE account = :name
ORDER BY linked_at, issuer, subject

-- name: link_identity
INSERT INTO identity (issuer, subject, account, linked_at)
SELECT :issuer, :subject, name, :linked_at
FROM account
WHERE name = :account
ON CONFLICT (issuer, subject) DO NOTHING
RETURNING 1

-- name: remove_identities
DELETE FROM identity WHERE account = :name RETURNING 1

-- name: hold_link
-- The account's only one.
INSERT INTO sign_in_link (digest, account, made_at)
SELECT :digest, name, :made_at
FROM account
WHERE name = :account AND NOT disabled
RETURNING 1

-- name: remove_links
DELETE FROM sign_in_link WHERE account = :name RETURNING 1

-- name: fetch_link
SELECT account FROM sign_in_link WHERE digest = :digest AND made_at >= :since

-- name: use_link
DELETE FROM sign_in_link WHERE digest = :digest AND made_at >= :since RETURNING account
