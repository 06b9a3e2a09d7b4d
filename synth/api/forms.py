"""The forms of a return as frames, each typed as the guidance says, and the same for other table libraries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import polars as pl

from synth.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import pyarrow as pa

__all__ = ["Forms"]


class Forms(ABC):
    """Forms by name, and by attribute: crcs, child, episode, adoption, care_leaver, postcodes.

    Columns are the machine names of the items, in the order of the guidance. Dates are Date, whole numbers Int64, codes
    and all else String; blanks are null.
    """

    @property
    @abstractmethod
    def frames(self) -> Mapping[str, pl.DataFrame]:
        """The typed forms by name."""

    @property
    def crcs(self) -> pl.DataFrame:
        """Children receiving care and support: a row for each child with a plan."""
        return self.frames["crcs"]

    @property
    def child(self) -> pl.DataFrame:
        """Children looked after on any day of the year, a row each."""
        return self.frames["child"]

    @property
    def episode(self) -> pl.DataFrame:
        """Episodes of care open on any day of the year."""
        return self.frames["episode"]

    @property
    def adoption(self) -> pl.DataFrame:
        """Children adopted in the year."""
        return self.frames["adoption"]

    @property
    def care_leaver(self) -> pl.DataFrame:
        """Young people of 16 or over who left care in the year."""
        return self.frames["care_leaver"]

    @property
    def postcodes(self) -> pl.DataFrame:
        """Welsh postcodes used in the forms, each with a small area (LSOA of 2011)."""
        return self.frames["postcodes"]

    def to_pandas(self) -> dict[str, pd.DataFrame]:
        """Return the forms as pandas frames: dates as datetime64, whole numbers as Int64, text as string.

        Raises InputError where pandas is not installed.

        >>> str(year.to_pandas()["episode"]["EPISODE_START_DATE"].max())
        '2023-03-24 00:00:00'
        """
        try:
            import pandas as pd  # noqa: PLC0415  an optional extra
        except ImportError:
            raise InputError(
                'to_pandas needs pandas, which is not installed; pip install "synth[pandas]", or use the frames of'
                " polars."
            ) from None
        return {
            form: pd.DataFrame({column.name: _in_pandas(column) for column in frame})
            for form, frame in self.frames.items()
        }

    def to_arrow(self) -> dict[str, pa.Table]:
        """Return the forms as Arrow tables: dates as date32, whole numbers as int64, text as large_string.

        Raises InputError where pyarrow is not installed.

        >>> year.to_arrow()["child"].num_rows
        235
        """
        try:
            import pyarrow as pa  # noqa: F401, PLC0415  an optional extra
        except ImportError:
            raise InputError(
                'to_arrow needs pyarrow, which is not installed; pip install "synth[arrow]", or use the frames of'
                " polars."
            ) from None
        return {form: frame.to_arrow() for form, frame in self.frames.items()}


def _in_pandas(column: pl.Series) -> Any:  # noqa: ANN401  a pandas series
    """Return a column for pandas, without going through Arrow, which pandas can do without."""
    import pandas as pd  # noqa: PLC0415

    if column.dtype == pl.Date:
        return pd.Series(column.to_numpy())
    return pd.Series(column.to_list(), dtype="Int64" if column.dtype == pl.Int64 else "string")
