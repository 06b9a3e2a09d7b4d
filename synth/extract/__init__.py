"""The returns as researchers see them in the SAIL Databank: names gone, links hidden, years one under the other."""

from synth.extract.run import EXTRACTS, check_extract, write_extract

__all__ = ["EXTRACTS", "check_extract", "write_extract"]
