"""
Files in and out: catalogs, past orders and customizations, in the formats that shops have them in.

`rows` reads any format into numbered records, `xml_items` the items of an XML feed; `fields` says which column is what,
`merchant` what Google's attributes are, `content_export` what exported objects were, `formats` which of these a file
is. `catalog`, `transactions` and `customizations` import, `export` is the way back. An import is all or nothing: a
faulty row refuses the file, and the refusal names the rows.
"""
