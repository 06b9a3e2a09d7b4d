"""Rules of the census where the contract of all rules does not show enough: bounds, years, parts of a number."""

import dataclasses
from functools import cache

import polars as pl
import pytest

from synth.guidance import load
from synth.rules.pupil_number import other_upn, upn_letter, with_letter
from synth.rules.rulebook import rules_for
from synth.tables import form_table
from synth.validate import FINDING_COLUMNS, check_rule
from synth.validate.run import _each
from synth.worked import crowd, good, good_tables, last_year, tables

CARDIFF, POWYS = "552", "524"


@cache
def good_crowd(year, copies):
    """Return good children, so many of each: their forms as text and as tables, last year's beside them."""
    frames = crowd(good(year), copies)
    return frames, dataclasses.replace(tables(frames, year), last=tables(last_year(frames, year), year - 1))


def census(year, change, *, copies=1):
    """Return the rules found on the census of good children after a change of its text, with what they said."""
    frames, before = good_crowd(year, copies)
    now = dataclasses.replace(tables({**frames, "crcs": change(frames["crcs"])}, year), last=before.last)
    g = load("crcs", year)
    outcomes, findings = zip(*_each(rules_for(g)[0], now, g, strict=True), strict=True)
    assert not [outcome for outcome in outcomes if outcome.status == "crashed"]
    return pl.concat([pl.DataFrame(schema=FINDING_COLUMNS), *(rows for rows in findings if rows is not None)])


def found(year, change, **more):
    return set(census(year, change, **more)["rule"])


def cell(who, **values):
    mine = pl.col("CHILD_CODE") == who
    return lambda frame: frame.with_columns(
        pl.when(mine).then(pl.lit(value)).otherwise(name).alias(name) for name, value in values.items()
    )


def test_every_statement_is_checked_or_says_why_not():
    for year in range(2017, 2025):
        _, absent = rules_for(load("crcs", year))
        vague = [rule.id for rule in absent if rule.words and not load("crcs", year).statements[rule.id].unchecked]
        assert not vague


@pytest.mark.parametrize(
    ("place", "text", "rule"),
    [
        (1, "6", set()),
        (1, "999", {"CRCS-015"}),
        (4, "X", {"CRCS-016"}),
        (11, "X", {"CRCS-016"}),
        (12, "X", set()),
        (12, "O", {"CRCS-017"}),
        (13, "0", {"CRCS-013"}),
    ],
)
def test_a_fault_of_a_pupil_number_is_told_once_by_its_part(place, text, rule):
    held = good(2023)["crcs"].filter(pl.col("CHILD_CODE") == "C023")["UPN"][0]
    wrong = pl.DataFrame({"n": [held[:place] + text + held[place + len(text) :]]})
    right = wrong.select(pl.coalesce(with_letter(pl.col("n")), "n")).item()
    right = right if len(right) == 13 else wrong["n"][0]
    told = found(2023, cell("C023", UPN=right)) - {"CRCS-012"}
    assert told == rule


def test_a_number_without_its_letter_is_told_by_the_letter_only():
    held = good(2023)["crcs"].filter(pl.col("CHILD_CODE") == "C023")["UPN"][0]
    assert found(2023, cell("C023", UPN="1" + held[1:])) - {"CRCS-012"} == {"CRCS-014"}


def test_reasons_for_no_pupil_number_are_accepted():
    assert not found(2023, cell("C023", UPN="UN3"))
    assert found(2023, cell("C023", UPN="UN1")) == {"CRCS-020"}
    assert found(2023, cell("C023", UPN="UN9")) == {"CRCS-013"}
    assert found(2023, cell("C023", UPN=None)) == {"CRCS-018"}


def test_a_temporary_number_is_exchanged():
    frame = good(2023)["crcs"]
    held = frame.filter(pl.col("CHILD_CODE") == "C023")["UPN"][0]
    number = pl.DataFrame({"n": [held[:12] + "A"]}).select(with_letter(pl.col("n"))).item()
    assert not found(2023, cell("C023", UPN=number))
    lasting = pl.DataFrame({"n": [held]}).select(other_upn(pl.col("n"))).item()
    assert found(2023, cell("C023", UPN=lasting)) == {"CRCS-012"}
    assert pl.DataFrame({"n": [lasting]}).select(upn_letter(pl.col("n")) == lasting[0]).item()


def test_a_child_may_be_another_under_the_same_number():
    assert found(2023, cell("C023", DATE_OF_BIRTH="01/02/2008")) == {"CRCS-010"}
    assert found(2023, cell("C023", DATE_OF_BIRTH="01/02/2008", GENDER="9")) == {"CRCS-010"}
    assert found(2023, cell("C023", DATE_OF_BIRTH="01/02/2008", GENDER="2")) == {"CRCS-011"}
    assert not found(2023, cell("C023", GENDER="9"))


