"""
Real clients in other languages, against the real server.
"""
