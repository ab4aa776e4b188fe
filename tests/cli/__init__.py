"""
The commands, called as an operator calls them.
"""
