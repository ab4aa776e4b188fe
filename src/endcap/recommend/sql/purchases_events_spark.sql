-- Order lines and acts from the archive's events, for Spark: what `archive/sql/orders.sql` and `acts.sql` give on DuckDB. Each
-- event once, by id; an order without a number of the shop's own is called after its event.
-- A view event has the lines of all parts.
CREATE OR REPLACE TEMPORARY VIEW told AS
WITH numbered AS (
    SELECT
        id,
        order_id,
        client_id,
        customer_id,
        created_at,
        items,
        row_number() OVER (PARTITION BY id ORDER BY number, created_at) AS nth
    FROM event
    WHERE kind = 'order'
)
SELECT order_id, item.identity AS identity, user_id, created_at
FROM (
    SELECT
        coalesce(order_id, concat('event:', id)) AS order_id,
        coalesce(customer_id, client_id) AS user_id,
        created_at,
        explode(items) AS item
    FROM numbered
    WHERE nth = 1
);

CREATE OR REPLACE TEMPORARY VIEW told_act AS
WITH numbered AS (
    SELECT
        kind,
        client_id,
        customer_id,
        created_at,
        items,
        row_number() OVER (PARTITION BY id ORDER BY number, created_at) AS nth
    FROM event
    WHERE kind IN ('view', 'click', 'conversion')
)
SELECT user_id, kind, item.identity AS identity, created_at
FROM (
    SELECT coalesce(customer_id, client_id) AS user_id, kind, created_at, explode(items) AS item
    FROM numbered
    WHERE nth = 1
);
