-- What each user bought, the latest first: at most 20 items, each with the number of orders that had it, the days since
-- the last of them, and the days between the first and the last.
-- Parameter: {source}, a relation (order_no, item_no, user_no, age_days) with every item of an order once.
WITH bought AS (
    SELECT user_no, item_no, min(age_days) AS age_days, max(age_days) - min(age_days) AS span_days, count(*) AS times
    FROM {source}
    WHERE user_no IS NOT NULL
    GROUP BY user_no, item_no
),
ranked AS (
    SELECT
        user_no,
        item_no,
        age_days,
        span_days,
        times,
        row_number() OVER (PARTITION BY user_no ORDER BY age_days, item_no) AS place
    FROM bought
)
SELECT
    user_no,
    item_no,
    CAST(age_days AS REAL) AS age_days,
    CAST(span_days AS REAL) AS span_days,
    CAST(least(times, 65535) AS INTEGER) AS times,
    place
FROM ranked
WHERE place <= 20
ORDER BY user_no, place
