"""Whole children made from fitted tables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_margins import AXES, PAIRS, SHAPE, gaps, published, summed, tables

from synth.errors import InputError
from synth.margins import Margin, fit_table, whole_table


def misses(whole, margins):
    """Count margin cells outside, from scratch."""
    count = 0
    for margin in margins:
        found = summed(whole, margin.axes)
        count += int(((found < margin.low) | (found > margin.high)).sum())
    return count


@given(table=tables, zeros=gaps)
def test_whole_children_lie_in_the_intervals_where_a_real_table_does(table, zeros):
    prior = np.where(zeros & (table == 0), 0.0, 1.0)
    margins = published(table)
    fitted = fit_table(AXES, prior, margins)
    whole = whole_table(AXES, fitted.values, margins)
    assert whole.values.dtype == np.int64
    assert (whole.values >= 0).all()
    assert not whole.values[prior == 0].any()
    # of some 2,600 random tables none missed more than two of 26 cells
    assert misses(whole.values, margins) == len(whole.outside) <= 2


def test_few_of_many_sparse_cells_are_missed():
    rng = np.random.default_rng(11)
    sizes = {"authority": 12, "age": 10, "need": 5, "placement": 6}
    names, shape = tuple(sizes), tuple(sizes.values())
    chance = rng.gamma(0.3, 1.0, shape)
    table = rng.multinomial(2500, chance.ravel() / chance.sum()).reshape(shape)
    which = (
        *((name,) for name in names),
        ("authority", "age"),
        ("authority", "placement"),
        ("age", "need", "placement"),
    )
    margins = published(table, which, names)
    fitted = fit_table(sizes, np.ones(shape), margins)
    whole = whole_table(sizes, fitted.values, margins)
    assert not whole.outside
    assert abs(whole.values.sum() - 2500) < 20


def test_whole_sums_are_near_the_fitted_ones():
    rng = np.random.default_rng(12)
    table = rng.poisson(3, (20, 15))
    margins = [Margin("a", table.sum(1) - 20, table.sum(1) + 20), Margin("b", table.sum(0) - 20, table.sum(0) + 20)]
    fitted = fit_table({"a": 20, "b": 15}, np.ones((20, 15)), margins)
    whole = whole_table({"a": 20, "b": 15}, fitted.values, margins)
    for axis, margin in ((1, 0), (0, 1)):
        assert np.abs(whole.values.sum(axis) - fitted.margin(margin)).max() < 3


def test_exact_totals_are_met_exactly():
    rng = np.random.default_rng(13)
    table = rng.poisson(1.5, (20, 15))
    margins = [Margin("a", table.sum(1), table.sum(1)), Margin("b", table.sum(0), table.sum(0))]
    fitted = fit_table({"a": 20, "b": 15}, np.ones((20, 15)), margins)
    whole = whole_table({"a": 20, "b": 15}, fitted.values, margins)
    assert not whole.outside
    assert whole.values.sum(1).tolist() == table.sum(1).tolist()


def test_intervals_that_hold_no_whole_number_are_named():
    whole = whole_table({"age": 2}, [3.4, 5.0], [Margin("age", [3.2, 4], [3.8, 6], "by age")])
    assert [(miss.label, miss.cell) for miss in whole.outside] == [("by age", ("0",))]


def test_contradictions_are_named():
    margins = [Margin("age", [10, 10], [12, 12], "by age"), Margin((), 30, 32, "all")]
    whole = whole_table({"age": 2}, [13.0, 13.0], margins)
    assert whole.outside
    assert misses_of_line(whole.values, margins) == len(whole.outside)


def misses_of_line(values, margins):
    return sum(
        int(((found < margin.low) | (found > margin.high)).sum())
        for margin, found in zip(margins, (values, values.sum()), strict=True)
    )


@given(cells=st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_whole_tables_that_fit_stay_as_they_are(cells):
    margins = [Margin("age", np.array(cells) - 0.4, np.array(cells) + 0.4)]
    assert whole_table({"age": len(cells)}, cells, margins).values.tolist() == cells


def test_without_margins_and_in_one_cell():
    assert whole_table({"age": 3}, [1.2, 0.0, 2.9], []).values.sum() == 4
    assert whole_table({"age": 1}, [2.6], [Margin("age", [4], [6])]).values.tolist() == [4]
    assert whole_table({"age": 2}, [0.0, 0.0], [Margin("age", [0, 0], [4, 4])]).values.tolist() == [0, 0]


def test_the_same_table_twice_is_the_same():
    table = np.random.default_rng(14).poisson(4, SHAPE)
    margins = published(table, PAIRS)
    values = fit_table(AXES, np.ones(SHAPE), margins).values
    first, second = (whole_table(AXES, values, margins).values.tobytes() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("values", "words"), [([1.0], "shape"), ([1.0, -1.0], "none below 0"), ([1, np.inf], "finite")]
)
def test_mistakes_are_told(values, words):
    with pytest.raises(InputError, match=words):
        whole_table({"age": 2}, values, [])
