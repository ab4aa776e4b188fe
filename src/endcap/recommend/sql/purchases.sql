-- Every item of every order once, by number; an order is as old as its first line. The same of views: what one user
-- looked at on one day is like an order. DuckDB only: here the engines differ (files, times), so that the other
-- statements need not.
-- Variables: files, now (microseconds), before (microseconds or null: only what is earlier counts). A table act
-- (user_id, identity, created_at in microseconds) has views, or nothing. Ages count from the last order, or from now if
-- that is earlier.
CREATE TEMP TABLE line AS
WITH told AS (
    SELECT order_id, identity, max(user_id) AS user_id, min(epoch_us(created_at)) AS created_at
    FROM read_parquet(getvariable('files'), union_by_name = true)
    GROUP BY order_id, identity
),
early AS (
    SELECT order_id
    FROM told
    GROUP BY order_id
    HAVING min(created_at) < coalesce(getvariable('before'), 9223372036854775807)
)
SELECT * FROM told SEMI JOIN early USING (order_id);

CREATE TEMP TABLE viewed AS
SELECT DISTINCT user_id, identity, CAST(created_at // 86400000000 AS BIGINT) AS day
FROM act
WHERE created_at < coalesce(getvariable('before'), 9223372036854775807);

CREATE TEMP TABLE item AS
SELECT identity, CAST(row_number() OVER (ORDER BY identity) - 1 AS INTEGER) AS item_no
FROM (SELECT identity FROM line UNION SELECT identity FROM viewed);

CREATE TEMP TABLE customer AS
SELECT user_id, CAST(row_number() OVER (ORDER BY user_id) - 1 AS INTEGER) AS user_no
FROM (SELECT DISTINCT user_id FROM line WHERE user_id IS NOT NULL);

CREATE TEMP TABLE purchase_order AS
SELECT
    order_id,
    CAST(row_number() OVER (ORDER BY order_id) AS INTEGER) AS order_no,
    max(user_id) AS user_id,
    min(created_at) AS created_at
FROM line
GROUP BY order_id;

CREATE TEMP TABLE purchase AS
SELECT
    o.order_no,
    i.item_no,
    c.user_no,
    greatest(0, (SELECT least(getvariable('now'), max(created_at)) FROM purchase_order) - o.created_at) / 86400e6 AS age_days
FROM line AS l
JOIN item AS i ON i.identity = l.identity
JOIN purchase_order AS o ON o.order_id = l.order_id
LEFT JOIN customer AS c ON c.user_id = o.user_id;

CREATE TEMP TABLE viewing AS
SELECT
    v.order_no,
    i.item_no,
    CAST(NULL AS INTEGER) AS user_no,
    CAST(greatest(0, (SELECT least(getvariable('now') // 86400000000, max(day)) FROM viewed) - v.day) AS DOUBLE) AS age_days
FROM (SELECT *, dense_rank() OVER (ORDER BY user_id, day) AS order_no FROM viewed) AS v
JOIN item AS i ON i.identity = v.identity;
