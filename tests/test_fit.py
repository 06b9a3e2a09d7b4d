"""The whole fit, what it prints, and its command."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
from click.testing import CliRunner

from synth.build import profile_bytes
from synth.cli import main
from synth.errors import InputError, ProfileError
from synth.fit.report import fit_text, prediction_text
from synth.fit.run import Fit, fit
from synth.fit.targets import Miss
from synth.geography.authorities import all_authorities
from synth.profile import load_profile
from synth.profile.check import check_profile, counts_text
from synth.profile.model import FITTED
from synth.published import profiles_dir

PUBLISHED, BEHAVIOUR = profiles_dir() / "published", profiles_dir() / "behaviour.json"
CODES = [area.code for area in all_authorities()]


@pytest.fixture(scope="module")
def steps(whole_fit):
    return whole_fit.steps


@pytest.fixture(scope="module")
def fitted(whole_fit):
    """The fit without the simulation of behaviour."""
    return whole_fit.fit


def counts(profile, table, year):
    """Return a table's counts, shape (authorities, cells)."""
    return np.array([profile.target(table, code, year) for code in CODES])


def test_the_steps_are_told(steps):
    assert steps[0] == "levels"
    assert steps[-1] == "targets"
    assert any(step.startswith("account: ") for step in steps[1:-1])


def test_the_account_is_kept_without_leftover(fitted):
    account, profile = fitted.account, fitted.profile
    assert not account.residual().any()
    for year in range(*profile.years):
        stock = counts(profile, "stock", year)
        n = year - account.first_year
        assert (stock.reshape(22, 2, 18) == account.stock[..., n]).all()
        assert stock.sum(axis=1).tolist() == [profile.level("looked_after", code, year) for code in CODES]
        assert (counts(profile, "starts", year)[:, 0] == account.starts[..., n].sum(axis=(1, 2))).all()


def test_endings_are_the_leavers_of_the_account(fitted):
    for year in range(fitted.profile.years[0], fitted.profile.years[1] + 1):
        leavers = fitted.account.leavers[..., year - fitted.account.first_year].sum(axis=(1, 2))
        assert (counts(fitted.profile, "endings", year).sum(axis=1) == leavers).all(), year


def test_the_profile_explains_itself(fitted):
    assert check_profile(fitted.profile) == []
    assert fitted.profile.held_out == ()
    assert fitted.residuals == ()


def test_ethnic_groups_stand_for_every_year_of_the_profile(fitted):
    profile = fitted.profile
    for year in range(profile.years[0], profile.years[1] + 1):
        level = np.array([profile.level("looked_after", code, year) for code in CODES])
        missing = level - counts(profile, "ethnicity", year).sum(axis=1)
        assert missing.min() >= 0, year
        assert missing.sum() < 0.005 * level.sum(), year
    shares = profile.parameters["ethnicity.by_authority"].value
    assert [sum(mix.values()) for mix in shares.values()] == pytest.approx([1.0] * 22, abs=5e-4)
    assert min(min(mix.values()) for mix in shares.values()) > 0


def test_the_built_in_profile_is_the_fit_of_its_tables(fitted, profile):
    """Other processors may round a few children another way, hence one child in a hundred."""
    assert profile.inputs == fitted.profile.inputs
    assert profile.levels == fitted.profile.levels
    assert profile.figures == fitted.profile.figures
    mine, theirs = ({(t.table, t.year): t for t in one.targets} for one in (fitted.profile, profile))
    assert mine.keys() == theirs.keys()
    for key, target in mine.items():
        assert target.cells == theirs[key].cells
        here, there = (np.array([t.counts[code] for code in CODES]) for t in (target, theirs[key]))
        assert np.abs(here - there).sum() <= max(0.01 * there.sum(), 4), key
    assert profile.parameters.keys() == fitted.profile.parameters.keys()
    for name, item in profile.parameters.items():
        start = fitted.profile.parameters[name]
        assert (item.unit, item.basis, item.note) == (start.unit, start.basis, start.note), name
        if FITTED not in item.source and name != "ethnicity.by_authority":
            assert item == start, name


@pytest.mark.parametrize("name", ["T99", "T16 weather", "t16", ""])
def test_a_table_nobody_published_cannot_be_held_out(name):
    with pytest.raises(InputError, match=f"--hold-out {name}: no published table has that name") as error:
        fit(PUBLISHED, BEHAVIOUR, hold_out=[name])
    assert "T01, T02" in str(error.value)


def test_what_is_held_out_leaves_all_else_to_the_byte_as_it_was(fitted, whole_fit):
    """Fitted twice, so that all but the table left out shows that the same files give the same bytes.

    The account has a test of its own, and what was solved is not solved twice.
    """
    with patch("synth.fit.run.fit_account", return_value=fitted.account) as account:
        found = whole_fit.again(hold_out=["T16"])
    assert account.call_args.kwargs["hold_out"] == ["T16"]
    assert found.profile.held_out == ("T16",)
    here, there = (
        profile_bytes(
            replace(
                one.profile,
                held_out=(),
                targets=tuple(t for t in one.profile.targets if t.table != "three_or_more"),
            )
        )
        for one in (found, fitted)
    )
    assert here == there
    assert len(found.profile.targets) == len(fitted.profile.targets)
    assert any(t not in fitted.profile.targets for t in found.profile.targets)
    assert [miss for miss in fitted.misses if miss.table != "three_or_more"] == [
        miss for miss in found.misses if miss.table != "three_or_more"
    ]


# --- what is printed


