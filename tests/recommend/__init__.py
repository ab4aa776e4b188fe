"""
Recommenders: artifacts, how they are built, and what strategies make of them.
"""
