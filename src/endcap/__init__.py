"""
Endcap: a self-hosted server for the recommendations customization API of Luigi's Box.
"""

__version__ = "0.1.0"
