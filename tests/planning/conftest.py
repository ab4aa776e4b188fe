"""
Plans are made and applied on either database, as stores are tested.
"""

from tests.store.conftest import database, make_url, store, tracker

__all__ = ["database", "make_url", "store", "tracker"]
