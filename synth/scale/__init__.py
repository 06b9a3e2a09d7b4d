"""Many worlds: a dataset of independent Waleses, made in blocks, resumable, the same bytes however it is made."""

from synth.scale.plan import Plan
from synth.scale.run import Made, make_dataset
from synth.scale.store import Folder
from synth.scale.work import Job

__all__ = ["Folder", "Job", "Made", "Plan", "make_dataset"]
