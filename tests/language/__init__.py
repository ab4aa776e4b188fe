"""
The language: criteria, signatures, and the wire in both directions.
"""
