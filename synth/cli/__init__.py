"""The command line: parsing, progress and printing only. Everything heavy is imported inside the commands."""

from synth.cli import checking, comparing, generating, profiles, reporting, tabulating  # noqa: F401  importing them adds their commands
from synth.cli.group import main

__all__ = ["main"]
