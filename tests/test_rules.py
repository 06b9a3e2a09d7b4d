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
from synth.tables import LA, Tables, child_column
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
LOT, FEW = 24, 8
"""Rules broken at once where all rules are asked about them, and where each is asked about itself only."""


@cache
def many(year: int, mode: str = "", copies: int = COPIES) -> Tables:
    """Return the good children many times over: a dozen are too few for shares of a whole file."""
    return good_tables(year, copies, mode)


@cache
def texts(year: int, mode: str, copies: int) -> dict[str, pl.DataFrame]:
    """Return the forms of so many copies, all of text."""
    return {form: table.text.cast(pl.String) for form, table in many(year, mode, copies).forms.items()}


def touched(before: Tables, after: Tables) -> set[tuple[str | None, str | None]]:
    """Children with a row in any form that is not the same, or not there as often, as before."""
    found: set[tuple[str | None, str | None]] = set()
    for form in before.forms:
        old, new = before.text(form), after.text(form)
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

    A breaker changes no other child, so what is found in a copy is due to its own rule: the rules are then asked once
    about all copies, not once for each rule. `alone` are those to be looked at by themselves, whose breakers add or
    remove rows or take what is another child's.
    """

    def __init__(self, year: int, rules: list, copies: int, mode: str = "") -> None:
        self.rules, self.before, self.texts = rules, many(year, mode, copies), texts(year, mode, copies)
        self.heights = {form: text.height // copies for form, text in self.texts.items()}
        self.alone, self.changed = set(), {}
        parts = {form: [self.copy(text, form, n) for n in range(copies)] for form, text in self.texts.items()}
        for n, r in enumerate(rules):
            height = self.heights[r.form]
            frames = r.break_rows(self.before, guidance(r, year, mode), np.arange(n * height, (n + 1) * height), rng(r))
            self.changed[n] = set(frames)
            if not all(self.apart(form, frame, n) for form, frame in frames.items()):
                self.alone.add(n)
                continue
            for form, frame in frames.items():
                text = frame.cast(pl.String)
                parts[form][n] = self.copy(text, form, n)
                for elsewhere in (slice(0, n * self.heights[form]), slice((n + 1) * self.heights[form], None)):
                    assert text[elsewhere].equals(self.texts[form][elsewhere]), f"{r.id} changed other children"
        assert all(self.before.text(form).cast(pl.String).equals(text) for form, text in self.texts.items()), (
            "the input was changed"
        )
        forms = set().union(*self.changed.values())
        self.broken = {form: pl.concat(parts[form]) for form in forms}
        self.after = self.before.changed(self.broken)

    def copy(self, text: pl.DataFrame, form: str, n: int) -> pl.DataFrame:
        return text.slice(n * self.heights[form], self.heights[form])

    def apart(self, form: str, frame: pl.DataFrame, n: int) -> bool:
        """Say whether a broken form has the rows it had, and no child in a copy the number of one in another."""
        old = self.texts[form]
        if frame.height != old.height:
            return False
        for name in {"UPN", child_column(form)} & set(old.columns):
            here = slice(n * self.heights[form], (n + 1) * self.heights[form])
            new = set(frame[name][here]) - set(old[name][here]) - {None}
            if new & set(old[name]):
                return False
        return True

    def touched(self, n: int) -> set[tuple[str | None, str | None]]:
        """Children of a copy with a row that is not as before."""
        found = set()
        for form in self.changed[n]:
            old, new = (self.copy(text[form], form, n) for text in (self.texts, self.broken))
            differ = ~pl.Series(a == b for a, b in zip(old.rows(), new.rows(), strict=True))
            for text in (old, new):
                found |= set(text.filter(differ).select(LA, child_column(form)).rows())
        return found

    def of_copy(self, findings: pl.DataFrame, n: int) -> pl.DataFrame:
        """Those findings that are about rows of a copy: its rows stand together, the first on line 2."""
        heights = pl.col("file").replace_strict(
            {table.file: self.heights[form] for form, table in self.before.forms.items()}, return_dtype=pl.Int64
        )
        return findings.filter((pl.col("line") - 2) // heights == n)


def guidance(r, year, mode=""):
    return load("crcs", year, mode) if r.id.startswith("CRCS") else load("cla", year)


@pytest.fixture(scope="module")
def lots():
    """Return the lot in which a rule of rows is broken, its number there, and all that is found in the lot."""
    found = {}
    for year in YEARS:
        rules = [r for y, r in RULES if y == year and r.per == "row"]
        for first in range(0, len(rules), LOT):
            lot = Lot(year, rules[first : first + LOT], LOT)
            findings = asked(lot.after, year, set(lot.before.forms))
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
    for first in range(0, len(in_rows), FEW):
        lot = Lot(year, in_rows[first : first + FEW], FEW, mode)
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
