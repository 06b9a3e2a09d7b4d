"""Two folders of forms held against each other with the reports of SDMetrics; only scores leave, never rows."""

from synth.compare.run import SAMPLE, compare
from synth.compare.scores import ASSOCIATION, Comparison, FormScores, ReturnScores

__all__ = ["ASSOCIATION", "SAMPLE", "Comparison", "FormScores", "ReturnScores", "compare"]
