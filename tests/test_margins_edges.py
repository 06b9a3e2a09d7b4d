"""Edges of the fits to margins: ends of intervals, steps that run out, what is named of a quarrel, in which order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import InputError
from synth.margins import Conflict, Fitted, Margin, fit_table, fit_vector, whole_table, whole_vector
from synth.margins.model import ends, outside
from synth.margins.rest import Rest
from synth.margins.table import TableSums

# -- intervals --------------------------------------------------------------------------------------------------


@given(
    sums=st.lists(st.integers(-100, 100).map(lambda half: half / 2), min_size=1, max_size=8),
    low=st.sampled_from([-np.inf, -7.5, 0.0, 2.5]),
    high=st.sampled_from([2.5, 7.5, np.inf]),
)
def test_how_far_outside_is_the_way_to_the_nearer_end(sums, low, high):
    for value, off in zip(sums, outside(np.array(sums), np.float64(low), np.float64(high)), strict=True):
        assert off == value - min(max(value, low), high)


def test_ends_that_are_not_known_are_open_and_a_point_is_an_interval():
    low, high = ends(np.array([np.nan, -np.inf, 3.0]), np.array([np.nan, np.inf, 3.0]), str)
    assert low.tolist() == [-np.inf, -np.inf, 3.0]
    assert high.tolist() == [np.inf, np.inf, 3.0]


@pytest.mark.parametrize(("low", "high"), [(np.inf, np.inf), (-np.inf, -np.inf), (2.0, 1.0)])
def test_an_interval_without_a_number_is_refused_with_its_name_and_how_many_there_are(low, high):
    with pytest.raises(InputError, match=r"^row 1: the interval .* is empty; .* \(2 such\)$"):
        ends(np.array([0.0, low, low]), np.array([1.0, high, high]), "row {}".format)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf, -np.inf])
def test_the_first_number_that_no_cell_holds_is_named_by_its_place(wrong):
    prior = np.ones((2, 3))
    prior[1, 0] = prior[1, 2] = wrong
    with pytest.raises(InputError, match=rf"^the prior, cell \(1, 0\): {wrong} found, .* \(2 such\)$"):
        fit_table({"a": 2, "b": 3}, prior, [])


# -- what a fit tells of -----------------------------------------------------------------------------------------


def fitted_with(sums, low, high, multipliers, shapes=()):
    columns = (np.array(column, float) for column in (sums, low, high, multipliers))
    return Fitted(np.zeros(0), *columns, (), True, 0, lambda row: (f"row {row}", ()), shapes)


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([2.5, 2.53, 2.56, 3.0, 5.0, 7.44, 7.47, 7.5]),
            st.sampled_from([(2.5, 7.5), (3.0, 3.0), (2.5, np.inf), (-np.inf, 7.5)]),
            st.sampled_from([-1.0, 0.0, 1.0]),
        ),
        min_size=1,
    )
)
def test_sums_bind_where_they_are_pulled_against_an_end_that_is_near(rows):
    expected = []
    for row, (value, (low, high), pull) in enumerate(rows):
        near = 0.05 if high - low == 5 else 0.01
        if low < high and pull > 0 and value - low <= near + 1e-12:
            expected.append((f"row {row}", (), "low"))
        if low < high and pull < 0 and high - value <= near + 1e-12:
            expected.append((f"row {row}", (), "high"))
    sums, intervals, pulls = zip(*rows, strict=True)
    found = fitted_with(sums, *zip(*intervals, strict=True), pulls)
    assert list(found.binding()) == expected


def test_the_sums_of_a_margin_come_in_its_shape():
    rng = np.random.default_rng(2)
    table = rng.random((3, 4, 2))
    axes = {"a": 3, "b": 4, "c": 2}
    open_ = -np.inf, np.inf
    margins = [Margin(("c", "a"), *(np.full((2, 3), end) for end in open_)), Margin((), 0, 100),
               Margin("b", *(np.full(4, end) for end in open_))]  # fmt: skip
    fitted = fit_table(axes, table, margins)
    np.testing.assert_allclose(fitted.margin(0), fitted.values.sum(1).T)
    np.testing.assert_allclose(fitted.margin(1), fitted.values.sum())
    np.testing.assert_allclose(fitted.margin(2), fitted.values.sum((0, 2)))


def test_the_largest_violation_is_that_of_the_furthest_sum():
    assert fitted_with([1, 9, 4], [2, 2, 2], [7, 6, 7], [0, 0, 0]).largest_violation == 3
    assert fitted_with([1, 8, 4], [5, 2, 2], [7, 6, 7], [0, 0, 0]).largest_violation == 4
    assert fitted_with([], [], [], []).largest_violation == 0


@pytest.mark.parametrize(("excess", "line"), [
    (2.5, "by age [5]: 10 is 2.5 above 5 to 7.5 (score -3.2)"),
    (-2.5, "by age [5]: 10 is 2.5 below 5 to 7.5 (score -3.2)"),
])  # fmt: skip
def test_a_quarrel_is_one_line(excess, line):
    assert str(Conflict("by age", ("5",), 5.0, 7.5, 10.0, excess, -1.0, -3.2)) == line
    assert str(Conflict("by age", (), 5.0, 7.5, 10.0, excess, -1.0, -3.2)) == line.replace(" [5]", "")


@pytest.mark.parametrize("inside", ["likely", "nearest"])
def test_quarrels_come_with_the_furthest_first(inside):
    """Three groups that each have two totals, further and further apart."""
    matrix = np.kron(np.eye(3), np.ones((2, 2)))
    told = [10, 14, 10, 30, 10, 20]
    found = fit_vector(np.full(6, 5.0), matrix, np.array(told) - 0.5, np.array(told) + 0.5, inside=inside).conflicts
    assert len(found) == 6
    away = [abs(conflict.excess) for conflict in found]
    assert away == sorted(away, reverse=True)
    assert {conflict.label for conflict in found[:2]} == {"row 2", "row 3"}
    for conflict in found:
        end = conflict.low if conflict.excess < 0 else conflict.high
        assert conflict.excess == pytest.approx(conflict.fitted - end)
        # pulled towards its interval
        assert np.sign(conflict.multiplier) == np.sign(conflict.score) == -np.sign(conflict.excess)


def test_steps_that_run_out_are_told():
    margins = [Margin("a", [3, 50], [3, 50]), Margin("b", [40, 13], [40, 13])]
    cut_off = fit_table({"a": 2, "b": 2}, [[1, 2], [3, 4]], margins, most_steps=0)
    assert not cut_off.converged
    assert cut_off.steps == 0
    np.testing.assert_allclose(cut_off.values / cut_off.values.sum(), [[0.1, 0.2], [0.3, 0.4]])
    once = fit_table({"a": 2, "b": 2}, [[1, 2], [3, 4]], margins, most_steps=1)
    assert not once.converged
    # to see who quarrels, and in earnest
    assert once.steps == 2
    enough = fit_table({"a": 2, "b": 2}, [[1, 2], [3, 4]], margins)
    assert enough.converged
    assert enough.largest_violation <= 1e-6


def test_a_sum_that_must_be_nothing_empties_its_cells_unless_some_of_it_is_taken_away():
    plain = fit_vector([1, 2, 3], np.array([[1, 1, 0], [1, 1, 1.0]]), [0, 5], [0, 5])
    assert plain.values[:2].tolist() == [0, 0]
    balanced = fit_vector([1, 2, 3], np.array([[1, -1, 0], [1, 1, 1.0]]), [0, 5], [0, 5])
    assert balanced.values[0] == pytest.approx(balanced.values[1], abs=1e-5)
    assert (balanced.values > 0.5).all()
    # -1 to 0 says the same as 0 where nothing is below 0
    assert fit_vector([1, 2], np.ones((1, 2)), -1, 0).values.tolist() == [0, 0]


def test_one_table_told_twice_is_solved_all_the_same():
    """Newton's equations are singular then, and have many solutions: any will do."""
    sums = TableSums((3, 2), ((0,), (0,)), np.arange(6))
    right = np.array([1.0, 2.0, 3.0, 1.0, 2.0, 3.0])
    x = sums.solve(np.arange(1.0, 7.0), np.zeros(6), right)
    np.testing.assert_allclose(sums.add(np.arange(1.0, 7.0) * sums.spread(x)), right, rtol=1e-6)


