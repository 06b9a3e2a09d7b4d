"""Parquet: a file a form, with typed dates and whole numbers, blanks as null."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl

from synth.formats.unfit import Bounds, check_fits
from synth.frames import text_frame
from synth.guidance import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from synth.files import Generated
    from synth.formats.content import Content
    from synth.returns.columns import Form

__all__ = ["parquet_bytes", "parquet_of", "write_parquet"]

_ANY = Bounds()
_SYNTHETIC = {"statement": "Every record is synthetic: no row describes a real child."}
"""Stands in the file's own metadata (key and value), so that it is told of a file taken out of its folder too."""


def write_parquet(content: Content, folder: Path) -> None:
    """Write every form into a folder. Raises InputError for a date or number that cannot be read as one."""
    for form, frame in check_fits(content, "parquet", _ANY).items():
        told = _SYNTHETIC if content.synthetic else None
        (folder / f"{content.name(form)}.parquet").write_bytes(parquet_bytes(frame, told))
    if content.postcodes is not None:
        (folder / "synthetic_postcodes.parquet").write_bytes(parquet_bytes(content.postcodes, _SYNTHETIC))


def parquet_of(made: Generated) -> Callable[[Form], bytes]:
    """Return what writes a form of a generated year as `write_parquet` does, without looking at it as a return."""
    kinds = {
        item.name: item.type
        for return_, collection in (("cla", ""), ("crcs", made.collection))
        for guidance in (load(return_, made.year, collection),)
        for form in guidance.forms
        for item in guidance.items(form)
    }

    def write(form: Form) -> bytes:
        typed = [
            pl.col(name).str.to_date("%d/%m/%Y") if kinds[name] == "date" else pl.col(name).cast(pl.Int64)
            for name in form
            if kinds.get(name) in {"date", "integer"}
        ]
        return parquet_bytes(text_frame(form).with_columns(typed), _SYNTHETIC)

    return write


def parquet_bytes(frame: pl.DataFrame, told: dict[str, str] | None = None) -> bytes:
    """Return a frame as Parquet, the same bytes every time; `told` is metadata (keys and values) of the file."""
    content = io.BytesIO()
    frame.write_parquet(content, compression="zstd", compression_level=1, metadata=told)
    return content.getvalue()
