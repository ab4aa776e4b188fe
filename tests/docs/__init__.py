"""
The documentation is tested: what the code has is on a page, what a page says can be done, and links lead somewhere.
"""
