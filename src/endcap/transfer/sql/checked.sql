-- Order lines understood, each with its number and, where it is faulty, why. All columns of the source are texts.
-- A return (event `return`, or a quantity that is not positive) is no order line, so that nothing else of it matters.
-- Parameters: {source}, a relation (line, order_id, identity, user_id, created_at, quantity, unit_price, event);
-- {zones_allowed}, whether instants may have a zone: a letter or a sign after the hours.
CREATE TEMP TABLE checked AS
WITH understood AS (
    SELECT
        line,
        order_id,
        identity,
        user_id,
        created_at AS created_text,
        CAST(try_cast(created_at AS TIMESTAMPTZ) AS TIMESTAMP) AS created_at,
        quantity AS quantity_text,
        coalesce(try_cast(quantity AS DOUBLE), 1) AS quantity,
        unit_price AS unit_price_text,
        try_cast(unit_price AS DOUBLE) AS unit_price,
        coalesce(lower(event) = 'return', FALSE) OR coalesce(try_cast(quantity AS DOUBLE) <= 0, FALSE) AS is_return
    FROM {source}
)
SELECT
    line,
    order_id,
    identity,
    user_id,
    created_at,
    quantity,
    unit_price,
    is_return,
    CASE WHEN is_return THEN NULL ELSE nullif(concat_ws(
        '; ',
        CASE
            WHEN order_id IS NULL THEN 'order_id: is missing'
            WHEN length(order_id) > 2000 THEN 'order_id: must have at most 2000 characters'
        END,
        CASE
            WHEN identity IS NULL THEN 'identity: is missing'
            WHEN length(identity) > 2000 THEN 'identity: must have at most 2000 characters'
        END,
        CASE WHEN length(user_id) > 2000 THEN 'user_id: must have at most 2000 characters' END,
        CASE
            WHEN created_text IS NULL THEN 'created_at: is missing'
            WHEN created_at IS NULL OR NOT isfinite(created_at)
                THEN 'created_at: must be like 2025-01-31 or 2025-01-31T12:00:00, not ' || left(created_text, 40)
            WHEN NOT {zones_allowed} AND regexp_matches(created_text, ':.*[-+A-Za-z]')
                THEN 'created_at: must have no zone, not ' || left(created_text, 40)
        END,
        CASE
            WHEN quantity_text IS NOT NULL AND NOT coalesce(isfinite(try_cast(quantity_text AS DOUBLE)), FALSE)
                THEN 'quantity: must be a number, not ' || left(quantity_text, 40)
        END,
        CASE
            WHEN unit_price_text IS NOT NULL AND NOT coalesce(isfinite(unit_price), FALSE)
                THEN 'unit_price: must be a number, not ' || left(unit_price_text, 40)
        END
    ), '') END AS fault
FROM understood;
