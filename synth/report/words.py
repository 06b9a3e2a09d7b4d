"""The words of the report in English and Welsh, from words.csv."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

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


@cache
def _words() -> dict[str, tuple[str, str]]:
    text = files("synth.report").joinpath("words.csv").read_text("utf-8")
    return {row["key"]: (row["en"], row["cy"]) for row in csv.DictReader(text.splitlines())}
