"""
Files in and out: catalogs, past orders and customizations, in the formats that shops have them in.

`rows` reads any format into numbered records, `fields` says which column is what; `catalog`, `transactions` and
`customizations` import, `export` is the way back. An import is all or nothing: a faulty row refuses the file, and the
refusal names the rows.
"""
