"""
The HTTP API, one file a use case: that it works, then every way to be refused.
"""
