"""A small good return of both kinds for any year: children written by hand, from whom rules show what they mean."""

from synth.worked.returns import crowd, good, good_tables, last_year, tables, write_good

__all__ = ["crowd", "good", "good_tables", "last_year", "tables", "write_good"]
