"""What tells of a dataset beside it: Data Package, data dictionary, metadata for SDV, and a catalogue record.

Nothing here loads a table library: it is written while the main job's own check is still at work.
"""

from synth.metadata.writing import beside, beside_worlds

__all__ = ["beside", "beside_worlds"]
