"""The profile: levels, figures and parameters that drive the simulation; a file people can read and change."""

from synth.profile.differences import differences
from synth.profile.loading import load_profile
from synth.profile.model import Figure, Level, Parameter, Profile, Target, digest
from synth.profile.overlays import overlay

__all__ = ["Figure", "Level", "Parameter", "Profile", "Target", "differences", "digest", "load_profile", "overlay"]
