"""
The engine: which customizations speak, and what they do to a ranking. Pure: no I/O, no clock, no locks.

`catalog` holds the items, `rules` the customizations, `snapshot` both at one revision; `settle` and `place`
are the law.
"""