def test_the_level_is_that_of_the_margin_that_knows_most_of_the_table():
    """Of cells about which nothing is known the level is a guess: that of a margin over all beats that of one cell."""
    margins = [Margin("a", [50, np.nan, np.nan], [50, np.nan, np.nan]), Margin("b", [60, 60], [200, 200])]
    for order in (margins, margins[::-1]):
        fitted = fit_table({"a": 3, "b": 2}, np.ones((3, 2)), order, inside="nearest")
        # 120 to 400 over three: 40 each, of which one is known to be 50
        np.testing.assert_allclose(fitted.values.sum(1), [50, 40, 40], rtol=1e-3)
    alone = fit_table({"a": 3, "b": 2}, np.ones((3, 2)), margins[:1], inside="nearest")
    np.testing.assert_allclose(alone.values.sum(1), [50, 50, 50], rtol=1e-3)


def test_two_figures_for_one_sum_both_hold():
    margins = [Margin("a", [10, 20], [14, 24]), Margin("a", [12, 16], [18, 21])]
    fitted = fit_table({"a": 2, "b": 2}, [[1, 2], [9, 1]], margins)
    assert not fitted.conflicts
    assert 12 <= fitted.margin(0)[0] <= 14
    assert 20 <= fitted.margin(1)[1] <= 21


