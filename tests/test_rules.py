"""Every rule: silent on good data, finds what its breaker broke; no other fires but those it entails."""

import dataclasses
from collections import Counter
from functools import cache
from itertools import product

import numpy as np
import polars as pl
import pytest

from synth.errors import GuidanceError
from synth.guidance import ALL_YEAR, CENSUS_DATE, load
from synth.rules.registry import rule
from synth.rules.rulebook import check_registry, rules_for
from synth.tables import FIRST_LINE, LA, FormTable, Tables, child_column, lines_of
from synth.validate import FINDING_COLUMNS, check_rule, validate_tables
from synth.worked import good, good_tables, tables

YEARS = (2024, 2023)
_NOW = [(2024, r) for return_ in ("cla", "crcs") for r in rules_for(load(return_, 2024))[0]]
_ONCE = [(2023, r) for return_ in ("cla", "crcs") for r in rules_for(load(return_, 2023))[0]]
_KNOWN = {(r.id, r.form) for _, r in _NOW}
RULES = _NOW + [(year, r) for year, r in _ONCE if (r.id, r.form) not in _KNOWN]
"""All rules of the last year, and those of the year before that it no longer has."""
GOOD = {year: good_tables(year) for year in YEARS}
COPIES = 40
LOT = 16
"""Rules broken at once."""


@cache
def many(year: int, mode: str = "", copies: int = COPIES) -> Tables:
    """Return the good children many times over: a dozen are too few for shares of a whole file."""
    return good_tables(year, copies, mode)


@cache
def copies(year: int, mode: str) -> list[Tables]:
    """Return each copy of the good children by itself, as in a lot; last year's return is that of all."""
    whole = many(year, mode, LOT)

    def part(table: FormTable, n: int) -> FormTable:
        height = table.height // LOT
        text, typed = (frame.slice(n * height, height) for frame in (table.text, table.typed))
        return dataclasses.replace(table, text=text, typed=typed, lines=lines_of(height))

    return [
        dataclasses.replace(whole, forms={form: part(table, n) for form, table in whole.forms.items()})
        for n in range(LOT)
    ]


def touched(before: Tables, after: Tables) -> set[tuple[str | None, str | None]]:
    """Children with a row in any form that is not the same, or not there as often, as before."""
    return touched_in({form: (before.text(form), after.text(form)) for form in before.forms})


def touched_in(forms: dict[str, tuple[pl.DataFrame, pl.DataFrame]]) -> set[tuple[str | None, str | None]]:
    found: set[tuple[str | None, str | None]] = set()
    for form, (old, new) in forms.items():
        if old.equals(new):
            continue
        a, b = Counter(old.rows()), Counter(new.rows())
        key = old.columns.index(LA), old.columns.index(child_column(form))
        found |= {(row[key[0]], row[key[1]]) for row in a.keys() | b.keys() if a[row] != b[row]}
    return found


def asked(t: Tables, year: int, forms: set[str]) -> pl.DataFrame:
    """What the rules find that look at any of these forms; no other can have changed its mind."""
    found = [pl.DataFrame(schema=FINDING_COLUMNS)]
    for return_ in ("cla", "crcs"):
        g = load(return_, year)
        for each in rules_for(g)[0]:
            if forms & {each.form, *each.needs}:
                outcome, rows = check_rule(each, t, g)
                assert outcome.status != "crashed", outcome.why
                found += [rows] if rows is not None else []
    return pl.concat(found)


def rng(r):
    return np.random.default_rng(len(r.id))


def said(children):
    """Names of children as findings say them."""
    return {f"{la or '?'}/{who or '?'}" for la, who in children}


def named(r):
    """Whether a child keeps its name when the rule is broken: a blanked identifier names another than before."""
    return r.per == "row" and not {child_column(r.form), LA} & set(r.fields)


