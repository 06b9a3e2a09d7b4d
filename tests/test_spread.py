"""What targets nobody published by authority are spread like."""

from types import SimpleNamespace

import numpy as np
import pytest

from synth.fit.spread import adopting, agreeing, ordered
from synth.geography.authorities import all_authorities

STOCK = {2023: np.array([100, 300])}
CELLS = (SimpleNamespace(name="care_order", share=0.7), SimpleNamespace(name="agreement", share=0.2))


@pytest.mark.parametrize(
    ("alone", "expected"),
    [
        ([0, 0], [20, 60]),
        ([40, 0], [40 + 60 * 40 / 360, 300 * 40 / 360]),
        ([60, 30], [60, 30]),  # more than the share of Wales: nobody else
    ],
)
def test_agreement_is_of_those_who_come_alone_and_of_the_same_share_of_all_others(alone, expected):
    found = agreeing(STOCK, {2023: np.array(alone)}, CELLS)
    assert found[2023].tolist() == pytest.approx(expected)


def test_adoption_is_that_of_the_years_around():
    cells = (SimpleNamespace(name="kin.inside"), SimpleNamespace(name="adoption.inside"))
    values = {year: np.array([[1.0, year - 2020.0]]) for year in (2021, 2022, 2023)}
    assert {year: one.tolist() for year, one in adopting(cells, values).items()} == {
        2021: [1.5],
        2022: [2.0],
        2023: [2.5],
    }


def test_placement_orders_are_between_the_placed_and_the_stock():
    found = ordered({2023: np.array([4.0, 4.0, 0.0])}, {2023: np.array([100, 400, 400])})
    assert found[2023].tolist() == [20, 40, 0]


def test_every_authority_has_room_by_agreement_for_all_who_came_alone(profile):
    """Cardiff looks after a quarter of them: its share of children by agreement is well above that of Wales."""
    shares = {}
    for year in range(*profile.years):
        here = profile.cells_of("legal", year).index("agreement")
        for code in (authority.code for authority in all_authorities()):
            agreed = profile.target("legal", code, year)[here]
            assert agreed >= profile.target("unaccompanied", code, year)[0], (code, year)
            shares[code, year] = agreed / profile.level("looked_after", code, year)
    others = [share for (code, year), share in shares.items() if year == 2023 and code != "552"]
    assert shares["552", 2023] > 1.2 * np.mean(others)
