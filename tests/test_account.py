from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.errors import ProfileError
from synth.fit.account import fit_account
from synth.fit.account.bridge import bridges
from synth.fit.account.cells import FIRST, YEARS, Margin, group_of, levels_of, margins_of
from synth.fit.account.learn import Factors, rates_of
from synth.fit.account.paths import paths
from synth.fit.account.prior import prior_of
from synth.fit.account.quarrels import reconciled
from synth.fit.account.solve import Problem
from synth.levels import levels
from synth.published import load_tables

GROUP = np.array([group_of(age) for age in range(18)])
HELD_OUT = range(2013, 2018)


@pytest.fixture(scope="module")
def tables():
    return load_tables()


@pytest.fixture(scope="module")
def known(tables):
    return levels(tables)


@pytest.fixture(scope="module")
def totals(known):
    return np.array(levels_of(known))


@pytest.fixture(scope="module")
def margins(tables, totals):
    return margins_of(tables, totals.tolist())


@pytest.fixture(scope="module")
def account(whole_fit, known):
    """The account of the whole fit."""
    assert list(whole_fit.fit.profile.levels) == list(known)
    return whole_fit.fit.account


@pytest.fixture(scope="module")
def blind(tables, known):
    """The account fitted without any age and sex of 31 March 2013 to 2017."""
    return fit_account(tables, known, hold_out={("T01", year) for year in HELD_OUT})


def counted(stock, margin):
    """Children of a (22, 2, 18, 22) stock that a margin counts."""
    places = range(22) if margin.authority is None else [margin.authority]
    ages = np.flatnonzero(np.isin(GROUP, margin.groups))
    return stock[np.ix_(places, margin.sexes, ages, [margin.year])].sum()


def test_account_leaves_no_residual(account):
    assert account.residual().shape == (22, 2, 19, 21)
    assert not account.residual().any()


def test_no_count_is_negative_and_nobody_leaves_who_was_not_there(account):
    for counts in (account.stock, account.starts, account.leavers):
        assert counts.dtype == np.int64
        assert counts.min() == 0
    there = np.pad(account.stock[..., :-1], ((0, 0), (0, 0), (1, 0), (0, 0))) + account.starts[..., 1:]
    assert (account.leavers[..., 1:] <= there).all()


def test_whoever_turns_18_leaves(account):
    turned = account.stock[:, :, 17, :-1] + account.starts[:, :, 18, 1:]
    assert (account.leavers[:, :, 18, 1:] == turned).all()


def test_every_total_of_an_authority_is_its_level(account, totals):
    assert (account.stock.sum(axis=(1, 2)) == totals).all()
    assert np.abs(account.expected_stock.sum(axis=(1, 2)) - totals).max() < 0.01


def test_published_stocks_are_met_but_for_named_quarrels(account, margins):
    quarrels = {quarrel.label: quarrel for quarrel in account.quarrels}
    assert len(quarrels) == len(account.quarrels)
    for margin in margins:
        if margin.kind != "stock":
            continue
        by = quarrels[margin.label].by if margin.label in quarrels else 0
        children = counted(account.stock, margin)
        assert margin.low + min(by, 0) <= children <= margin.high + max(by, 0), margin.label


def test_no_age_group_of_an_authority_is_in_a_quarrel(account):
    """Sums over groups give way first; 3,080 cells by authority, sex and age group are all met."""
    for quarrel in account.quarrels:
        if quarrel.label.startswith("T01"):
            assert quarrel.label.endswith(" all") or " Wales " in quarrel.label, quarrel
    assert sum(abs(quarrel.by) for quarrel in account.quarrels if quarrel.label.startswith("T01")) < 200


def test_expected_account_meets_its_cells(account):
    assert account.violation < 0.01
    opening = np.pad(account.expected_stock[..., :-1], ((0, 0), (0, 0), (1, 0), (0, 0)))
    closing = np.pad(account.expected_stock[..., 1:], ((0, 0), (0, 0), (0, 1), (0, 0)))
    rest = closing - opening - account.expected_starts[..., 1:] + account.expected_leavers[..., 1:]
    assert np.abs(rest).max() < 1e-9


def test_published_flows_are_met_and_those_that_cannot_be_are_named(account, margins):
    quarrels = {quarrel.label: quarrel.by for quarrel in account.quarrels}
    starts, leavers = (flow.sum(axis=(0, 1, 2)) for flow in (account.starts, account.leavers))
    for margin in margins:
        if margin.kind == "starts":
            assert margin.low <= starts[margin.year] <= margin.high
        if margin.kind == "leavers":
            assert margin.low <= leavers[margin.year] - quarrels.get(margin.label, 0) <= margin.high
    # 5,961 and 2,168 starts less 1,727 leavers are 6,402, but 6,407 were counted.
    assert quarrels["T13 2018 Wales leavers S018"] == -5
    # In 2019 the figures agree within the revision of the stock from 6,846 to 6,834.
    assert not any("2019" in label for label in quarrels if label.startswith("T13"))


def test_whole_children_stay_near_the_expected_ones(account):
    off = np.abs(account.stock - account.expected_stock)
    assert off.max() < 4
    assert off.mean() < 0.5


def test_held_out_cells_are_predicted(blind, margins):
    """Measured share: 0.94 and more a year (0.89 to 0.93 if 2012 is carried forward); the aim is 0.80."""
    for year in (2014, 2015, 2016, 2017):
        cells = [m for m in margins if m.table == "T01" and m.year == year - FIRST]
        cells = [m for m in cells if m.authority is not None and len(m.groups) == 1]
        assert len(cells) == 220
        within = 0
        for margin in cells:
            expected = counted(blind.expected_stock, margin)
            slack = 2 * np.sqrt(expected)
            within += margin.low - slack <= expected <= margin.high + slack
        assert within / len(cells) >= 0.9, year


