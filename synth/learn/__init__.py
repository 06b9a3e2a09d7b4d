"""An overlay on the profile learned from a return its holder has: rounded and suppressed figures, never records."""

from synth.learn.run import COPULAS, FEWEST_AUTHORITIES, MIN_CHILDREN, THRESHOLD, Learned, learn

__all__ = ["COPULAS", "FEWEST_AUTHORITIES", "MIN_CHILDREN", "THRESHOLD", "Learned", "learn"]
