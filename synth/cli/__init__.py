"""The command line: parsing, progress and printing only. Everything heavy is imported inside the commands."""

from synth.cli import (  # noqa: F401  importing them adds their commands
    checking,
    comparing,
    completing,
    converting,
    doctoring,
    generating,
    profiles,
    reporting,
    tabulating,
)
from synth.cli.group import main

__all__ = ["main"]
