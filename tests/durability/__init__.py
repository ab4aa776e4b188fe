"""
What survives: kill -9 in the middle of writes, and how soon a write is seen.
"""
