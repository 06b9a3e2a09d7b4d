"""Mistakes put into good files on purpose, with an answer sheet that says which and where."""

from synth.spoil.plan import DEFAULT_RATE, KINDS
from synth.spoil.run import ANSWERS, Spoilt, spoil

__all__ = ["ANSWERS", "DEFAULT_RATE", "KINDS", "Spoilt", "spoil"]
