"""Wholly synthetic records for the Welsh children's social care returns: no real child stands behind any row."""

__version__ = "0.1.0"
