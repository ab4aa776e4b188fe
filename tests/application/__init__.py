"""
The application layer: settings, keys at rest, mirror, group commit, verbs.
"""
