"""What may stand for an option or argument, for shells that complete it: authorities, years, forms, rules, files.

Every function takes the context, the parameter and what is typed so far, and returns what it could become. They are
called at each press of a key, so they read CSV files and import no table library.
"""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from click.shell_completion import BashComplete, CompletionItem, FishComplete, add_completion_class

if TYPE_CHECKING:
    import click

    # For the type checker alone: items take a type in later releases of click alone.
    _Items = list[CompletionItem[Any]]

__all__ = ["authorities", "folders", "form_names", "profiles", "rule_ids", "rule_lists", "years", "years_from_to"]

_SPECIAL = re.compile(r"([^\w,.:/@%+=-])")
"""What a shell would not take as it is."""


def authorities(_context: click.Context, _parameter: click.Parameter, typed: str) -> _Items:
    """Return authorities by the name or code begun, the last of a list by commas; English names if none is begun."""
    from synth.geography.authorities import all_authorities, fold  # noqa: PLC0415

    before, last = _last_of(typed)
    taken = {fold(name) for name in before.split(",")}
    found: _Items = []
    for one in all_authorities():
        names = (one.name, one.welsh_name, one.code, one.ons_code)
        if taken.isdisjoint(map(fold, names)):
            begun = [name for name in names if fold(name).startswith(fold(last))]
            about = f"{one.welsh_name}, {one.code}" if one.welsh_name != one.name else one.code
            found += [CompletionItem(before + begun[0], help=about)] if begun else []
    return found


def years(_context: click.Context, _parameter: click.Parameter, typed: str) -> _Items:
    """Return the collection years there is guidance for, the projected one among them."""
    return [CompletionItem(year, help=about) for year, about in _years().items() if year.startswith(typed)]


def years_from_to(_context: click.Context, _parameter: click.Parameter, typed: str) -> _Items:
    """Return first years, or after a first year and a hyphen the spans that begin with it."""
    first, hyphen, last = typed.partition("-")
    if not hyphen:
        return [CompletionItem(f"{year}-") for year in _years() if year.startswith(first)]
    return [CompletionItem(f"{first}-{year}") for year in _years() if year >= first and year.startswith(last)]


def form_names(context: click.Context, _parameter: click.Parameter, typed: str) -> _Items:
    """Return the forms of the return that is named, or of both."""
    from synth.guidance import RETURNS, load, years  # noqa: PLC0415

    named = context.params.get("return_")
    loaded = [load(return_, max(years())) for return_ in ([named] if named else RETURNS)]
    return [CompletionItem(form, help=g.header.name) for g in loaded for form in g.forms if form.startswith(typed)]


def rule_ids(_context: click.Context, _parameter: click.Parameter, typed: str) -> _Items:
    """Return ids of rules, in capitals or not."""
    from synth.rules.named import rule_names  # noqa: PLC0415

    begun = typed.casefold()
    return [CompletionItem(id_, help=words) for id_, words in rule_names().items() if id_.casefold().startswith(begun)]


def rule_lists(context: click.Context, parameter: click.Parameter, typed: str) -> _Items:
    """Return ids of rules, forms, returns and `all`, the last of a list by commas."""
    before, last = _last_of(typed)
    groups = [CompletionItem(name) for name in ("all", "cla", "crcs") if name.startswith(last)]
    forms = [item for item in form_names(context, parameter, last) if item.value != "crcs"]
    found = [*groups, *forms, *rule_ids(context, parameter, last)]
    taken = set(before.split(","))
    return [CompletionItem(before + item.value, help=item.help) for item in found if item.value not in taken]


def profiles(_context: click.Context, _parameter: click.Parameter, typed: str) -> _Items:
    """Return the JSON files in the folder begun; where there are none, leave it to the shell to complete paths."""
    folder = Path(typed if typed.endswith(("/", os.sep)) else Path(typed).parent)
    shown = typed[: len(typed) - len(re.split(r"[/\\]", typed)[-1])]
    names = sorted(path.name for path in folder.glob("*.json")) if folder.is_dir() else []
    begun: _Items = [CompletionItem(shown + name) for name in names if (shown + name).startswith(typed)]
    return begun or [CompletionItem(typed, type="file")]


def folders(_context: click.Context, _parameter: click.Parameter, typed: str) -> _Items:
    """Leave it to the shell to complete the name of a folder."""
    return [CompletionItem(typed, type="dir")]


def _last_of(typed: str) -> tuple[str, str]:
    """Divide a list by commas into what stands before its last entry, commas included, and that entry."""
    before, comma, last = typed.rpartition(",")
    return before + comma, last


def _years() -> dict[str, str]:
    from synth.guidance.read import read_tables  # noqa: PLC0415

    rows = read_tables(files("synth.guidance")).returns
    return {str(row.year): "projection" if row.projected else f"{row.year - 1}-{row.year % 100:02d}" for row in rows}


class _Bash(BashComplete):
    """Bash takes a completed word as it is, so a name of two words has to come with its space escaped.

    The script reads each line once, which takes one backslash away.
    """

    def format_completion(self, item: CompletionItem[Any]) -> str:
        if item.type != "plain" or self._in_quotes():
            return super().format_completion(item)
        return "plain," + _SPECIAL.sub(r"\\\\\1", item.value)

    @staticmethod
    def _in_quotes() -> bool:
        words, place = os.environ["COMP_WORDS"].split("\n"), int(os.environ["COMP_CWORD"])
        return place < len(words) and words[place].startswith(("'", '"'))


class _Fish(FishComplete):
    """Fish divides a line at its first comma only, since lists have commas of their own."""

    source_template: ClassVar[str] = FishComplete.source_template.replace(
        'string split "," $completion', 'string split -m 1 "," $completion'
    )


add_completion_class(_Bash)
add_completion_class(_Fish)
