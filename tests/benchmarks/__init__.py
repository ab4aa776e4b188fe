"""
What measures: the load, the shop that is measured, the tables.
"""
