from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from synth.lives.assignment import choose_exactly, choose_with_rest, gumbel


def counted(chosen, group, shape):
    return np.bincount(group * shape[1] + chosen, minlength=shape[0] * shape[1]).reshape(shape)


@st.composite
def problems(draw, forbid=True):
    """Scores with forbidden options, groups, and totals that some lawful choice has: they can be met."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, k, groups = draw(st.integers(1, 40)), draw(st.integers(1, 6)), draw(st.integers(1, 4))
    scores = rng.normal(size=(n, k)) * draw(st.sampled_from([0.1, 1.0, 8.0]))
    if draw(st.booleans()):
        scores = np.repeat(scores, 2, axis=0)[:n]
    if forbid:
        scores[rng.random((n, k)) < draw(st.sampled_from([0.0, 0.3, 0.7]))] = -np.inf
        scores[np.arange(n), rng.integers(0, k, n)] = rng.normal(size=n)
    group = rng.integers(0, groups, n)
    lawful = np.array([rng.choice(np.flatnonzero(np.isfinite(row))) for row in scores])
    return scores, group, counted(lawful, group, (groups, k))


def best_sum(scores, totals):
    """The largest sum of one group under totals, by the assignment of rows to single places."""
    places = np.repeat(np.arange(len(totals)), totals)
    table = np.where(np.isfinite(scores), scores, -1e6)[:, places]
    rows, columns = linear_sum_assignment(table, maximize=True)
    return table[rows, columns].sum()


@given(problems())
def test_totals_that_can_be_met_are_met_and_nothing_forbidden_is_chosen(problem):
    scores, group, totals = problem
    chosen = choose_exactly(scores, group, totals)
    assert (counted(chosen, group, totals.shape) == totals).all()
    assert np.isfinite(scores[np.arange(len(scores)), chosen]).all()


@given(problems())
def test_no_other_choice_has_a_larger_sum(problem):
    scores, group, totals = problem
    scores = scores + np.random.default_rng(0).normal(size=scores.shape) * 1e-3
    chosen = choose_exactly(scores, group, totals)
    for g in range(len(totals)):
        here = group == g
        found = scores[here][np.arange(here.sum()), chosen[here]].sum()
        assert found == pytest.approx(best_sum(scores[here], totals[g]), abs=1e-6)


@given(problems())
def test_totals_of_the_largest_scores_leave_them_chosen(problem):
    scores, group, totals = problem
    plain = scores.argmax(axis=1)
    totals = counted(plain, group, totals.shape)
    assert (choose_exactly(scores, group, totals) == plain).all()


@given(problems(), st.integers(0, 3))
def test_groups_do_not_look_at_each_other(problem, one):
    scores, group, totals = problem
    one = one % len(totals)
    here = group == one
    alone = choose_exactly(scores[here], np.zeros(here.sum(), np.int64), totals[one : one + 1])
    assert (choose_exactly(scores, group, totals)[here] == alone).all()


@given(st.integers(0, 2**32))
def test_totals_that_cannot_be_met_are_met_as_nearly_as_can_be(seed):
    rng = np.random.default_rng(seed)
    n, k = 6, 3
    scores = rng.normal(size=(n, k))
    scores[rng.random((n, k)) < 0.5] = -np.inf
    scores[np.arange(n), rng.integers(0, k, n)] = 0.0
    totals = rng.integers(0, n, (1, k))
    group = np.zeros(n, np.int64)
    found = np.abs(counted(choose_exactly(scores, group, totals), group, totals.shape) - totals).sum()
    options = [np.flatnonzero(np.isfinite(row)) for row in scores]
    nearest = min(np.abs(np.bincount(choice, minlength=k) - totals[0]).sum() for choice in product(*options))
    assert found == nearest


@given(problems(), st.integers(0, 5))
def test_totals_that_can_be_met_leave_nothing_to_the_rest(problem, rest):
    scores, group, totals = problem
    chosen = choose_with_rest(scores, group, totals, rest % totals.shape[1])
    assert counted(chosen, group, totals.shape).tolist() == totals.tolist()


@pytest.mark.parametrize("seed", range(20))
def test_what_an_option_lacks_goes_to_the_rest_and_to_no_other(seed):
    """Of ten rows three may have the first option and two of them the second, the only others: five are wanted."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(10, 4))
    scores[3:, :2] = -np.inf
    scores[0, 1] = -np.inf
    scores[:2, 2] = scores[3, 3] = -np.inf
    totals = np.array([[3, 2, 3, 2]])
    chosen = choose_with_rest(scores, np.zeros(10, np.int64), totals, 3)
    first, second, third, rest = np.bincount(chosen, minlength=4)
    assert first + second == 3
    assert (third, rest) == (3, 4)


def test_families_stay_together_where_single_children_can_make_the_count():
    rng = np.random.default_rng(4)
    family = np.repeat(np.arange(40), rng.integers(1, 4, 40))
    scores = rng.normal(size=(40, 3))[family]
    group = np.zeros(len(family), np.int64)
    n = len(family)
    for first in range(n // 3, n // 2):
        totals = np.array([[first, n - first - 9, 9]])
        chosen = choose_exactly(scores, group, totals)
        assert (counted(chosen, group, totals.shape) == totals).all()
        assert all(len(set(chosen[family == f].tolist())) == 1 for f in range(40)), "nobody is parted"


def test_a_family_parts_where_the_count_asks_for_it():
    scores = np.tile([1.0, 0.0], (4, 1))
    chosen = choose_exactly(scores, np.zeros(4, np.int64), np.array([[3, 1]]))
    assert np.bincount(chosen).tolist() == [3, 1]


def test_no_rows_and_rows_without_an_option():
    assert choose_exactly(np.zeros((0, 2)), np.zeros(0, np.int64), np.zeros((3, 2), np.int64)).shape == (0,)
    with pytest.raises(ValueError, match="no option"):
        choose_exactly(np.full((1, 2), -np.inf), np.zeros(1, np.int64), np.array([[1, 0]]))


def test_the_largest_log_weight_with_gumbel_noise_is_a_weighted_draw():
    """10,000 draws of three options: each share within 4.5 standard errors (false alarms below one in 10,000)."""
    weights = np.array([0.5, 0.3, 0.2])
    u = np.random.default_rng(1).random((10_000, 3))
    shares = np.bincount((np.log(weights) + gumbel(u)).argmax(axis=1)) / 10_000
    assert (np.abs(shares - weights) < 4.5 * np.sqrt(weights * (1 - weights) / 10_000)).all()
