"""Every rule: silent on good data, finds what its breaker broke, and lets no other rule fire but those it entails."""

import numpy as np
import polars as pl
import pytest
from worked import good_tables

from synth.errors import GuidanceError
from synth.guidance import load
from synth.rules import check_registry, rules_for
from synth.rules.registry import rule
from synth.tables import LA, Tables, child_column
from synth.validate import check_rule, validate_tables

YEARS = (2023, 2024)
RULES = [
    (year, r) for year in YEARS for return_ in ("cla", "crcs") for r in rules_for(load(return_, year))[0]
]
GOOD = {year: good_tables(year) for year in YEARS}


def children(t: Tables, form: str, rows) -> set[tuple[str | None, str | None]]:
    frame = t.text(form)[[int(r) for r in rows]].select(LA, child_column(form))
    return set(frame.rows())


def touched(before: Tables, after: Tables) -> set[tuple[str | None, str | None]]:
    """Children with a row in any form that is not the same, or not there as often, as before."""
    found: set[tuple[str | None, str | None]] = set()
    for form in before.forms:
        old, new = before.text(form), after.text(form)
        if old.equals(new):
            continue
        count = lambda f: {row: n for *row, n in f.group_by(f.columns).len().rows() for row in [tuple(row)]}  # noqa: E731
        a, b = count(old), count(new)
        key = old.columns.index(LA), old.columns.index(child_column(form))
        found |= {(row[key[0]], row[key[1]]) for row in a.keys() | b.keys() if a.get(row) != b.get(row)}
    return found


@pytest.mark.parametrize(("year", "r"), RULES, ids=[f"{y}-{r.id}-{r.form}" for y, r in RULES])
def test_breaker(year, r):
    good = GOOD[year]
    return_ = "crcs" if r.id.startswith("CRCS") else "cla"
    g = load(return_, year)
    assert r.break_rows is not None, "every rule has a breaker"
    before = {form: table.text.clone() for form, table in good.forms.items()}
    rows = np.arange(good[r.form].height)
    seen = False
    for seed in range(3):
        frames = r.break_rows(good, g, rows, np.random.default_rng(seed))
        assert all(good.text(form).equals(text) for form, text in before.items()), "the input was changed"
        broken = good.changed(frames)
        bad = touched(good, broken)
        seen = seen or bool(bad)
        report = validate_tables(broken, year)
        assert not [o for o in report.outcomes if o.status == "crashed"]
        names = {f"{la or '?'}/{who or '?'}" for la, who in bad}
        mine = report.findings.filter(pl.col("rule") == r.id)
        found = set(mine["child"].unique())
        # an identifier that was blanked names another child than before
        if not {child_column(r.form), LA} & set(r.fields):
            twins = r.id in {"CLA024", "CRCS-008"}  # the child whose number was taken is found too
            assert names <= found, "all broken children are found"
            assert twins or found <= names, "no other children are found"
        else:
            assert mine.height or not bad
        others = {o.rule for o in report.outcomes if o.status == "found"} - {r.id, *r.entails}
        assert not others, f"{sorted(others)} fire too"
    assert seen, "the good children give nothing to break"


def test_good_data_is_silent_in_every_year():
    for year in range(2017, 2025):
        report = validate_tables(good_tables(year), year)
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

    import dataclasses

    outcome, rows = check_rule(dataclasses.replace(first, check=burst), GOOD[2023], g)
    assert outcome.status == "crashed"
    assert "ZeroDivisionError: nothing to divide" in outcome.why
    assert rows is None
    short = dataclasses.replace(first, check=lambda t, g: pl.Series([True]))
    assert check_rule(short, GOOD[2023], g)[0].status == "crashed"
