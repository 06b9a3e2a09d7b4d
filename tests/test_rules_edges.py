"""Rules at their edges: the day before, the day and the day after; blanks; the first and the last episode; ages.

`edges/*.txt` holds the tables, `edges.py` says how they are read. `benchmarks/mutants.py` tries small changes of the
rules against the same tables.
"""

import os
from functools import cache

import pytest
from edges import LISTED, fault, golden, known, listing, pieces, unlike

from synth.guidance import load
from synth.rules.rulebook import rules_for


@cache
def rules(return_, year, mode):
    return {(rule.id, rule.form): rule for rule in rules_for(load(return_, year, mode))[0]}


@pytest.mark.parametrize("case", known(), ids=[f"{edge.rule}-{edge.at}" for edge, *_ in known()])
def test_edge(case):
    edge, tables, wrong = case
    return_ = "crcs" if edge.rule.startswith("CRCS") else "cla"
    told = fault(edge, tables, wrong, rules(return_, edge.year, edge.mode if return_ == "crcs" else ""))
    assert not told, f"{edge.rule}, {edge.at}: {told}"


@pytest.mark.parametrize(("return_", "year"), LISTED)
def test_rules_are_those_written_down(return_, year):
    """Which rules there are, how grave, over which items and in which words; SYNTH_REFRESH_GOLDEN=1 writes anew."""
    now = rules_for(load(return_, year))
    if os.environ.get("SYNTH_REFRESH_GOLDEN"):
        golden(return_, year).parent.mkdir(exist_ok=True)
        golden(return_, year).write_text(listing(*now), encoding="utf-8")
    assert not unlike(return_, year, *now)


def test_the_pieces_of_rules():
    """Ages on any day, fields written with a star, a limit that is missing."""
    assert not pieces()
