"""What a case system holds about the children of the returns: names, families, addresses, schools, social workers."""

from synth.casefile.write import FOLDER, people_of, write_people

__all__ = ["FOLDER", "people_of", "write_people"]
