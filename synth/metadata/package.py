"""The Data Package: what every file of a year holds, so that tools of others can read and check it.

Descriptors follow version 2.0 of the standard (datapackage.org), which Frictionless checks where `$schema` says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synth import __version__
from synth.dates import year_code
from synth.files import FILES
from synth.guidance import load
from synth.metadata.described import described
from synth.metadata.origin import LICENCE, LICENCE_NAME, LICENCE_TITLE, PROGRAM, keywords, name_of, title_of
from synth.metadata.patterns import CHILD_ITEMS, pattern
from synth.metadata.words import welsh

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth.guidance import Item
    from synth.metadata.described import Described
    from synth.metadata.origin import Source, Subject, Written

__all__ = ["datapackage"]

_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_DATES = "%d/%m/%Y"
_POSTCODES, _POSTCODE = "postcodes", "POSTCODE"
_UPN = "UPN"
_DIALECT = {
    "header": True, "delimiter": ",", "lineTerminator": "\n", "quoteChar": '"', "doubleQuote": True,
    "skipInitialSpace": False,
}  # fmt: skip


def datapackage(
    subject: Subject, written: Mapping[str, Written], sources: Sequence[Source], statement: str
) -> dict[str, Any]:
    """Describe the files of a year; `written` tells size, digest and rows of each form's file.

    `statement` says what stands behind them, as the manifest does.
    """
    title = title_of((subject.year,), subject.world)
    projected = {"projection": load("cla", subject.year).header.note} if load("cla", subject.year).projected else {}
    return {
        "$schema": _PROFILE,
        "name": name_of(subject.year, subject.world),
        "title": title.en,
        "title@cy": title.cy,
        "description": statement,
        **projected,
        "version": __version__,
        "keywords": [word.en for word in keywords()],
        "licenses": [{"name": LICENCE_NAME, "title": LICENCE_TITLE, "path": LICENCE}],
        "contributors": [{"title": f"{PROGRAM}, the program that made the files", "roles": ["creator"]}],
        "sources": [
            {"title": source.title, **({"path": source.address} if source.address else {})} for source in sources
        ],
        "resources": [
            _resource(form, written[form.form], subject.year) for form in described(subject.year, subject.collection)
        ],
    }


def _resource(form: Described, written: Written, year: int) -> dict[str, Any]:
    return {
        "name": _name(form.form),
        "type": "table",
        "path": FILES[form.form],
        "title": form.title.en,
        "title@cy": form.title.cy,
        "description": form.about.en,
        "description@cy": form.about.cy,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": written.size,
        "hash": f"sha256:{written.sha256}",
        "rows": written.rows,
        "dialect": _DIALECT,
        "schema": _schema(form, year),
    }


def _name(form: str) -> str:
    return FILES[form].removesuffix(".csv")


def _schema(form: Described, year: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "fields": [_field(form, item, year) for item in form.items],
        "missingValues": [""],
        "primaryKey": list(form.key),
    }
    child = form.key[:2]
    if any(item.name == _UPN for item in form.items):
        # A child whose care passes on has one number in two authorities.
        found["uniqueKeys"] = [[child[0], _UPN]]
    foreign = []
    if form.within:
        foreign.append(_reference(child, form.within, child))
    if form.home:
        foreign.append(_reference((form.home,), _POSTCODES, (_POSTCODE,)))
    return found | ({"foreignKeys": foreign} if foreign else {})


def _reference(fields: Sequence[str], form: str, keys: Sequence[str]) -> dict[str, Any]:
    return {"fields": list(fields), "reference": {"resource": _name(form), "fields": list(keys)}}


def _field(form: Described, item: Item, year: int) -> dict[str, Any]:
    codes = form.codes(item) if item.type == "code" else ()
    described_as = _words(item)
    return {
        "name": item.name,
        "title": item.label,
        "title@cy": welsh(item.label).label,
        **({"description": described_as} if described_as else {}),
        **_type(item),
        **({"categories": [{"value": code.code, "label": code.label} for code in codes]} if codes else {}),
        "constraints": _constraints(form, item, year),
    }


def _type(item: Item) -> dict[str, str]:
    if item.type == "date":
        return {"type": "date", "format": _DATES}
    return {"type": "integer"} if item.type == "integer" else {"type": "string"}


def _constraints(form: Described, item: Item, year: int) -> dict[str, Any]:
    """Return what holds for every value of an item; what hangs on other items stands in its description."""
    found: dict[str, Any] = {"required": item.required == "always"}
    if item.name in CHILD_ITEMS and item.unique:
        found["unique"] = True
    if item.name == "YEAR_CODE":
        found["enum"] = [int(year_code(year))]
    elif item.type == "code":
        found["enum"] = [code.code for code in form.codes(item)]
    elif shape := pattern(item, form.codes(item)):
        found["pattern"] = shape
    return found


def _words(item: Item) -> str:
    """Say what a descriptor has no word for: conditions, ages, notes, and what the item rests on."""
    said = []
    if item.condition:
        said.append(f"Filled if and only if {item.condition.replace('!=', ' is filled').replace('|', ' or ')}.")
    if item.min_age is not None or item.max_age is not None:
        ages = [f"from age {item.min_age}"] if item.min_age is not None else []
        ages += [f"up to age {item.max_age}"] if item.max_age is not None else []
        said.append(f"Asked {' '.join(ages)} on 31 March, otherwise {item.outside_age_code}.")
    if item.note:
        said.append(f"{item.note}.")
    said.append(f"Basis: {item.basis}, {item.confidence} confidence.")
    return " ".join(said)
