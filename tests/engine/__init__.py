"""
The engine: the cases, a naive oracle and random rules against it, and each container and index against a plain one.
"""
