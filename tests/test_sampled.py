"""Sampled mode: stocks vary around the fitted ones as counts do, each year after the one before.

Statistical checks compare sums of squares of many normal departures with their chi-squared distribution; seeds are
fixed, and each check would ring falsely for a new seed with a probability of FALSE_ALARM.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
from chance import FALSE_ALARM
from click.testing import CliRunner
from scipy.special import chdtr, ndtr

from synth.cli import main
from synth.geography.authorities import all_authorities
from synth.profile import load_profile
from synth.sampled import sampled

CODES = [authority.code for authority in all_authorities()]
SEEDS = range(1, 9)
LARGE = 20
"""Cells of at least so many children are never drawn down to nought."""
ROUNDING = 1 / 6
"""Variance that rounding up or down by chance adds, on average over fractions."""


@pytest.fixture(scope="module")
def drawn():
    found = {seed: sampled(load_profile(), seed) for seed in SEEDS}
    return found | {"profile": load_profile()}


def stock(profile, year):
    """Return counts by authority, sex and age, shape (22, 2, 18)."""
    return np.array([profile.target("stock", code, year) for code in CODES], float).reshape(22, 2, 18)


def departures(drawn, year):
    """Return (expected counts, departures in standard deviations of a Poisson count), one row a seed."""
    mean = stock(drawn["profile"], year)
    return mean, np.array([(stock(drawn[seed], year) - mean) / np.sqrt(np.maximum(mean, 1)) for seed in SEEDS])


def spread_as(squares):
    """Say whether a sum of squares of standard normals, given as an array, is neither too large nor too small."""
    p = chdtr(squares.size, squares.sum())
    return FALSE_ALARM / 2 < p < 1 - FALSE_ALARM / 2


def unrelated(some, others):
    """Say whether normals have nothing to do with others: given these, the sum of products is normal."""
    return 2 * ndtr(-abs((some * others).sum()) / np.sqrt((others**2).sum())) > FALSE_ALARM


def around_nought(normals):
    """Say whether the mean of standard normals is as near to 0 as it should be."""
    return 2 * ndtr(-abs(normals.sum()) / np.sqrt(normals.size)) > FALSE_ALARM


def test_the_same_seed_draws_the_same(drawn):
    profile = drawn["profile"]
    again = sampled(profile, 1)
    assert again == drawn[1]
    assert (stock(drawn[2], 2023) != stock(drawn[1], 2023)).mean() > 0.5
    assert profile == load_profile(), "the profile itself stays"


def test_later_years_change_no_earlier_draw(drawn):
    """A profile that knows nothing beyond 2020 gives the same 2018, as does one with other stocks from 2021 on."""
    profile = drawn["profile"]
    cut = replace(
        profile,
        years=(2017, 2020),
        targets=tuple(target for target in profile.targets if target.year <= 2020),
        levels=tuple(level for level in profile.levels if level.year <= 2020),
    )
    doubled = replace(
        profile,
        targets=tuple(
            replace(target, counts={code: tuple(2 * n for n in row) for code, row in target.counts.items()})
            if target.year > 2020
            else target
            for target in profile.targets
        ),
    )
    for other in (sampled(cut, 1), sampled(doubled, 1)):
        for year in range(2003, 2021):
            assert (stock(other, year) == stock(drawn[1], year)).all(), year
            starts = [other.target("starts", code, year) for code in CODES]
            assert starts == [drawn[1].target("starts", code, year) for code in CODES], year
        early = [level for level in drawn[1].levels if level.year <= 2020]
        assert [level for level in other.levels if level.year <= 2020] == early
    assert (stock(sampled(doubled, 1), 2021) != stock(drawn[1], 2021)).any()


def test_only_stocks_and_starts_are_kept_as_targets(drawn):
    profile = drawn["profile"]
    for seed in SEEDS:
        assert {(t.table, t.year) for t in drawn[seed].targets} == {
            (t.table, t.year) for t in profile.targets if t.table in ("stock", "starts")
        }
        assert drawn[seed].parameters == profile.parameters
        assert drawn[seed].figures == profile.figures


def test_levels_go_with_the_stocks(drawn):
    for seed in SEEDS:
        found = drawn[seed]
        for year in (2003, 2017, 2024):
            looked_after = [found.level("looked_after", code, year) for code in CODES]
            assert looked_after == stock(found, year).sum(axis=(1, 2)).tolist()
            supported = [found.level("care_and_support", code, year) for code in CODES]
            assert (np.array(supported) >= looked_after).all()
        before = {code: drawn["profile"].level("looked_after", code, 2000) for code in CODES}
        assert {code: found.level("looked_after", code, 2000) for code in CODES} == before, "no stock by age then"
        assert all("drawn around it" in level.source for level in found.levels if level.year > 2002)


@pytest.mark.parametrize("year", [2016, 2020, 2024])
def test_cells_vary_like_poisson_counts(drawn, year):
    mean, z = departures(drawn, year)
    large = mean >= LARGE
    assert large.sum() * len(SEEDS) > 100
    z = z[:, large] / np.sqrt(1 + ROUNDING / mean[large])
    assert around_nought(z)
    assert spread_as(z**2)


def test_small_cells_vary_too_and_empty_ones_stay_empty(drawn):
    mean, _ = departures(drawn, 2023)
    counts = np.array([stock(drawn[seed], 2023) for seed in SEEDS])
    assert (counts >= 0).all()
    assert not counts[:, mean == 0].any()
    small = (mean > 0) & (mean < 3)
    # Cut off at nought, so a little more than wanted on average, and less spread.
    assert 0.95 < counts[:, small].mean() / mean[small].mean() < 1.25
    assert 0.4 < ((counts - mean)[:, small] ** 2).mean() / mean[small].mean() < 1.2


def test_a_cohort_carries_its_departure_on(drawn):
    """What is left of a year's departure after the share carried on is a fresh one, for children a year older."""
    keeps = drawn["profile"].at("sampled.kept_a_year", 2023)
    (mean, z), (mean_before, z_before) = departures(drawn, 2023), departures(drawn, 2022)
    older, mean_older = z[:, :, :, 1:], mean[:, :, 1:]
    younger, mean_younger = z_before[:, :, :, :-1], mean_before[:, :, :-1]
    large = (mean_older >= LARGE) & (mean_younger >= LARGE)
    assert large.sum() * len(SEEDS) > 100
    rounding = ROUNDING / mean_older[large] + keeps**2 * ROUNDING / mean_younger[large]
    fresh = (older[:, large] - keeps * younger[:, large]) / np.sqrt(1 - keeps**2 + rounding)
    assert spread_as(fresh**2)
    assert unrelated(fresh, younger[:, large]), "fresh departures do not hang on earlier ones"
    assert not spread_as(((older - younger)[:, large] / np.sqrt(2)) ** 2), "two years are not independent"


