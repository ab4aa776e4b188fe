-- The best items of each key: an item once, the highest score first, of equal scores (or without any) the first row.
-- Parameters: {most}, how many of a key; {itself}, whether an item may be listed for itself.
CREATE TEMP TABLE listed AS
WITH once AS (
    SELECT key, item, max(score) AS score, min(line) AS line
    FROM ranked
    WHERE {itself} OR key <> item
    GROUP BY key, item
),
placed AS (
    SELECT
        key,
        item,
        score,
        row_number() OVER (PARTITION BY key ORDER BY score DESC NULLS LAST, line) AS place
    FROM once
)
SELECT key, item, place, CAST(coalesce(score, 1.0 / place) AS REAL) AS score
FROM placed
WHERE place <= {most};

CREATE TEMP TABLE keyed AS
SELECT key, row_number() OVER (ORDER BY key) - 1 AS key_no FROM (SELECT DISTINCT key FROM listed);

CREATE TEMP TABLE named AS
SELECT item, row_number() OVER (ORDER BY item) - 1 AS item_no FROM (SELECT DISTINCT item FROM listed);
