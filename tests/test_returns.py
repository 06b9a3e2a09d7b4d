import itertools
import re

import numpy as np
import polars as pl
import pytest

from synth.dates import last_day, quarter_day, to_date, year_code
from synth.guidance import load
from synth.tables import POSTCODE, child_column

LA, ID = "LOCAL_AUTHORITY_CODE", "SYSTEM_ID"
YEARS = (2017, 2023, 2024)
FORMS = {"child": "cla", "episode": "cla", "adoption": "cla", "care_leaver": "cla", "crcs": "crcs"}
KEYED = [(year, form) for year in YEARS for form in FORMS]


def days(column):
    """Dates of text as days since 1970; blank becomes null."""
    return column.replace("", None).str.to_date("%d/%m/%Y", strict=True)


@pytest.fixture(scope="module", params=YEARS)
def returned(request, world):
    """A whole Wales of the years with the first, the last census-date and the all-year collection."""
    return world(request.param)


def stock(returned):
    episode = returned.forms["episode"]
    return episode.filter((pl.col("EPISODE_END_DATE") == "") & (pl.col("LEGAL_STATUS_CODE") != "V1"))


def keys(frame):
    return set(zip(frame[LA], frame[frame.columns[2] if "CHILD_CODE" in frame.columns else ID], strict=True))


# -- what a cell may hold ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("year", "form"), KEYED)
def test_every_cell_is_of_its_items_kind(world, year, form):
    """A code of its list, a date, a number, a postcode or a made-up identifier: no cell has room for a name."""
    frame, g = world(year).forms[form], load(FORMS[form], year)
    assert frame.columns == [item.name for item in g.items(form)]
    for item in g.items(form):
        distinct = set(frame[item.name].unique()) - {""}
        if item.type == "code":
            assert distinct <= g.values(item.code_set), item.name
        elif item.type == "date":
            assert all(re.fullmatch(r"\d\d/\d\d/\d{4}", text) for text in distinct), item.name
            days(pl.Series(sorted(distinct), dtype=pl.String))
        elif item.type == "integer":
            assert all(text.isdigit() for text in distinct), item.name
        elif item.type == "postcode":
            assert all(re.fullmatch(POSTCODE, text) for text in distinct), item.name
        elif item.type == "upn":
            assert all(re.fullmatch(r"[A-Z]\d{12}", text) for text in distinct), item.name
        elif item.name == "YEAR_CODE":
            assert distinct == {year_code(year)}
        else:
            assert item.name == child_column(form), f"a text item that is no identifier: {item.name}"
            assert all(re.fullmatch(r"SYN[0-9A-HJKMNP-TV-Z]{7}", text) for text in distinct)
        if item.required == "always":
            assert "" not in set(frame[item.name].unique()), item.name


def test_no_item_of_any_year_asks_for_a_name():
    for year in range(2017, 2025):
        for form, return_ in FORMS.items():
            names = {item.name for item in load(return_, year).items(form)}
            assert not [name for name in names if re.search(r"NAME|FORENAME|ADDRESS|PHONE|EMAIL|NHS", name)]


@pytest.mark.parametrize(("year", "form"), KEYED)
def test_nothing_after_31_march_is_in_the_files(world, year, form):
    frame = world(year).forms[form]
    for item in load(FORMS[form], year).items(form):
        if item.type == "date" and item.name != "DATE_OF_DATA_COLLECTION":
            latest = days(frame[item.name]).max()
            assert latest is None or latest <= to_date(last_day(year)), item.name


# -- the year is cut ----------------------------------------------------------------------------------------------


def test_ends_after_31_march_are_hidden_and_others_are_not(returned):
    """The number of open episodes is the number of periods and series that lives have open on the day."""
    history, end = returned.history, last_day(returned.year)
    episode = returned.forms["episode"]
    still_open = episode.filter(pl.col("EPISODE_END_DATE") == "")
    assert set(still_open["REASON_EPISODE_FINISHED_CODE"]) == {""}
    for spells, short in ((history.periods, False), (history.series, True)):
        here = ((spells["start"] <= end) & (spells["end"] > end)).sum()
        assert here == ((still_open["LEGAL_STATUS_CODE"] == "V1") == short).sum()
    closed = episode.filter(pl.col("EPISODE_END_DATE") != "")
    assert "" not in set(closed["REASON_EPISODE_FINISHED_CODE"])
    assert days(closed["EPISODE_END_DATE"]).min() >= load("cla", returned.year).first_day


