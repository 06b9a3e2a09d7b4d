"""Tables fitted to interval margins."""

import numpy as np

from synth.margins import Margin, fit_table, fit_vector, whole_table, whole_vector


def test_a_table_meets_rounded_margins_and_its_whole_children_too():
    truth = np.array([[3, 14, 8], [22, 41, 0]])
    margins = [
        Margin("sex", truth.sum(1) - 2.5, truth.sum(1) + 2.5),
        Margin("age", truth.sum(0) - 2.5, truth.sum(0) + 2.5),
    ]
    axes = {"sex": 2, "age": 3}
    fitted = fit_table(axes, np.ones((2, 3)), margins)
    assert fitted.converged
    assert not fitted.conflicts
    assert fitted.largest_violation == 0
    whole = whole_table(axes, fitted.values, margins)
    assert not whole.outside


def test_an_account_balances_in_real_and_in_whole_numbers():
    # stock + starts - leavers - next stock
    matrix = np.array([[1, 1, -1, -1], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
    low, high = [0, 97.5, 107.5, 0], [0, 102.5, 112.5, 4]
    fitted = fit_vector([90, 20, 10, 90], matrix, low, high)
    assert fitted.largest_violation < 1e-6
    whole = whole_vector(fitted.values, matrix, low, high)
    assert not whole.outside
    assert whole.values @ matrix[0] == 0
