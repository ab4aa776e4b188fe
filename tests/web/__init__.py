"""
The console, in process and in a real browser.
"""
