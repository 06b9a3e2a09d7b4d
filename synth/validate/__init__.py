"""The validator: files of a return against the rules of their year, and the report of what was found."""

from synth.validate.findings import FINDING_COLUMNS
from synth.validate.panel import validate_panel, years_of
from synth.validate.report import Outcome, Report
from synth.validate.run import check_rule, validate, validate_tables
from synth.validate.worlds import validate_dataset

__all__ = [
    "FINDING_COLUMNS",
    "Outcome",
    "Report",
    "check_rule",
    "validate",
    "validate_dataset",
    "validate_panel",
    "validate_tables",
    "years_of",
]
