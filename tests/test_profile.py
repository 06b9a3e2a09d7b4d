import copy
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from synth.build import build, profile_bytes, write_built_in, write_profile
from synth.errors import OutputError, ProfileError
from synth.profile import Parameter, differences, digest, load_profile, overlay
from synth.profile.checked import checked_profile
from synth.profile.documents import read_document
from synth.profile.loading import BUILT_IN, SUM, sum_of
from synth.profile.model import Target
from synth.profile.text import profile_json, profile_text, show
from synth.published import profiles_dir

PUBLISHED = profiles_dir() / "published"
WHERE = {"unit": "share", "basis": "assumed", "source": "", "note": "a guess", "uncertainty": "10 points"}
BEHAVIOUR = {
    "parameters": {
        "entry.by_agreement": {"by_year": {"2017": 0.5, "2021": 0.7}, **WHERE},
        "placement.first": {"value": {"under_1": [0.5, 0.5], "older": [0.25, 0.75]}, **WHERE},
        "moves.days": {
            "by_year": {"2018": {"first": [10, 20]}, "2020": {"first": [20, 40]}},
            **WHERE,
            "unit": "days",
        },
    },
}


@pytest.fixture(scope="module")
def behaviour(tmp_path_factory):
    path = tmp_path_factory.mktemp("behaviour") / "behaviour.json"
    path.write_text(json.dumps(BEHAVIOUR), "utf-8")
    return path


@pytest.fixture(scope="module")
def built(behaviour):
    return build(PUBLISHED, behaviour)


@pytest.fixture
def document(built):
    return json.loads(profile_bytes(built))


@pytest.fixture
def save(tmp_path):
    def saved(found):
        path = tmp_path / "mine.json"
        path.write_text(found if isinstance(found, str) else json.dumps(found), "utf-8")
        return path

    return saved


def refused(path):
    with pytest.raises(ProfileError) as error:
        load_profile(path)
    assert "mine.json" in str(error.value)
    return str(error.value)


def test_the_built_in_profile_is_what_build_gives():
    """Levels and figures follow from the tables at hand, and its fit started from them and no others."""
    fresh, held = build(PUBLISHED, profiles_dir() / "behaviour.json"), load_profile()
    assert held.inputs == fresh.inputs, "profiles/wales.json was fitted to other files: run `synth fit`"
    assert (held.years, held.warm_up_from) == (fresh.years, fresh.warm_up_from)
    assert held.levels == fresh.levels
    assert held.figures == fresh.figures
    assert held.parameters.keys() == fresh.parameters.keys()
    assert profile_bytes(held) == (profiles_dir() / "wales.json").read_bytes(), "written as the package writes it"


def test_what_the_fit_moves_says_so():
    """Other parameters stay as they are given; moved ones keep their unit, basis and note and name the figures."""
    fresh, held = build(PUBLISHED, profiles_dir() / "behaviour.json"), load_profile()
    moved = {name for name, item in held.parameters.items() if item != fresh.parameters[name]}
    assert moved
    for name in moved:
        old, new = fresh.parameters[name], held.parameters[name]
        assert (new.unit, new.basis, new.note, new.low, new.high) == (old.unit, old.basis, old.note, old.low, old.high)
        assert new.source.startswith(old.source), name
        assert len(new.source) > len(old.source), name


def test_a_copy_looks_up_its_own_fields(built):
    """What was looked up in a profile is not remembered by a copy with other fields."""
    target = Target(table="legal", year=2020, cells=("other",), counts={"512": (3,)})
    assert built.target("legal", "512", 2020) is None
    assert built.at("entry.by_agreement", 2017) == 0.5
    assert built.level("looked_after", "512", 2020) > 0
    changed = Parameter(value=0.9, **WHERE)
    copied = replace(built, targets=(target,), parameters=built.parameters | {"entry.by_agreement": changed}, levels=())
    assert copied.target("legal", "512", 2020) == (3,)
    assert copied.at("entry.by_agreement", 2017) == 0.9
    with pytest.raises(ProfileError, match="no levels"):
        copied.level("looked_after", "512", 2020)
    assert built.target("legal", "512", 2020) is None
    assert replace(built) == built


def test_the_built_in_profile_explains_every_parameter():
    for name, item in load_profile().parameters.items():
        assert item.source if item.basis != "assumed" else item.note, name
        assert item.uncertainty, name


