"""Small tables of rows on both sides of a rule's edge, read from `edges/*.txt`.

A section begins with `= CLA053 2023`: the rule, the year (2023 unless named), and after these, where they are needed,
the way of collecting and the form (`form:adoption`). Tables follow. The first line of one names a form (`last:child` is
last year's) and its columns; `name=value` stands for a column of one value. Then a row for each child: its identifier,
the cells, and `!` where the rule is to find the row. `-` is a blank cell and `_` a space. Columns with other meanings:
`la` is the authority (Cardiff unless named), `file` the file a row stands in, `times` how many such children there are.
What a rule of whole files is to say stands on lines `found 552: ...`, one for each authority; `needs` and `severity`
begin lines that say what other forms the rule reads and how grave it is.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from synth.guidance import load
from synth.tables import LA, Tables, child_column, form_table, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterable

PLACE = Path(__file__).parent / "edges"
CARDIFF = "552"
FORMS = ("child", "episode", "adoption", "care_leaver", "crcs")
WRONG = "!"
SHORT = {
    "la": LA,
    "number": "EPISODE_NUMBER",
    "start": "EPISODE_START_DATE",
    "reason": "REASON_EPISODE_STARTED_CODE",
    "legal": "LEGAL_STATUS_CODE",
    "need": "CATEGORY_OF_NEED_CODE",
    "place": "PLACEMENT_TYPE_CODE",
    "postcode": "PLACEMENT_POSTCODE",
    "end": "EPISODE_END_DATE",
    "finish": "REASON_EPISODE_FINISHED_CODE",
    "breaks": "SHORT_BREAKS",
}
"""Short names of columns; others stand as they are."""


@dataclass
class Table:
    """One form as it is written in a section."""

    names: list[str]
    rows: list[list[str | None]] = field(default_factory=list)
    wrong: list[bool] = field(default_factory=list)


@dataclass
class Edge:
    """One section: a rule, the forms it is asked of, and what it is to find there."""

    rule: str
    year: int
    mode: str
    form: str
    at: str
    """File and line of the section."""
    tables: dict[str, Table] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    """What the rule says of itself: severity, and the forms it needs."""


def edges() -> list[Edge]:
    """Read all sections."""
    return [edge for path in sorted(PLACE.glob("*.txt")) for edge in _read(path)]


def _read(path: Path) -> list[Edge]:
    found: list[Edge] = []
    table, constants, names = Table([]), [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        cells = line.split()
        if not cells or cells[0].startswith("#"):
            continue
        if cells[0] == "=":
            found.append(_section(cells[1:], f"{path.name}:{number}"))
        elif cells[0] in {"needs", "severity"}:
            found[-1].said[cells[0]] = " ".join(cells[1:])
        elif cells[0] == "found":
            code, _, words = line.removeprefix("found").strip().partition(": ")
            found[-1].found[code] = words
        elif cells[0].removeprefix("last:") in FORMS:
            names = [name for name in cells[1:] if "=" not in name]
            constants = [name.split("=") for name in cells[1:] if "=" in name]
            key = child_column(cells[0].removeprefix("last:"))
            table = Table([key, *(SHORT.get(n, n) for n in names), *(SHORT.get(n, n) for n, _ in constants)])
            found[-1].tables[cells[0]] = table
        else:
            wrong = cells[-1] == WRONG
            cells = cells[:-1] if wrong else cells
            assert len(cells) == len(names) + 1, (
                f"{path.name}:{number}: {len(cells)} cells for {len(names) + 1} columns"
            )
            table.rows.append([_cell(cell) for cell in [*cells, *(value for _, value in constants)]])
            table.wrong.append(wrong)
    return found


def _section(words: list[str], at: str) -> Edge:
    year = next((int(word) for word in words if word.isdigit()), 2023)
    mode = next((word for word in words if word in {"census_date", "all_year"}), "")
    form = next((word.removeprefix("form:") for word in words if word.startswith("form:")), "")
    return Edge(words[0], year, mode, form, at)


def _cell(text: str) -> str | None:
    return None if text == "-" else text.replace("_", " ")


def forms_of(edge: Edge) -> tuple[Tables, dict[str, list[bool]]]:
    """Return the forms of a section, typed, and for each the rows that are to be found."""
    now = {form: table for form, table in edge.tables.items() if ":" not in form}
    then = {form.removeprefix("last:"): table for form, table in edge.tables.items() if ":" in form}
    tables, wrong = _tables(now, edge.year, edge.mode)
    # A census of plans was one of the whole year.
    planned = "crcs" in then and any(name.startswith("PLAN_") for name in then["crcs"].names)
    last = _tables(then, edge.year - 1, "all_year" if planned else "")[0] if then else None
    return replace(tables, last=last), wrong


def _tables(forms: dict[str, Table], year: int, mode: str) -> tuple[Tables, dict[str, list[bool]]]:
    made, wrong = {}, {}
    for form, table in forms.items():
        g = load("crcs", year, mode) if form == "crcs" else load("cla", year)
        raw, wrong[form] = _frame(form, table)
        files = raw["file"] if "file" in raw.columns else None
        # Which items there are says how a census was collected: all of them stand in the file.
        blank = [item.name for item in g.items(form) if item.name not in raw.columns]
        raw = raw.drop("file", strict=False).with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in blank)
        made[form] = replace(form_table(raw, form, g), files=files)
    return tables_of(made, load("cla", year)), wrong


def _frame(form: str, table: Table) -> tuple[pl.DataFrame, list[bool]]:
    rows: list[dict[str, str | None]] = []
    wrong: list[bool] = []
    key = child_column(form)
    for cells, bad in zip(table.rows, table.wrong, strict=True):
        row = {LA: CARDIFF} | dict(zip(table.names, cells, strict=True))
        times = int(row.pop("times", None) or 1)
        rows += [row | {key: f"{row[key]}-{n}"} if times > 1 else row for n in range(times)]
        wrong += [bad] * times
    names = dict.fromkeys([LA, *(name for name in table.names if name != "times")], pl.String)
    return pl.DataFrame(rows, schema=names), wrong


@cache
def known() -> tuple[tuple[Edge, Tables, dict[str, list[bool]]], ...]:
    """Return all sections with their forms; read and typed once."""
    return tuple((edge, *forms_of(edge)) for edge in edges())


LISTED = (("cla", 2023), ("crcs", 2023), ("crcs", 2024))
"""Returns and years whose rules are listed."""


def listing(rules: Iterable, absent: Iterable) -> str:
    """Write down the rules of a year, each with what it says of itself, and those that cannot be checked, with why."""
    lines = [
        f"{r.id} {r.form}; {r.severity}; {r.per}; needs {' '.join(r.needs)}"
        f"\n    {r.words}\n    {' '.join(r.fields)}; {r.reference}; {r.basis}"
        for r in rules
    ]
    return "\n".join([*lines, *(f"{x.id}: {x.why}; {x.severity}" for x in absent)]) + "\n"


def unlike(return_: str, year: int, rules: Iterable, absent: Iterable) -> bool:
    """Whether the rules of a year are others than those written down."""
    return listing(rules, absent) != golden(return_, year).read_text(encoding="utf-8")


def golden(return_: str, year: int) -> Path:
    """Return the file in which the rules of a return and year are written down."""
    return PLACE.parent / "golden" / "rules" / f"{return_}_{year}.txt"


def pieces() -> str:
    """Ask the small functions that rules are made of where no rule's table shows enough; say what is wrong."""
    from synth.errors import GuidanceError
    from synth.rules.common import age_on, birthday, bound
    from synth.rules.rulebook import expand

    born = (
        "2010-06-14",
        "2010-06-15",
        "2010-06-16",
        "2010-05-30",
        "2010-07-01",
        "2023-06-15",
        "2023-06-16",
        None,
        "0950-06-15",
    )
    ages = pl.DataFrame({"born": born}).with_columns(pl.col("born").str.to_date())
    # All days, blanks alone, and the days of one year, which are looked up in a table of that year.
    for rows, due in (
        (slice(None), [13, 13, 12, 13, 12, 0, None, None, 1073]),
        (slice(7, 8), [None]),
        (slice(0, 2), [13, 13]),
        (slice(5, 6), [0]),
    ):
        told = ages[rows].select(age_on("born", dt.date(2023, 6, 15))).to_series().to_list()
        if told != due:
            return f"ages {told}"
    ends = pl.DataFrame({"born": [dt.date(2010, 12, 31), dt.date(2010, 1, 1)]})
    told = ends.select(birthday("born", 5)).to_series().to_list()
    if told != [dt.date(2015, 12, 31), dt.date(2015, 1, 1)]:
        return f"birthdays {told}"
    spelt = expand(("CPR_*", "UPN", "CPR_B"), ["CPR_A", "CPXA", "CPRA", "CPR_B", "UPN", "OTHER"])
    if spelt != ("CPR_A", "CPR_B", "UPN"):
        return f"spelt {spelt}"
    for item, code, said in (("", "", "for the whole file  in"), ("DOB", "X", "for DOB X in")):
        try:
            bound(load("cla", 2023), item, code, "max_age")
        except GuidanceError as problem:
            if f"limits.csv has no max_age {said} cla 2023" not in str(problem):
                return str(problem)
        else:
            return "a limit that is missing is not told of"
    return ""


