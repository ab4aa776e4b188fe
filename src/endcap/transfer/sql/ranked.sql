-- Rows of a neighbour list understood, each with its number and, where it is faulty, why. All columns are texts.
-- Parameters: {source}, a relation (line, key, item, score); {key}, what a key is called; {scored}, whether there is a
-- column of scores.
CREATE TEMP TABLE ranked AS
SELECT
    line,
    key,
    item,
    try_cast(score AS DOUBLE) AS score,
    nullif(concat_ws(
        '; ',
        CASE
            WHEN key IS NULL THEN '{key}: is missing'
            WHEN length(key) > 2000 THEN '{key}: must have at most 2000 characters'
        END,
        CASE
            WHEN item IS NULL THEN 'neighbour: is missing'
            WHEN length(item) > 2000 THEN 'neighbour: must have at most 2000 characters'
        END,
        CASE
            WHEN {scored} AND NOT coalesce(isfinite(try_cast(score AS DOUBLE)), FALSE)
                THEN 'score: must be a number, not ' || coalesce(left(score, 40), 'nothing')
        END
    ), '') AS fault
FROM {source};
