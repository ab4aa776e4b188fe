-- What is bought together: P(neighbour | item) / popularity(neighbour) ^ 0.2, an order counting half after 120 days,
-- the best 50 of an item. Orders of more than 100 items say little and would make most of the pairs.
-- Weights are millionths, so that sums are exact in any order. What divides is written as 1e6, which is binary
-- everywhere; 1000000.0 is a decimal, and what engines make of a quotient of decimals differs.
-- Parameter: {source}, a relation (order_no, item_no, user_no, age_days) with every item of an order once.
WITH ordered AS (
    SELECT order_no
    FROM {source}
    GROUP BY order_no
    HAVING count(*) <= 100
),
weighted AS (
    SELECT
        s.order_no,
        s.item_no,
        CAST(floor(1000000 * power(0.5, s.age_days / 120.0)) AS BIGINT) AS weight
    FROM {source} AS s
    JOIN ordered AS o ON o.order_no = s.order_no
),
popularity AS (
    SELECT item_no, sum(weight) / 1e6 AS weight
    FROM weighted
    GROUP BY item_no
),
pair AS (
    SELECT a.item_no AS one, b.item_no AS other, sum(a.weight) / 1e6 AS weight
    FROM weighted AS a
    JOIN weighted AS b ON b.order_no = a.order_no AND b.item_no > a.item_no
    GROUP BY a.item_no, b.item_no
    HAVING count(*) >= 2
),
directed AS (
    SELECT one AS item_no, other AS neighbour_no, weight FROM pair
    UNION ALL
    SELECT other AS item_no, one AS neighbour_no, weight FROM pair
),
scored AS (
    SELECT
        d.item_no,
        d.neighbour_no,
        CAST(d.weight / i.weight / power(n.weight, 0.2) AS REAL) AS affinity
    FROM directed AS d
    JOIN popularity AS i ON i.item_no = d.item_no
    JOIN popularity AS n ON n.item_no = d.neighbour_no
    WHERE d.weight > 0
),
ranked AS (
    SELECT
        item_no,
        neighbour_no,
        affinity,
        row_number() OVER (PARTITION BY item_no ORDER BY affinity DESC, neighbour_no) AS place
    FROM scored
)
SELECT item_no, neighbour_no, affinity, place
FROM ranked
WHERE place <= 50
ORDER BY item_no, place
