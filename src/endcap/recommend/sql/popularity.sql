-- How popular each item is: orders, counting half after a week, in billionths, so that sums are exact in any order.
-- Parameter: {source}, a relation (order_no, item_no, user_no, age_days) with every item of an order once.
SELECT
    item_no,
    sum(CAST(floor(1000000000 * power(0.5, age_days / 7.0)) AS BIGINT)) AS recent,
    count(*) AS orders
FROM {source}
GROUP BY item_no
ORDER BY item_no