def test_one_record_a_child_whatever_the_year():
    for year, rule in ((2023, "CRCS-006"), (2024, "CRCS-007")):
        told = found(year, lambda f: pl.concat([f, f.filter(pl.col("CHILD_CODE") == "C022")]))
        assert told == {rule}


def test_two_codes_in_one_cell():
    assert found(2023, cell("C023", CATEGORY_OF_NEED_CODE="N2, N1")) == {"CRCS-065", "CRCS-066"}
    assert found(2023, cell("C023", CATEGORY_OF_NEED_CODE="N2 ")) == {"CRCS-065"}
    assert found(2023, cell("C023", ASYLUM_SEEKER_CODE="0")) == set()


def test_a_closed_plan_is_told_of_by_the_age_then_or_by_31_march():
    """Kit turned 6 in February and his plan was closed in September: of 5 the health checks may still speak."""
    for code, wrong in (("80", set()), ("1", set())):
        assert found(2024, cell("C011", CHILD_HEALTH_SURVEILLANCE_CHECKS=code)) == wrong
    open_plan = {"PLAN_ACTIVE_31_MARCH": "1", "PLAN_CLOSED_DATE": None, "REASON_FOR_CLOSURE": None}
    told = found(2024, cell("C011", CHILD_HEALTH_SURVEILLANCE_CHECKS="1", **open_plan))
    assert told == {"CRCS-076"}


def test_a_child_who_moved_is_in_two_authorities():
    frame = good(2024)["crcs"]
    twin = frame.filter(pl.col("CHILD_CODE") == "C023").with_columns(
        LOCAL_AUTHORITY_CODE=pl.lit(POWYS), CHILD_CODE=pl.lit("P999")
    )
    assert found(2024, lambda f: pl.concat([f, twin])) == {"CRCS-009"}
    closed = twin.with_columns(
        PLAN_ACTIVE_31_MARCH=pl.lit("0"), PLAN_CLOSED_DATE=pl.lit("01/09/2023"), REASON_FOR_CLOSURE=pl.lit("RC5")
    )
    assert not found(2024, lambda f: pl.concat([f, closed]))


def test_rates_are_by_residents_of_the_authority():
    told = census(2023, lambda f: f, copies=130)
    assert "CRCS-112" not in set(told["rule"]), "1,560 children of Cardiff and 260 of Powys are usual"
    told = census(2023, lambda f: f.head(f.height // 3), copies=130).filter(pl.col("rule") == "CRCS-112")
    assert set(told["child"]) == {CARDIFF, POWYS}
    assert "among 73736 residents under 18" in told.filter(pl.col("child") == CARDIFF)["value"][0]


def test_the_first_whole_year_is_compared_with_a_census_date():
    told = census(2024, lambda f: f, copies=40)
    assert "CRCS-111" not in set(told["rule"]), "closed and late plans are not counted"
    late = census(2024, lambda f: f.with_columns(PLAN_START_DATE=pl.lit("02/01/2024")), copies=40)
    moved = late.filter(pl.col("rule") == "CRCS-111")
    assert moved.filter(pl.col("child") == POWYS)["value"].to_list() == [
        "0 children after 80 last year, a change of -100.0 per cent; usual is at most 25"
    ]


def test_small_returns_are_not_queried_for_shares():
    g = load("crcs", 2023)
    whole = {rule.id for rule in rules_for(g)[0] if rule.per == "authority"}
    everything = {
        "GENDER": "9",
        "ETHNIC_ORIGIN_CODE": "NOBT",
        "HEALTH_DENTAL_CHECK": "88",
        "CATEGORY_OF_NEED_CODE": "N4",
    }
    told = found(2023, lambda f: f.with_columns(pl.lit(v).alias(k) for k, v in everything.items()))
    assert not told & whole


def test_old_columns_are_named():
    g = load("crcs", 2023)
    rule = next(r for r in rules_for(g)[0] if r.id == "CRCS-115")
    base = good_tables(2023)
    text = good(2023)["crcs"].with_columns(UNBORN_CHILD=pl.lit("0"), NOTES=pl.lit("x"))
    forms = {**base.forms, "crcs": form_table(text, "crcs", g)}
    outcome, rows = check_rule(rule, dataclasses.replace(base, forms=forms), g)
    assert outcome.status == "found"
    assert set(rows["child"]) == {CARDIFF, POWYS}
    assert rows["value"][0] == "the file has columns of the earlier census: UNBORN_CHILD"
