-- The items of all orders, by number: numbers follow the order of identities by code point.
SELECT item_no, identity
FROM item
ORDER BY item_no
