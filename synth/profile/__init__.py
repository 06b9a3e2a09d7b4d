"""The profile: levels, figures and parameters that drive the simulation; a file people can read and change."""

from synth.profile.differences import differences
from synth.profile.loading import load_profile, overlay
from synth.profile.model import Figure, Level, Parameter, Profile, Target, digest

__all__ = ["Figure", "Level", "Parameter", "Profile", "Target", "differences", "digest", "load_profile", "overlay"]
