"""Rules at their edges: the day before, the day and the day after; blanks; the first and the last episode; ages.

`edges/*.txt` holds the tables, `edges.py` says how they are read. `benchmarks/mutants.py` tries small changes of the
rules against the same tables.
"""

from functools import cache

import pytest
from edges import fault, known

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
