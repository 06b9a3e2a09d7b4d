"""Parts of pages that are made when the site is built, from the tables and the program itself.

A page says where: a line `<!-- made: form cla episode -->` stands for the section `form` of the episode form of CLA.
Used as an extension of Sphinx; `expanded` gives the same without it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from made.commands import commands
from made.parameters import bases, parameters
from made.returns import codes, combinations, ended, form, limits, years

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.application import Sphinx

__all__ = ["MADE", "SECTIONS", "expanded", "setup"]

MADE = re.compile(r"^<!-- made: (?P<what>.+?) -->$", re.MULTILINE)
SECTIONS: dict[str, Callable[..., str]] = {
    section.__name__: section
    for section in (years, form, codes, limits, combinations, ended, commands, bases, parameters)
}
"""What can be made, by the name a page calls it by."""


def expanded(text: str) -> str:
    """Return a page in Markdown with its made parts in place; KeyError for a section nobody makes."""

    def made(place: re.Match[str]) -> str:
        name, *arguments = place["what"].split()
        return SECTIONS[name](*arguments)

    return MADE.sub(made, text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Have Sphinx read every page with its made parts in place; `-D rule_examples=0` leaves out what takes longest."""
    app.add_config_value("rule_examples", default=True, rebuild="env", types=bool)
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _read(app: Sphinx, page: str, source: list[str]) -> None:
    source[0] = expanded(source[0])
    if page == "rules":
        # Hundreds of rules would fill the list of what is on the page; the returns are enough.
        text = source[0] if app.config.rule_examples else re.sub(r"^\|.*\n", "", source[0], flags=re.MULTILINE)
        source[0] = "---\ntocdepth: 2\n---\n" + text
