"""Two folders scored by SDMetrics: alike, of another seed, with a planted loss; no cell of a file is ever printed."""

import json

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

pytest.importorskip("sdmetrics")

from synth.cli import main
from synth.compare import compare
from synth.compare.printing import to_json, to_text
from synth.compare.scores import Scored
from synth.errors import InputError
from synth.files import FILES, write_csv

PLACE = "Powys"
TIED = "HEALTH_SUBSTANCE_MISUSE and HEALTH_MENTAL_HEALTH"
HELD = (
    "YEAR_CODE LOCAL_AUTHORITY_CODE CHILD_CODE UPN DATE_OF_BIRTH GENDER HOME_POSTCODE CATEGORY_OF_NEED_CODE LANGUAGE"
    " HEALTH_SUBSTANCE_MISUSE HEALTH_MENTAL_HEALTH"
)
"""Columns that are filled in the care and support files here: with all 41 a comparison takes seconds."""


@pytest.fixture(scope="module")
def folder(world, tmp_path_factory):
    def made(seed):
        place = tmp_path_factory.mktemp("forms")
        forms = world(2023, seed, PLACE).made.forms
        for form, name in FILES.items():
            blank = {item for item in forms[form] if form == "crcs" and item not in HELD.split()}
            columns = {item: np.full(len(c), "") if item in blank else c for item, c in forms[form].items()}
            write_csv(columns, place / name)
        return place

    return made


@pytest.fixture(scope="module")
def one(folder):
    return folder(1)


@pytest.fixture(scope="module")
def seeds(one, folder):
    return compare(one, folder(2))


@pytest.fixture(scope="module")
def shuffled(one, tmp_path_factory):
    """The same care and support file with every column in an order of its own: shapes stay, what goes together goes."""
    place = tmp_path_factory.mktemp("shuffled")
    text = pl.read_csv(one / FILES["crcs"], infer_schema=False)
    rng = np.random.default_rng(1)
    text.select(pl.col(name).gather(rng.permutation(text.height)) for name in text.columns).write_csv(
        place / "crcs.csv"
    )
    return place


def scores(found):
    return {scores.return_: scores for scores in found.returns}


def test_a_folder_is_alike_to_itself(one):
    found = compare(one, one, forms=["crcs", "episode"])
    for part in found.returns:
        assert part.quality == pytest.approx(1)
        assert part.diagnostic == pytest.approx(1)
        assert part.links == ()


def test_another_seed_scores_as_chance_has_it(seeds):
    found = scores(seeds)
    assert found.keys() == {"cla", "crcs"}
    for form in (*found["cla"].forms, *found["crcs"].forms):
        # Two samples of a column differ with a standard error of 0.3 of this root at the most, the mean of some columns
        # with about half of that: three of these. Brothers and sisters set two seeds farther apart than independent
        # children.
        room = 0.45 * sum(1 / rows for rows in form.rows) ** 0.5 + 0.02
        for part in form.properties:
            if part.chance is not None:
                assert part.score == pytest.approx(part.chance, abs=room)
    assert found["cla"].properties["diagnostic"]["Relationship Validity"] > 0.99
    assert {"Cardinality", "Intertable Trends"} <= found["cla"].properties["quality"].keys()
    assert found["cla"].links[0].name.startswith("child.")


def test_a_planted_loss_of_dependence_shows_in_pairs_and_nowhere_else(one, shuffled, seeds):
    (part,) = compare(one, shuffled, forms=["crcs"]).returns
    properties = part.properties["quality"]
    assert properties["Column Shapes"] == pytest.approx(1)
    assert properties["Column Pair Trends"] < scores(seeds)["crcs"].properties["quality"]["Column Pair Trends"] - 0.1
    (form,) = part.forms
    assert form.pairs[0].name == TIED
    assert form.pairs[0].score < 0.6
    assert form.pairs[0].chance > 0.9


def test_every_pair_counts_where_no_association_is_asked_for(one, shuffled):
    (part,) = compare(one, shuffled, forms=["crcs"], association=0, sample=300).returns
    (form,) = part.forms
    assert len(form.pairs) == form.pairs_seen == len(form.columns) * (len(form.columns) - 1) / 2
    assert form.compared == (300, 300)


def test_scores_are_printed_and_no_cell(one, shuffled, recwarn):
    text = pl.read_csv(one / FILES["crcs"], infer_schema=False)
    odd = text.with_columns(LANGUAGE=pl.lit("UNHEARDOF"))
    place = shuffled.parent / f"odd-{shuffled.name}"
    place.mkdir()
    odd.write_csv(place / "crcs.csv")
    found = compare(one, place)
    said = to_text(found) + to_json(found) + "".join(str(w.message) for w in recwarn)
    assert found.returns[0].forms[0].valid[0] == Scored("LANGUAGE", 0.0)
    told = ("CHILD_CODE", "UPN", "DATE_OF_BIRTH", "HOME_POSTCODE")
    for cell in ("UNHEARDOF", *(text[name].drop_nulls()[0] for name in told)):
        assert cell not in said


def test_the_same_folders_give_the_same_scores(one, shuffled):
    a, b = (to_json(compare(one, shuffled, sample=200)) for _ in range(2))
    assert a == b


def test_the_command_prints_writes_and_exits(one, shuffled, tmp_path):
    run = CliRunner().invoke(main, ["compare", str(one), str(shuffled), "--sample", "200", "--min-quality", "0.99"])
    assert run.exit_code == 1
    assert "crcs: " in run.stdout
    assert "Only A holds child" in run.stdout
    out = tmp_path / "found.json"
    args = ["compare", str(one), str(shuffled), "--form", "crcs", "--sample", "200", "--format", "json", "--out"]
    assert CliRunner().invoke(main, [*args, str(out)]).exit_code == 0
    assert json.loads(out.read_text("utf-8"))["sample"] == 200
    assert list(tmp_path.iterdir()) == [out]
    gone = CliRunner().invoke(main, [*args, str(tmp_path / "no" / "found.json")])
    assert gone.exit_code == 2
    assert "cannot write in" in gone.stderr


def test_folders_without_a_form_in_common_are_refused(one, tmp_path):
    child = tmp_path / FILES["child"]
    child.write_bytes((one / FILES["child"]).read_bytes())
    with pytest.raises(InputError, match="no form is in both"):
        compare(one / FILES["crcs"], child)
    with pytest.raises(InputError, match="--form episodes: A holds no such form; did you mean 'episode'"):
        compare(one, one, forms=["episodes"])