def test_held_out_cells_are_not_used(account, blind, margins):
    later = [m for m in margins if m.table == "T01" and m.year == 2017 - FIRST and len(m.groups) == 1]
    missed = [m for m in later if not m.low <= counted(blind.stock, m) <= m.high]
    assert len(missed) > len(later) / 4
    assert not blind.residual().any()


def test_same_account_again(tables, known):
    """The ages of Wales after 2017 and the flows alone: the whole way, on few cells."""
    first, again = (fit_account(tables, known, hold_out={"T01"}) for _ in range(2))
    for name in ("stock", "starts", "leavers"):
        assert getattr(again, name).tobytes() == getattr(first, name).tobytes()
    assert again.quarrels == first.quarrels


def test_a_missing_level_is_named(tables, known):
    less = [level for level in known if (level.authority, level.year) != ("552", 2011)]
    with pytest.raises(ProfileError, match=r"Cardiff.*2011") as caught:
        fit_account(tables, less)
    assert "Add the level" in str(caught.value)


def test_hold_out_takes_tables_and_years(tables, totals, margins):
    without = margins_of(tables, totals.tolist(), hold_out={"T15", ("T01", 2010)})
    gone = set(margins) - set(without)
    assert {m.table for m in gone} == {"T15", "T01"}
    assert {m.year + FIRST for m in gone if m.table == "T01"} == {2010}
    assert len([m for m in gone if m.table == "T01"]) == 23 * 2 * 6


def cell(low, high, authority=0, year=0, sexes=(0,), groups=(0,)):
    return Margin("stock", "T", f"{authority} {year} {sexes} {groups}", authority, year, sexes, groups, low, high)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=10, max_size=10), st.integers(-60, 60))
def test_quarrels_are_the_fewest_children_possible(parts, gap):
    """Ten cells known to 2 children and a total `gap` away from their sum: what 20 children cannot span is missed."""
    total = max(sum(parts) + gap, 0)
    cells = [cell(max(0, n - 2), n + 2, sexes=(place % 2,), groups=(place // 2,)) for place, n in enumerate(parts)]
    _, quarrels = reconciled(cells, np.full((1, YEARS), total))
    low, high = sum(c.low for c in cells), sum(c.high for c in cells)
    assert sum(abs(q.by) for q in quarrels) == max(total - high, low - total, 0)


def test_agreeing_cells_are_left_alone(margins, totals):
    bound, quarrels = reconciled(margins, totals)
    widened = {q.label for q in quarrels}
    assert {m for m in margins if m.label not in widened} <= set(bound)


def test_bridge_is_the_straight_line_between_published_shares():
    wales = [1000] * YEARS
    ends = [cell(low, low, authority=None, year=year, sexes=(0, 1), groups=(3,)) for year, low in ((2, 400), (6, 480))]
    found = bridges(ends, wales, 5)
    assert [(m.year, m.groups) for m in found] == [(3, (3,)), (4, (3,)), (5, (3,))]
    assert [(m.low + m.high) / 2 for m in found] == [420, 440, 460]
    assert [m.high - m.low for m in found] == [42, 88, 46]


def test_paths_without_factors_follow_the_rates(tables):
    prior = prior_of(tables)
    rates = rates_of(prior, Factors.none(22))
    found = paths(rates, np.ones((18, 22, 2, YEARS)), np.ones(YEARS))
    assert np.allclose(found.starts[..., 1:], rates.starts[..., 1:])
    assert np.allclose(found.stay[1:18, ..., 1:], rates.stay[1:18, ..., 1:])
    for year, later in pairwise(range(YEARS)):
        kept = found.stock[:-1, ..., year] * rates.stay[1:18, ..., later]
        come = rates.starts[:18, ..., later] * rates.stay_start[:18, ..., later]
        assert np.allclose(found.stock[1:, ..., later], kept + come[1:])


def test_solution_is_closest_to_the_rates(tables):
    """Three authorities, a few cells: the factors of unbound cells are 1 and bound cells lie on their bound."""
    prior = prior_of(tables)
    few = replace(
        prior,
        **{name: getattr(prior, name)[:, :3] for name in ("opening", "starts", "unaccompanied", "leave")},
        leave_same_year=prior.leave_same_year[:, :3],
    )
    few = replace(few, opening=few.opening / 100)
    rates = rates_of(few, Factors.none(3))
    free = paths(rates, np.ones((18, 3, 2, YEARS)), np.ones(YEARS))
    totals = np.round(free.stock.sum(axis=(0, 2))).astype(int)
    wide = int(free.stock[GROUP == 3, 0, 0, 9].sum())
    tight = int(free.stock[GROUP == 3, 0, 0, 15].sum()) + 5
    problem = Problem(
        [cell(wide - 9, wide + 9, year=9, groups=(3,)), cell(tight, tight + 9, year=15, groups=(3,))],
        totals,
    )
    solved = problem.solve(rates, within=1e-6)
    assert solved.multipliers[YEARS] == 0
    assert solved.multipliers[YEARS + 1] > 0
    assert solved.paths.stock[GROUP == 3, 0, 0, 15].sum() == pytest.approx(tight, abs=1e-3)
    assert np.abs(solved.paths.stock.sum(axis=(0, 2)) - totals).max() < 1e-3