def fault(edge: Edge, tables: Tables, wrong: dict[str, list[bool]], rules: dict) -> str:
    """Ask a rule about its section and say what it does not find, or finds too much; nothing if all is as it should be.

    `rules` are those of the year by id and form.
    """
    forms = [edge.form] if edge.form else [form for id_, form in rules if id_ == edge.rule]
    if len(forms) != 1:
        return f"{edge.rule} is a rule of {forms}"
    rule = rules[edge.rule, forms[0]]
    g = tables.guidance("crcs" if edge.rule.startswith("CRCS") else "cla")
    lacking = [name for name in (rule.form, *rule.needs) if name not in tables]
    if lacking:
        return f"{edge.rule} needs {lacking}"
    for name, due in edge.said.items():
        value = getattr(rule, name)
        held = value if isinstance(value, str) else " ".join(value)
        if held != due:
            return f"{name} {held!r}"
    told = rule.check(tables, g)
    if isinstance(told, pl.DataFrame):
        said = dict(told.select("la", "value").rows())
        return "" if said == edge.found and len(said) == told.height else f"said {said}"
    due = wrong[rule.form]
    if told.dtype != pl.Boolean or told.to_list() != due:
        ids = tables.text(rule.form)[child_column(rule.form)].to_list()
        got = told.to_list()
        return (
            f"{got} where {due} is due"
            if len(got) != len(due)
            else f"at odds: {[i for i, a, b in zip(ids, got, due, strict=True) if a != b]}"
        )
    return _asked_together(rule, tables, due)


def _asked_together(rule, tables: Tables, due: list[bool]) -> str:
    """Ask the same of a rule that is a condition over one frame, as many of them are asked at once."""
    condition = getattr(rule, "condition", None)
    if condition is None:
        return ""
    name = condition.frame
    frame = tables.episodes if name == "episodes" else getattr(tables[rule.form], name)
    same = frame.select(condition.wrong.fill_null(value=False)).to_series().to_list() == due
    return "" if same else "as a condition the rule finds something else"
