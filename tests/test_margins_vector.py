"""Fits of any linear sums: accounts over years, signed weights, sums with many cells in common."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array, vstack

from synth.errors import InputError
from synth.margins import Margin, fit_table, fit_vector, whole_vector
from synth.margins.fronts import Fronts, Full

AUTHORITIES, AGES, YEARS = 3, 6, 4


def summing(shape, axes, offset, columns):
    """Return the rows that add a block of cells over all but some axes."""
    place = np.zeros(shape, int)
    for axis in axes:
        place = place * shape[axis] + np.indices(shape)[axis]
    rows = int(np.prod([shape[axis] for axis in axes]))
    cells = offset + np.arange(place.size)
    return csr_array((np.ones(place.size), (place.ravel(), cells)), shape=(rows, columns))


def account(seed):
    """Return true numbers and what is published of them: stock, starts and leavers that balance year by year."""
    rng = np.random.default_rng(seed)
    shape = (YEARS, AUTHORITIES, AGES)
    stock, starts, leavers = (np.zeros(shape, int) for _ in range(3))
    stock[0] = rng.poisson(np.array([60, 25, 8])[:, None], (AUTHORITIES, AGES))
    for year in range(YEARS):
        if year:
            stock[year, :, 1:] = (stock + starts - leavers)[year - 1, :, :-1]
        starts[year] = rng.poisson(6, (AUTHORITIES, AGES))
        leavers[year] = rng.binomial(stock[year] + starts[year], 0.2)
    cells = stock.size
    number = np.arange(cells).reshape(shape)
    now, then = number[:-1, :, :-1].ravel(), number[1:, :, 1:].ravel()
    row = np.tile(np.arange(now.size), 4)
    weights = np.repeat([1.0, 1.0, -1.0, -1.0], now.size)
    balance = csr_array(
        (weights, (row, np.concatenate([now, cells + now, 2 * cells + now, then]))), (now.size, 3 * cells)
    )
    blocks = [summing(shape, axes, block * cells, 3 * cells) for block in range(3) for axes in ((0, 1), (0, 2))]
    matrix = csr_array(vstack([*blocks, balance]))
    true = np.concatenate([stock.ravel(), starts.ravel(), leavers.ravel()])
    sums = matrix @ true
    figure = 5 * np.floor(sums / 5 + 0.5)
    low, high = np.where(sums < 5, 0, figure - 2.5), np.where(sums < 5, 4, figure + 2.5)
    low[-now.size :] = high[-now.size :] = 0
    labels = [f"figure {row}" for row in range(len(low) - now.size)] + [f"account {row}" for row in range(now.size)]
    return true, matrix, low, high, labels


@pytest.mark.parametrize("inside", ["likely", "nearest"])
@given(seed=st.integers(0, 10_000))
def test_an_account_balances_and_meets_its_figures(inside, seed):
    true, matrix, low, high, _ = account(seed)
    fitted = fit_vector(np.full(true.size, 10.0), matrix, low, high, inside=inside)
    assert fitted.converged
    assert not fitted.conflicts
    assert fitted.largest_violation < 1e-5


@given(seed=st.integers(0, 10_000))
def test_a_whole_account_balances_and_meets_its_figures(seed):
    true, matrix, low, high, _ = account(seed)
    fitted = fit_vector(np.full(true.size, 10.0), matrix, low, high)
    whole = whole_vector(fitted.values, matrix, low, high)
    sums = matrix @ whole.values
    assert not sums[low == high].any()
    assert len(whole.outside) == ((sums < low) | (sums > high)).sum() <= 1
    assert np.abs(whole.values - fitted.values).max() < 1


def test_whole_numbers_stay_when_they_are_whole_and_right():
    true, matrix, low, high, _ = account(1)
    whole = whole_vector(true, matrix, low, high)
    assert whole.values.tolist() == true.tolist()
    assert not whole.outside


def test_a_spoilt_figure_is_named_and_the_account_still_balances():
    true, matrix, low, high, labels = account(2)
    low[4] += 80
    high[4] += 80
    fitted = fit_vector(np.full(true.size, 10.0), matrix, low, high, labels)
    assert fitted.converged
    scores = {conflict.label: conflict.score for conflict in fitted.conflicts}
    assert scores["figure 4"] > 10
    # the ages of that year leave no room for it
    assert max(scores[f"figure {YEARS * AUTHORITIES + AGES + age}"] for age in range(AGES)) < -3
    assert not [conflict for conflict in fitted.conflicts if conflict.label.startswith("account")]
    whole = whole_vector(fitted.values, matrix, low, high, labels)
    assert "figure 4" in {conflict.label for conflict in whole.outside}
    assert not (matrix @ whole.values)[low == high].any()


def test_it_agrees_with_the_fit_of_tables():
    rng = np.random.default_rng(4)
    table = rng.poisson(9, (4, 5))
    margins = [Margin("a", table.sum(1) - 2.5, table.sum(1) + 2.5), Margin("b", table.sum(0) - 2.5, table.sum(0) + 2.5)]
    by_table = fit_table({"a": 4, "b": 5}, np.full((4, 5), 9.0), margins)
    matrix = vstack([summing((4, 5), (axis,), 0, 20) for axis in (0, 1)])
    low, high = (np.concatenate([getattr(margin, end) for margin in margins]) for end in ("low", "high"))
    level = 9.0 * by_table.values.size
    by_rows = fit_vector(np.full(20, level / 20), matrix, low, high)
    np.testing.assert_allclose(by_rows.values.reshape(4, 5), by_table.values, atol=0.05)


def test_signed_and_open_rows():
    matrix = np.array([[1, -1, 0], [0, 1, 1.0]])
    below = fit_vector([1, 1, 1], matrix, [-np.inf, 5], [-2, 5])
    above = fit_vector([1, 1, 1], matrix, [3, 5], [np.inf, 5])
    assert below.sums[0] <= -2
    assert above.sums[0] >= 3
    assert max(below.largest_violation, above.largest_violation) < 1e-5


def test_shares_may_be_rows():
    # a third to 35 per cent of all are girls
    matrix = np.array([[1 - 1 / 3, -1 / 3], [1 - 0.35, -0.35], [1, 1]])
    fitted = fit_vector([50, 50], matrix, [0, -np.inf, 100], [np.inf, 0, 100])
    assert 100 / 3 - 1e-6 <= fitted.values[0] <= 35 + 1e-6


def test_nothing_known_leaves_the_prior():
    for matrix, ends in ((np.zeros((0, 3)), ([], [])), (np.ones((1, 3)), (np.nan, np.nan))):
        fitted = fit_vector([1, 0, 3], matrix, *ends)
        np.testing.assert_allclose(fitted.values, [1, 0, 3])


def test_sums_with_many_cells_in_common_are_solved_in_full():
    rng = np.random.default_rng(6)
    matrix = (rng.random((400, 500)) < 0.5).astype(float)
    true = rng.gamma(1.0, 20.0, 500)
    sums = matrix @ true
    fitted = fit_vector(np.full(500, 20.0), matrix, sums - 2.5, sums + 2.5)
    assert fitted.converged
    assert fitted.largest_violation < 1e-6


@pytest.mark.parametrize("solver", [Fronts, Full])
@given(seed=st.integers(0, 10_000))
def test_equations_are_solved_as_by_a_full_matrix(solver, seed):
    rng = np.random.default_rng(seed)
    if seed % 2:
        matrix = account(seed)[1]
    else:  # narrow rows first, then a few wide ones
        dense = rng.random((180, 260)) < np.where(np.arange(180) < 170, 0.015, 0.6)[:, None]
        matrix = csr_array(dense * rng.choice([1.0, 2.0, -1.0], dense.shape))
    rows, columns = matrix.shape
    values, diagonal = np.exp(rng.normal(0, 2, columns)), np.exp(rng.normal(-2, 2, rows))
    right = rng.normal(0, 1, (rows, 3))
    system = solver(matrix)
    system.factor(values, diagonal)
    full = (matrix.toarray() * values) @ matrix.toarray().T + np.diag(diagonal)
    np.testing.assert_allclose(full @ system.solve(right), right, atol=1e-7)
    np.testing.assert_allclose(system.solve(right[:, 0]), system.solve(right)[:, 0], atol=1e-9)


def test_the_same_fit_twice_is_the_same_to_the_byte():
    true, matrix, low, high, _ = account(3)
    one, other = (fit_vector(np.full(true.size, 10.0), matrix, low, high).values for _ in range(2))
    assert one.tobytes() == other.tobytes()
    first, second = (whole_vector(one, matrix, low, high).values for _ in range(2))
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize(
    ("prior", "ends", "labels", "words"),
    [
        ([1, 1], (0, 1), None, "the prior has shape"),
        ([1, 1, -1], (0, 1), None, "none below 0"),
        ([1, 1, 1], (2, 1), None, "row 0: the interval 2 to 1 is empty"),
        ([1, 1, 1], (2, 1), ["all"], "all: the interval 2 to 1 is empty"),
        ([1, 1, 1], (0, 1), ["all", "more"], "2 labels for 1 rows"),
        ([1, 1, 1], ([0, 1], 3), None, "one for each of the 1 rows"),
    ],
)
def test_mistakes_are_told(prior, ends, labels, words):
    for act in (fit_vector, whole_vector):
        if act is whole_vector and "prior" in words:
            continue
        with pytest.raises(InputError, match=words):
            act(prior, np.ones((1, 3)), *ends, labels)