def test_episodes_of_a_child_follow_each_other(returned):
    episode = returned.forms["episode"].with_columns(
        days(pl.col("EPISODE_START_DATE")).alias("start"),
        days(pl.col("EPISODE_END_DATE")).alias("end"),
        pl.col("EPISODE_NUMBER").cast(pl.Int64).alias("number"),
    )
    episode = episode.with_columns(
        pl.col(
            "end",
            "number",
            "REASON_EPISODE_FINISHED_CODE",
            "LEGAL_STATUS_CODE",
            "PLACEMENT_TYPE_CODE",
            "PLACEMENT_POSTCODE",
        )
        .shift(1)
        .over(LA, ID)
        .name.prefix("prev_"),
    )
    later = episode.filter(pl.col("number") > 1)
    assert (episode.filter(pl.col("number") == 1)["prev_number"].is_null()).all()
    assert (later["number"] == later["prev_number"] + 1).all()
    assert (later["start"] >= later["prev_end"]).all()
    assert episode.filter(pl.col("end") <= pl.col("start")).is_empty(), "a day at least"
    on = later.filter(pl.col("prev_REASON_EPISODE_FINISHED_CODE") == "X1")
    assert (on["start"] == on["prev_end"]).all()
    started = pl.col("REASON_EPISODE_STARTED_CODE")
    assert on.filter(started == "S").is_empty()
    assert later.filter((pl.col("prev_REASON_EPISODE_FINISHED_CODE") != "X1") & (started != "S")).is_empty()
    same_law = pl.col("LEGAL_STATUS_CODE") == pl.col("prev_LEGAL_STATUS_CODE")
    assert on.filter((started == "P") & ~same_law).is_empty()
    assert on.filter(started.is_in(["L", "B"]) & same_law).is_empty()
    place = (pl.col("PLACEMENT_TYPE_CODE") == pl.col("prev_PLACEMENT_TYPE_CODE")) & (
        pl.col("PLACEMENT_POSTCODE") == pl.col("prev_PLACEMENT_POSTCODE")
    )
    known = (pl.col("PLACEMENT_POSTCODE") != "") & (pl.col("prev_PLACEMENT_POSTCODE") != "")
    assert on.filter((started == "L") & ~place).is_empty(), "only the law changed"
    assert on.filter(started.is_in(["P", "B"]) & place & known).is_empty(), "a move to the same address is none"


def test_adopted_by_the_foster_carer_the_child_stays_at_its_address(world):
    found = 0
    for year, seed in ((2023, 1), (2024, 1), (2017, 1)):
        episode = world(year, seed).forms["episode"]
        before = episode.with_columns(
            pl.col("PLACEMENT_POSTCODE").shift(1).over(LA, ID).alias("prev"),
            pl.col("PLACEMENT_TYPE_CODE").shift(1).over(LA, ID).alias("kind"),
            pl.col("EPISODE_NUMBER").cast(pl.Int64),
        )
        carer = before.filter(
            pl.col("PLACEMENT_TYPE_CODE").is_in(["A3", "A5"])
            & ~pl.col("kind").is_in(["A3", "A5"])
            & pl.col("REASON_EPISODE_STARTED_CODE").is_in(["P", "B"])
        )
        told = carer.filter(pl.col("PLACEMENT_POSTCODE") != "")
        assert (told["PLACEMENT_POSTCODE"] == told["prev"]).all(), "or it is left out, as adopters near by ask"
        assert set(carer["kind"]) <= {"F1", "F2", "F3", "F4", "F5", "F6", "A8"}
        found += carer.height
    assert found, "some are"


def test_nobody_stays_on_where_nobody_stays_long(returned):
    """Family centres, hospitals, secure homes and custody: months, also for those who stay longer than was drawn."""
    episode = returned.forms["episode"].filter(
        pl.col("PLACEMENT_TYPE_CODE").is_in(["R2", "R3", "R5", "H1", "H21", "H22"])
    )
    until = days(episode["EPISODE_END_DATE"]).fill_null(to_date(last_day(returned.year)))
    length = (until - days(episode["EPISODE_START_DATE"])).dt.total_days()
    assert episode.height > 30
    assert length.max() < 400


