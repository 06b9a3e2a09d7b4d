"""How surprising counts are: Bayes factors against stated shares, with a false-alarm rate known in advance.

The factor weighs "some other shares, all equally likely" against the stated ones. Where the stated shares are true
its expected value is exactly 1, whatever the sample size, so it exceeds 1 / FALSE_ALARM with a probability of at most
FALSE_ALARM (Markov's inequality). Seeds are fixed: a passing check stays one; the rate says how seldom a new seed or
a harmless change of the draws would ring falsely. No test module makes more than a hundred checks.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, xlogy

FALSE_ALARM = 1e-6


def log_factor(counts, shares):
    """Return the logarithm of the Bayes factor against `shares` (normalised here); infinite where one is impossible."""
    counts, shares = np.asarray(counts, float).ravel(), np.asarray(shares, float).ravel()
    assert counts.shape == shares.shape
    possible = shares > 0
    if counts[~possible].any():
        return np.inf
    counts, shares = counts[possible], shares[possible] / shares.sum()
    other = gammaln(len(counts)) - gammaln(counts.sum() + len(counts)) + gammaln(counts + 1).sum()
    return other - xlogy(counts, shares).sum()


def fits(counts, shares, false_alarm=FALSE_ALARM):
    """Say whether counts of the categories are what draws with these shares would give."""
    return log_factor(counts, shares) < -np.log(false_alarm)


def fits_share(flags, share, false_alarm=FALSE_ALARM):
    """Say whether independent flags are true with this probability."""
    flags = np.asarray(flags, bool)
    return fits([flags.sum(), (~flags).sum()], [share, 1 - share], false_alarm)


def evenly(u, bins=20, false_alarm=FALSE_ALARM):
    """Say whether uniforms, or pairs of them (shape (n, 2)), fill equal bins of (0, 1) evenly."""
    u = np.asarray(u)
    cells = np.floor(u * bins).astype(int)
    if u.ndim > 1:
        cells = cells @ bins ** np.arange(u.shape[1])
        bins **= u.shape[1]
    return fits(np.bincount(cells, minlength=bins), np.ones(bins), false_alarm)
