"""
A guitar shop to try things on: some three hundred products with pictures, and a year and a half of orders.

`catalog` and `orders` are all that others need. Nothing here is fetched from anywhere.
"""

from endcap.sample.shop import UNTIL, OrderLine, catalog, orders

__all__ = ["UNTIL", "OrderLine", "catalog", "orders"]
