"""
The wire: the only place that knows both vocabularies, the vendor's and ours.

`reading` collects faults; `customizations`, `listing`, `catalog` and `recommending` read bodies and write answers;
`problems` has the two error shapes and the table of statuses.
"""
