"""
The client: what it sends, how it reads, and that the server it is for understands it.
"""
