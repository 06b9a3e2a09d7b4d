"""Run the command line with `python -m synth`."""

from synth.cli import main

main()
