"""The published tables: reading them, the population behind their rates, and what each figure leaves open."""

from synth.published.cells import Cell, published_cells
from synth.published.population import WALES
from synth.published.reading import Row, Tables, load_tables, number, profiles_dir, published_files, read_csv

__all__ = [
    "WALES",
    "Cell",
    "Row",
    "Tables",
    "load_tables",
    "number",
    "profiles_dir",
    "published_cells",
    "published_files",
    "read_csv",
]
