"""Forms of two folders made comparable, chance, printing and refusals: all that needs no SDMetrics."""

import datetime as dt
import json
import math
import re
import sys

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.compare import compare
from synth.compare.chance import by_chance
from synth.compare.metadata import KEY, metadata
from synth.compare.pairs import banded, pairs, sampled
from synth.compare.printing import SILENT, to_html, to_json, to_text
from synth.compare.scores import Comparison, FormScores, ReturnScores, Scored
from synth.errors import InputError
from synth.files import FILES, write_csv
from synth.guidance import load
from synth.reading import read_any

PLACE = "Powys"
COLUMN = Scored("GENDER", 0.5, 0.9)
FORM = FormScores(
    "crcs", (20, 30), (10, 10), (Scored("Column Shapes", 0.5, 0.9),), (), (COLUMN,), (), 1, {"UPN": "an identifier"}
)
RETURN = ReturnScores("crcs", 1.0, 0.75, {"quality": {"Column Shapes": 0.5}}, (FORM,))
FOUND = Comparison("<one>", "other", (2023, 2022), (RETURN,), 10, 0.1, "0.32.0", ("Only A holds child.",))


@pytest.fixture(scope="module")
def year(world, tmp_path_factory):
    place = tmp_path_factory.mktemp("forms")
    for form, name in FILES.items():
        write_csv(world(2023, 1, PLACE).made.forms[form], place / name)
    return place


@pytest.fixture(scope="module")
def found(year):
    return read_any([year])


@pytest.fixture(scope="module")
def other(year, tmp_path_factory):
    """The same files, with the rows of every second child."""
    place = tmp_path_factory.mktemp("half")
    for form, name in FILES.items():
        text = pl.read_csv(year / name, infer_schema=False)
        key = "CHILD_CODE" if form == "crcs" else "SYSTEM_ID"
        if key in text.columns:
            text.filter(pl.col(key).str.slice(-1).is_in(list("02468ACEGJLNQSUW"))).write_csv(place / name)
    return read_any([place])


def form(found, other, name):
    return next(pair for pair in pairs(found, other) if pair.form == name)


def test_metadata_names_types_keys_and_links_and_leaves_identifiers_out():
    cla = load("cla", 2023)
    about = metadata({name: cla.items(name) for name in ("child", "episode")}, "child")
    child = about["tables"]["child"]
    assert child["primary_key"] == KEY
    assert "primary_key" not in about["tables"]["episode"]
    assert child["columns"][KEY] == {"sdtype": "id"}
    assert child["columns"]["DOB"] == {"sdtype": "datetime", "datetime_format": "%d/%m/%Y"}
    assert child["columns"]["ETHNICITY"] == {"sdtype": "categorical"}
    assert about["tables"]["episode"]["columns"]["SHORT_BREAKS"] == {"sdtype": "numerical"}
    assert not {"SYSTEM_ID", "UPN", "HOME_POSTCODE"} & child["columns"].keys()
    (link,) = about["relationships"]
    assert (link["parent_table_name"], link["child_table_name"], link["child_foreign_key"]) == ("child", "episode", KEY)


def test_metadata_without_a_parent_has_no_keys_and_bands_are_categories():
    about = metadata({"crcs": load("crcs", 2023).items("crcs")}, banded=["DATE_OF_BIRTH"])
    assert about["relationships"] == []
    assert KEY not in about["tables"]["crcs"]["columns"]
    assert about["tables"]["crcs"]["columns"]["DATE_OF_BIRTH"] == {"sdtype": "categorical"}


def test_every_item_is_compared_or_has_a_reason(found, other):
    for pair in pairs(found, other):
        names = {item.name for item in pair.items}
        asked = {item.name for item in load(pair.return_, 2023).items(pair.form)}
        assert names | pair.left_out.keys() == asked
        assert names.isdisjoint(pair.left_out)
        assert pair.a.columns == pair.b.columns == [KEY, *(item.name for item in pair.items)]


def test_what_names_children_or_says_nothing_is_left_out(found, other):
    crcs = form(found, other, "crcs").left_out
    assert crcs["CHILD_CODE"] == crcs["UPN"] == "an identifier"
    assert crcs["HOME_POSTCODE"] == "a postcode"
    assert crcs["YEAR_CODE"] == "says of which year the file is"
    assert crcs["LOCAL_AUTHORITY_CODE"] == "the same on every row of both"
    assert form(found, other, "episode").left_out["LOCAL_AUTHORITY_CODE"] == "stands on the form child"
    alone = next(iter(pairs(found, other, ["episode"])))
    assert alone.left_out["LOCAL_AUTHORITY_CODE"] == "the same on every row of both"


def test_columns_that_are_blank_few_or_absent_are_left_out(year, found, tmp_path):
    text = pl.read_csv(year / FILES["crcs"], infer_schema=False)
    few = pl.when(pl.int_range(pl.len()) < 9).then(pl.lit("1"))
    text = text.with_columns(few.alias("GENDER"), CPR_NEGLECT=pl.lit(None, pl.String)).drop("LANGUAGE")
    text.write_csv(tmp_path / "crcs.csv")
    left_out = form(found, read_any([tmp_path]), "crcs").left_out
    assert left_out["GENDER"] == "filled on fewer than 10 rows of B"
    assert left_out["CPR_NEGLECT"] == "blank on every row of B"
    assert left_out["LANGUAGE"] == "no column in B"