def test_build_is_the_same_every_time(behaviour, built, tmp_path):
    program = (
        "import sys, pathlib; from synth.build import build, profile_bytes;"
        "sys.stdout.buffer.write(profile_bytes(build(*map(pathlib.Path, sys.argv[1:]))))"
    )
    env = dict(os.environ) | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", program, PUBLISHED, behaviour], env=env, capture_output=True, check=True
    )
    assert done.stdout == profile_bytes(built)


def test_what_is_written_is_read_back(built, tmp_path):
    path = tmp_path / "p.json"
    write_profile(built, path)
    again = load_profile(path)
    assert again == built
    assert digest(again) == digest(built)
    assert len(digest(built)) == 64
    text = path.read_text("utf-8")
    assert text.count('{"kind": ') == 1188
    assert max(len(line) for line in text.splitlines()) < 400


def test_writing_where_there_is_no_folder(built, tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        write_profile(built, tmp_path / "no" / "p.json")


def test_inputs_are_named_with_their_digests(built):
    assert {"cla_aggregates.csv", "crcs_aggregates.csv", "population.csv", "behaviour.json"} <= set(built.inputs)
    assert all(len(text) == 64 for text in built.inputs.values())


def test_levels_are_found(built):
    assert built.level("looked_after", "552", 2023) == built.levels_of("looked_after", "552")[2023]
    assert list(built.levels_of("care_and_support", "512")) == list(range(1998, 2025))
    with pytest.raises(ProfileError, match="1998 to 2024"):
        built.level("looked_after", "552", 2030)
    with pytest.raises(ProfileError, match="'999'"):
        built.level("looked_after", "999", 2023)


@pytest.mark.parametrize(
    ("year", "value"), [(1998, 0.5), (2017, 0.5), (2018, 0.55), (2019, 0.6), (2021, 0.7), (2024, 0.7)]
)
def test_values_between_years_lie_on_a_line(built, year, value):
    assert built.at("entry.by_agreement", year) == pytest.approx(value)


def test_nested_values_are_interpolated_too(built):
    assert built.at("moves.days", 2019) == {"first": [15.0, 30.0]}
    assert built.at("moves.days", 2019) is built.at("moves.days", 2019)
    assert built.at("placement.first", 2019) == {"under_1": [0.5, 0.5], "older": [0.25, 0.75]}


def test_an_unknown_parameter_is_answered_with_the_nearest(built):
    with pytest.raises(ProfileError, match=r"did you mean 'placement\.first'"):
        built.at("placement.frst", 2019)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(format_version=2), ("format_version: found 2", "reads 1", "synth fit")),
        (lambda d: d.pop("format_version"), ("format_version: found null",)),
        (lambda d: d.update(colour="red"), ("colour: unknown key",)),
        (lambda d: d["levels"][3].update(valu=4), ("levels[3].valu: unknown key; did you mean 'value'",)),
        (lambda d: d["levels"][3].update(value=-1), ("levels[3].value: found -1",)),
        (lambda d: d["levels"][3].update(value=1.5), ("levels[3].value: found 1.5",)),
        (lambda d: d["levels"][3].update(value="12"), ('levels[3].value: found "12"',)),
        (lambda d: d["levels"][3].update(authority="999"), ("authority '999'", "512 to 552")),
        (lambda d: d["levels"].pop(3), ("levels: looked_after, authority 512, 2001 is missing",)),
        (lambda d: d["levels"].append(d["levels"][3]), ("stands there twice",)),
        (lambda d: d["levels"][3].update(basis="sure"), ("levels[3].basis",)),
        (lambda d: d["parameters"]["entry.by_agreement"].update(by_year={"2017": float("nan")}), ("nan",)),
        (lambda d: d["parameters"]["entry.by_agreement"].update(by_year={"2017": 1.5}), ("between 0 and 1",)),
        (lambda d: d["parameters"]["entry.by_agreement"].update(by_year={"first": 0.5}), ("not a year",)),
        (lambda d: d["parameters"]["entry.by_agreement"].update(value=0.5), ("exactly one of value",)),
        (lambda d: d["parameters"]["entry.by_agreement"].pop("by_year"), ("exactly one of value",)),
        (lambda d: d["parameters"]["placement.first"]["value"].update(older=["x"]), ("'x' at older[0]",)),
        (lambda d: d["parameters"]["placement.first"].pop("basis"), ("placement.first.basis: missing",)),
        (
            lambda d: d["parameters"]["moves.days"]["by_year"].update({"2019": {"last": [1, 2]}}),
            ("the years differ in shape", "first, last"),
        ),
    ],
)
def test_a_damaged_profile_is_refused_with_file_and_place(document, save, change, said):
    changed = copy.deepcopy(document)
    change(changed)
    message = refused(save(changed))
    assert all(text in message for text in said), message


