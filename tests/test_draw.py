import subprocess
import sys

import numpy as np
import pytest
from chance import evenly, fits
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from synth.lives.draw import choose, lognormal_days, matrix, normal, within
from synth.lives.streams import Streams

NEAR_ZERO, NEAR_ONE = 2.0**-54, np.nextafter(1.0, 0.0)
U = st.one_of(
    st.sampled_from([NEAR_ZERO, 2.0**-53, 0.5, 1 - 2.0**-52, NEAR_ONE]), st.floats(NEAR_ZERO, float(NEAR_ONE))
)
WEIGHT = st.one_of(st.just(0.0), st.floats(1e-9, 1e9), st.sampled_from([0.1, 0.2, 0.3, 1 / 3]))
WEIGHTS = st.lists(WEIGHT, min_size=1, max_size=8).filter(any)
SPREAD = Streams(1)("spread").uniform(np.arange(200_000))


@given(st.lists(U, min_size=1, max_size=20), WEIGHTS)
def test_a_weight_of_zero_is_never_drawn(us, weights):
    drawn = choose(np.array(us), np.array(weights))
    assert drawn.shape == (len(us),)
    assert all(weights[option] > 0 for option in drawn)


@given(WEIGHTS)
def test_the_smallest_and_largest_uniforms_draw_the_first_and_last_option(weights):
    positive = [place for place, weight in enumerate(weights) if weight]
    if max(weights) / min(weights[place] for place in positive) < 1e6:
        assert choose(np.array([NEAR_ZERO, NEAR_ONE]), np.array(weights)).tolist() == [positive[0], positive[-1]]


@given(st.lists(U, min_size=2, max_size=30), WEIGHTS)
def test_choices_rise_with_the_uniform(us, weights):
    assert (np.diff(choose(np.sort(us), np.array(weights))) >= 0).all()


@given(st.lists(st.tuples(U, st.lists(WEIGHT, min_size=4, max_size=4).filter(any)), min_size=1, max_size=10))
def test_a_row_of_weights_is_the_same_alone_or_in_a_table(rows):
    u, table = np.array([u for u, _ in rows]), np.array([w for _, w in rows])
    assert choose(u, table).tolist() == [int(choose(u[n : n + 1], table[n])[0]) for n in range(len(u))]


def test_options_are_drawn_in_proportion_to_their_weights():
    weights = np.array([0.0, 3.0, 1.0, 0.0, 0.05, 6.0, 0.0])
    assert fits(np.bincount(choose(SPREAD, weights), minlength=7), weights)
    two = np.where((np.arange(len(SPREAD)) % 2 == 0)[:, None], [1.0, 2.0], [4.0, 1.0])
    drawn = choose(SPREAD, two)
    assert fits(np.bincount(drawn[::2]), [1, 2])
    assert fits(np.bincount(drawn[1::2]), [4, 1])


def test_no_positive_weight_is_refused():
    with pytest.raises(ValueError, match="no option has a positive weight"):
        choose(np.array([0.5]), np.zeros(3))
    with pytest.raises(ValueError, match="no option"):
        choose(np.array([0.5, 0.5]), np.array([[1.0, 0.0], [0.0, 0.0]]))
    assert choose(np.zeros(0), np.zeros(3)).shape == (0,)


@given(U, st.integers(-400, 400), st.integers(0, 4000))
def test_whole_numbers_stay_between_their_bounds(u, low, width):
    assert low <= within(np.array([u]), low, low + width)[0] <= low + width


def test_whole_numbers_are_even_over_both_ends():
    drawn = within(SPREAD, 3, 9)
    assert fits(np.bincount(drawn)[3:], np.ones(7))
    low, high = np.array([0, 10]), np.array([0, 12])
    assert within(np.array([NEAR_ONE, NEAR_ONE]), low, high).tolist() == [0, 12]
    assert within(np.array([NEAR_ZERO, NEAR_ZERO]), low, high).tolist() == [0, 10]


def test_durations_have_their_median_and_spread():
    days = lognormal_days(SPREAD, 120.0, 0.5)
    assert lognormal_days(np.array([0.5]), 120.0, 0.5)[0] == pytest.approx(120)
    for z in (-1, 0, 1, 2):
        below = float(np.mean(normal(SPREAD) < z))
        assert np.mean(days < 120 * np.exp(0.5 * z)) == pytest.approx(below)
    assert (np.diff(lognormal_days(np.sort(SPREAD[:1000]), 120.0, 0.5)) >= 0).all()
    each = lognormal_days(np.array([0.5, 0.5]), np.array([10.0, 20.0]), np.array([0.0, 3.0]))
    assert each == pytest.approx([10, 20])


def test_normals_are_normal():
    assert evenly(ndtr(normal(SPREAD)), 50)
    assert np.isfinite(normal(np.array([NEAR_ZERO, NEAR_ONE]))).all()
    assert normal(1 - SPREAD) == pytest.approx(-normal(SPREAD))


def test_a_nested_parameter_as_an_array():
    table = {"a": {"x": 1, "y": 2}, "b": {"y": 3.5}}
    assert matrix(table, ("b", "a"), ("y", "x")).tolist() == [[3.5, 0.0], [2.0, 1.0]]


@pytest.mark.parametrize("there", [True, False])
def test_quantiles_are_those_of_scipy_whose_package_is_left_to_begin_later(there):
    """Where the compiled module is not there under its name the package is loaded instead."""
    source = f"""
import sys
from synth.lives import quantiles

if not {there}:
    quantiles._COMPILED = "_elsewhere"
found = quantiles.normal_quantiles()
assert ("scipy.special" in sys.modules) is not {there}
import scipy.special

assert found is scipy.special.ndtri
assert quantiles.normal_quantiles() is found
assert scipy.special.gamma(5) == 24
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
