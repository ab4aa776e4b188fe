"""
The HTTP edge: plain ASGI, a dispatch of its own, one endpoint a function. Knows statuses and headers; asks the
service for everything else.
"""