def test_files_that_are_no_profile(save, tmp_path):
    assert "line 2, column 1: not JSON" in refused(save('{"format_version": 1,\n'))
    assert "expected a JSON object" in refused(save("[1]"))
    assert "stands twice" in refused(save('{"format_version": 1, "name": "a", "name": "b"}'))
    assert "and 2 more" in refused(save('{"format_version": 1, "years": "x"}'))
    assert "cannot be read" in refused(tmp_path / "no" / "mine.json")
    assert "cannot be read" in refused(save("{}").parent.joinpath("mine.json", "x"))


def test_an_overlay_replaces_and_leaves_the_rest(built, save):
    path = save(
        {
            "format_version": 1,
            "overlay": True,
            "parameters": {"entry.by_agreement": {"value": 0.9, "source": "local count"}},
            "levels": [{"kind": "looked_after", "authority": "552", "year": 2023, "value": 1100}],
        }
    )
    changed = overlay(built, path)
    assert changed.at("entry.by_agreement", 2018) == 0.9
    replaced = changed.parameters["entry.by_agreement"]
    assert (replaced.basis, replaced.source, replaced.note) == ("assumed", "local count", "a guess")
    assert changed.level("looked_after", "552", 2023) == 1100
    assert changed.level("looked_after", "552", 2022) == built.level("looked_after", "552", 2022)
    assert changed.at("moves.days", 2018) == built.at("moves.days", 2018)
    assert built.at("entry.by_agreement", 2024) == 0.7
    assert digest(changed) != digest(built)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"parameters": {"entry.by_agreemnt": {"value": 0.9}}}, "did you mean 'entry.by_agreement'"),
        ({"parameters": {"entry.by_agreement": {"valu": 0.9}}}, "unknown key; did you mean 'value'"),
        ({"parameters": {"entry.by_agreement": {"value": 1.9}}}, "between 0 and 1"),
        ({"parameters": {"entry.by_agreement": {"value": [0.9]}}}, "another shape"),
        (
            {"parameters": {"placement.first": {"value": {"under_1": [0.5, 0.5]}}}},
            "only one of them has older",
        ),
        (
            {"levels": [{"kind": "looked_after", "authority": "552", "year": 2040, "value": 1}]},
            "no looked_after level",
        ),
        (
            {"levels": [{"kind": "looked_after", "authority": "552", "year": 2023, "value": -1}]},
            "levels[0].value",
        ),
        ({"level": []}, "did you mean 'levels'"),
    ],
)
def test_a_wrong_overlay_is_refused(built, save, found, said):
    with pytest.raises(ProfileError) as error:
        overlay(built, save({"format_version": 1, "overlay": True, **found}))
    assert "mine.json" in str(error.value)
    assert said in str(error.value)


def test_an_overlay_may_be_given_in_place_of_a_profile(save):
    level = {"kind": "looked_after", "authority": "552", "year": 2023, "value": 1}
    changed = load_profile(save({"format_version": 1, "overlay": True, "levels": [level]}))
    assert changed.level("looked_after", "552", 2023) == 1
    assert changed.name == "wales + overlay"


def test_an_overlay_of_a_written_profile_can_be_written_and_read(built, save, tmp_path):
    changed = overlay(built, save({"format_version": 1, "overlay": True, "parameters": {}}))
    write_profile(changed, tmp_path / "p.json")
    assert load_profile(tmp_path / "p.json") == changed


def test_a_wrong_behaviour_file_is_refused(tmp_path):
    path = tmp_path / "behaviour.json"
    path.write_text('{"parameter": {}}', "utf-8")
    with pytest.raises(ProfileError, match=r"behaviour\.json: found parameter; expected"):
        build(PUBLISHED, path)
    path.write_text('{"parameters": {"a": {"value": 1, "unit": "days"}}}', "utf-8")
    with pytest.raises(ProfileError, match=r"parameters\.a\.basis: missing"):
        build(PUBLISHED, path)


