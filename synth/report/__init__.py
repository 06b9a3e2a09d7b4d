"""The report: one HTML file in which a year or a panel of years can be looked at, offline."""

from synth.report.page import write_report

__all__ = ["write_report"]