@pytest.mark.parametrize(("high", "most"), [(0.5, 0.5), (1.0, 1), (1.5, 1), (4.0, 4), (4.9, 4), (12.0, 12), (50.0, 50)])
def test_a_hidden_count_is_pulled_as_far_as_the_largest_whole_one(high, most):
    rest = Rest(np.zeros(1), np.array([high]), np.array([0.25]), hidden=True)
    assert 0.98 * most <= rest.at(np.array([-60.0]))[1][0] <= most * (1 + 1e-9)
    # and pulled the other way to nothing
    assert rest.at(np.array([9.0]))[1][0] < 0.01 * most


# -- whole children ----------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 300).map(lambda hundredth: hundredth / 100), min_size=1, max_size=12))
def test_unrepaired_runs_of_cells_keep_their_sums_within_half_a_child(values):
    whole = whole_table({"age": len(values)}, values, [], sweeps=0).values
    assert (np.abs(np.cumsum(whole) - np.cumsum(values)) <= 0.5 + 1e-9).all()
    # whoever moves then, moves between cells that are not empty
    repaired = whole_table({"age": len(values)}, values, []).values
    assert repaired.sum() == whole.sum()
    assert not whole[np.array(values) == 0].any()
    assert not repaired[np.array(values) == 0].any()


def test_of_two_cells_a_child_more_goes_to_the_likelier_and_a_child_less_leaves_the_rarer():
    for total, expected in ((7, [5, 2, 0]), (6, [4, 2, 0]), (5, [4, 1, 0])):
        whole = whole_table({"age": 3}, [4.0, 2.0, 0.0], [Margin((), total, total)])
        assert whole.values.tolist() == expected
        assert not whole.outside


def test_a_child_from_nowhere_may_come_into_an_empty_cell():
    whole = whole_table({"age": 2}, [0.3, 5.0], [Margin("age", [1, 5], [2, 5])])
    assert whole.values.tolist() == [1, 5]
    assert not whole.outside


def costs(table, fitted, margins):
    """What the repair makes smaller: squares of how far sums lie outside, a fifth of those from the fitted sums."""
    out = 0.0
    for axis, margin in enumerate(margins):
        sums, near = table.sum(1 - axis), fitted.sum(1 - axis)
        out += (outside(sums.astype(float), margin.low, margin.high) ** 2).sum() + 0.2 * ((sums - near) ** 2).sum()
    return out - 0.05 * (table * np.log(fitted)).sum()


def test_no_move_of_one_child_along_an_axis_would_mend_much():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        fitted = rng.gamma(0.7, 2, (4, 5))
        true, width = rng.poisson(fitted), rng.choice([0, 1.5, 10])
        margins = [
            Margin(name, true.sum(1 - axis) - width, true.sum(1 - axis) + width) for axis, name in enumerate("ab")
        ]
        whole = whole_table({"a": 4, "b": 5}, fitted, margins).values
        here = costs(whole, fitted, margins)
        for a, b in np.argwhere(whole):
            for c, d in [*((other, b) for other in range(4)), *((a, other) for other in range(5))]:
                moved = whole.copy()
                moved[a, b] -= 1
                moved[c, d] += 1
                assert costs(moved, fitted, margins) > here - 0.3, seed


