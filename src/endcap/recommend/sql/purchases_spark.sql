-- What purchases.sql makes, for Spark: the same relations with the same rows, but that an order's number is its id, which
-- is what a cluster can know of an order without bringing all of them to one place. Items and users are numbered in one
-- place: a sort of as many texts as there are items, and as there are users.
-- What one user looked at on one day is named by both, likewise.
-- Parameters: {now} (microseconds). A view order_line has the lines of all files, a view act what was viewed and clicked.
CACHE TABLE line OPTIONS ('storageLevel' 'DISK_ONLY') AS
SELECT
    order_id,
    identity,
    max(user_id) AS user_id,
    min(unix_micros(CAST(created_at AS TIMESTAMP))) AS created_at
FROM order_line
GROUP BY order_id, identity;

CACHE TABLE viewed OPTIONS ('storageLevel' 'DISK_ONLY') AS
SELECT DISTINCT user_id, identity, unix_micros(CAST(created_at AS TIMESTAMP)) div 86400000000 AS day
FROM act
WHERE kind IN ('view', 'click') AND user_id IS NOT NULL;

CACHE TABLE item OPTIONS ('storageLevel' 'DISK_ONLY') AS
SELECT identity, CAST(row_number() OVER (ORDER BY identity) - 1 AS INTEGER) AS item_no
FROM (SELECT identity FROM line UNION SELECT identity FROM viewed);

CACHE TABLE customer OPTIONS ('storageLevel' 'DISK_ONLY') AS
SELECT user_id, CAST(row_number() OVER (ORDER BY user_id) - 1 AS INTEGER) AS user_no
FROM (SELECT DISTINCT user_id FROM line WHERE user_id IS NOT NULL);

CREATE OR REPLACE TEMPORARY VIEW purchase_order AS
SELECT order_id, max(user_id) AS user_id, min(created_at) AS created_at
FROM line
GROUP BY order_id;

CACHE TABLE purchase OPTIONS ('storageLevel' 'DISK_ONLY') AS
SELECT
    o.order_id AS order_no,
    i.item_no,
    c.user_no,
    greatest(0, least({now}, n.created_at) - o.created_at) / 86400e6 AS age_days
FROM line AS l
JOIN item AS i ON i.identity = l.identity
JOIN purchase_order AS o ON o.order_id = l.order_id
LEFT JOIN customer AS c ON c.user_id = o.user_id
CROSS JOIN (SELECT max(created_at) AS created_at FROM purchase_order) AS n;

CREATE OR REPLACE TEMPORARY VIEW viewing AS
SELECT
    concat(v.day, ' ', v.user_id) AS order_no,
    i.item_no,
    CAST(NULL AS INTEGER) AS user_no,
    CAST(greatest(0, least({now} div 86400000000, n.day) - v.day) AS DOUBLE) AS age_days
FROM viewed AS v
JOIN item AS i ON i.identity = v.identity
CROSS JOIN (SELECT max(day) AS day FROM viewed) AS n;
