"""The guidance tables: what they say of each year, what closed, and how damage is reported."""

import csv
import datetime as dt
import difflib
import json
import os
import pickle
import shutil
import time
from pathlib import Path

import pytest

import synth.guidance
from synth.errors import GuidanceError, InputError
from synth.guidance import load, load_from
from synth.guidance.listing import WIDTH, listing, listing_text

TABLES = Path(synth.guidance.__file__).parent
GOLDEN = Path(__file__).parent / "golden" / "guidance"
RETURNS = ("cla", "crcs")
YEARS = range(2017, 2025)
EVERY = [(return_, year) for return_ in RETURNS for year in YEARS]

COLUMNS = {
    (
        "cla",
        "child",
    ): "YEAR_CODE LOCAL_AUTHORITY_CODE SYSTEM_ID UPN DOB GNDR_CD ETHNICITY DISABILITY_CODE ASYLUM "
    "DATE_CEASED_UASC HOME_POSTCODE DATE_OF_DATA_COLLECTION",
    ("cla", "episode"): "YEAR_CODE LOCAL_AUTHORITY_CODE SYSTEM_ID EPISODE_NUMBER EPISODE_START_DATE "
    "REASON_EPISODE_STARTED_CODE LEGAL_STATUS_CODE CATEGORY_OF_NEED_CODE PLACEMENT_TYPE_CODE "
    "PLACEMENT_POSTCODE EPISODE_END_DATE REASON_EPISODE_FINISHED_CODE SHORT_BREAKS",
    (
        "cla",
        "adoption",
    ): "LOCAL_AUTHORITY_CODE SYSTEM_ID DATE_LATEST_CARE DATE_DECISION DATE_MATCH DATE_PLACED "
    "DATE_ADOPTED FOSTER_CARE NB_ADOPTR SEX_ADOPTR LS_ADOPTR",
    ("cla", "care_leaver"): "LOCAL_AUTHORITY_CODE SYSTEM_ID DATE_CEASED ACCOM ACTIV CATEGORY_YP PATHWAY_PLAN "
    "PERSONAL_ADVISER",
}


