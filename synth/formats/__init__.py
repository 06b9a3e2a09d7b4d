"""A return in other formats than CSV: Parquet, workbooks, databases, files of statistical packages."""

from synth.formats.names import FORMATS, check_installed, check_scale, parse_formats

__all__ = ["FORMATS", "check_installed", "check_scale", "parse_formats"]
