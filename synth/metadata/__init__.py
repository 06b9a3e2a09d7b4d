"""What tells of a dataset beside it: Data Package, data dictionary, metadata for SDV, and a catalogue record.

Nothing here loads a table library: it is written while the main job's own check is still at work.
"""

from synth.metadata.origin import Subject, written_as
from synth.metadata.writing import beside, beside_worlds, metadata_of

__all__ = ["Subject", "beside", "beside_worlds", "metadata_of", "written_as"]
