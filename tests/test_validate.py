"""A folder checked as a data officer would: what was found and where, what could not be checked and why."""

import json
import time

import polars as pl
import pytest

from synth.errors import InputError
from synth.tables import file_name, write_form
from synth.validate import FINDING_COLUMNS, formats, validate, validate_tables
from synth.worked import crowd, good, good_tables, write_good


@pytest.mark.parametrize("year", [2017, 2020, 2024])
def test_a_good_folder_passes_and_tells_its_year(tmp_path, year):
    write_good(tmp_path, year)
    report = validate([tmp_path], strict=True)
    assert (report.year, report.ok, report.exit_code) == (year, True, 0)
    assert report.findings.is_empty()
    assert report.counts()["crashed"] == 0
    assert all(o.why for o in report.outcomes if o.status == "not applicable")


def test_one_mistake_is_found_with_file_line_child_and_value(tmp_path):
    write_good(tmp_path, 2023)
    path = tmp_path / "synthetic_cla_child.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].replace(",WHTE,", ",MARS,")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    report = validate([tmp_path], strict=True)
    assert report.exit_code == 1
    row = report.findings.filter(pl.col("rule") == "CLA009").row(0, named=True)
    assert (row["file"], row["line"], row["child"]) == ("synthetic_cla_child.csv", 4, "552/C003")
    assert (row["severity"], row["fields"], row["value"]) == ("error", "ETHNICITY", "MARS")
    assert row["words"]
    assert row["reference"]
    assert dict(report.findings.schema) == FINDING_COLUMNS


def test_several_fields_are_shown_with_their_names():
    base = good_tables(2023)
    text = base.text("episode").with_columns(REASON_EPISODE_FINISHED_CODE=pl.lit(None, dtype=pl.String))
    report = validate_tables(base.changed({"episode": text}), 2023)
    values = report.findings.filter(pl.col("rule") == "CLA038")["value"]
    assert "(blank)" in values[0]


def test_one_return_alone_is_checked_alone(tmp_path):
    write_good(tmp_path, 2023, returns=("crcs",))
    report = validate([tmp_path], strict=True)
    assert report.ok
    assert not any(o.rule.startswith("CLA") for o in report.outcomes)
    why = {o.rule: o.why for o in report.outcomes if o.status == "not applicable"}
    assert why["CRCS-050"] == "no child form in the folder"


def test_a_missing_form_is_not_a_pass(tmp_path):
    write_good(tmp_path, 2023)
    (tmp_path / file_name("cla", "adoption")).unlink()
    status = {o.rule: o.status for o in validate([tmp_path], strict=True).outcomes}
    assert status["CLA124"] == status["CLA129"] == "not applicable"


def test_an_empty_form_is_not_a_pass(tmp_path):
    write_good(tmp_path, 2023)
    write_form(good(2023)["care_leaver"].clear(), tmp_path / file_name("cla", "care_leaver"))
    outcomes = {o.rule: o for o in validate([tmp_path], strict=True).outcomes}
    assert outcomes["CLA142"].why == "the care_leaver form has no rows"
    assert outcomes["CLA141"].status == "found", "care leavers without a record are still seen"


def test_text_has_a_summary_and_ten_rows_a_rule(tmp_path):
    write_good(tmp_path, 2023)
    wrong = good(2023)["crcs"].with_columns(GENDER=pl.lit("x"))
    write_form(wrong, tmp_path / "synthetic_crcs.csv")
    report = validate([tmp_path], strict=True)
    text = report.to_text()
    assert "CRCS-027" in text
    assert f"and {wrong.height - 10} more" in text
    assert "Not checked:" in text
    assert report.to_text(max_rows=2).count("GENDER") < text.count("GENDER") or len(report.to_text(2)) < len(text)


def test_json_holds_everything(tmp_path):
    write_good(tmp_path, 2023)
    content = json.loads(formats.to_json(validate([tmp_path], strict=True)))
    assert content["year"] == 2023
    assert content["exit_code"] == 0
    assert {"rule", "status", "why", "count"} <= content["outcomes"][0].keys()


def test_a_year_given_wins_over_the_files(tmp_path):
    write_good(tmp_path, 2022)
    report = validate([tmp_path], year=2023)
    assert {"CLA002", "CRCS-001"} <= set(report.findings["rule"])


def test_folders_that_cannot_be_checked(tmp_path):
    with pytest.raises(InputError, match=r"no file of a return.*is empty"):
        validate([tmp_path], strict=True)
    with pytest.raises(InputError, match="no such file or folder"):
        validate([tmp_path / "nowhere"])
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(InputError, match=r"holds notes\.txt"):
        validate([tmp_path], strict=True)
    write_good(tmp_path, 2023)
    for form in ("child", "episode"):
        (tmp_path / file_name("cla", form)).unlink()
    wrong = good(2023)["crcs"].with_columns(YEAR_CODE=pl.lit("2023"))
    write_form(wrong, tmp_path / "synthetic_crcs.csv")
    with pytest.raises(InputError, match="YEAR_CODE '2023' names no year"):
        validate([tmp_path], strict=True)
    write_form(wrong.clear(), tmp_path / "synthetic_crcs.csv")
    with pytest.raises(InputError, match="--year"):
        validate([tmp_path], strict=True)


def test_thousands_of_children_take_less_than_seconds(tmp_path):
    for form, frame in crowd(good(2023), 500).items():
        write_form(frame, tmp_path / file_name("crcs" if form == "crcs" else "cla", form))
    began = time.perf_counter()
    report = validate([tmp_path], strict=True)
    assert report.ok, report.to_text()
    # generous: slow machines share their cores; 0.4 s is usual
    assert time.perf_counter() - began < 5


def test_a_child_of_endless_episodes_in_two_authorities_is_not_paired_with_itself(written, tmp_path):
    """20,000 rows beside as many others would be 400 million pairs."""
    forms = ("child", "episode")
    folder = written(2021, 3, "Merthyr Tydfil,Torfaen").folder
    child, episode = (pl.read_csv(folder / f"synthetic_cla_{form}.csv", infer_schema=False) for form in forms)
    areas = child["LOCAL_AUTHORITY_CODE"].unique(maintain_order=True)
    child = pl.concat([child[:1]] * 2).with_columns(LOCAL_AUTHORITY_CODE=areas, UPN=pl.lit("A123456789012"))
    episode = pl.concat([episode.filter(pl.col("SYSTEM_ID") == child["SYSTEM_ID"][0])[:1]] * 40_000)
    episode = episode.with_columns(LOCAL_AUTHORITY_CODE=pl.concat([areas] * 20_000))
    for form, frame in zip(forms, (child, episode), strict=True):
        frame.write_csv(tmp_path / f"synthetic_cla_{form}.csv")
    report = validate([tmp_path])
    assert not report.counts()["crashed"]
    assert report.exit_code == 1
