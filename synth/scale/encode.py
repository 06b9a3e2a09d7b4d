"""One year of one world as the files of a partition, in memory: forms as CSV or Parquet, and what made them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl

from synth.files import MANIFEST, csv_bytes
from synth.guidance import load
from synth.manifest import json_text, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from synth.files import Generated
    from synth.returns.columns import Form
    from synth.scale.plan import Plan

__all__ = ["encoded"]

_LA = "LOCAL_AUTHORITY_CODE"


def encoded(made: Generated, plan: Plan, about: dict[str, Any]) -> dict[str, bytes]:
    """Return the files of a partition by name, the manifest last; `about` is all of it but the files."""
    write = csv_bytes if plan.form == "csv" else _parquet(made)
    files: dict[str, bytes] = {}
    told: dict[str, Any] = {}
    for form, name in plan.names().items():
        for folder, part in _parts(made.forms[form], plan):
            content = write(part)
            files[folder + name], told[folder + name] = content, listed(part, content)
    return files | {MANIFEST: json_text(about | {"files": told}).encode()}


def _parts(form: Form, plan: Plan) -> Iterator[tuple[str, Form]]:
    """Yield a form whole, or the rows of each authority with the folder they stand in; rows are in that order."""
    if not plan.by_authority or _LA not in form:
        yield "", form
        return
    for code in plan.codes:
        first, last = form[_LA].searchsorted([code, code + "z"])
        yield f"authority={code}/", {name: column[first:last] for name, column in form.items()}


def _parquet(made: Generated) -> Callable[[Form], bytes]:
    """Return what writes a form as Parquet: days as dates, all else as text, blanks as null."""
    days = {
        item.name
        for return_, collection in (("cla", ""), ("crcs", made.collection))
        for guidance in (load(return_, made.year, collection),)
        for form in guidance.forms
        for item in guidance.items(form)
        if item.type == "date"
    }

    def write(form: Form) -> bytes:
        frame = pl.read_csv(csv_bytes(form), infer_schema=False)
        frame = frame.with_columns(pl.col(sorted(days & form.keys())).str.to_date("%d/%m/%Y"))
        content = io.BytesIO()
        frame.write_parquet(content, compression="zstd", compression_level=1)
        return content.getvalue()

    return write
