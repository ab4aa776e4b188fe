-- What is held together: the best 50 neighbours of an item on its own page, and the best 50 to sum up over a cart.
--
-- An order counts 60 / (60 + its age in days), shared out over its pairs by the root of its length; orders of more than
-- 100 items say little and would make most of the pairs. With w(ij), w(i), w the weights of the orders with both items,
-- with one, and of all; r(j), r the same of the last weeks (half after 7 days); d(ij) = pairs that met at least twice:
--   page  (w(ij) + r(j) / r) / (w(i) + 1) / w(j) ^ 0.1 * rise(j) ^ 0.3
--   cart  (w(ij) / w(i) ^ 0.75 / w(j) ^ 0.25) ^ 1.5
--   rise  (r(j) + 0.3) / (w(j) * r / w + 0.3): how much more than its due the neighbour sells these weeks
-- Weights are millionths, so that sums are exact in any order. What divides is written as 1e6, which is binary
-- everywhere; 1000000.0 is a decimal, and what engines make of a quotient of decimals differs.
-- Pairs are turned round, and places told apart, by a join with two rows: an engine that writes each name out where it is
-- used, as Spark does, would else count all pairs four times.
-- Parameter: {source}, a relation (order_no, item_no, user_no, age_days) with every item of an order once.
WITH ordered AS (
    SELECT
        order_no,
        CAST(floor(1e6 * 60 / (60 + max(age_days)) / sqrt(greatest(count(*) - 1, 1))) AS BIGINT) AS weight,
        CAST(floor(1e6 * power(0.5, max(age_days) / 7.0) / sqrt(greatest(count(*) - 1, 1))) AS BIGINT) AS lately
    FROM {source}
    GROUP BY order_no
    HAVING count(*) <= 100
),
everything AS (
    SELECT sum(weight) / 1e6 AS weight, sum(lately) / 1e6 AS lately
    FROM ordered
),
weighted AS (
    SELECT s.order_no, s.item_no, o.weight, o.lately
    FROM {source} AS s
    JOIN ordered AS o ON o.order_no = s.order_no
),
popularity AS (
    SELECT
        w.item_no,
        sum(w.weight) / 1e6 AS weight,
        sum(w.lately) / 1e6 / greatest(max(e.lately), 1e-6) AS share,
        (sum(w.lately) / 1e6 + 0.3)
        / (sum(w.weight) / 1e6 * max(e.lately) / greatest(max(e.weight), 1e-6) + 0.3) AS rise
    FROM weighted AS w
    CROSS JOIN everything AS e
    GROUP BY w.item_no
),
pair AS (
    SELECT a.item_no AS one, b.item_no AS other, sum(a.weight) / 1e6 AS weight
    FROM weighted AS a
    JOIN weighted AS b ON b.order_no = a.order_no AND b.item_no > a.item_no
    GROUP BY a.item_no, b.item_no
    HAVING count(*) >= 2
),
either AS (
    SELECT false AS is_so
    UNION ALL
    SELECT true AS is_so
),
directed AS (
    SELECT
        CASE WHEN e.is_so THEN p.one ELSE p.other END AS item_no,
        CASE WHEN e.is_so THEN p.other ELSE p.one END AS neighbour_no,
        p.weight
    FROM pair AS p
    CROSS JOIN either AS e
),
scored AS (
    SELECT
        d.item_no,
        d.neighbour_no,
        CAST((d.weight + n.share) / (i.weight + 1) / power(n.weight, 0.1) * power(n.rise, 0.3) AS REAL) AS page,
        CAST(power(d.weight / power(i.weight, 0.75) / power(n.weight, 0.25), 1.5) AS REAL) AS cart
    FROM directed AS d
    JOIN popularity AS i ON i.item_no = d.item_no
    JOIN popularity AS n ON n.item_no = d.neighbour_no
    WHERE d.weight > 0
),
ranked AS (
    SELECT
        item_no,
        neighbour_no,
        page,
        cart,
        row_number() OVER (PARTITION BY item_no ORDER BY page DESC, neighbour_no) AS page_place,
        row_number() OVER (PARTITION BY item_no ORDER BY cart DESC, neighbour_no) AS cart_place
    FROM scored
)
SELECT
    e.is_so AS for_cart,
    r.item_no,
    CASE WHEN e.is_so THEN r.cart_place ELSE r.page_place END AS place,
    r.neighbour_no,
    CASE WHEN e.is_so THEN r.cart ELSE r.page END AS affinity
FROM ranked AS r
CROSS JOIN either AS e
WHERE (e.is_so AND r.cart_place <= 50) OR (NOT e.is_so AND r.page_place <= 50)
ORDER BY for_cart, item_no, place
