"""Rules explained: every one has an example that passes and one that fails, and the printed pages follow them."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.errors import InputError
from synth.explain import example, explained, listed, pages, to_json
from synth.guidance import load
from synth.rules.rulebook import rules_for

PAGE = Path(__file__).parent.parent / "docs" / "rules.md"
RULES = [r for return_ in ("cla", "crcs") for r in rules_for(load(return_, 2024))[0]]


@pytest.fixture(scope="module")
def examples():
    return {(rule.id, rule.form): example(rule, 2024) for rule in RULES}


def test_every_rule_has_an_example_in_which_something_changes(examples):
    for rule in RULES:
        made = examples[rule.id, rule.form]
        assert made is not None, rule.id
        assert made.columns, rule.id
        assert made.passes != made.fails, rule.id
        assert made.said, rule.id


def test_a_rule_is_explained_with_words_source_and_rows():
    text = explained(2024, ["CLA059"])
    for said in (
        "CLA059  error on the episode form",
        "Source:",
        "Passes (episode form)",
        "Fails (episode form)",
        "Found:",
    ):
        assert said in text
    assert "last year's episode form" in explained(2024, ["CLA069"])
    assert "each authority" in explained(2024, ["CRCS-028"])


def test_a_statement_without_rule_says_why():
    assert "CLA114  not checked: " in explained(2024, ["cla114"])
    assert "Stated in the guidance, and not checked:" in listed(2024)


def test_an_age_rule_says_ages_dates_and_what_was_found():
    text = explained(2024, ["CLA093", "CRCS-076"])
    assert "DOB=" in text
    assert "(aged 15 on " in text
    assert "on 31/03/2024)" in text


def test_json_gives_facts_and_examples_of_those_named():
    (one,) = json.loads(to_json(2024, ids=["CLA053"]))
    assert one["example"]["passes"] != one["example"]["fails"]
    assert (one["rule"], one["form"], one["first_year"], one["last_year"]) == ("CLA053", "episode", 2017, 2024)
    every = json.loads(to_json(2023, "crcs"))
    assert {"CRCS-006"} <= {row["rule"] for row in every}
    assert all(row.get("not_checked") or row["words"] for row in every)


def test_an_unknown_rule_is_refused_with_its_like():
    with pytest.raises(InputError, match=r"did you mean .*CLA053"):
        explained(2024, ["CLA0553"])
    result = CliRunner().invoke(main, ["rules", "nonsense"])
    assert (result.exit_code, result.stdout) == (2, "")


def test_the_page_in_the_documents_is_the_one_that_is_made(examples, monkeypatch):
    def made_before(rule, year):
        return examples[rule.id, rule.form] if (year, rule) in of_2024 else example(rule, year)

    of_2024 = [(2024, rule) for rule in RULES]
    monkeypatch.setattr(import_module("synth.explain.pages"), "example", made_before)
    assert PAGE.read_text("utf-8") == pages(2024), "make it anew: synth rules --format markdown > docs/rules.md"
