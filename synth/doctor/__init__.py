"""What `synth doctor` looks at: whether this machine, its packages and the tables of this package can do the work."""

from synth.doctor.finding import Finding
from synth.doctor.printing import to_json, to_text
from synth.doctor.run import examine

__all__ = ["Finding", "examine", "to_json", "to_text"]