def rows(table):
    with (TABLES / f"{table}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture
def copy(tmp_path):
    """Return a way to change one table in a copy of the folder and load it."""
    for path in TABLES.glob("*.csv"):
        shutil.copy(path, tmp_path)

    def changed(table, change, return_="cla", year=2023):
        path = tmp_path / f"{table}.csv"
        with path.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            held = list(reader)
            columns = reader.fieldnames
        change(held)
        with path.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(held)
        return load_from(tmp_path, return_, year)

    return changed


def at(held, **where):
    """Return number and row of the first row with these cells; lines of the file count from 2."""
    return next((n, r) for n, r in enumerate(held, start=2) if all(r[k.rstrip("_")] == v for k, v in where.items()))


@pytest.mark.parametrize(("return_", "year"), EVERY)
def test_listing_is_the_golden_copy(return_, year):
    path = GOLDEN / f"{return_}_{year}.txt"
    text = listing_text(load(return_, year))
    if os.environ.get("SYNTH_REFRESH_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    golden = path.read_text(encoding="utf-8") if path.exists() else ""
    if text != golden:
        lines = difflib.unified_diff(golden.splitlines(), text.splitlines(), path.name, "now", lineterm="", n=1)
        pytest.fail(
            "\n".join(list(lines)[:60])
            + "\nif the guidance was meant to change: SYNTH_REFRESH_GOLDEN=1 pytest tests/test_guidance.py"
        )


@pytest.mark.parametrize(("return_", "year"), EVERY)
def test_listing_fits_a_page_and_json(return_, year):
    g = load(return_, year)
    assert max(map(len, listing_text(g).splitlines())) <= WIDTH
    whole = json.loads(json.dumps(listing(g)))
    assert whole["return"] == return_
    assert set(whole["forms"]) == set(g.forms)
    assert len(whole["statements"]) == len(g.statements)
    assert all(row["reference"] for row in [*whole["limits"], *whole["allowed"], *whole["statements"]])


@pytest.mark.parametrize("year", YEARS)
def test_columns_of_the_files(year):
    for (return_, form), columns in COLUMNS.items():
        assert [i.name for i in load(return_, year).items(form)] == columns.split()
    names = [i.name for i in load("crcs", year).items("crcs")]
    assert names[:4] == ["YEAR_CODE", "LOCAL_AUTHORITY_CODE", "CHILD_CODE", "UPN"]
    assert names[39:41] == ["DATE_OF_DATA_COLLECTION", "HOME_POSTCODE"]
    plan = "PLAN_START_DATE PLAN_ACTIVE_31_MARCH PLAN_CLOSED_DATE REASON_FOR_CLOSURE CPR_DURING_YEAR"
    assert names[41:] == ([*plan.split(), "LOOKED_AFTER_DURING_YEAR"] if year == 2024 else [])


@pytest.mark.parametrize("year", YEARS)
def test_years_and_modes(year):
    cla, crcs = load("cla", year), load("crcs", year)
    assert cla.forms == ("child", "episode", "adoption", "care_leaver")
    assert crcs.forms == ("crcs",)
    for g in (cla, crcs):
        assert (g.first_day, g.last_day) == (dt.date(year - 1, 4, 1), dt.date(year, 3, 31))
    assert (cla.mode, cla.quarter_day) == ("all_year", None)
    census = year < 2024
    assert crcs.mode == ("census_date" if census else "all_year")
    assert crcs.quarter_day == (dt.date(year, 1, 1) if census else None)
    assert ("CRCS-006" in crcs.statements) is census
    assert ("CRCS-007" in crcs.statements) is not census


def test_every_statement_is_in_force_in_some_year():
    ids = {return_: {id_ for year in YEARS for id_ in load(return_, year).statements} for return_ in RETURNS}
    assert (len(ids["cla"]), len(ids["crcs"])) == (149, 116)
    assert ids["cla"] | ids["crcs"] == {r["rule_id"] for r in rows("statements")}


@pytest.mark.parametrize(
    ("code_set", "closed"),
    [
        ("placement_type", {"A1", "A2", "H2", "R4"}),
        ("legal_status", {"D1", "W1"}),
        ("reason_episode_ceased", {"E1"}),
        ("adopters_legal_status", {"L1"}),
    ],
)
def test_closed_codes_are_kept_but_not_in_force(code_set, closed):
    held = {r["code"] for r in rows("codes") if (r["return"], r["code_set"]) == ("cla", code_set)}
    assert closed <= held
    for year in YEARS:
        g = load("cla", year)
        assert g.values(code_set) == held - closed
        assert closed <= {c.code for c in g.ended_codes if c.code_set == code_set}


def test_ended_forms_and_items_are_kept_but_not_in_force():
    ended = {(i.form, i.name) for i in load("cla", 2017).ended_items}
    assert {("oc1", "GCSE_AG"), ("oc3", "IN_TOUCH"), ("adoption", "ETH_ADOPTR")} <= ended
    assert "UNBORN_CHILD" in {i.name for i in load("crcs", 2024).ended_items}
    assert "CHILD_CODE" not in {i.name for i in load("crcs", 2024).ended_items}, "closed and opened again"
    for return_, year in EVERY:
        g = load(return_, year)
        live = {i.name for form in g.forms for i in g.items(form)}
        assert not live & {"PLACE_PROVIDER", "REASON_PLACE_CHANGE", "MOTHER", "FSM_LINKED", "ETH_ADOPTR"}
        assert not any(i.code_set.startswith(("ENG_ONLY", "ethnicity_16")) for form in g.forms for i in g.items(form))


def test_a_limit_that_changes_is_two_dated_rows():
    ages = [load("cla", year).limit("PLACEMENT_TYPE_CODE", "P2", "min_age_years") for year in YEARS]
    assert ages == [15] * 6 + [16] * 2
    g = load("cla", 2024)
    assert g.limit_date("PLACEMENT_TYPE_CODE", "P2", "min_age_since") == dt.date(2022, 4, 1)
    assert g.limit("PLACEMENT_TYPE_CODE", "P2", "earlier_min_age_years") == 15
    assert "15" in load("cla", 2022).statements["CLA093"].text
    assert "16" in load("cla", 2023).statements["CLA093"].text


def test_limits():
    g = load("cla", 2023)
    assert g.limit("LEGAL_STATUS_CODE", "J1", "min_age_years") == 10
    assert g.limit("LEGAL_STATUS_CODE", "V1", "max_days_in_12_months") == 120
    assert g.limit("LEGAL_STATUS_CODE", "V2", "max_days") is None
    assert g.limit_date("PLACEMENT_TYPE_CODE", "A8", "first_start_date") == dt.date(2016, 4, 6)
    assert g.limit_date("PLACEMENT_TYPE_CODE", "A6", "first_start_date") is None
    with pytest.raises(ValueError, match="limit_date"):
        g.limit("PLACEMENT_TYPE_CODE", "A8", "first_start_date")
    with pytest.raises(ValueError, match="ask limit for it"):
        g.limit_date("LEGAL_STATUS_CODE", "J1", "min_age_years")


def test_allowed():
    g = load("cla", 2023)
    placements = g.allowed("placement_needs_legal_status")
    assert placements["A5"] == placements["A6"] == {"E1"}
    assert placements["A3"] == g.values("legal_status") - {"E1"}
    assert "F1" not in placements
    assert g.allowed("legal_status_allows_placement")["V2"] == g.values("placement_type") - {"P1"}
    assert g.allowed("reason_ceased_ends_life") == dict.fromkeys(("E2", "E11", "E12", "E10"), frozenset())
    assert g.allowed("placement_location")["H21"] == {"outside_in_wales"}


def test_items_carry_ages_and_conditions():
    g = load("crcs", 2024)
    language = g.item("crcs", "LANGUAGE")
    assert (language.min_age, language.max_age, language.outside_age_code) == (3, None, "80")
    assert g.item("crcs", "CHILD_HEALTH_SURVEILLANCE_CHECKS").max_age == 5
    assert g.item("crcs", "PLAN_CLOSED_DATE").condition == "PLAN_ACTIVE_31_MARCH=0"
    assert load("cla", 2023).item("episode", "REASON_EPISODE_FINISHED_CODE").condition == "EPISODE_END_DATE!="


def test_what_was_only_seen_to_2023_is_assumed_in_2024():
    assert load("crcs", 2023).item("crcs", "CPR_NEGLECT").basis == "confirmed"
    assert load("crcs", 2024).item("crcs", "CPR_NEGLECT").basis == "assumed"


def test_unknown_names_are_refused_with_the_known_ones():
    g = load("cla", 2023)
    for ask, known in [
        (lambda: load("cin", 2023), "cla, crcs"),
        (lambda: load("cla", 2016), "2017 to 2024"),
        (lambda: g.items("oc1"), "child, episode"),
        (lambda: g.item("child", "MOTHER"), "MOTHER"),
        (lambda: g.codes("in_touch"), "placement_type"),
        (lambda: g.values("nothing"), "placement_type"),
        (lambda: g.allowed("nothing"), "placement_location"),
    ]:
        with pytest.raises(InputError, match=known):
            ask()


def test_guidance_is_kept_quick_and_can_be_sent_to_another_process():
    assert load("cla", 2023) is load("cla", 2023)
    start = time.perf_counter()
    load_from(TABLES, "cla", 2023)
    assert time.perf_counter() - start < 0.5, "usually 20 ms"
    assert pickle.loads(pickle.dumps(load("cla", 2023))).values("gender") == {"1", "2"}


DAMAGE = [
    ("returns", {"return_": "crcs", "year": "2023"}, "mode", "sometimes", "found 'sometimes'"),
    ("returns", {"return_": "cla", "year": "2023"}, "first_day", "01/04/2022", "2023-03-31"),
    ("returns", {"return_": "cla", "year": "2023"}, "year", "2022", "overlaps"),
    ("items", {"name": "GNDR_CD"}, "basis", "rumour", "assumed, confirmed, england"),
    ("items", {"name": "GNDR_CD"}, "first_year", "2016-17", "whole number"),
    ("items", {"name": "GCSE_AG"}, "last_year", "1999", "2003 or later"),
    ("items", {"name": "GNDR_CD"}, "type", "number", "found 'number'"),
    ("items", {"name": "GNDR_CD"}, "label", "", "found nothing, expected a value"),
    ("items", {"name": "GNDR_CD"}, "unique", "perhaps", "no, yes"),
    ("items", {"name": "GNDR_CD"}, "code_set", "sex", "found 'sex'"),
    ("items", {"name": "GNDR_CD"}, "code_set", "", "type code"),
    ("items", {"name": "GNDR_CD"}, "code_set", "in_touch", "without any code in 2017"),
    ("items", {"name": "GNDR_CD"}, "return", "cin", "found 'cin'"),
    ("items", {"name": "LANGUAGE"}, "outside_age_code", "81", "found '81'"),
    ("items", {"name": "LANGUAGE"}, "outside_age_code", "", "found nothing"),
    ("items", {"name": "LANGUAGE"}, "min_age", "three", "found 'three'"),
    ("items", {"name": "GENDER"}, "outside_age_code", "9", "nothing where no age"),
    ("items", {"name": "SHORT_BREAKS"}, "condition", "", "found nothing"),
    ("items", {"name": "SHORT_BREAKS"}, "condition", "LEGAL_STATUS_CODE is V1", "FIELD=A"),
    ("items", {"name": "SHORT_BREAKS"}, "condition", "LEGAL_STATUS=V1", "form episode"),
    ("items", {"name": "SHORT_BREAKS"}, "condition", "LEGAL_STATUS_CODE=V1|V3", "found 'V3'"),
    ("codes", {"code_set": "gender", "code": "1"}, "code", "2", "overlaps 2017-"),
    ("codes", {"code_set": "gender", "code": "1"}, "confidence", "total", "high, low, medium"),
    ("limits", {"measure": "max_days", "code": "L1"}, "code", "L9", "found 'L9'"),
    ("limits", {"measure": "max_days", "code": "L1"}, "item", "LEGAL_STATUS", "found 'LEGAL_STATUS'"),
    ("limits", {"measure": "max_days", "code": "L1"}, "value", "three", "a number of days"),
    ("limits", {"measure": "first_start_date"}, "value", "1991", "2023-03-31"),
    ("limits", {"measure": "max_days", "code": "L1"}, "unit", "hours", "found 'hours'"),
    ("limits", {"measure": "max_days", "code": "L1"}, "rule", "CLA999", "found 'CLA999'"),
    ("limits", {"measure": "max_days", "code": "L1"}, "severity", "fatal", "error, warning"),
    ("allowed", {"code": "A5"}, "partners", "E1|E9", "found E9"),
    ("allowed", {"code": "A5"}, "code", "A7", "found 'A7'"),
    ("allowed", {"code": "A5"}, "item", "PLACEMENT", "found 'PLACEMENT'"),
    ("allowed", {"code": "A5"}, "partner_item", "LEGAL", "found 'LEGAL'"),
    ("allowed", {"code": "A5"}, "rule", "CLA999", "found 'CLA999'"),
    ("statements", {"rule_id": "CLA059"}, "severity", "bad", "error, warning"),
    ("statements", {"rule_id": "CLA059"}, "mode", "snapshot", "all_year, both, census_date"),
    ("statements", {"rule_id": "CLA059"}, "fields", "REASON|DOB", "'REASON'"),
    (
        "statements",
        {"rule_id": "CRCS-024"},
        "fields",
        "PLAN_START_DATE",
        "no item of the crcs return in 2017",
    ),
    ("notes", {"item": "PLACEMENT_TYPE_CODE"}, "item", "PLACEMENT", "'PLACEMENT', expected an item of this return"),
    ("notes", {"item": "PLACEMENT_TYPE_CODE"}, "codes", "F1|F9", "F9, expected codes of PLACEMENT_TYPE_CODE"),
    ("notes", {"item": "PLACEMENT_TYPE_CODE"}, "text", "", "nothing, expected a value"),
    ("returns", {"year": "2023"}, "projected", "maybe", "'maybe', expected one of no, yes"),
]


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_reported_by_file_line_and_column(copy, case):
    table, where, column, value, says = case
    lines = []

    def change(held):
        line, row = at(held, **where)
        row[column] = value
        lines.append(line)

    with pytest.raises(GuidanceError) as raised:
        copy(table, change)
    message = str(raised.value)
    blamed = {"code": "first_year"}.get(column, column) if "overlaps" in says else column
    assert f"{table}.csv, line " in message
    assert f"column {blamed}: " in message
    assert says in message
    assert message.endswith("correct that cell and load again")
    if "overlaps" not in says:
        assert f"line {lines[0]}," in message


def test_overlapping_years_are_refused_and_following_years_are_not(copy):
    def split(last, first):
        def change(held):
            n, row = at(held, code_set="gender", code="1")
            held.insert(n - 1, row | {"first_year": first})
            row["last_year"] = last

        return change

    with pytest.raises(GuidanceError, match=r"codes.csv, line \d+, column first_year: .* overlaps 2017-2020"):
        copy("codes", split("2020", "2020"))


def test_a_missing_table_column_or_cell_is_reported(copy, tmp_path):
    path = tmp_path / "codes.csv"
    text = path.read_text(encoding="utf-8")
    for damaged, says in [
        (text.replace("code_set", "set", 1), "codes.csv, line 1, column 2: found 'set', expected 'code_set'"),
        (text.replace("\n", ",more\n", 1), "line 1, column 10: found 'more', expected no further column"),
        (
            text.replace("cla,reason_new_episode,S", "cla,S", 1),
            "line 2, column reference: found a row of 8 cells",
        ),
        (text.replace("cla,", 'cla,"', 1), "codes.csv, line "),
    ]:
        path.write_text(damaged, encoding="utf-8")
        with pytest.raises(GuidanceError) as raised:
            load_from(tmp_path, "cla", 2023)
        assert says in str(raised.value)
    path.unlink()
    with pytest.raises(GuidanceError, match=r"codes\.csv: cannot be read"):
        load_from(tmp_path, "cla", 2023)


def test_a_changed_code_is_one_closed_row_and_one_new_row(copy):
    def change(held):
        _, row = at(held, code_set="asylum", code="1")
        held.append(row | {"code": "2", "first_year": "2023"})
        row["last_year"] = "2022"

    assert copy("codes", change, year=2023).values("asylum") == {"0", "2"}


def test_notes_begin_with_their_year():
    def noted(year):
        return {code for note in load("cla", year).notes for code in note.codes}

    assert noted(2022) == set()
    assert noted(2023) == noted(2024) == {"F1", "F2", "F3", "F4", "F5", "F6", "E3", "S"}
    whole_year = load("crcs", 2022, "all_year").notes
    assert {note.item for note in whole_year} == {"LOOKED_AFTER_CHILD", "CHILD_PROTECTION_REGISTER", "DATE_OF_BIRTH"}
    assert load("crcs", 2022).notes == ()
