"""
The archive of shoppers' events.
"""