class Lot:
    """Many rules broken at once, each in a copy of the good children of its own: the n-th rule in the n-th copy.

    What is found in a copy is due to its own rule, so all rules are asked once about all copies, not once for each of
    them. `alone` are those to be looked at by themselves: their breakers take the number of a child in another copy.
    """

    def __init__(self, year: int, rules: list, mode: str = "") -> None:
        self.rules, self.before = rules, copies(year, mode)
        self.alone, self.broken = set(), [{} for _ in self.before]
        whole = many(year, mode, LOT)
        self.texts = {form: text(table) for form, table in whole.forms.items()}
        numbers = {form: numbers_in(form, frame) for form, frame in self.texts.items()}
        for n, (r, copy) in enumerate(zip(rules, self.before, strict=False)):
            frames = r.break_rows(copy, guidance(r, year, mode), np.arange(copy[r.form].height), rng(r))
            new = {form: numbers_in(form, frame) - numbers_in(form, copy.text(form)) for form, frame in frames.items()}
            if any(taken & numbers[form] for form, taken in new.items()):
                self.alone.add(n)
            else:
                self.broken[n] = {form: frame.cast(pl.String) for form, frame in frames.items()}
        assert all(frame.equals(text(whole[form])) for form, frame in self.texts.items()), "the input was changed"
        parts = {
            form: [frames[form] if form in frames else self.text_of(form, n) for n, frames in enumerate(self.broken)]
            for form in set().union(*self.broken)
        }
        self.after = whole.changed({form: pl.concat(frames) for form, frames in parts.items()})
        self.first = {}
        """The first line of each copy in each file, and the line after the last."""
        for form, table in whole.forms.items():
            heights = [frame.height for frame in parts[form]] if form in parts else [table.height // LOT] * LOT
            self.first[table.file] = FIRST_LINE + np.append(0, np.cumsum(heights))

    def text_of(self, form: str, n: int) -> pl.DataFrame:
        """Return a form of a copy as it was."""
        height = self.texts[form].height // LOT
        return self.texts[form].slice(n * height, height)

    def touched(self, n: int) -> set[tuple[str | None, str | None]]:
        """Children of a copy with a row that is not as before."""
        return touched_in({form: (self.text_of(form, n), frame) for form, frame in self.broken[n].items()})

    def of_copy(self, findings: pl.DataFrame, n: int) -> pl.DataFrame:
        """Those findings that are about rows of a copy: they stand together, after those of the copies before."""
        here = [
            self.first[file][n] <= (line or 0) < self.first[file][n + 1]
            for file, line in findings.select("file", "line").iter_rows()
        ]
        return findings.filter(pl.Series(here, dtype=pl.Boolean))


def text(table: FormTable) -> pl.DataFrame:
    return table.text.cast(pl.String)


def numbers_in(form: str, frame: pl.DataFrame) -> set[str]:
    """Pupil numbers and identifiers on a form."""
    return {number for name in {"UPN", child_column(form)} & set(frame.columns) for number in frame[name]} - {None}


def guidance(r, year, mode=""):
    return load("crcs", year, mode) if r.id.startswith("CRCS") else load("cla", year)


@pytest.fixture(scope="module")
def lots():
    """Return the lot in which a rule of rows is broken, its number there, and all that is found in the lot."""
    found = {}
    for year in YEARS:
        rules = [r for y, r in RULES if y == year and r.per == "row"]
        for first in range(0, len(rules), LOT):
            lot = Lot(year, rules[first : first + LOT])
            findings = asked(lot.after, year, set(lot.after.forms))
            found |= {(year, r.id, r.form): (lot, n, findings) for n, r in enumerate(lot.rules)}
    return found


@pytest.mark.parametrize(("year", "r"), RULES, ids=[f"{y}-{r.id}-{r.form}" for y, r in RULES])
def test_breaker(lots, year, r):
    assert r.break_rows is not None, "every rule has a breaker"
    base = GOOD[year]
    lot, n, findings = lots.get((year, r.id, r.form), (None, 0, None))
    if lot and n not in lot.alone:
        bad, findings = lot.touched(n), lot.of_copy(findings, n)
    else:
        base = base if r.per == "row" else many(year)
        before = {form: table.text.clone() for form, table in base.forms.items()}
        frames = r.break_rows(base, guidance(r, year), np.arange(base[r.form].height), rng(r))
        assert all(base.text(form).equals(text) for form, text in before.items()), "the input was changed"
        broken = base.changed(frames)
        bad, findings = touched(base, broken), asked(broken, year, set(frames))
    assert bad, "the good children give nothing to break"
    names = said(bad)
    mine = findings.filter((pl.col("rule") == r.id) & (pl.col("file") == base[r.form].file))
    found = set(mine["child"].unique())
    assert found
    if r.per == "authority":
        names = {name.split("/")[0] for name in names}
        assert found <= names, "no other authorities are found"
        others = findings.filter(pl.col("line").is_not_null() & ~pl.col("rule").is_in(r.entails))
        assert others.is_empty(), f"{sorted(others['rule'].unique())} fire too"
        assert all(mine["value"].str.len_chars() > 10), "what was found is said in words"
        return
    if named(r):
        assert names <= found, "all broken children are found"
        twins = r.id in {"CLA024", "CRCS-008"}  # the child whose number was taken is found too
        assert twins or found <= names, "no other children are found"
    rows_found = findings.filter(pl.col("line").is_not_null())
    others = set(rows_found["rule"]) - {r.id, *r.entails}
    assert not others, f"{sorted(others)} fire too"


@pytest.mark.parametrize(
    ("year", "mode"), [*product(range(2017, 2023), ("", ALL_YEAR)), (2023, ALL_YEAR), (2024, CENSUS_DATE)]
)
def test_every_rule_of_other_years_finds_what_its_breaker_broke(year, mode):
    small = good_tables(year, mode=mode)
    rules = [r for g in (load("crcs", year, mode), *([] if mode else [load("cla", year)])) for r in rules_for(g)[0]]
    absent = [r for r in rules if any(need not in small for need in r.needs)]
    assert not absent or year == 2017, "only the first year has no year before"
    rules = [r for r in rules if r not in absent]
    in_rows = [r for r in rules if r.per == "row"]
    alone = [r for r in rules if r.per != "row"]
    for first in range(0, len(in_rows), LOT):
        lot = Lot(year, in_rows[first : first + LOT], mode)
        for n, r in enumerate(lot.rules):
            if n in lot.alone:
                alone.append(r)
                continue
            outcome, found = check_rule(r, lot.after, guidance(r, year, mode))
            assert outcome.status == "found", (r.id, outcome)
            found = lot.of_copy(found, n)
            assert found.height, r.id
            assert not named(r) or said(lot.touched(n)) <= set(found["child"]), r.id
    for r in alone:
        base = small if r.per == "row" else many(year, mode)
        frames = r.break_rows(base, guidance(r, year, mode), np.arange(base[r.form].height), rng(r))
        broken = base.changed(frames)
        outcome, found = check_rule(r, broken, guidance(r, year, mode))
        assert outcome.status == "found", (r.id, outcome)
        assert not named(r) or said(touched(base, broken)) <= set(found["child"]), r.id


def test_good_data_is_silent_in_every_year():
    for year in range(2017, 2025):
        for mode in (CENSUS_DATE, ALL_YEAR):
            report = validate_tables(good_tables(year, mode=mode), year)
            assert report.ok, report.to_text()


def test_registry_agrees_with_the_statements():
    check_registry()


def test_empty_forms_run():
    for year in YEARS:
        empty = GOOD[year].changed({form: table.text.clear() for form, table in GOOD[year].forms.items()})
        report = validate_tables(empty, year)
        assert not [o for o in report.outcomes if o.status in ("crashed", "found", "passed")]


def test_a_rule_without_a_statement_is_refused(monkeypatch):
    from synth.rules import registry

    monkeypatch.setattr(registry, "_register", dict(registry._register))
    rule("CLA999", form="child")(lambda t, g: None)
    with pytest.raises(GuidanceError, match="CLA999"):
        check_registry()


def test_a_rule_written_twice_is_refused():
    with pytest.raises(GuidanceError, match="twice"):
        rule("CLA053", form="episode")(lambda t, g: None)


def test_a_crash_is_an_outcome():
    g = load("cla", 2023)
    first = rules_for(g)[0][0]

    def burst(t, g):
        raise ZeroDivisionError("nothing to divide")

    outcome, rows = check_rule(dataclasses.replace(first, check=burst), GOOD[2023], g)
    assert outcome.status == "crashed"
    assert "ZeroDivisionError: nothing to divide" in outcome.why
    assert rows is None
    short = dataclasses.replace(first, check=lambda t, g: pl.Series([True]))
    assert check_rule(short, GOOD[2023], g)[0].status == "crashed"


def test_a_leap_day_child_may_turn_eighteen_on_either_day():
    frames = dict(good(2023))
    child, episode = frames["child"], frames["episode"]
    gus = pl.col("SYSTEM_ID") == "C007"
    leap = "29/02/2004"
    for end, wrong in (
        ("27/02/2022", True),
        ("28/02/2022", False),
        ("01/03/2022", False),
        ("02/03/2022", True),
    ):
        changed = {
            **frames,
            "child": child.with_columns(DOB=pl.when(gus).then(pl.lit(leap)).otherwise("DOB")),
            "episode": episode.with_columns(
                EPISODE_END_DATE=pl.when(gus).then(pl.lit(end)).otherwise("EPISODE_END_DATE")
            ),
        }
        findings = validate_tables(tables(changed, 2023), 2023).findings
        late = findings.filter(pl.col("rule").is_in(["CLA108", "CLA120"]) & pl.col("child").str.ends_with("C007"))
        # 27 February is the day before 28 February, which E10 tolerates
        assert (late.height > 0) is (wrong and end != "27/02/2022"), end


def test_every_statement_is_a_rule_or_says_why_it_is_none():
    for return_ in ("cla", "crcs"):
        for year in range(2017, 2025):
            g = load(return_, year)
            rules, _ = rules_for(g)
            checked = {r.id for r in rules}
            for id_, statement in g.statements.items():
                assert (id_ in checked) != bool(statement.unchecked), (id_, year)
