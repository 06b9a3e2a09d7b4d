import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.lives.ledger import Ledger


@given(st.lists(st.integers(0, 900), max_size=12))
def test_rows_are_what_was_appended(sizes):
    ledger, expected = Ledger(number=np.int64, flag=np.bool_), []
    for batch, size in enumerate(sizes):
        values = np.arange(size) + 10_000 * batch
        rows = ledger.append(number=values, flag=batch % 2 == 0)
        assert rows.tolist() == list(range(len(expected), len(expected) + size))
        expected += [(int(value), batch % 2 == 0) for value in values]
    assert len(ledger) == len(expected)
    assert list(zip(ledger["number"].tolist(), ledger["flag"].tolist(), strict=True)) == expected


def test_growth_keeps_rows_and_types():
    ledger = Ledger(day=np.int32, name=np.uint64)
    first = ledger.append(day=np.arange(1000), name=np.uint64(2**63 + 5))
    ledger["day"][first[10]] = -7
    ledger.append(day=np.arange(100_000), name=np.arange(100_000, dtype=np.uint64))
    assert ledger["day"][10] == -7
    assert ledger["day"][first].tolist() == [*range(10), -7, *range(11, 1000)]
    assert (ledger["name"][:1000] == np.uint64(2**63 + 5)).all()
    assert ledger["day"].dtype == np.int32
    assert len(ledger) == 101_000 == len(ledger["name"])


def test_scalars_are_repeated_and_empty_batches_add_nothing():
    ledger = Ledger(a=np.int8, b=np.int8)
    assert ledger.append(a=1, b=2).tolist() == [0]
    assert ledger.append(a=np.array([3, 4]), b=5).tolist() == [1, 2]
    assert ledger.append(a=np.zeros(0), b=5).tolist() == []
    assert ledger["b"].tolist() == [2, 5, 5]


def test_columns_are_views_and_frozen_ones_are_not():
    ledger = Ledger(a=np.int64)
    ledger.append(a=np.arange(3))
    kept = ledger.frozen()
    ledger["a"][:] += 10
    assert ledger["a"].tolist() == [10, 11, 12]
    assert kept["a"].tolist() == [0, 1, 2]
    kept["a"][0] = 99
    assert ledger["a"][0] == 10


@pytest.mark.parametrize("values", [{"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 3}])
def test_every_column_is_named_and_no_other(values):
    ledger = Ledger(a=np.int8, b=np.int8)
    with pytest.raises(KeyError, match="columns do not match"):
        ledger.append(**values)
    assert len(ledger) == 0
