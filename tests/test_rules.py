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


@cache
def many(year: int, mode: str = "") -> Tables:
    """Return the good children many times over: a dozen are too few for shares of a whole file."""
    return good_tables(year, COPIES, mode)


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


@pytest.mark.parametrize(("year", "r"), RULES, ids=[f"{y}-{r.id}-{r.form}" for y, r in RULES])
def test_breaker(year, r):
    base = GOOD[year] if r.per == "row" else many(year)
    return_ = "crcs" if r.id.startswith("CRCS") else "cla"
    g = load(return_, year)
    assert r.break_rows is not None, "every rule has a breaker"
    before = {form: table.text.clone() for form, table in base.forms.items()}
    rows = np.arange(base[r.form].height)
    frames = r.break_rows(base, g, rows, np.random.default_rng(len(r.id)))
    assert all(base.text(form).equals(text) for form, text in before.items()), "the input was changed"
    broken = base.changed(frames)
    bad = touched(base, broken)
    assert bad, "the good children give nothing to break"
    findings = asked(broken, year, set(frames))
    names = {f"{la or '?'}/{who or '?'}" for la, who in bad}
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
    if not {child_column(r.form), LA} & set(r.fields):  # a blanked identifier names another child than before
        twins = r.id in {"CLA024", "CRCS-008"}  # the child whose number was taken is found too
        assert names <= found, "all broken children are found"
        assert twins or found <= names, "no other children are found"
    rows_found = findings.filter(pl.col("line").is_not_null())
    others = set(rows_found["rule"]) - {r.id, *r.entails}
    assert not others, f"{sorted(others)} fire too"


@pytest.mark.parametrize(
    ("year", "mode"), [*product(range(2017, 2023), ("", ALL_YEAR)), (2023, ALL_YEAR), (2024, CENSUS_DATE)]
)
def test_every_rule_of_other_years_finds_what_its_breaker_broke(year, mode):
    small = good_tables(year, mode=mode)
    for g in (load("crcs", year, mode), *([] if mode else [load("cla", year)])):
        for r in rules_for(g)[0]:
            base = small if r.per == "row" else many(year, mode)
            if any(need not in base for need in r.needs):
                assert year == 2017, "only the first year has no year before"
                continue
            rows = np.arange(base[r.form].height)
            frames = r.break_rows(base, g, rows, np.random.default_rng(len(r.id)))
            broken = base.changed(frames)
            outcome, found = check_rule(r, broken, g)
            assert outcome.status == "found", (r.id, outcome)
            names = {f"{la or '?'}/{who or '?'}" for la, who in touched(base, broken)}
            if r.per == "row" and not {child_column(r.form), LA} & set(r.fields):
                assert names <= set(found["child"]), r.id


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
