-- Order lines from transactions: the columns of `recommend.orders`. An order without a number of the shop's own is called
-- after its event. Whoever was logged in is the customer, else the device.
-- Parameter: {source}, a relation with a part's columns, in which an event may be twice.
WITH once AS (
    SELECT id, order_id, client_id, customer_id, created_at, items
    FROM {source}
    WHERE kind = 'order'
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY number, created_at) = 1
)
SELECT
    coalesce(order_id, 'event:' || id) AS order_id,
    item.identity AS identity,
    coalesce(customer_id, client_id) AS user_id,
    created_at,
    item.quantity AS quantity,
    item.unit_price AS unit_price
FROM (SELECT order_id, id, customer_id, client_id, created_at, unnest(items) AS item FROM once)