def test_placement_codes_and_postcodes_say_the_same(returned):
    from synth.geography.areas import district_authority

    episode = returned.forms["episode"].filter(pl.col("PLACEMENT_POSTCODE") != "")
    host = episode["PLACEMENT_POSTCODE"].str.split(" ").list.first().replace_strict(district_authority(), default="")
    code, home = episode["PLACEMENT_TYPE_CODE"], episode[LA]
    inside = code.is_in(["F1", "F2", "F3", "H1", "H3"]) & (episode["LEGAL_STATUS_CODE"] != "V1")
    assert (host == home).filter(inside).all()
    outside = code.is_in(["F4", "F5", "F6", "H4", "H21", "H22"])
    assert (host != home).filter(outside).all()
    assert (host.filter(code == "H22") == "").all()
    assert (host.filter(code == "H21") != "").all()


# -- both returns agree -------------------------------------------------------------------------------------------


def test_the_forms_of_the_return_are_about_the_same_children(returned):
    forms = returned.forms
    assert keys(forms["child"]) == keys(forms["episode"])
    assert keys(forms["adoption"]) < keys(forms["child"])
    assert keys(forms["care_leaver"]) < keys(forms["child"])
    for form in ("child", "adoption", "care_leaver", "crcs"):
        assert len(keys(forms[form])) == forms[form].height, "one row a child"


def test_both_returns_tell_the_same_of_a_child(returned):
    child, crcs = returned.forms["child"], returned.forms["crcs"]
    both = child.join(crcs, left_on=[LA, ID], right_on=[LA, "CHILD_CODE"], suffix="_crcs")
    assert both.height > 1000
    for one, other in (
        ("DOB", "DATE_OF_BIRTH"), ("GNDR_CD", "GENDER"), ("ETHNICITY", "ETHNIC_ORIGIN_CODE"), ("UPN", "UPN_crcs"),
        ("HOME_POSTCODE", "HOME_POSTCODE_crcs"), ("YEAR_CODE", "YEAR_CODE_crcs"),
    ):  # fmt: skip
        assert (both[one] == both[other]).all(), one
    assert ((both["ASYLUM"] == "1") == (both["ASYLUM_SEEKER_CODE"] == "1")).all()
    assert ((both["DISABILITY_CODE"] == "1") == (both["DISABILITY_NONE"] == "0")).all()
    last = returned.forms["episode"].unique([LA, ID], keep="last")
    need = both.join(last, on=[LA, ID], suffix="_episode")
    assert (need["CATEGORY_OF_NEED_CODE"] == need["CATEGORY_OF_NEED_CODE_episode"]).all()


def test_looked_after_in_one_return_is_looked_after_in_the_other(returned):
    crcs = returned.forms["crcs"]
    flagged = keys(crcs.filter(pl.col("LOOKED_AFTER_CHILD") == "1"))
    here = keys(stock(returned))
    assert flagged <= here
    if returned.year == 2024:
        assert flagged == here, "all-year: every looked-after child holds a plan"
        return
    # Who is missing came within the last three months: no plan was in place on 1 January.
    assert here - flagged == here - keys(crcs)
    history = returned.history
    end, quarter = last_day(returned.year), quarter_day(returned.year)
    plans, periods = history.plans, history.periods
    in_care = np.unique(periods["child"][(periods["start"] <= end) & (periods["end"] > end)])
    meets = plans["child"][(plans["start"] <= quarter) & (plans["end"] > end)]
    assert len(flagged) == np.isin(in_care, meets).sum()
    assert 0.9 < len(flagged) / len(here) < 1


def test_the_three_month_rule(returned):
    crcs, history = returned.forms["crcs"], returned.history
    end, quarter, plans = last_day(returned.year), quarter_day(returned.year), history.plans
    meets = (plans["start"] <= quarter) & (plans["end"] > end)
    if returned.year < 2024:
        assert crcs.height == meets.sum()
        return
    active = crcs.filter(pl.col("PLAN_ACTIVE_31_MARCH") == "1")
    started = days(active["PLAN_START_DATE"])
    assert (started <= to_date(quarter)).sum() == meets.sum()
    assert active.height == ((plans["start"] <= end) & (plans["end"] > end)).sum()
    touched = np.unique(plans["child"][(plans["start"] <= end) & (plans["end"] >= last_day(2023) + 1)])
    assert crcs.height == len(touched), "everyone with a plan on any day of the year, once"


