"""
Real services for tests: a PostgreSQL server and a browser, started here and stopped here.
"""
