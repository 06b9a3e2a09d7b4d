"""Rules leave alone what is lawful though unusual, and say what they cannot know."""

import dataclasses
import datetime as dt

import polars as pl
import pytest

from synth.tables import LA, Tables, child_column
from synth.validate import validate_tables
from synth.worked import crowd, good, last_year, tables

YEAR = 2023


def changed(frames, form, who, *, number=None, **cells):
    """Return forms in which a child's rows (or one episode) have other cells."""
    mine = pl.col(child_column(form)) == who
    if number is not None:
        mine &= pl.col("EPISODE_NUMBER") == number
    new = [pl.when(mine).then(pl.lit(value)).otherwise(name).alias(name) for name, value in cells.items()]
    return {**frames, form: frames[form].with_columns(new)}


def fires(now, old=None):
    """Return rule ids with the children, or authorities, they find."""
    t = now if isinstance(now, Tables) else tables(now, YEAR)
    if old is not None:
        t = dataclasses.replace(t, last=tables(old, YEAR - 1))
    report = validate_tables(t, YEAR)
    assert not [o for o in report.outcomes if o.status == "crashed"]
    return set(report.findings.select("rule", "child").rows())


@pytest.fixture
def now():
    return good(YEAR)


@pytest.fixture
def old(now):
    return last_year(now, YEAR)


def test_a_temporary_number_may_be_replaced(now, old):
    temporary = "A68140001200A"
    assert fires(now, changed(old, "child", "C001", UPN=temporary)) == set()
    assert ("CLA025", "552/C001") in fires(now, changed(old, "child", "C001", UPN="A681400012001"))


def test_an_ethnic_group_may_become_known(now, old):
    assert fires(now, changed(old, "child", "C001", ETHNICITY="NOBT")) == set()
    assert ("CLA010", "552/C001") in fires(now, changed(old, "child", "C001", ETHNICITY="MIXD"))


def test_asylum_that_ended_need_not_be_carried_on(now, old):
    ended = changed(old, "child", "C001", ASYLUM="1", DATE_CEASED_UASC=f"01/02/{YEAR - 1}")
    assert fires(now, ended) == set()
    assert ("CLA016", "552/C001") in fires(now, changed(old, "child", "C001", ASYLUM="1"))


def test_an_authority_that_is_new_is_not_queried(now, old):
    without = {form: frame.filter(pl.col(LA) != "524") for form, frame in old.items()}
    assert fires(now, without) == set()
    lost = {form: frame.filter(pl.col(child_column(form)) != "C001") for form, frame in old.items()}
    assert ("CLA071", "552/C001") in fires(now, lost)


def test_an_episode_may_go_over_from_31_march_to_1_april(now, old):
    before = changed(old, "episode", "C001", EPISODE_END_DATE=f"31/03/{YEAR - 1}", REASON_EPISODE_FINISHED_CODE="X1")
    moved = {"EPISODE_START_DATE": f"01/04/{YEAR - 1}", "REASON_EPISODE_STARTED_CODE": "P"}
    assert fires(changed(now, "episode", "C001", **moved), before) == set()


def test_a_child_gone_is_named(now, old):
    without = {form: frame.filter(pl.col(child_column(form)) != "C001") for form, frame in now.items()}
    findings = validate_tables(
        dataclasses.replace(tables(without, YEAR), last=tables(old, YEAR - 1)), YEAR
    ).findings.filter(pl.col("line").is_null())
    said = dict(findings.select("rule", "value").rows())
    assert "C001" in said["CLA070"]
    assert "= 9, but 8" in said["CLA147"]


def test_unreadable_dates_may_make_up_the_sum(now, old):
    without = {form: frame.filter(pl.col(child_column(form)) != "C001") for form, frame in now.items()}
    unread = changed(without, "episode", "C012", number="3", EPISODE_START_DATE="31/02/2023")
    assert not {("CLA147", "552")} & fires(unread, old)


def test_adopters_who_fostered_may_have_the_child_back(now):
    under_consent = {"LEGAL_STATUS_CODE": "E1", "PLACEMENT_TYPE_CODE": "A5", "PLACEMENT_POSTCODE": None}
    placed = changed(now, "episode", "C004", number="2", **under_consent)
    for before, wrong in (("F2", False), ("A8", False), ("R2", False), ("A3", False), ("H3", True), ("A6", True)):
        found = fires(changed(placed, "episode", "C004", number="1", PLACEMENT_TYPE_CODE=before))
        assert (("CLA091", "552/C004") in found) is wrong, before


