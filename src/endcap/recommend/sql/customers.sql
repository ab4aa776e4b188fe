-- The users of all orders, by number: numbers follow the order of their ids by code point.
SELECT user_no, user_id
FROM customer
ORDER BY user_no
