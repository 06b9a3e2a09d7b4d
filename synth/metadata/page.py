"""The data dictionary as one HTML page: both languages beside each other, no scripts, nothing fetched.

The page is put together from strings: a template engine alone takes as long to load as all of this.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import groupby
from string import Template
from typing import TYPE_CHECKING

from synth.files import FILES
from synth.metadata.described import described
from synth.metadata.entries import CODE, Entry, entries
from synth.metadata.words import said

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from synth.metadata.words import Text

__all__ = ["dictionary_html"]

_ITEM_HEADS = ("item", "english", "welsh", "type", "required", "ages", "basis", "source", "note")
_CODE_HEADS = ("code", "english", "welsh", "basis", "source")
_VOCABULARY = {
    "required": ("always", "conditional", "optional"),
    "type": ("text", "integer", "date", "code", "postcode", "upn", "area"),
    "basis": ("confirmed", "england", "assumed", "high", "medium", "low"),
    "welsh": ("published", "assumed"),
}
"""Words that stand in the columns; words.csv says what each of them means."""
_SPECIAL = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


def dictionary_html(year: int, collection: str, banner: str = "banner") -> bytes:
    """Return the dictionary of a year as one page; `collection` is census_date or all_year, `banner` a key of words."""
    rows = entries(year, collection)
    sources = {source: n for n, source in enumerate(dict.fromkeys(row.source for row in rows), start=1)}
    heading, span = said("dictionary"), said("year_span", year=year)
    items, codes = _items(year, collection, rows, sources), _codes(rows, sources)
    sections = [_about(), *(section for _, _, section in (*items, *codes)), _sources(sources)]
    return (
        _template()
        .substitute(
            title=f"{_plain(heading)} · {year}",
            style=_asset("dictionary.css"),
            skip=_both(said("skip")),
            banner=_both(said(banner)),
            heading=_both(heading),
            span=_both(span),
            contents=_both(said("contents")),
            links=_links(items) + _links(codes),
            sections="\n".join(sections),
        )
        .encode()
    )


_Part = tuple[str, str, str]
"""The name of an anchor, what a link to it says, and the section it stands in."""


def _items(year: int, collection: str, rows: Sequence[Entry], sources: dict[str, int]) -> list[_Part]:
    """Return a section for each file, with its items."""
    found = []
    for form in described(year, collection):
        name, file = f"form-{form.form}", FILES[form.form]
        here = [row for row in rows if row.form == form.form]
        caption = said("items_of", file=file)
        table = _table(name, caption, _ITEM_HEADS, (_item_row(row, sources) for row in here))
        about = f'<p>{_text(form.about.en)}.</p>\n<p lang="cy">{_text(form.about.cy)}.</p>'
        section = f'<section aria-labelledby="{name}">\n<h2 id="{name}">{_both(form.title)}</h2>\n{about}\n{table}\n'
        found.append((name, _both(form.title), f"{section}</section>"))
    return found


def _codes(rows: Sequence[Entry], sources: dict[str, int]) -> list[_Part]:
    """Return a part for each code set, return by return, under one heading."""
    found: list[_Part] = []
    codes = [row for row in rows if row.kind == CODE]
    for (return_, name), here in groupby(codes, lambda row: (row.return_, row.code_set)):
        anchor, shown = f"codes-{return_}-{name}", f"{return_.upper()} {name}"
        caption = said("codes_of", name=shown)
        table = _table(anchor, caption, _CODE_HEADS, (_code_row(row, sources) for row in here))
        head = "" if found else f'<h2 id="code-sets">{_both(said("code_sets"))}</h2>\n'
        found.append((anchor, f"<code>{_text(shown)}</code>", f'{head}<h3 id="{anchor}">{_text(shown)}</h3>\n{table}'))
    return found


def _item_row(row: Entry, sources: dict[str, int]) -> str:
    ages = f"{row.min_age or 0} to {row.max_age}" if row.max_age else f"{row.min_age} and over" if row.min_age else ""
    ages += f", otherwise {row.outside_age_code}" if row.outside_age_code else ""
    link = f': <a href="#codes-{row.return_}-{row.code_set}">{_broken(row.code_set)}</a>' if row.code_set else ""
    condition = f": {_broken(row.condition.replace('|', ' or ').replace('!=', ' is filled'))}" if row.condition else ""
    return (
        f"{_named(row)}<td>{row.type}{link}</td><td>{row.required}{condition}</td><td>{ages}</td>"
        f"{_resting(row, sources)}<td>{_text(row.note)}</td></tr>"
    )


def _code_row(row: Entry, sources: dict[str, int]) -> str:
    return f"{_named(row)}{_resting(row, sources)}</tr>"


def _named(row: Entry) -> str:
    """Return the cells a row begins with: its name and its labels, the Welsh one with what it rests on."""
    return (
        f'<tr><th scope="row"><code>{_broken(row.name)}</code></th><td class="label">{_text(row.label_en)}</td>'
        f'<td class="label"><span lang="cy">{_text(row.label_cy)}</span>'
        f' <span class="mark">{row.welsh_basis}</span></td>'
    )


def _resting(row: Entry, sources: dict[str, int]) -> str:
    n = sources[row.source]
    return f'<td>{row.basis}, {row.confidence}</td><td><a href="#source-{n}">source {n}</a></td>'


def _about() -> str:
    """Return what a reader must know first, and what the words in the columns mean."""
    lines = []
    for key in ("about_guidance", "about_welsh", "about_english"):
        text = said(key)
        lines.append(f'<p>{_text(text.en)}</p>\n<p lang="cy">{_text(text.cy)}</p>')
    meanings = [
        f'<tr><th scope="row">{word}</th><td>{_both(said(column))}</td><td>{_both(said(f"means_{word}"))}</td></tr>'
        for column, words in _VOCABULARY.items()
        for word in words
    ]
    table = _table("words", said("words_used"), ("word", "column", "meaning"), meanings)
    title = _both(said("about"))
    return f'<section aria-labelledby="about">\n<h2 id="about">{title}</h2>\n{"".join(lines)}\n{table}\n</section>'


def _sources(sources: dict[str, int]) -> str:
    lines = "\n".join(f'<li id="source-{n}">{_text(source)}</li>' for source, n in sources.items())
    title = _both(said("sources"))
    return f'<section aria-labelledby="sources">\n<h2 id="sources">{title}</h2>\n<ol>\n{lines}\n</ol>\n</section>'


def _table(name: str, caption: Text, heads: Iterable[str], rows: Iterable[str]) -> str:
    """Return a table in a frame that can be scrolled, with the keyboard too."""
    head = "".join(f'<th scope="col">{_both(said(key))}</th>' for key in heads)
    body = "\n".join(rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-labelledby="caption-{name}">\n<table>\n'
        f'<caption id="caption-{name}">{_both(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def _links(parts: Sequence[_Part]) -> str:
    lines = "\n".join(f'<li><a href="#{name}">{text}</a></li>' for name, text, _ in parts)
    return f"<ul>\n{lines}\n</ul>\n"


def _both(text: Text) -> str:
    """Return words in both languages, the Welsh ones marked as such."""
    return f'{_text(text.en)} <span lang="cy">{_text(text.cy)}</span>'


def _plain(text: Text) -> str:
    return f"{_text(text.en)} · {_text(text.cy)}"


def _broken(name: str) -> str:
    """Return a name that may be broken after its underscores."""
    return _text(name).replace("_", "_<wbr>")


def _text(text: str) -> str:
    """Return text in which nothing is taken for markup."""
    return text.translate(_SPECIAL)


@cache
def _template() -> Template:
    return Template(_asset("dictionary.html"))


def _asset(name: str) -> str:
    return files("synth").joinpath("metadata", name).read_text("utf-8")
