import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.errors import ProfileError
from synth.profile import Parameter, load_profile, overlay
from synth.profile.check import basis_counts, check_profile, counts_text
from synth.profile.model import FITTED, Target
from synth.profile.ranges import out_of_range, range_of
from synth.profile.text import profile_json, profile_text

GUESS = {"unit": "share", "basis": "assumed", "source": "", "note": "a guess", "uncertainty": "10 points"}


def with_parts(profile, **parts):
    return replace(profile, **parts)


def with_parameter(profile, **fields):
    return with_parts(profile, parameters={"some.thing": Parameter(**GUESS | {"value": 0.5} | fields)})


def places(profile):
    return [finding.where for finding in check_profile(profile)]


def test_the_built_in_profile_explains_itself(profile):
    assert check_profile(profile) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"note": " "}, "assumed without a note"),
        ({"uncertainty": ""}, "assumed without an uncertainty"),
        ({"basis": "research"}, "research without a source"),
        ({"basis": "published"}, "an id of sources.csv"),
        ({"basis": "published", "source": "a newspaper"}, "an id of sources.csv"),
        ({"basis": "published", "source": FITTED + "starts 2018 (T13)"}, "an id of sources.csv"),
        ({"value": {"a": {"x": 0, "y": 0}, "b": {"x": 1, "y": 0}}}, "every weight is 0"),
        ({"value": None, "by_year": {"1990": 0.5}}, "the year 1990"),
    ],
)
def test_what_a_parameter_leaves_unexplained(profile, fields, said):
    found = check_profile(with_parameter(profile, **fields))
    assert len(found) == 1
    assert found[0].where.startswith("parameters.some.thing")
    assert said in str(found[0])


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"basis": "published", "source": "T13 2018: 64 per cent"},
        {"basis": "published", "source": "read in S041"},
        {"basis": "research", "source": "a study"},
        {"value": {"a": {"x": 0, "y": 1}}},
        {"unit": "factor", "value": {"a": 0, "b": 0}},
    ],
)
def test_what_is_explained_passes(profile, fields):
    assert check_profile(with_parameter(profile, **fields)) == []


def test_levels_and_figures_outside_their_own_interval(profile):
    level = replace(profile.levels[0], value=10_000)
    figure = replace(profile.figures[0], low=profile.figures[0].value + 1)
    changed = with_parts(profile, levels=(level, *profile.levels[1:]), figures=(figure, *profile.figures[1:]))
    assert places(changed) == [
        f"levels: {level.kind}, authority {level.authority}, {level.year}",
        f"figures: {figure.name}, {figure.year}",
    ]


def test_targets_must_add_up_to_the_level(profile):
    codes = sorted({level.authority for level in profile.levels})
    level = {code: profile.level("looked_after", code, 2020) for code in codes}
    right = Target(table="legal", year=2020, cells=("a", "b"), counts={c: (n - 1, 1) for c, n in level.items()})
    some = Target(table="three_or_more", year=2020, cells=("a",), counts={c: (n // 9,) for c, n in level.items()})
    assert check_profile(with_parts(profile, targets=(right, some))) == []
    short = replace(right, counts=right.counts | {"512": (1, 1)})
    many = replace(some, counts=some.counts | {"514": (level["514"] + 1,)})
    lacks = replace(right, year=2021, counts={})
    early = replace(right, year=1990)
    found = [str(finding) for finding in check_profile(with_parts(profile, targets=(short, many, lacks, early, short)))]
    assert f"expected {level['512']}, the level of looked_after" in found[0]
    assert f"expected at most {level['514']}" in found[1]
    assert "authorities missing or unknown: 512, 514" in found[2]
    assert "the year 1990" in found[3]
    assert "stands there twice" in found[4]


def test_counts_by_basis(profile):
    counts = basis_counts(profile)
    assert sum(counts[basis] for basis in ("published", "research", "assumed")) == len(profile.parameters)
    fitted = with_parameter(profile, source=FITTED + "starts 2018")
    assert basis_counts(fitted) == {"published": 0, "research": 0, "assumed": 1, "fitted": 1}
    assert counts_text(profile) in profile_text(profile, 2023).replace("\n", " ")
    assert json.loads(profile_json(profile, 2023))["counts"] == counts


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (1.2, "share", "1.2 is not between 0 and 1, as a share must be"),
        (-0.1, "chance a year", "-0.1 is not between 0 and 1, as a chance must be"),
        (19, "years", "19 is not between 0 and 18, as years must be"),
        ([-1, 4], "days", "-1 at [0] is not 0 or more, as days must be"),
        ([9, 4], "days", "[9, 4] falls"),
        ({"a": {"median_days": 0}}, "days, log-normal", "0 at a.median_days is not above 0"),
        (-1, "weight", "-1 is not 0 or more, as a weight must be"),
        (1.5, "correlation", "between -1 and 1, as a correlation must be"),
    ],
)
def test_numbers_out_of_their_range(value, unit, said):
    assert said in out_of_range(value, unit)


def test_own_bounds_narrow_those_of_the_unit():
    assert range_of("years", 10, None) == (10, 18)
    assert range_of("share", -5, 0.4) == (0, 0.4)
    assert out_of_range({"a": -3}, "standard deviations") is None


@pytest.fixture
def laid_over(profile, tmp_path):
    def done(name, **fields):
        path = tmp_path / "mine.json"
        path.write_text(json.dumps({"format_version": 1, "overlay": True, "parameters": {name: fields}}), "utf-8")
        return overlay(profile, path)

    return done


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("care.custody_from_age", {"value": 9}, "9 is not between 10 and 17"),
        ("care.custody_from_age", {"value": 12, "low": 5}, "the range of a parameter cannot be replaced"),
        ("legal.emergency_order_days", {"value": [3, 20]}, "20 at [1] is not between 1 and 15"),
        ("missing.from_age", {"value": -1}, "-1 is not between 0 and 18"),
        ("care.stay.long", {"value": {"median_days": 0, "sigma": 0.5}}, "not above 0"),
    ],
)
def test_an_overlay_out_of_range_is_refused(laid_over, name, fields, said):
    with pytest.raises(ProfileError) as error:
        laid_over(name, **fields)
    assert said in str(error.value)
    assert "mine.json" in str(error.value)


def test_an_overlay_keeps_the_range(laid_over):
    assert laid_over("care.custody_from_age", value=11).parameters["care.custody_from_age"].low == 10


def test_the_command_says_what_it_found(tmp_path):
    run = CliRunner().invoke(main, ["profile", "check"])
    assert run.exit_code == 0
    assert counts_text(load_profile()) in run.output
    path = tmp_path / "mine.json"
    parameters = {"missing.from_age": {"value": 11}}
    path.write_text(json.dumps({"format_version": 1, "overlay": True, "parameters": parameters}), "utf-8")
    run = CliRunner().invoke(main, ["profile", "check", "--profile", str(path)])
    assert run.exit_code == 1
    assert "parameters.missing.from_age: basis assumed without an uncertainty" in run.output
    assert "Findings: 1." in run.output


def test_the_readme_counts_the_parameters_of_the_built_in_profile(profile):
    text = " ".join((Path(__file__).parent.parent / "README.md").read_text("utf-8").split())
    assert f"The built-in profile has {counts_text(profile)}." in text