def test_the_text_of_a_fit(fitted):
    text = fit_text(fitted)
    assert "Account 2003 to 2024: 0 children left over" in text
    assert f"Published cells that quarrel with others: {len(fitted.account.quarrels)}" in text
    assert f"Figures the targets miss: {len(fitted.misses) or 'none'}" in text
    assert "before alignment" not in text
    assert text.endswith(counts_text(fitted.profile))


def test_the_text_lists_twenty_and_counts_the_rest(fitted):
    misses = tuple(Miss("legal", 2020, f"T04 number {n}", 5.0, 9.0, 12.0, 1.0) for n in range(23))
    text = fit_text(replace(fitted, misses=misses))
    assert "Figures the targets miss: 23\n  legal 2020: T04 number 0, 5 to 9, reached 12\n" in text
    assert "T04 number 19," in text
    assert "T04 number 20," not in text
    assert "\n  and 3 more\n" in text
    stock = fitted.account.stock.copy()
    stock[4, 1, 7, 12] += 3
    odd = replace(fitted, misses=(), account=replace(fitted.account, stock=stock))
    assert "2024: 3 children left over" in fit_text(odd)
    assert "Figures the targets miss: none" in fit_text(odd)


def test_predictions_are_held_against_what_was_left_out(profile):
    told = []
    out = replace(profile, held_out=("T16",))
    text = prediction_text(out, PUBLISHED, ["T16"], 2017, told.append)
    assert told == ["generating 2017"]
    assert re.match(r"Left out: T16\. Of 1 cells predicted [01] are inside \(\d+\.0%\)\n", text)
    assert prediction_text(out, PUBLISHED, ["T16"], 2020, told.append).startswith("Nothing of the tables left out")
    assert told == ["generating 2017"]


# --- the command


def run(*words):
    return CliRunner().invoke(main, ["fit", *(str(word) for word in words)])


@pytest.fixture
def command(fitted, tmp_path):
    """Run the command with a fit that is there already and a folder of profiles of its own."""
    asked = {}

    def fake(published, behaviour, *, hold_out=(), tick=lambda _: None):
        asked.update(published=published, behaviour=behaviour, hold_out=tuple(hold_out))
        asked["threads"] = os.environ["OPENBLAS_NUM_THREADS"]
        tick("levels")
        return Fit(fitted.profile, fitted.account, (), ())

    def predicted(*words):
        asked["predicted"] = words[1:4]
        return "Left out: something."

    def done(*words):
        with (
            patch("synth.fit.run.fit", fake),
            patch("synth.fit.report.prediction_text", predicted),
            patch("synth.published.profiles_dir", lambda: tmp_path),
            patch.dict(os.environ),
        ):
            os.environ.pop("OPENBLAS_NUM_THREADS", None)
            return run(*words), asked

    return done


def test_help():
    told = run("--help")
    assert told.exit_code == 0
    for option in ("--published", "--behaviour", "--out", "--hold-out", "--year", "--quiet"):
        assert option in told.stdout


def test_without_words_the_built_in_profile_is_replaced(command, fitted, tmp_path):
    result, asked = command()
    assert result.exit_code == 0, result.output
    assert (asked["published"], asked["behaviour"]) == (tmp_path / "published", tmp_path / "behaviour.json")
    assert asked["threads"] == "1"
    assert (tmp_path / "wales.json").read_bytes() == profile_bytes(fitted.profile)
    assert "0 children left over" in result.stdout
    assert f"Written to {tmp_path / 'wales.json'}." in result.stdout
    assert re.fullmatch(r" +\d+\.\d s  levels\n", result.stderr)


def test_elsewhere_and_quiet(command, tmp_path):
    out = tmp_path / "mine.json"
    result, asked = command("--published", "tables", "--behaviour", "b.json", "--out", out, "--quiet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert [str(asked[name]) for name in ("published", "behaviour")] == ["tables", "b.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["mine.json"]
    assert load_profile(out).name == "wales"


def test_with_tables_held_out_nothing_is_written_unless_asked(command, tmp_path):
    result, asked = command("--hold-out", "T16", "--hold-out", "T04", "--year", 2023)
    assert result.exit_code == 0
    assert asked["hold_out"] == ("T16", "T04")
    assert asked["predicted"] == (tmp_path / "published", ("T16", "T04"), 2023)
    assert "Left out: something." in result.stdout
    assert "Written" not in result.stdout
    assert list(tmp_path.iterdir()) == []
    assert "Written" in command("--hold-out", "T16", "--out", tmp_path / "blind.json")[0].stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--hold-out", "T99"), "--hold-out T99: no published table has that name"),
        (("--published", "nowhere"), "sources.csv: the published table cannot be read"),
        (("--behaviour", "nowhere.json"), "nowhere.json"),
    ],
)
def test_what_cannot_be_fitted_is_one_message(tmp_path, words, said):
    result = run(*words, "--quiet", "--out", tmp_path / "p.json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert result.stderr.startswith("synth: ")
    assert list(tmp_path.iterdir()) == []


def test_an_unreadable_cell_stops_the_fit_before_anything_is_solved(tmp_path):
    for path in PUBLISHED.glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    path = tmp_path / "targets.csv"
    path.write_text(path.read_text("utf-8").replace(",always,", ",now,", 1), "utf-8")
    with patch("synth.fit.run.fit_account") as account, pytest.raises(ProfileError, match=r"targets\.csv line \d+"):
        fit(tmp_path, BEHAVIOUR, simulate=False)
    assert account.call_count == 0


def test_the_command_line_loads_no_arithmetic():
    """The number of threads is set by the command; numpy would have read it by then."""
    code = "import json, sys, synth.cli; print(json.dumps(sorted({'numpy', 'scipy', 'polars'} & set(sys.modules))))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert json.loads(found.stdout) == []
