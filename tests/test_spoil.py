"""Mistakes put in on purpose: the answer sheet says what was done, and the rules find it and nothing else."""

import csv
from dataclasses import replace

import polars as pl
import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.errors import InputError
from synth.guidance import load
from synth.rules.rulebook import rules_for
from synth.spoil import ANSWERS, KINDS, spoil
from synth.spoil.mistakes import Change, Mistake, put_in
from synth.tables import file_name, write_form
from synth.validate import validate, validate_tables
from synth.worked import crowd, good, good_tables, last_year

YEARS = (2017, 2023, 2024)
ODD = {"CLA146", "CRCS-056", "CRCS-112"}
COPIES = 15


def write(folder, frames):
    folder.mkdir(parents=True)
    for form, frame in frames.items():
        write_form(frame, folder / file_name("crcs" if form == "crcs" else "cla", form))
    return folder


@pytest.fixture(scope="module")
def goods(tmp_path_factory):
    """A good return of some 280 children for each year, last year's beside it."""
    place = tmp_path_factory.mktemp("good")
    found = {}
    for year in YEARS:
        frames = crowd(good(year), COPIES)
        before = write(place / f"before{year}", last_year(frames, year)) if year > 2017 else None
        found[year] = write(place / str(year), frames), before
    return found


def content(form):
    rows = form.text.cast(pl.String).with_columns(form.lines.alias("line"))
    return *form.text.columns, rows.hash_rows().to_numpy().tobytes()


@pytest.fixture(scope="module", autouse=True)
def checked_once():
    """The same forms are checked once, the good ones and those just spoilt; they are read from the files each time."""
    known = {}

    def remembering(tables, year, *, strict=True):
        forms = (*tables.forms.values(), *(tables.last.forms.values() if tables.last else ()))
        told = ((form.file, form.unknown, form.missing, content(form)) for form in forms)
        key = (year, strict, *told)
        if key not in known:
            known[key] = validate_tables(tables, year, strict=strict)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("synth.spoil.run.validate_tables", remembering)
        patch.setattr("synth.validate.run.validate_tables", remembering)
        yield


def sheet(folder):
    with (folder / ANSWERS).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def check(folder, lines, last=()):
    """Every rule a line names is found on its child, and nothing else is found."""
    report = validate([folder], last_year=last, strict=True)
    assert report.counts()["crashed"] == 0
    # Many times the same children are odd as a whole, and are so before anything is spoilt.
    found = {(child, rule) for child, rule in report.findings.select("child", "rule").rows() if rule not in ODD}
    named = {(line["child"], rule) for line in lines for rule in line["rules"].split()}
    told = named | {(line["child"], rule) for line in lines for rule in line["entailed"].split()}
    assert named <= found | {("", rule) for _, rule in found}
    assert found <= told | {(child, rule) for child, rule in found for line in lines if whole(line, rule)}
    return report


def whole(line, rule):
    """Whether a line speaks of a whole file, whatever the child."""
    return not line["child"] and rule in (line["rules"] + " " + line["entailed"]).split()


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("seed", [1, 2])
def test_what_the_sheet_names_is_found_and_nothing_else(goods, tmp_path, year, seed):
    made = spoil([goods[year][0]], tmp_path / "spoilt", rates=["0.2"], seed=seed)
    lines = sheet(tmp_path / "spoilt")
    report = check(tmp_path / "spoilt", lines)
    assert report.findings.height
    kinds = set(made.counts())
    assert len(kinds & set(KINDS)) >= 13
    assert len(kinds - set(KINDS)) > 10, "rules are broken too"
    # Each mistake is in another child.
    # A blanked identifier names nobody.
    changed = {(x["entry"], x["child"]) for x in lines if x["kind"] != "follows" and "?" not in x["child"]}
    assert len({child for _, child in changed}) == len(changed)


def test_rules_that_compare_years_are_broken_too(goods, tmp_path):
    place, before = goods[2023]
    spoil([place], tmp_path / "spoilt", rates=["0.05"], rules=["CLA006", "CLA069"], last_year=[before])
    lines = sheet(tmp_path / "spoilt")
    assert {line["kind"] for line in lines} >= {"CLA006", "CLA069"}
    check(tmp_path / "spoilt", lines, [before])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "columns-moved"])
def test_every_kind_can_be_made_alone(goods, tmp_path, kind):
    place, before = goods[2023]
    made = spoil([place], tmp_path / "spoilt", kinds=[kind], rates=["0.02"], last_year=[before])
    lines = sheet(tmp_path / "spoilt")
    assert set(made.counts()) == {kind}
    check(tmp_path / "spoilt", lines, [before])
    certain = {"day-month-swapped", "identifier-changed", "file-cut-short", "child-twice", "column-missing"}
    if kind not in certain:
        assert all(line["rules"] for line in lines if line["kind"] == kind), "bound to be noticed"


def test_columns_in_another_order_are_no_mistake(goods, tmp_path):
    spoil([goods[2023][0]], tmp_path / "spoilt", kinds=["columns-moved"])
    (line,) = sheet(tmp_path / "spoilt")
    assert line["true"] != line["written"]
    assert sorted(line["true"].split()) == sorted(line["written"].split())
    assert validate([tmp_path / "spoilt"]).ok


