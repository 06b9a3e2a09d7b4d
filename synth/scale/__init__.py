"""Many worlds: a dataset of independent Waleses, made in blocks, resumable, the same bytes however it is made."""

from synth.scale.plan import Plan
from synth.scale.remote import Remote, store_at
from synth.scale.run import Made, make_dataset
from synth.scale.store import Folder, Store
from synth.scale.work import Job

__all__ = ["Folder", "Job", "Made", "Plan", "Remote", "Store", "make_dataset", "store_at"]
