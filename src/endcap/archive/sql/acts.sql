-- Views, clicks and conversions of items, a row each: who (logged in, else the device), what, which item, when.
-- Parameter: {source}, a relation with a part's columns, in which an event may be twice.
WITH once AS (
    SELECT id, kind, client_id, customer_id, created_at, items
    FROM {source}
    WHERE kind IN ('view', 'click', 'conversion')
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY number, created_at) = 1
)
SELECT
    coalesce(customer_id, client_id) AS user_id,
    kind,
    item.identity AS identity,
    created_at
FROM (SELECT kind, customer_id, client_id, created_at, unnest(items) AS item FROM once)
