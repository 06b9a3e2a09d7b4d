"""The profile: levels, figures and parameters that drive the simulation; a file people can read and change."""

from synth.profile.model import Figure, Level, Parameter, Profile, Target, digest, load_profile, overlay

__all__ = ["Figure", "Level", "Parameter", "Profile", "Target", "digest", "load_profile", "overlay"]
