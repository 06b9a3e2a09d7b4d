"""Anyone's files of the returns, read from CSV, workbooks or Parquet into the tables that rules look at."""

from synth.reading.collect import Found, beside_last_year, read_any
from synth.reading.generated import guidance_of, read_folder, read_form, read_return, year_folders

__all__ = [
    "Found",
    "beside_last_year",
    "guidance_of",
    "read_any",
    "read_folder",
    "read_form",
    "read_return",
    "year_folders",
]
