-- What an import has, in one row. Distinct values are counted as rows of their own, because that can spill.
WITH kept AS (
    SELECT order_id, identity, user_id, created_at FROM checked WHERE NOT is_return
)
SELECT
    (SELECT count(*) FROM checked) AS lines,
    (SELECT count(*) FROM checked WHERE is_return) AS returns,
    (SELECT count(*) FROM (SELECT DISTINCT order_id FROM kept)) AS orders,
    (SELECT count(*) FROM (SELECT DISTINCT identity FROM kept)) AS items,
    (SELECT count(*) FROM (SELECT DISTINCT user_id FROM kept WHERE user_id IS NOT NULL)) AS users,
    (SELECT count(*) FROM (SELECT DISTINCT order_id, identity FROM kept)) AS pairs,
    (SELECT CAST(min(created_at) AS VARCHAR) FROM kept) AS earliest,
    (SELECT CAST(max(created_at) AS VARCHAR) FROM kept) AS latest;
