"""
The tests, one folder per layer, and the services they run against.
"""
