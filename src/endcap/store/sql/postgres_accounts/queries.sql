-- Every query about accounts, for PostgreSQL. See queries.sql of the store for the form.
--
-- What changes a row returns something for it: that tells whether there was one.

-- name: fetch_account
SELECT name, password, roles, created_at, password_at, disabled FROM account WHERE name = %(name)s

-- name: lock_account
-- The same for who is about to change it.
SELECT name, password, roles, created_at, password_at, disabled
FROM account
WHERE name = %(name)s
FOR UPDATE

-- name: fetch_accounts
SELECT name, password, roles, created_at, password_at, disabled FROM account ORDER BY name

-- name: add_account
INSERT INTO account (name, password, roles, created_at, password_at, disabled)
VALUES (%(name)s, %(password)s, %(roles)s, %(created_at)s, %(password_at)s, %(disabled)s)
ON CONFLICT (name) DO NOTHING
RETURNING 1

-- name: save_roles
UPDATE account SET roles = %(roles)s WHERE name = %(name)s RETURNING 1

-- name: save_password
UPDATE account SET password = %(password)s, password_at = %(at)s WHERE name = %(name)s RETURNING 1

-- name: rehash
-- The same password with today's parameters, unless it was changed meanwhile.
UPDATE account SET password = %(password)s WHERE name = %(name)s AND password = %(known)s RETURNING 1

-- name: switch_account
UPDATE account SET disabled = %(disabled)s WHERE name = %(name)s RETURNING 1

-- name: remove_account
DELETE FROM account WHERE name = %(name)s RETURNING 1

-- name: begin_session
-- Of who may sign in at this very moment.
INSERT INTO session (digest, account, created_at, seen_at, address, agent)
SELECT %(digest)s, name, %(created_at)s, %(seen_at)s, %(address)s, %(agent)s
FROM account
WHERE name = %(account)s AND NOT disabled
FOR SHARE
RETURNING 1

-- name: fetch_session
-- What every request of the console asks.
SELECT
    s.digest, s.account, s.created_at, s.seen_at, s.address, s.agent,
    a.name, a.password, a.roles, a.created_at, a.password_at, a.disabled
FROM session AS s
JOIN account AS a ON a.name = s.account
WHERE s.digest = %(digest)s AND NOT a.disabled

-- name: fetch_sessions
SELECT digest, account, created_at, seen_at, address, agent
FROM session
WHERE account = %(name)s
ORDER BY seen_at DESC, digest

-- name: touch_session
UPDATE session SET seen_at = %(seen_at)s WHERE digest = %(digest)s RETURNING 1

-- name: end_session
DELETE FROM session WHERE digest = %(digest)s RETURNING 1

-- name: end_sessions
-- All of an account but one.
DELETE FROM session WHERE account = %(name)s AND digest <> %(but)s RETURNING 1

-- name: purge_sessions
DELETE FROM session WHERE created_at < %(begun_before)s OR seen_at < %(seen_before)s RETURNING 1

-- name: note
INSERT INTO sign_in (id, account, address, event, actor, at)
VALUES (%(id)s, %(account)s, %(address)s, %(event)s, %(actor)s, %(at)s)
RETURNING 1

-- name: withdraw
DELETE FROM sign_in WHERE id = %(id)s AND event = 'failed' RETURNING 1

-- name: count_failures
SELECT
    (SELECT count(*) FROM sign_in
     WHERE account = %(account)s AND address = %(address)s AND event = 'failed' AND at > %(since)s
        AND at > coalesce(
            (SELECT max(at) FROM sign_in
             WHERE account = %(account)s AND address = %(address)s AND event = 'signed_in'), 0)),
    (SELECT count(*) FROM sign_in
     WHERE account = %(account)s AND event = 'failed' AND at > %(since)s),
    (SELECT count(*) FROM sign_in
     WHERE address = %(address)s AND event = 'failed' AND at > %(since)s)

-- name: fetch_log
SELECT id, account, address, event, actor, at FROM sign_in ORDER BY at DESC, id LIMIT %(limit)s

-- name: fetch_log_of
SELECT id, account, address, event, actor, at
FROM sign_in
WHERE account = %(account)s
ORDER BY at DESC, id
LIMIT %(limit)s

-- name: fetch_lines
-- The log backwards, from before an instant and id, as far as it is asked for.
SELECT id, account, address, event, actor, at
FROM sign_in
WHERE (at, id) < (%(at)s::bigint, %(id)s::text)
    AND (%(who)s::text IS NULL OR account = %(who)s OR actor = %(who)s)
    AND (%(events)s::text IS NULL OR event IN (SELECT jsonb_array_elements_text(%(events)s::jsonb)))
    AND (%(since)s::bigint IS NULL OR at >= %(since)s)
    AND (%(until)s::bigint IS NULL OR at < %(until)s)
ORDER BY at DESC, id DESC
LIMIT %(limit)s

-- name: purge_log
DELETE FROM sign_in WHERE at < %(noted_before)s RETURNING 1

-- name: hold_upload
-- Of who may sign in at this very moment.
INSERT INTO upload (id, account, tracker, made_at, facts, content)
SELECT %(id)s, name, %(tracker)s, %(made_at)s, %(facts)s, %(content)s
FROM account
WHERE name = %(account)s AND NOT disabled
FOR SHARE
RETURNING 1

-- name: drop_uploads
-- Of an account all but its newest; of everybody those of before an instant.
DELETE FROM upload
WHERE made_at < %(before)s OR (account = %(account)s AND id NOT IN (
    SELECT id FROM upload WHERE account = %(account)s ORDER BY made_at DESC, id LIMIT %(kept)s))
RETURNING 1

-- name: fetch_upload
SELECT id, account, tracker, made_at, facts, content
FROM upload
WHERE id = %(id)s AND account = %(account)s AND made_at >= %(since)s

-- name: remove_uploads
DELETE FROM upload WHERE account = %(name)s RETURNING 1

-- name: fetch_identified
-- Who signs in by a provider, be it that they may or not.
SELECT a.name, a.password, a.roles, a.created_at, a.password_at, a.disabled
FROM identity AS i
JOIN account AS a ON a.name = i.account
WHERE i.issuer = %(issuer)s AND i.subject = %(subject)s

-- name: fetch_identities
SELECT issuer, subject, account, linked_at
FROM identity
WHERE account = %(name)s
ORDER BY linked_at, issuer, subject

-- name: link_identity
INSERT INTO identity (issuer, subject, account, linked_at)
SELECT %(issuer)s, %(subject)s, name, %(linked_at)s
FROM account
WHERE name = %(account)s
ON CONFLICT (issuer, subject) DO NOTHING
RETURNING 1

-- name: remove_identities
DELETE FROM identity WHERE account = %(name)s RETURNING 1

-- name: hold_link
-- The account's only one.
INSERT INTO sign_in_link (digest, account, made_at)
SELECT %(digest)s, name, %(made_at)s
FROM account
WHERE name = %(account)s AND NOT disabled
FOR SHARE
RETURNING 1

-- name: remove_links
DELETE FROM sign_in_link WHERE account = %(name)s RETURNING 1

-- name: fetch_link
SELECT account FROM sign_in_link WHERE digest = %(digest)s AND made_at >= %(since)s

-- name: use_link
DELETE FROM sign_in_link WHERE digest = %(digest)s AND made_at >= %(since)s RETURNING account