def test_dates_of_another_year_are_moved_to_the_years_of_the_first(year, found, tmp_path):
    text = pl.read_csv(year / FILES["crcs"], infer_schema=False)
    text.with_columns(YEAR_CODE=pl.lit("202122"), DATE_OF_BIRTH=pl.lit("29/02/2012")).write_csv(tmp_path / "crcs.csv")
    pair = form(found, read_any([tmp_path]), "crcs")
    assert set(pair.b["DATE_OF_BIRTH"]) == {dt.date(2013, 2, 28)}
    assert pair.a["DATE_OF_BIRTH"].equals(found.forms["crcs"].typed["DATE_OF_BIRTH"])


def test_bands_are_tenths_of_the_first_and_keep_blanks(found, other):
    pair = banded(form(found, other, "crcs"))
    rows = pair.a["DATE_OF_BIRTH"].value_counts()["count"]
    assert len(rows) == 10
    assert rows.min() / pair.a.height == pytest.approx(0.1, abs=0.02)
    assert set(pair.b["DATE_OF_BIRTH"]) <= set(pair.a["DATE_OF_BIRTH"])
    assert pair.b["CPR_DATE"].null_count() == (form(found, other, "crcs").b["CPR_DATE"]).null_count() > 0


def test_a_sample_holds_all_rows_of_its_children_on_every_form(found, other):
    child = sampled(form(found, other, "child"), 40)
    assert child.a.height == child.b.height == 40
    episode = form(found, other, "episode")
    part = sampled(episode, 40, (child.a[KEY], child.b[KEY]))
    assert set(part.a[KEY]) <= set(child.a[KEY])
    assert part.a.height == episode.a.filter(pl.col(KEY).is_in(child.a[KEY].implode())).height
    assert part.rows == episode.rows
    assert sampled(episode, 0) is episode
    assert sampled(child, 10**6).a.equals(child.a)


def test_chance_is_what_two_draws_score_on_average():
    """Within five standard errors of the mean of 40 scores: for other seeds wrong once in some 100,000."""
    rng = np.random.default_rng(1)
    drawn = [pl.DataFrame({"x": rng.choice(4, 300, p=[0.5, 0.3, 0.15, 0.05])}) for _ in range(80)]
    scores = []
    for one, two in zip(drawn[::2], drawn[1::2], strict=True):
        shares = [frame["x"].value_counts().with_columns(pl.col("count") / 300) for frame in (one, two)]
        both = shares[0].join(shares[1], on="x", how="full", coalesce=True).fill_null(0)
        scores.append(1 - (both["count"] - both["count_right"]).abs().sum() / 2)
    expected = by_chance(drawn[0], drawn[1], ["x"], blanks=False)
    assert expected == pytest.approx(float(np.mean(scores)), abs=5 * float(np.std(scores)) / math.sqrt(len(scores)))


def test_chance_knows_blanks_and_empty_sides():
    one, none = pl.DataFrame({"x": ["1", None, "2", None]}), pl.DataFrame({"x": [None, None]}, schema={"x": pl.String})
    assert by_chance(one, none, ["x"], blanks=False) == 1
    assert by_chance(one, none, ["x"], blanks=True) < 1


def test_text_says_scores_rows_what_was_left_out_and_what_scores_do_not_say():
    text = to_text(FOUND)
    assert "A  <one>, 2022-23" in text
    assert "B  other, 2021-22" in text
    assert "Children Receiving Care and Support: quality 0.750, diagnostic 1.000" in text
    assert "crcs: 20 rows in A, 30 in B; 10 and 10 compared" in text
    assert "0.500  GENDER (0.900 by chance)" in text
    assert "Left out: UPN (an identifier)." in text
    assert "Only A holds child." in text
    assert text.endswith(SILENT + "\n")


def test_the_page_is_whole_and_neutralises_names():
    page = to_html(FOUND)
    assert "&lt;one&gt;" in page
    assert "<one>" not in page
    assert page.count("<table>") == page.count("</table>") == 3
    assert not re.search(r"(src|href)=", page)


def test_json_holds_every_score():
    found = json.loads(to_json(FOUND))
    assert found["returns"][0]["forms"][0]["columns"] == [{"name": "GENDER", "score": 0.5, "chance": 0.9}]
    assert found["not_said"] == SILENT


def test_without_sdmetrics_the_command_says_how_to_get_it(year, monkeypatch):
    monkeypatch.setitem(sys.modules, "sdmetrics", None)
    monkeypatch.setitem(sys.modules, "sdmetrics.reports", None)
    with pytest.raises(InputError, match=r'pip install "synth\[compare\]"'):
        compare(year, year)
    run = CliRunner().invoke(main, ["compare", str(year), str(year)])
    assert run.exit_code == 2
    assert "needs SDMetrics" in run.stderr
