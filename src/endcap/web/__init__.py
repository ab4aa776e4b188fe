"""
The console: pages for merchandisers, rendered here, with small scripts that the pages do without.
"""
