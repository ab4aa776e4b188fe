-- How popular each item is: orders, counting half after a week, in billionths, so that sums are exact in any order; all
-- orders; those of the last 14 days, of the last 7, and of the 28 before these.
-- Parameter: {source}, a relation (order_no, item_no, user_no, age_days) with every item of an order once.
SELECT
    item_no,
    sum(CAST(floor(1e9 * power(0.5, age_days / 7.0)) AS BIGINT)) AS decayed,
    count(*) AS orders,
    sum(CASE WHEN age_days < 14 THEN 1 ELSE 0 END) AS fortnight,
    sum(CASE WHEN age_days < 7 THEN 1 ELSE 0 END) AS week,
    sum(CASE WHEN age_days >= 7 AND age_days < 35 THEN 1 ELSE 0 END) AS weeks_before
FROM {source}
GROUP BY item_no
ORDER BY item_no
