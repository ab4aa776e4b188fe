-- The orders that came from an instant on, the earliest first: who ordered, whether it is that user's first since then,
-- and the items. Of too many a sample by digest, the same every time. DuckDB only, as purchases.sql.
-- Variables: files, since and until (microseconds; until may be null), orders_max.
WITH line AS (
    SELECT order_id, identity, max(user_id) AS user_id, min(epoch_us(created_at)) AS created_at
    FROM read_parquet(getvariable('files'), union_by_name = true)
    GROUP BY order_id, identity
),
later AS (
    SELECT
        order_id,
        max(user_id) AS user_id,
        min(created_at) AS created_at,
        list(identity ORDER BY identity) AS items
    FROM line
    GROUP BY order_id
    HAVING min(created_at) >= getvariable('since')
    AND min(created_at) < coalesce(getvariable('until'), 9223372036854775807)
),
placed AS (
    SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY created_at, order_id) = 1 AS first
    FROM later
)
SELECT user_id, first, items
FROM (SELECT * FROM placed ORDER BY md5(order_id), order_id LIMIT getvariable('orders_max'))
ORDER BY created_at, order_id