def test_text_shows_levels_figures_and_parameters(built):
    text = profile_text(built, 2023)
    assert "Cardiff" in text
    assert "7188" in text
    assert "entry.by_agreement = 0.7 (share)" in text
    assert "assumed; a guess; uncertainty: 10 points" in text
    assert max(len(line) for line in text.splitlines()) <= 100
    assert [row.value for row in show(built, 2019)] == [
        "0.6",
        "under_1 (0.5 0.5), older (0.25 0.75)",
        "first (15 30)",
    ]


def test_long_values_are_summed_up(built):
    long = Parameter(value={str(n): n / 1000 for n in range(200)}, **WHERE)
    wide = replace(built, parameters={"wide": long})
    assert show(wide, 2019)[0].value.startswith("200 numbers from 0 to 0.199, under 0, 1")


def test_json_shows_the_same_in_full(built):
    found = json.loads(profile_json(built, 2023))
    assert len(found["levels"]) == 44
    assert found["digest"] == digest(built)
    assert found["parameters"][2]["value"] == {"first": [20, 40]}
    assert any(figure["name"] == "looked_after" and figure["value"] == 7188 for figure in found["figures"])


def test_a_year_outside_is_refused(built):
    with pytest.raises(ProfileError, match="generates 2017 to 2024"):
        profile_text(built, 2031)


def test_what_differs_between_profiles_is_named(built):
    assert differences(built, built) == ()
    level = built.levels[0]
    level = replace(level, value=level.value + 1)
    parameters = dict(built.parameters)
    gone = parameters.pop("entry.by_agreement")
    other = replace(built, levels=(level, *built.levels[1:]), parameters=parameters)
    assert differences(built, other) == ("parameter entry.by_agreement", "1 level")
    assert differences(other, built) == differences(built, other)
    # What is said of the origin drives nothing.
    gone = replace(gone, note="x")
    told = replace(built, parameters=parameters | {"entry.by_agreement": gone})
    assert differences(built, told) == ()
    cells = Target(table="legal", year=2023, cells=("C1", "C2"), counts={"552": (3, 4)})
    changed = replace(built, held_out=("T01",), targets=(cells,), figures=built.figures[2:])
    without = replace(built, targets=())
    assert differences(without, changed) == ("2 figures", "2 targets", "the tables held out")


def test_the_built_in_profile_passes_the_check_of_any_file():
    """It is read without one, by the sum beside it; other bytes, and the same ones elsewhere, are checked as read."""
    path = profiles_dir() / BUILT_IN
    assert path.with_name(SUM).read_text("ascii") == sum_of(path.read_bytes())
    assert checked_profile(read_document(path), path) == load_profile()


@pytest.mark.parametrize("known", [False, True])
def test_bytes_that_have_changed_are_checked(tmp_path, known):
    """A sum is believed only of the bytes it was taken of."""
    path = tmp_path / BUILT_IN
    whole = (profiles_dir() / BUILT_IN).read_bytes()
    path.write_bytes(whole.replace(b'"kind": "looked_after"', b'"kind": "lost"', 1))
    path.with_name(SUM).write_text(sum_of(whole if not known else b""), "ascii")
    with pytest.raises(ProfileError, match=r"wales\.json, levels\[0\]\.kind: found \"lost\""):
        load_profile(path)


def test_writing_the_built_in_profile_writes_its_sum(built, tmp_path):
    write_built_in(built, tmp_path / BUILT_IN)
    assert (tmp_path / SUM).read_text("ascii") == sum_of((tmp_path / BUILT_IN).read_bytes())
    assert load_profile(tmp_path / BUILT_IN) == built


def test_the_main_job_needs_no_checking_library():
    """It takes longer to load than the profile to read."""
    program = "import sys; from synth.profile import load_profile; load_profile(); print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_an_overlay_in_a_file_whose_name_is_no_text_is_read(built, tmp_path):
    path = tmp_path / os.fsdecode(b"\xff.json")
    found = {
        "parameters": {"entry.by_agreement": {"value": 0.9}},
        "levels": [{"kind": "looked_after", "authority": "552", "year": 2023, "value": 1100}],
    }
    path.write_text(json.dumps({"format_version": 1, "overlay": True, **found}), "utf-8")
    changed = overlay(built, path)
    assert changed.level("looked_after", "552", 2023) == 1100
    assert changed.parameters["entry.by_agreement"].source == "overlay \\udcff.json"
