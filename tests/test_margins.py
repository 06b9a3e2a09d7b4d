"""Tables fitted to margins of which only intervals are known."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import InputError
from synth.margins import Margin, fit_table
from synth.margins.rest import Rest

AXES = {"authority": ["Anglesey", "Gwynedd", "Conwy"], "age": 4, "sex": ["boy", "girl"]}
SHAPE = (3, 4, 2)
PAIRS = tuple(combinations(AXES, 2))
INSIDE = pytest.mark.parametrize("inside", ["likely", "nearest"])


def summed(table, axes, names=tuple(AXES)):
    drop = tuple(place for place, name in enumerate(names) if name not in axes)
    return table.sum(axis=drop).transpose([sorted(axes, key=names.index).index(name) for name in axes])


def published(table, which=PAIRS, names=tuple(AXES)):
    """Rounded to 5, hidden below 5."""
    margins = []
    for axes in which:
        true = summed(table, axes, names)
        figure = 5 * np.floor(true / 5 + 0.5)
        low, high = np.where(true < 5, 0, figure - 2.5), np.where(true < 5, 4, figure + 2.5)
        margins.append(Margin(axes, low, high))
    return margins


def exact(table, which=PAIRS):
    return [Margin(axes, summed(table, axes), summed(table, axes)) for axes in which]


def scaled(table, margins, rounds=2000):
    """Iterative proportional fitting, the textbook way."""
    names = tuple(AXES)
    for _ in range(rounds):
        for margin in margins:
            drop = tuple(place for place, name in enumerate(names) if name not in margin.axes)
            now = table.sum(axis=drop)
            table = table * np.expand_dims(np.divide(margin.low, now, out=np.zeros_like(now), where=now > 0), drop)
    return table


tables = st.lists(st.integers(0, 40), min_size=24, max_size=24).map(lambda cells: np.array(cells).reshape(SHAPE))
gaps = st.lists(st.booleans(), min_size=24, max_size=24).map(lambda cells: np.array(cells).reshape(SHAPE))


@INSIDE
@given(table=tables, zeros=gaps)
def test_every_margin_of_a_real_table_is_met(inside, table, zeros):
    prior = np.where(zeros & (table == 0), 0.0, 1.0)
    fitted = fit_table(AXES, prior, published(table), inside=inside)
    assert fitted.converged
    assert not fitted.conflicts
    assert fitted.largest_violation <= 1e-6
    assert (fitted.values >= 0).all()
    assert not fitted.values[prior == 0].any()


@given(table=tables)
def test_exact_margins_give_what_proportional_fitting_gives(table):
    margins = exact(table + 1)
    fitted = fit_table(AXES, np.ones(SHAPE), margins)
    np.testing.assert_allclose(fitted.values, scaled(np.ones(SHAPE), margins), atol=1e-4)


def test_a_known_joint_table_comes_back_from_exact_margins_when_it_has_no_more_to_it():
    rng = np.random.default_rng(5)
    effects = [rng.normal(0, 1, size) for size in ((3, 4, 1), (3, 1, 2), (1, 4, 2))]
    joint = 50 * np.exp(sum(effects))
    np.testing.assert_allclose(fit_table(AXES, np.ones(SHAPE), exact(joint)).values, joint, rtol=1e-6)


def test_rounding_blurs_a_known_joint_table_by_no_more_than_itself():
    rng = np.random.default_rng(6)
    joint = rng.poisson(60 * np.exp(rng.normal(0, 1, (3, 4, 1)) + rng.normal(0, 1, (1, 4, 2))))
    which = (("authority", "age"), ("age", "sex"))
    fitted = fit_table(AXES, np.ones(SHAPE), published(joint, which))
    for place, axes in enumerate(which):
        assert np.abs(fitted.margin(place) - summed(joint, axes)).max() <= 5


@INSIDE
@given(table=tables, order=st.permutations(range(3)), turn=st.permutations(range(2)))
def test_the_order_of_axes_and_margins_does_not_matter(inside, table, order, turn):
    names = tuple(AXES)
    margins = published(table)
    plain = fit_table(AXES, np.ones(SHAPE), margins, inside=inside)
    axes = {names[place]: AXES[names[place]] for place in order}
    turned = [
        Margin(tuple(m.axes[place] for place in turn), m.low.transpose(turn), m.high.transpose(turn))
        for m in reversed(margins)
    ]
    other = fit_table(axes, np.ones([SHAPE[place] for place in order]), turned, inside=inside)
    np.testing.assert_allclose(other.values, plain.values.transpose(order), atol=2e-3)


@given(table=tables, factor=st.sampled_from([1e-3, 0.2, 7.0, 1e6]))
def test_the_level_of_the_prior_does_not_matter_where_the_total_is_known(table, factor):
    margins = [*published(table), Margin((), table.sum(), table.sum())]
    one, other = (fit_table(AXES, level * np.ones(SHAPE), margins).values for level in (1.0, factor))
    np.testing.assert_allclose(one, other, atol=1e-4)


@given(table=tables, factor=st.sampled_from([10.0, 1000.0]))
def test_exact_margins_times_a_factor_give_the_table_times_the_factor(table, factor):
    one, other = (fit_table(AXES, np.ones(SHAPE), exact(level * (table + 1.0))).values for level in (1.0, factor))
    np.testing.assert_allclose(other, factor * one, rtol=1e-5, atol=1e-6)


@given(table=tables)
def test_a_prior_that_meets_all_margins_comes_back(table):
    prior = table + 0.5
    margins = [Margin(axes, summed(prior, axes) - 2.5, summed(prior, axes) + 2.5) for axes in PAIRS]
    np.testing.assert_allclose(fit_table(AXES, prior, margins, inside="nearest").values, prior, rtol=2e-3)

    crowded = prior + 3  # no interval from 0 up, which would be read as hidden
    margins = [Margin(axes, summed(crowded, axes) - 2.5, summed(crowded, axes) + 2.5) for axes in PAIRS]
    np.testing.assert_allclose(fit_table(AXES, crowded, margins).values, crowded, rtol=1e-9)


def test_nearest_lies_at_the_end_of_the_interval_towards_the_prior_and_likely_does_not():
    margins = [Margin("age", [17.5, 2.5], [22.5, 7.5]), Margin((), 25, 25)]
    nearest = fit_table({"age": 2}, [1, 1], margins, inside="nearest")
    likely = fit_table({"age": 2}, [1, 1], margins)
    np.testing.assert_allclose(nearest.values, [17.5, 7.5], atol=0.01)
    assert 18.5 < likely.values[0] < 20
    assert sorted(nearest.binding()) == [("age", ("0",), "low"), ("age", ("1",), "high")]
    assert not list(likely.binding())


def test_hidden_counts_stay_as_small_as_everything_else_says():
    hidden = Margin("age", [0, 97.5], [4, 102.5])
    rare, common = (fit_table({"age": 2}, [share, 1 - share], [hidden]).values[0] for share in (0.0005, 0.5))
    assert rare < 0.2
    assert 3 < common < 4


def test_an_authority_without_figures_takes_the_shape_of_the_prior():
    nothing = np.nan
    prior = np.array([[1.0, 1.0], [1.0, 3.0], [1.0, 1.0]])
    margins = [
        Margin("authority", [9.5, nothing, 29.5], [10.5, nothing, 30.5]),
        Margin("sex", [29.5, 49.5], [30.5, 50.5]),
    ]
    fitted = fit_table({"authority": 3, "sex": 2}, prior, margins)
    assert not fitted.conflicts
    assert fitted.values[1].sum() == pytest.approx(40, abs=2)
    odds = fitted.values[1, 1] / fitted.values[1, 0] / (fitted.values[0, 1] / fitted.values[0, 0])
    assert odds == pytest.approx(3)


@INSIDE
def test_open_ends(inside):
    infinite = float("inf")
    fitted = fit_table({"age": 3}, [1, 1, 1], [Margin("age", [9.5, -infinite, 20], [10.5, 4, infinite])], inside=inside)
    assert not fitted.conflicts
    assert 9.5 <= fitted.values[0] <= 10.5
    assert fitted.values[1] <= 4
    assert fitted.values[2] >= 20


@INSIDE
def test_one_cell(inside):
    fitted = fit_table({"age": 1}, [3.0], [Margin("age", [97.5], [102.5])], inside=inside)
    assert 97.5 <= fitted.values[0] <= 102.5
    assert fitted.margin(0).shape == (1,)


def test_no_margins_leave_the_prior():
    fitted = fit_table({"age": 2}, [3.0, 1.0], [])
    np.testing.assert_allclose(fitted.values, [3.0, 1.0])
    assert fitted.converged


def test_a_row_of_zeros_is_empty_and_disturbs_nobody():
    margins = [Margin("authority", [0, 7.5, 7.5], [0, 12.5, 12.5]), Margin("sex", [7.5, 7.5], [12.5, 12.5])]
    fitted = fit_table({"authority": 3, "sex": 2}, np.ones((3, 2)), margins)
    assert fitted.values[0].tolist() == [0, 0]
    assert not fitted.conflicts


def test_totals_that_disagree_by_rounding_are_no_quarrel():
    # 12 + 12 + 12 = 36: printed as 10, 10, 10 and 35
    margins = [Margin("age", [7.5] * 3, [12.5] * 3), Margin((), 32.5, 37.5)]
    fitted = fit_table({"age": 3}, [1, 1, 1], margins)
    assert not fitted.conflicts
    assert 32.5 <= fitted.values.sum() <= 37.5


@INSIDE
def test_contradictory_totals_are_named_with_what_is_missing(inside):
    axes = {"authority": ["Anglesey", "Gwynedd"], "sex": 2}
    margins = [
        Margin("authority", [97.5, 47.5], [102.5, 52.5], "by authority"),
        Margin("sex", [77.5, 47.5], [82.5, 52.5], "by sex"),
    ]
    fitted = fit_table(axes, np.ones((2, 2)), margins, inside=inside)
    assert fitted.converged
    # 145 to 155 against 125 to 135: 10 are missing, shared by four figures
    assert sum(abs(conflict.excess) for conflict in fitted.conflicts) == pytest.approx(10, abs=0.1)
    named = {(conflict.label, conflict.cell): conflict for conflict in fitted.conflicts}
    assert set(named) == {
        ("by authority", ("Anglesey",)), ("by authority", ("Gwynedd",)), ("by sex", ("0",)), ("by sex", ("1",)),
    }  # fmt: skip
    assert named["by authority", ("Anglesey",)].score > 3
    assert named["by sex", ("0",)].score < -3
    assert "by authority [Anglesey]: 95 is 2.5 below 97.5 to 102.5" in str(named["by authority", ("Anglesey",)])


def test_the_wrong_figure_has_the_worst_score():
    rng = np.random.default_rng(3)
    table = rng.poisson(30, SHAPE)
    *margins, right = published(table, (*PAIRS, ("authority",)))
    more = np.array([0, 60, 0])
    wrong = Margin("authority", right.low + more, right.high + more, "spoilt")
    fitted = fit_table(AXES, np.ones(SHAPE), [*margins, wrong])
    worst = max(fitted.conflicts, key=lambda conflict: abs(conflict.score))
    assert (worst.label, worst.cell) == ("spoilt", ("Gwynedd",))


@INSIDE
def test_zeros_of_the_prior_that_forbid_a_figure_are_named_and_kept(inside):
    prior = np.array([[1, 1, 0], [1, 0, 1]], float)
    margins = [Margin("sex", [8, 8], [12, 12]), Margin("age", [1, 15, 1], [2, 20, 2])]
    fitted = fit_table({"sex": 2, "age": 3}, prior, margins, inside=inside)
    assert not fitted.values[prior == 0].any()
    assert ("age", ("1",)) in {(conflict.label, conflict.cell) for conflict in fitted.conflicts}
    nothing = fit_table({"age": 2}, [0, 0], [Margin("age", [1, 0], [2, 4])], inside=inside)
    assert [(conflict.cell, conflict.excess) for conflict in nothing.conflicts] == [(("0",), -1.0)]


def test_contradictions_of_any_size_end():
    margins = [Margin("a", [1e5, 1e5], [1e5, 1e5]), Margin("b", [1e4, 1e4], [1e4, 1e4])]
    fitted = fit_table({"a": 2, "b": 2}, np.ones((2, 2)), margins)
    assert fitted.converged
    assert len(fitted.conflicts) == 4


def test_far_priors_and_large_counts():
    rng = np.random.default_rng(8)
    prior = np.exp(rng.normal(0, 8, (30, 20)))
    for table in (rng.poisson(3, (30, 20)), rng.poisson(30_000, (30, 20))):
        fitted = fit_table({"a": 30, "b": 20}, prior, published(table, (("a",), ("b",)), ("a", "b")))
        assert fitted.converged
        assert not fitted.conflicts


def test_many_margin_cells_go_through_the_sparse_engine():
    rng = np.random.default_rng(9)
    table = rng.poisson(2, (30, 20, 10))
    names = ("a", "b", "c")
    margins = published(table, (("a", "b", "c"), ("a",), ("b", "c")), names)
    fitted = fit_table(dict(zip(names, table.shape, strict=True)), np.ones(table.shape), margins)
    assert fitted.sums.size > 4000
    assert fitted.converged
    assert not fitted.conflicts
    assert fitted.largest_violation < 1e-6


def test_the_same_fit_twice_is_the_same_to_the_byte():
    table = np.random.default_rng(1).poisson(9, SHAPE)
    one, other = (fit_table(AXES, np.ones(SHAPE), published(table)).values.tobytes() for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("prior", "margin", "words"),
    [
        ([1, 1], ("length", 0, 1), "no axis 'length'"),
        ([1, 1], ("age", [0, 0, 0], [1, 1, 1]), "intervals of shape (3,)"),
        ([1, 1, 1], ("age", [0, 0], [1, 1]), "the prior has shape (3,)"),
        ([1, -1], ("age", [0, 0], [1, 1]), "none below 0"),
        ([1, float("nan")], ("age", [0, 0], [1, 1]), "finite numbers"),
        ([1, 1], ("age", [0, 5], [1, 4]), "5 to 4 is empty"),
        ([1, 1], (("age", "age"), 0, 1), "stands twice"),
    ],
)
def test_mistakes_are_told(prior, margin, words):
    with pytest.raises(InputError, match="^.*" + words.replace("(", r"\(").replace(")", r"\)")):
        fit_table({"age": 2}, prior, [Margin(*margin)])


def test_inside_is_one_of_two_words():
    with pytest.raises(InputError, match="'likely' or 'nearest'"):
        fit_table({"age": 2}, [1, 1], [], inside="middle")


@given(
    pull=st.floats(-6, 6),
    ends=st.sampled_from([(0, 4), (0, 2.5), (0, 0.5), (0, 50), (2.5, 7.5), (97.5, 102.5), (3, 3), (0.2, 0.3)]),
    hardness=st.sampled_from([0.25, 1.0, 50.0]),
    hidden=st.booleans(),
)
def test_places_of_rest_are_slopes_inside_the_interval(pull, ends, hardness, hidden):
    low, high = (np.array([float(end)]) for end in ends)
    rest = Rest(low, high, hardness, hidden=hidden)
    step = 1e-5
    (before, above, _), (after, below, _) = (rest.at(np.array([pull + by])) for by in (-step, step))
    _, place, curvature = rest.at(np.array([pull]))
    assert low <= place <= high
    assert (before - after) / (2 * step) == pytest.approx(place[0], rel=1e-4, abs=1e-6)
    assert (above - below)[0] / (2 * step) == pytest.approx(curvature[0], rel=1e-3, abs=1e-6 + 1e-3 * hardness)
    assert curvature >= 0