def test_totals_are_the_levels(returned, profile):
    here = stock(returned)[LA].value_counts()
    here = dict(zip(here[LA], here["count"], strict=True))
    crcs = returned.forms["crcs"]
    if returned.year == 2024:
        started = days(crcs["PLAN_START_DATE"]) <= to_date(quarter_day(2024))
        crcs = crcs.filter((pl.col("PLAN_ACTIVE_31_MARCH") == "1") & started)
    supported = crcs[LA].value_counts()
    supported = dict(zip(supported[LA], supported["count"], strict=True))
    for authority in returned.authorities:
        assert here[authority.code] == profile.level("looked_after", authority.code, returned.year)
        assert supported[authority.code] == profile.level("care_and_support", authority.code, returned.year)


def test_children_in_short_breaks_are_not_looked_after(returned):
    episode, crcs = returned.forms["episode"], returned.forms["crcs"]
    short = episode.filter(pl.col("LEGAL_STATUS_CODE") == "V1")
    assert short.height
    assert "" not in set(short["SHORT_BREAKS"])
    assert set(episode.filter(pl.col("LEGAL_STATUS_CODE") != "V1")["SHORT_BREAKS"]) == {""}
    theirs = keys(short)
    flags = crcs.filter([(la, who) in theirs for la, who in zip(crcs[LA], crcs["CHILD_CODE"], strict=True)])
    assert flags.height
    assert set(flags["LOOKED_AFTER_CHILD"]) == {"0"}
    assert (short.group_by(LA, ID).len()["len"] == 1).all(), "one row a series and year"
    assert not theirs & keys(episode.filter(pl.col("LEGAL_STATUS_CODE") != "V1"))


# -- adoption, leaving care, the register ---------------------------------------------------------------------


def test_adoptions_are_told_alike_in_both_forms(returned):
    episode, adoption = returned.forms["episode"], returned.forms["adoption"]
    ended = episode.filter(pl.col("REASON_EPISODE_FINISHED_CODE").is_in(["E11", "E12"]))
    assert keys(ended) == keys(adoption)
    both = adoption.join(ended, on=[LA, ID])
    assert (both["DATE_ADOPTED"] == both["EPISODE_END_DATE"]).all()
    assert ((both["FOSTER_CARE"] == "1") == both["PLACEMENT_TYPE_CODE"].is_in(["A3", "A5"])).all()
    steps = ("DATE_LATEST_CARE", "DATE_DECISION", "DATE_MATCH", "DATE_PLACED", "DATE_ADOPTED")
    for before, after in itertools.pairwise(steps):
        assert (days(both[before]) <= days(both[after])).all(), f"{before}, {after}"
    placed = episode.filter(
        pl.col("PLACEMENT_TYPE_CODE").is_in(["A3", "A4", "A5", "A6"])
        & pl.col("REASON_EPISODE_STARTED_CODE").is_in(["P", "B"])
    ).join(both.select(LA, ID, "DATE_PLACED"), on=[LA, ID])
    assert (placed["EPISODE_START_DATE"] == placed["DATE_PLACED"]).all()


def test_care_leavers_left_at_16_or_over(returned):
    episode, leaver = returned.forms["episode"], returned.forms["care_leaver"]
    ended = episode.filter(
        (pl.col("REASON_EPISODE_FINISHED_CODE") != "X1")
        & (pl.col("EPISODE_END_DATE") != "")
        & (pl.col("LEGAL_STATUS_CODE") != "V1")
    ).with_columns(days(pl.col("EPISODE_END_DATE")).alias("end"))
    ended = ended.sort("end").unique([LA, ID], keep="last").join(returned.forms["child"], on=[LA, ID])
    ended = ended.with_columns(days(pl.col("DOB")).alias("birth"))
    old = ended.filter(pl.col("birth").dt.offset_by("16y") <= pl.col("end"))
    expected = old.filter(~pl.col("REASON_EPISODE_FINISHED_CODE").is_in(["E2", "E3", "E11", "E12"]))
    expected = expected.join(stock(returned), on=[LA, ID], how="anti")
    assert keys(expected.select("YEAR_CODE", LA, ID)) == keys(leaver)
    both = leaver.join(expected, on=[LA, ID])
    assert (both["DATE_CEASED"] == both["EPISODE_END_DATE"]).all()
    ten = both.filter(pl.col("REASON_EPISODE_FINISHED_CODE") == "E10")
    assert set(ten["ACCOM"]) <= {"Z1", "Z2"}