def test_other_ages_and_the_other_sex_depart_on_their_own(drawn):
    mean, z = departures(drawn, 2023)
    large = (mean[:, :, 1::2] >= LARGE) & (mean[:, :, 0::2] >= LARGE)
    assert large.sum() * len(SEEDS) > 100
    assert unrelated(z[:, :, :, 1::2][:, large], z[:, :, :, 0::2][:, large])
    sexes = (mean[:, 0] >= LARGE) & (mean[:, 1] >= LARGE)
    assert sexes.sum() * len(SEEDS) > 100
    assert unrelated(z[:, :, 0][:, sexes], z[:, :, 1][:, sexes])


def test_starts_vary_like_poisson_counts(drawn):
    def starts(profile, year):
        return np.array([profile.target("starts", code, year)[0] for code in CODES], float)

    years = (2018, 2020, 2022, 2024)
    z = []
    for year in years:
        mean = starts(drawn["profile"], year)
        large = mean >= LARGE
        # Rounded to the nearest: a twelfth more.
        spread = np.sqrt(mean + 1 / 12)
        z += [((starts(drawn[seed], year) - mean) / spread)[large] for seed in SEEDS]
    z = np.concatenate(z)
    assert around_nought(z)
    assert spread_as(z**2)


def test_care_and_support_beside_care_varies_by_whole_families(drawn):
    profile = drawn["profile"]
    size = profile.at("sampled.children_a_family", 2023)

    def beside(found):
        return np.array(
            [found.level("care_and_support", code, 2023) - found.level("looked_after", code, 2023) for code in CODES]
        )

    mean = beside(profile)
    z = np.array([(beside(drawn[seed]) - mean) / np.sqrt(size * mean) for seed in SEEDS])
    assert around_nought(z)
    assert spread_as(z**2)


# -- what is written --------------------------------------------------------------------------------------------


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_a_sampled_year_is_written_clean_and_says_so(tmp_path):
    words = ("generate", "--authorities", "Merthyr Tydfil", "--year", 2021, "--seed", 6)
    found = run(*words, "--mode", "sampled", "--out", tmp_path)
    assert found.exit_code == 0, found.output
    assert "none found anything" in found.output
    folder = tmp_path / "2021"
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["mode"] == "sampled"
    assert manifest["command"].endswith("--mode sampled")
    looked_after = sum(sampled(load_profile(), 6).target("stock", manifest["authorities"][0], 2021))
    rows = [line.split(",") for line in (folder / "synthetic_cla_episode.csv").read_text("utf-8").splitlines()]
    status, end = rows[0].index("LEGAL_STATUS_CODE"), rows[0].index("EPISODE_END_DATE")
    assert sum(row[end] == "" and row[status] != "V1" for row in rows[1:]) == looked_after


def test_a_mode_nobody_knows_is_refused(tmp_path):
    found = run("generate", "--year", 2021, "--mode", "rough", "--out", tmp_path)
    assert found.exit_code == 2
    assert "exact" in found.output
