"""Words in English and Welsh: of the dictionary, of the files, and for every label of the guidance."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from synth.errors import GuidanceError
from synth.geography.authorities import all_authorities
from synth.packaged import rows_in

__all__ = ["Text", "Welsh", "read", "said", "welsh"]

_OFFICIAL = "Names of the authorities, synth/geography/authorities.csv"


class Text(NamedTuple):
    """The same in English and Welsh."""

    en: str
    cy: str


class Welsh(NamedTuple):
    """A Welsh label; its basis is published (it stands so in the source) or assumed (this project's translation)."""

    label: str
    basis: str
    source: str


def read(table: str) -> list[dict[str, str]]:
    """Return the rows of one of the tables of this package, such as forms.csv."""
    return rows_in("metadata", table)


def said(key: str, **parts: object) -> Text:
    """Return the words of a key in both languages, with what is to be filled in named; KeyError for an unknown key."""
    found = _words()[key]
    return Text(found.en.format(**parts), found.cy.format(**parts)) if parts else found


def welsh(label: str) -> Welsh:
    """Return the Welsh label of an English one; GuidanceError where welsh.csv has none."""
    try:
        return _labels()[label]
    except KeyError:
        raise GuidanceError(
            f"welsh.csv: the label {label!r} of the guidance has no Welsh label; add a row with english, welsh, basis"
            " and source to synth/metadata/welsh.csv."
        ) from None


@cache
def _labels() -> dict[str, Welsh]:
    names = {area.name: Welsh(area.welsh_name, "published", _OFFICIAL) for area in all_authorities()}
    return names | {row["english"]: Welsh(row["welsh"], row["basis"], row["source"]) for row in read("welsh.csv")}


@cache
def _words() -> dict[str, Text]:
    # What the report says too is said the same way.
    rows = [*rows_in("report", "words.csv"), *read("words.csv")]
    return {row["key"]: Text(row["en"], row["cy"]) for row in rows}