def test_the_register_has_a_date_and_a_category(returned):
    crcs = returned.forms["crcs"]
    others = ("CPR_DATE", "CPR_DURING_YEAR")
    categories = [name for name in crcs.columns if name.startswith("CPR_") and name not in others]
    assert len(categories) == 5
    on = crcs.filter(pl.col("CHILD_PROTECTION_REGISTER") == "1")
    off = crcs.filter(pl.col("CHILD_PROTECTION_REGISTER") == "0")
    assert on.height + off.height == crcs.height
    assert on.height > 500
    ticked = sum((on[name] == "1").cast(pl.Int64) for name in categories)
    assert ((ticked >= 1) & (ticked <= 2)).all()
    assert "" not in set(on["CPR_DATE"])
    assert all(set(off[name]) == {""} for name in [*categories, "CPR_DATE"])


def test_all_year_children_have_their_plan_and_its_end(world):
    crcs = world(2024).forms["crcs"]
    active, closed = (crcs.filter(pl.col("PLAN_ACTIVE_31_MARCH") == flag) for flag in ("1", "0"))
    assert active.height + closed.height == crcs.height
    assert set(active["PLAN_CLOSED_DATE"]) == set(active["REASON_FOR_CLOSURE"]) == {""}
    assert "" not in set(closed["PLAN_CLOSED_DATE"]) | set(closed["REASON_FOR_CLOSURE"])
    assert (days(closed["PLAN_CLOSED_DATE"]) > days(closed["PLAN_START_DATE"])).all()
    assert days(closed["PLAN_CLOSED_DATE"]).min() >= load("crcs", 2024).first_day
    assert set(closed["LOOKED_AFTER_CHILD"]) == set(closed["CHILD_PROTECTION_REGISTER"]) == {"0"}
    looked_after = crcs.filter(pl.col("LOOKED_AFTER_CHILD") == "1")
    assert set(looked_after["LOOKED_AFTER_DURING_YEAR"]) == {"1"}
    assert set(crcs.filter(pl.col("CHILD_PROTECTION_REGISTER") == "1")["CPR_DURING_YEAR"]) == {"1"}
    in_year = keys(crcs.filter(pl.col("LOOKED_AFTER_DURING_YEAR") == "1"))
    episode = world(2024).forms["episode"]
    assert in_year <= keys(episode.filter(pl.col("LEGAL_STATUS_CODE") != "V1"))


def test_postcodes_have_a_small_area_of_their_authority(returned):
    from synth.geography.areas import areas, district_authority
    from synth.geography.authorities import all_authorities

    lookup, forms = returned.forms["postcodes"], returned.forms
    used = set(forms["crcs"]["HOME_POSTCODE"]) | set(forms["child"]["HOME_POSTCODE"])
    used |= set(forms["episode"]["PLACEMENT_POSTCODE"])
    welsh = {text for text in used if text.partition(" ")[0] in district_authority()}
    assert list(lookup["POSTCODE"]) == sorted(welsh)
    order = {authority.code: authority.order for authority in all_authorities()}
    for postcode, area in lookup.rows():
        assert area in areas().small_areas[order[district_authority()[postcode.partition(" ")[0]]]]


def test_brothers_and_sisters_share_home_and_ethnic_group(returned, behaviour):
    from synth.returns.roster import call

    history = returned.history
    children = np.flatnonzero(history.children["plan_end"] > last_day(returned.year))
    known = call(returned.streams, behaviour, history, children)
    family = history.children["family"][children]
    order = np.argsort(family, kind="stable")
    same = family[order][1:] == family[order][:-1]
    assert same.sum() > 1000
    for column in (known.home_postcode, known.ethnicity, known.code):
        assert (column[order][1:] == column[order][:-1])[same].all()
    assert len(np.unique(known.local_id)) == len(children)
