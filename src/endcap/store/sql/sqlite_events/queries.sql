-- Every query of the events in SQLite. See `sqlite/queries.sql` for the format; both adapters carry the same names.
--
-- {rows} stands for as many rows of placeholders as there are rows to write.

-- name: bump_heads
-- Takes numbers for the lines of a transaction.
INSERT INTO event_head (tracker, number)
VALUES {rows}
ON CONFLICT (tracker) DO UPDATE SET number = number + excluded.number
RETURNING tracker, number

-- name: append_events
-- Keeps events whose ids are new; tells which these are, by their numbers.
INSERT INTO event (tracker, number, id, type, client, customer, at, received_at, document)
VALUES {rows}
ON CONFLICT (tracker, id) DO NOTHING
RETURNING tracker, number

-- name: fetch_heads
-- What followers poll.
SELECT tracker, number FROM event_head

-- name: fetch_events
-- Lines after a number.
SELECT number, tracker, id, type, client, customer, at, received_at, document
FROM event
WHERE tracker = :tracker AND number > :number
ORDER BY number
LIMIT :limit

-- name: fetch_erasures
-- The erasures among those lines.
SELECT number, user
FROM erasure
WHERE tracker = :tracker AND number > :number
ORDER BY number
LIMIT :limit

-- name: fetch_latest
-- The number of the oldest of the last events.
SELECT min(number)
FROM (SELECT number FROM event WHERE tracker = :tracker ORDER BY number DESC LIMIT :limit) AS last

-- name: fetch_bounds
-- Before the first event that is kept, and the last number.
SELECT coalesce((SELECT min(number) - 1 FROM event WHERE tracker = :tracker), number), number
FROM event_head
WHERE tracker = :tracker

-- name: count_events
-- How many there are among some numbers.
SELECT count(*) FROM event WHERE tracker = :tracker AND number > :after AND number <= :through

-- name: fetch_oldest
-- The number up to which the oldest events are discarded next.
SELECT max(number), count(*)
FROM (
    SELECT number
    FROM event
    WHERE tracker = :tracker AND number <= :through
    ORDER BY number
    LIMIT :limit
) AS oldest

-- name: discard_events
-- Takes archived events away.
DELETE FROM event WHERE tracker = :tracker AND number <= :through

-- name: discard_erasures
-- Takes erasures away that every follower has seen.
DELETE FROM erasure WHERE tracker = :tracker AND at < :before

-- name: fetch_other_names
-- Of the events of a user among some numbers: how many there are by what else the user is called.
SELECT CASE WHEN client = :user THEN customer ELSE client END, count(*)
FROM event
WHERE tracker = :tracker AND number > :after AND number <= :through AND (client = :user OR customer = :user)
GROUP BY 1

-- name: erase_events
-- Takes the events of a user away, among some numbers.
DELETE FROM event
WHERE tracker = :tracker AND number > :after AND number <= :through AND (client = :user OR customer = :user)

-- name: save_erasure
-- Tells followers whom to forget.
INSERT INTO erasure (tracker, number, user, at) VALUES (:tracker, :number, :user, :at)

-- name: take_lease
-- One holder at a time: gives no row to whoever comes while another one holds it.
INSERT INTO lease (name, holder, until)
VALUES (:name, :holder, :until)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE lease.holder = excluded.holder OR lease.until <= :now
RETURNING holder

-- name: give_lease_back
-- Ends a lease before its time.
DELETE FROM lease WHERE name = :name AND holder = :holder
