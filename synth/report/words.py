"""The words of the report in English and Welsh, from words.csv."""

from __future__ import annotations

from functools import cache

from synth.geography.authorities import all_authorities
from synth.packaged import rows_in
from synth.published import WALES

__all__ = ["LANGUAGES", "Words"]

LANGUAGES = ("en", "cy")


class Words:
    """Says things in one language: `say("stock")`, with what is to be filled in named."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._other = language != "en"

    def __call__(self, key: str, **parts: object) -> str:
        """Return the words of a key; KeyError for a key that is not in words.csv."""
        text = _words()[key][self._other]
        return text.format(**parts) if parts else text

    def place(self, ons_code: str) -> str:
        """Return the name of an authority or of Wales; the code itself for any other place."""
        return self("wales") if ons_code == WALES else _names().get(ons_code, (ons_code,) * 2)[self._other]


@cache
def _names() -> dict[str, tuple[str, str]]:
    return {area.ons_code: (area.name, area.welsh_name) for area in all_authorities()}


@cache
def _words() -> dict[str, tuple[str, str]]:
    return {row["key"]: (row["en"], row["cy"]) for row in rows_in("report", "words.csv")}