@given(
    values=st.lists(st.integers(0, 120).map(lambda tenth: tenth / 10), min_size=8, max_size=8),
    by=st.lists(st.integers(-3, 3), min_size=6, max_size=6),
)
def test_what_is_named_is_what_lies_outside_the_furthest_first(values, by):
    """Intervals about other numbers than the table's: some can be met, some not."""
    table = np.reshape(values, (2, 4))
    margins = []
    for name, sums, off in (("a", table.sum(1), by[:2]), ("b", table.sum(0), by[2:])):
        middle = np.maximum(sums + np.array(off), 0)
        margins.append(Margin(name, np.maximum(middle - 0.6, 0), middle + 0.6, f"by {name}"))
    whole = whole_table({"a": 2, "b": 4}, table, margins)
    assert not whole.values[table == 0].any()
    assert (whole.values >= 0).all()
    expected = {}
    for margin, sums in zip(margins, (whole.values.sum(1), whole.values.sum(0)), strict=True):
        for cell, off in enumerate(outside(sums.astype(float), margin.low, margin.high)):
            if abs(off) > 1e-6:
                expected[margin.label, (str(cell),)] = off
    assert {(miss.label, miss.cell): miss.excess for miss in whole.outside} == pytest.approx(expected)
    away = [abs(miss.excess) for miss in whole.outside]
    assert away == sorted(away, reverse=True)
    # nothing is estimated here
    assert not any(miss.multiplier or miss.score for miss in whole.outside)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.8])
def test_numbers_left_to_themselves_go_up_as_often_as_their_share_says(share):
    whole = whole_vector(np.full(500, 2 + share), np.ones((1, 500)), 0, 10_000).values
    assert set(whole.tolist()) == {2, 3}
    assert (whole == 3).mean() == pytest.approx(share, abs=0.01)
    # and evenly all along
    halves = (whole == 3).reshape(5, 100).mean(1)
    np.testing.assert_allclose(halves, share, atol=0.03)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.0, 0.25, 0.5, 0.9])), min_size=2, max_size=7),
    st.integers(0, 4),
)
def test_each_number_is_the_next_one_below_or_above_and_a_total_in_reach_is_met(parts, which):
    values = np.array([whole + share for whole, share in parts])
    least, most = int(np.floor(values).sum()), int(np.ceil(values).sum())
    total = least + round((most - least) * which / 4)
    whole = whole_vector(values, np.ones((1, len(values))), total, total)
    assert ((whole.values >= np.floor(values)) & (whole.values <= np.ceil(values))).all()
    assert whole.values.sum() == total
    assert not whole.outside
    beyond = whole_vector(values, np.ones((1, len(values))), most + 2, most + 3, ["all"])
    assert [(miss.label, miss.fitted, miss.excess) for miss in beyond.outside] == [("all", most, -2)]


def test_an_account_is_kept_where_a_figure_has_to_give_way():
    """A stock in two places of which the figures ask for more than the account has: accounts give way last."""
    matrix = np.array([[1, 1, -1, 0.0], [1, 1, 0, 0], [0, 0, 1, 0]])
    whole = whole_vector([2.5, 2.5, 5.5, 1.0], matrix, [0, 6, 4.5], [0, 7, 5.5], ["account", "places", "stock"])
    named = {miss.label for miss in whole.outside}
    assert named
    assert named <= {"places", "stock"}
    assert whole.values[0] + whole.values[1] == whole.values[2]


@pytest.mark.parametrize("inside", ["likely", "nearest"])
@pytest.mark.parametrize("prior", [500.0, 3000.0])
def test_an_open_end_pulls_at_nothing(inside, prior):
    """Far from the end that is known a sum stays where the prior has it."""
    above = fit_vector([prior], np.ones((1, 1)), 100, np.inf, inside=inside)
    assert above.values[0] == pytest.approx(prior, rel=1e-3)
    below = fit_vector([prior, 10 * prior], np.array([[1.0, -1.0]]), -np.inf, 50, inside=inside)
    np.testing.assert_allclose(below.values, [prior, 10 * prior], rtol=1e-3)


def test_whole_numbers_that_meet_every_sum_are_found_where_there_are_some():
    """Sums of whole numbers, and values up to a child either side of these: the first rounding alone misses some."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        true = rng.integers(0, 6, 60)
        matrix = (rng.random((20, 60)) < 0.1) * rng.choice([1.0, 1.0, -1.0], (20, 60))
        away = rng.uniform(0.02, 0.98, 60)
        values = np.maximum(np.where(rng.random(60) < 0.5, true - away, true + away), 0.0)
        whole = whole_vector(values, matrix, matrix @ true, matrix @ true)
        assert not whole.outside, seed
        assert (matrix @ whole.values == matrix @ true).all()
        assert ((whole.values >= np.floor(values)) & (whole.values <= np.ceil(values))).all()
