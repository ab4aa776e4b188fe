"""
Files in and out: every format, every way to be refused.
"""