def test_an_order_may_follow_on_asylum(now):
    order = changed(now, "child", "C002", ASYLUM="1", HOME_POSTCODE=None)
    later = changed(order, "episode", "C002", CATEGORY_OF_NEED_CODE="N8")
    assert not [row for row in fires(later) if row[0] == "CLA018"]
    assert ("CLA018", "552/C002") in fires(order)


def test_the_length_of_one_of_many_breaks_is_not_known(now):
    cells = {"EPISODE_START_DATE": f"02/04/{YEAR - 1}", "EPISODE_END_DATE": f"01/09/{YEAR - 1}"}
    series = changed(now, "episode", "C006", **cells, REASON_EPISODE_FINISHED_CODE="E4")
    assert fires(series) == set()
    assert ("CLA082", "552/C006") in fires(changed(series, "episode", "C006", SHORT_BREAKS="1"))


def test_a_run_of_interim_orders_is_found_once(now):
    cells = {"LEGAL_STATUS_CODE": "C1"}
    t = tables(changed(now, "episode", "C012", **cells), YEAR)
    findings = validate_tables(t, YEAR).findings.filter(pl.col("rule") == "CLA080")
    assert findings["child"].to_list() == ["552/C012"]


def test_care_taken_over_on_the_next_day_fits(now):
    kit = now["child"].filter(pl.col("SYSTEM_ID") == "C011").with_columns(pl.lit("524").alias(LA))
    left = dt.date(YEAR - 1, 9, 15)
    over = changed(now, "episode", "C011", REASON_EPISODE_FINISHED_CODE="E3")
    assert not [row for row in fires(over) if row[0] == "CLA122"], "may be anywhere in the UK"
    for days, wrong in ((0, set()), (1, set()), (2, {"CLA122"}), (-1, {"CLA149"})):
        begun = (
            over["episode"]
            .filter(pl.col("SYSTEM_ID") == "C011")
            .with_columns(
                pl.lit("524").alias(LA),
                pl.lit((left + dt.timedelta(days=days)).strftime("%d/%m/%Y")).alias("EPISODE_START_DATE"),
                pl.lit("S").alias("REASON_EPISODE_STARTED_CODE"),
                pl.lit(None, dtype=pl.String).alias("EPISODE_END_DATE"),
                pl.lit(None, dtype=pl.String).alias("REASON_EPISODE_FINISHED_CODE"),
            )
        )
        both = {**over, "child": pl.concat([over["child"], kit]), "episode": pl.concat([over["episode"], begun])}
        found = {rule for rule, child in fires(both) if child == "552/C011"}
        assert found & {"CLA122", "CLA149"} == wrong, days
    older = kit.with_columns(pl.lit("05/05/2011").alias("DOB"))
    begun = begun.with_columns(pl.lit(left.strftime("%d/%m/%Y")).alias("EPISODE_START_DATE"))
    both = {**over, "child": pl.concat([over["child"], older]), "episode": pl.concat([over["episode"], begun])}
    assert ("CLA122", "552/C011") in fires(both), "born on another day"


def test_a_code_is_astray_in_its_own_file_only(now):
    many = crowd(now, 30)
    t = tables(many, YEAR)
    child = many["child"]
    few = child.with_columns(pl.when(pl.int_range(pl.len()) < 2).then(pl.lit("512")).otherwise(LA).alias(LA))
    spoilt = t.changed({"child": few})
    assert {row for row in fires(spoilt) if row[0] == "CLA001"} == {("CLA001", "512")}
    files = few.select(pl.concat_str(pl.lit("children of "), LA)).to_series()
    apart = dataclasses.replace(spoilt["child"], files=files)
    whole = dataclasses.replace(spoilt, forms={**spoilt.forms, "child": apart})
    assert not [row for row in fires(whole) if row[0] == "CLA001"], "each in a file of its own"


def test_shares_of_few_children_say_nothing(now):
    blank = now["child"].with_columns(pl.lit(None, dtype=pl.String).alias("UPN"))
    assert not [row for row in fires({**now, "child": blank}) if row[0] == "CLA148"]
    many = crowd(now, 10)
    blank = many["child"].with_columns(pl.lit(None, dtype=pl.String).alias("UPN"))
    assert ("CLA148", "552") in fires({**many, "child": blank})


def test_a_pupil_number_may_be_english(now):
    from synth.rules.pupil_number import with_letter

    def numbered(authority):
        frame = pl.DataFrame({"UPN": [f"A{authority}000016049"]}).select(with_letter(pl.col("UPN")))
        return changed(now, "child", "C001", UPN=frame.item())

    assert not [row for row in fires(numbered("801")) if row[0] == "CLA023"]
    assert ("CLA023", "552/C001") in fires(numbered("699"))
