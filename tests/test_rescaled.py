"""Targets under an overlay: what changes with a level, what adds up to it, and what stays."""

import json

import numpy as np
import polars as pl
import pytest
from conftest import frames
from hypothesis import given
from hypothesis import strategies as st

from synth.geography.authorities import all_authorities, parse_authorities
from synth.main_job import generate
from synth.profile import load_profile, overlay
from synth.profile.model import Target
from synth.profile.rescaled import rescaled

PROFILE = load_profile()
WHOLE = ("stock", "legal", "placement")
"""Tables whose cells are the looked-after children of 31 March, each in one cell."""
SUPPORTED = {"register", "neither", "N1", "recorded", "any"}
YEARS = st.sampled_from([2017, 2020, 2023])
AUTHORITIES = st.sampled_from([authority.code for authority in all_authorities()])


def at(targets, code, year):
    """Return table -> counts by cell of one authority and year."""
    return {t.table: dict(zip(t.cells, t.counts[code], strict=True)) for t in targets if t.year == year}


def with_level(kind, code, year, value):
    """Return the profile's targets after one level is replaced, and the factor."""
    factor = value / PROFILE.level(kind, code, year)
    return rescaled(PROFILE.targets, {(kind, code, year): factor}), factor


@given(AUTHORITIES, YEARS, st.floats(0.3, 3))
def test_cells_of_the_stock_add_up_to_the_new_level(code, year, times):
    value = round(PROFILE.level("looked_after", code, year) * times)
    targets, _ = with_level("looked_after", code, year, value)
    found = at(targets, code, year)
    assert {table: sum(found[table].values()) for table in WHOLE} == dict.fromkeys(WHOLE, value)


@given(AUTHORITIES, YEARS, st.floats(0.3, 3), st.sampled_from(["looked_after", "care_and_support"]))
def test_every_cell_keeps_its_proportion(code, year, times, kind):
    """Within a child; cells of the other level stay to the child, and nobody is put into an empty cell."""
    value = round(PROFILE.level(kind, code, year) * times)
    targets, factor = with_level(kind, code, year, value)
    before, after = at(PROFILE.targets, code, year), at(targets, code, year)
    for table, cells in after.items():
        for cell, count in cells.items():
            mine = (cell in SUPPORTED) == (kind == "care_and_support")
            expected = before[table][cell] * (factor if mine else 1)
            assert abs(count - expected) < 1, (table, cell)
            assert count >= 0
            assert before[table][cell] > 0 or count == 0, (table, cell)
            assert mine or count == before[table][cell], (table, cell)


@given(AUTHORITIES, YEARS, st.floats(0.3, 3))
def test_other_authorities_and_years_stay(code, year, times):
    value = round(PROFILE.level("looked_after", code, year) * times)
    targets, _ = with_level("looked_after", code, year, value)
    assert [(t.table, t.year, t.cells) for t in targets] == [(t.table, t.year, t.cells) for t in PROFILE.targets]
    for old, new in zip(PROFILE.targets, targets, strict=True):
        others = {other: counts for other, counts in new.counts.items() if (other, new.year) != (code, year)}
        assert others == {other: old.counts[other] for other in others}


@given(AUTHORITIES, YEARS)
def test_a_level_set_to_what_it_is_changes_nothing(code, year):
    targets, _ = with_level("looked_after", code, year, PROFILE.level("looked_after", code, year))
    assert targets == list(PROFILE.targets)


def test_the_largest_remainders_go_up():
    target = Target(table="stock", year=2020, cells=("a", "b", "c", "d"), counts={"512": (3, 0, 3, 1), "514": (1,) * 4})
    (found,) = rescaled([target], {("looked_after", "512", 2020): 9 / 7})
    # 3.86, 0, 3.86 and 1.29: two children more than the whole parts
    assert found.counts == {"512": (4, 0, 4, 1), "514": (1, 1, 1, 1)}


@pytest.mark.parametrize("times", [0.7, 1.5])
def test_an_overlay_is_lived_up_to(tmp_path, times):
    """The year asked for has its new stock by sex and age in proportion; files are clean, the year before stays."""
    chosen, year = parse_authorities("Merthyr Tydfil"), 2021
    code = chosen[0].code
    value = round(PROFILE.level("looked_after", code, year) * times)
    path = tmp_path / "mine.json"
    level = {"kind": "looked_after", "authority": code, "year": year, "value": value}
    path.write_text(json.dumps({"format_version": 1, "overlay": True, "levels": [level]}), "utf-8")
    changed = overlay(PROFILE, path)
    _, made, report = generate(changed, chosen, year, seed=3, out=tmp_path / "out")
    assert report.ok, report.to_text()
    forms = frames(made)
    open_ = forms["episode"].filter((pl.col("EPISODE_END_DATE") == "") & (pl.col("LEGAL_STATUS_CODE") != "V1"))
    assert open_.height == value
    sexes = open_.join(forms["child"], on=["LOCAL_AUTHORITY_CODE", "SYSTEM_ID"])["GNDR_CD"]
    boys = sum(changed.target("stock", code, year)[:18])
    assert abs((sexes == "1").sum() - boys) <= 0.05 * value
    assert np.array_equal(changed.target("stock", code, year - 1), PROFILE.target("stock", code, year - 1))
