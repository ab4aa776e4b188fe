"""
The store's contract: every test that asks for `store` runs over both adapters, on real databases.
"""
