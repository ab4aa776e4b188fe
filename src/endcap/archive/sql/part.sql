-- Events as a part of the archive has them, from lines of JSON. `kind` and `items` are what the event means; `document` is
-- all of it, as it was sent.
-- Parameter: {source}, lines that `spool` wrote.
SELECT
    number,
    id,
    type,
    client_id,
    customer_id,
    make_timestamp(created_at) AS created_at,
    make_timestamp(received_at) AS received_at,
    kind,
    order_id,
    items,
    document
FROM read_json(
    {source},
    format = 'newline_delimited',
    columns = {{
        number: 'BIGINT', id: 'VARCHAR', type: 'VARCHAR', client_id: 'VARCHAR', customer_id: 'VARCHAR',
        created_at: 'BIGINT', received_at: 'BIGINT', kind: 'VARCHAR', order_id: 'VARCHAR',
        items: 'STRUCT(identity VARCHAR, quantity DOUBLE, unit_price DOUBLE)[]', document: 'VARCHAR'
    }}
)
