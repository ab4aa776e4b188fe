-- Every item of every order once, by number; an order is as old as its first line. DuckDB only: here the engines
-- differ (files, times), so that the other statements need not.
-- Variables: files, now (microseconds). Ages count from the last order, or from now if that is earlier.
CREATE TEMP TABLE line AS
SELECT order_id, identity, max(user_id) AS user_id, min(epoch_us(created_at)) AS created_at
FROM read_parquet(getvariable('files'), union_by_name = true)
GROUP BY order_id, identity;

CREATE TEMP TABLE item AS
SELECT identity, CAST(row_number() OVER (ORDER BY identity) - 1 AS INTEGER) AS item_no
FROM (SELECT DISTINCT identity FROM line);

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
