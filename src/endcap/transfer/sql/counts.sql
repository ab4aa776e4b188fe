-- What an import has, in one row.
SELECT
    count(*) AS lines,
    count(*) FILTER (WHERE is_return) AS returns,
    count(*) FILTER (WHERE fault IS NOT NULL) AS faulty,
    count(DISTINCT order_id) FILTER (WHERE NOT is_return) AS orders,
    count(DISTINCT identity) FILTER (WHERE NOT is_return) AS items,
    count(DISTINCT user_id) FILTER (WHERE NOT is_return) AS users,
    count(DISTINCT (order_id, identity)) FILTER (WHERE NOT is_return) AS pairs,
    CAST(min(created_at) FILTER (WHERE NOT is_return) AS VARCHAR) AS earliest,
    CAST(max(created_at) FILTER (WHERE NOT is_return) AS VARCHAR) AS latest
FROM checked;
