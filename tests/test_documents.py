"""JSON documents are followed to one depth, whichever Python reads them."""

import pytest

from synth.documents import json_of, not_too_deep


@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_a_hundred_levels_are_read_and_no_more(begin, end):
    each = 100 // sum(map(begin.count, "[{"))
    assert json_of(begin * each + "1" + end * each)
    with pytest.raises(ValueError, match="nested too deep"):
        json_of(begin * (each + 1) + "1" + end * (each + 1))


@pytest.mark.parametrize("found", [None, 1.5, "text", [], {}, [[]], {"a": [1, {}]}])
def test_whatever_is_shallow_comes_back_as_it_is(found):
    assert not_too_deep(found) is found
