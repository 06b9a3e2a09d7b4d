"""Adjusted odds of being in care among disabled children, as a study of the linked census gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth.returns.columns import Form

__all__ = ["in_care_odds", "logistic"]

_ITEMS = {
    "odds_in_care_mental_health": "HEALTH_MENTAL_HEALTH",
    "odds_in_care_parental_mental_ill_health": "PARENTING_CAPACITY_MENTAL_ILL_HEALTH",
    "odds_in_care_parental_substance_misuse": "PARENTING_CAPACITY_SUBSTANCE_ALCOHOL_MISUSE",
    "odds_in_care_parental_learning_disability": "PARENTING_CAPACITY_LEARNING_DISABILITIES",
    "odds_in_care_domestic_abuse": "PARENTING_CAPACITY_DOMESTIC_ABUSE",
}
_YOUNGER_THAN = (1, 5, 10, 16)
_ROUNDS = 12
_RIDGE = 1e-3
"""Keeps a column that never varies from spoiling the rest; far too small to move an odds ratio."""


def in_care_odds(form: Form, disabled: NDArray[np.bool_]) -> dict[str, tuple[float, float]]:
    """Return odds ratios by figure with their standard errors, adjusted for each other, age group and sex.

    `form` is a care and support return, `disabled` one flag a row of it. Age is that on the return's 31 March.
    """
    chosen = {name: column[disabled] for name, column in form.items()}
    year = int(chosen["DATE_OF_DATA_COLLECTION"][0][6:]) if disabled.any() else 0
    flags = [(chosen[item] == "1").astype(float) for item in _ITEMS.values()]
    age = np.array([_age(text, year) for text in chosen["DATE_OF_BIRTH"]])
    bands = [(age < limit).astype(float) for limit in _YOUNGER_THAN]
    columns = np.column_stack([*flags, *bands, (chosen["GENDER"] == "1").astype(float), np.ones(len(age))])
    slope, error = logistic(columns, chosen["LOOKED_AFTER_CHILD"] == "1")
    odds = np.exp(np.clip(slope, -10, 10))
    return {name: (float(odds[n]), float(odds[n] * error[n])) for n, name in enumerate(_ITEMS)}


def logistic(columns: NDArray[np.float64], happened: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return coefficients and standard errors of a logistic regression by Newton's method; shape (n, k) and (n,)."""
    slope = np.zeros(columns.shape[1])
    information = np.eye(columns.shape[1])
    for _ in range(_ROUNDS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(columns @ slope, -30, 30)))
        weight = chance * (1 - chance)
        information = (columns * weight[:, None]).T @ columns + _RIDGE * np.eye(len(slope))
        slope = slope + np.linalg.solve(information, columns.T @ (happened - chance) - _RIDGE * slope)
    return slope, np.sqrt(np.diag(np.linalg.inv(information)))


def _age(born: str, year: int) -> int:
    """Completed years on 31 March; a date of birth is dd/mm/yyyy."""
    return year - int(born[6:]) - (born[3:5] > "03")
