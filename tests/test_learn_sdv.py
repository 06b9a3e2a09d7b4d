"""SDV's Gaussian copula as the source of correlations: the same as from joint counts, but for the scores it draws."""

import numpy as np
import polars as pl
import pytest

pytest.importorskip("sdv")

from synth.learn.copula import check_installed, fitted
from synth.learn.latent import from_counts

CORRELATION = np.array([[1.0, 0.6, -0.3], [0.6, 1.0, 0.0], [-0.3, 0.0, 1.0]])
SHARES = (0.15, 0.6, 0.4)


@pytest.fixture(scope="module")
def flags():
    from scipy.stats import norm

    drawn = np.random.default_rng(5).multivariate_normal(np.zeros(3), CORRELATION, size=4000)
    return pl.DataFrame(
        {
            name: (drawn[:, n] > norm.isf(share)).astype(np.int8)
            for n, (name, share) in enumerate(zip("abc", SHARES, strict=True))
        }
    )


@pytest.fixture(scope="module")
def matrix(flags):
    return fitted(flags)


def test_the_copula_learns_the_correlations_behind_flags(matrix):
    assert matrix == pytest.approx(matrix.T)
    assert np.diag(matrix).tolist() == [1, 1, 1]
    assert matrix == pytest.approx(CORRELATION, abs=0.08)


def test_they_are_those_of_the_joint_counts_but_for_drawn_scores(flags, matrix):
    for n, m in ((0, 1), (0, 2), (1, 2)):
        a, b = (flags.to_series(k).to_numpy() == 1 for k in (n, m))
        counts = np.array([[(a & b).sum(), (a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum()]], float)
        assert matrix[n, m] == pytest.approx(from_counts(counts)[0], abs=0.06)


def test_the_same_flags_give_the_same_correlations(flags, matrix):
    assert fitted(flags).tolist() == matrix.tolist()


def test_the_version_is_told():
    assert check_installed().split(".")[0].isdecimal()