def test_lines_and_cells_are_those_of_the_files(goods, tmp_path):
    spoil([goods[2023][0]], tmp_path / "spoilt", rates=["0.1"], seed=5)
    files = {path.name: path for path in (tmp_path / "spoilt").glob("synthetic_*.csv")}
    read = {name: pl.read_csv(path, infer_schema=False) for name, path in files.items()}
    for line in sheet(tmp_path / "spoilt"):
        if line["kind"] == "follows" or not line["line"]:
            continue
        frame = read[line["file"]]
        row = frame.row(int(line["line"]) - 2, named=True)
        key = "CHILD_CODE" if line["file"] == "synthetic_crcs.csv" else "SYSTEM_ID"
        assert line["child"] == f"{row['LOCAL_AUTHORITY_CODE'] or '?'}/{row[key] or '?'}"
        if line["field"]:
            assert (row[line["field"]] or "") == line["written"] != line["true"]


def test_the_same_seed_gives_the_same_bytes_and_the_input_stays(goods, tmp_path):
    place = goods[2024][0]
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    for name in ("a", "b"):
        spoil([place], tmp_path / name, seed=7)
    spoil([place], tmp_path / "c", seed=8)
    first, second, third = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in "abc")
    assert first == second != third
    assert before == {path.name: path.read_bytes() for path in place.iterdir()}


def test_rates_by_kind(goods, tmp_path):
    made = spoil([goods[2023][0]], tmp_path / "spoilt", rates=["gap=0.01", "CLA009=0.02", "lower-case=0"])
    children = len(
        set(good_tables(2023).text("child")["SYSTEM_ID"]) | set(good_tables(2023).text("crcs")["CHILD_CODE"])
    )
    assert made.counts() == {"CLA009": round(0.02 * children * COPIES), "gap": round(0.01 * children * COPIES)}


def test_a_rule_about_a_whole_file(tmp_path):
    place = write(tmp_path / "many", crowd(good(2023), 40))
    spoil([place], tmp_path / "spoilt", rules=["CRCS-028"])
    report = validate([tmp_path / "spoilt"], strict=True)
    assert "CRCS-028" in set(report.findings["rule"])
    check(tmp_path / "spoilt", sheet(tmp_path / "spoilt"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rates": ["2"]}, "--rate 2: found '2'; expected a share"),
        ({"rates": ["gap=x"]}, "--rate gap=x"),
        ({"kinds": ["gaps"]}, "did you mean 'gap'?"),
        ({"rules": ["CLA0533"]}, "did you mean 'CLA053'?"),
        ({"rules": ["CLA069"]}, "need --last-year"),
    ],
)
def test_wrong_wishes_are_refused(goods, tmp_path, options, said):
    with pytest.raises(InputError) as error:
        spoil([goods[2023][0]], tmp_path / "spoilt", **options)
    assert said in str(error.value)
    assert not (tmp_path / "spoilt").exists()


def test_good_files_and_other_peoples_are_not_overwritten(goods, tmp_path):
    place = goods[2023][0]
    with pytest.raises(InputError, match="the good files stand there"):
        spoil([place], place)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear all")
    with pytest.raises(InputError, match=r"letter\.txt"):
        spoil([place], tmp_path / "mine")
    spoil([place], tmp_path / "spoilt")
    spoil([place], tmp_path / "spoilt", seed=2)


def test_rows_taken_out_and_put_in_move_the_lines_after_them():
    tables = good_tables(2023)
    first, second, third = (tables.text("child").row(n, named=True) for n in range(3))
    key = (first["LOCAL_AUTHORITY_CODE"], first["SYSTEM_ID"])
    changes = (
        Change("child", 0, gone=True),
        Change("child", 1, second | {"SYSTEM_ID": "NEW"}, new=True),
        Change("child", 2, {"ETHNICITY": "MARS"}),
    )
    frames, placed = put_in(tables, [Mistake("x", key, changes)])
    assert [at.line for at in placed] == [None, 3, 4]
    assert frames["child"]["SYSTEM_ID"].to_list()[:3] == [second["SYSTEM_ID"], "NEW", third["SYSTEM_ID"]]
    assert frames["child"].height == tables.text("child").height


def test_the_command_lists_and_makes(goods, tmp_path):
    run = CliRunner().invoke
    listed = run(main, ["spoil", "--list"])
    assert listed.exit_code == 0
    assert all(kind in listed.stdout for kind in KINDS)
    made = run(
        main, ["spoil", str(goods[2023][0]), "--out", str(tmp_path / "s"), "--rate", "0.02", "--kinds", "gap,overlap"]
    )
    assert made.exit_code == 0, made.output
    assert "gap" in made.stdout
    assert ANSWERS in made.stdout
    bare = run(main, ["spoil"])
    assert (bare.exit_code, bare.stdout) == (2, "")


def test_every_rule_of_rows_can_be_broken_in_a_crowd(tmp_path):
    """With a mistake for each rule, none is left out: there are children enough for every one."""
    frames = crowd(good(2024), 40)
    place, before = write(tmp_path / "many", frames), write(tmp_path / "before", last_year(frames, 2024))
    made = spoil([place], tmp_path / "spoilt", rules=["all"], rates=["0.5"], last_year=[before])
    book = {r.id for name in ("cla", "crcs") for r in rules_for(load(name, 2024))[0] if r.per == "row"}
    assert book - set(made.counts()) == set(), made.notes
    check(tmp_path / "spoilt", sheet(tmp_path / "spoilt"), [before])


def test_whole_file_mistakes_are_only_made_when_named(goods, tmp_path):
    made = spoil([goods[2023][0]], tmp_path / "spoilt", kinds=["all"], rates=["0.05"])
    assert {"column-missing", "columns-moved", "file-cut-short"} <= set(made.counts())
    assert replace(made, notes=()).year == 2023
