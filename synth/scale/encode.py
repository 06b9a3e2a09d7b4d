"""One year of one world as the files of a partition, in memory: forms as CSV or Parquet, and what made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth.files import MANIFEST, csv_bytes
from synth.formats.columnar import parquet_of
from synth.manifest import json_text, listed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from synth.files import Generated
    from synth.returns.columns import Form
    from synth.scale.plan import Plan

__all__ = ["encoded"]

_LA = "LOCAL_AUTHORITY_CODE"


def encoded(made: Generated, plan: Plan, about: dict[str, Any]) -> dict[str, bytes]:
    """Return the files of a partition by name, the manifest last; `about` is all of it but the files."""
    write = csv_bytes if plan.form == "csv" else parquet_of(made)
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
