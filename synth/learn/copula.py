"""The Gaussian copula of SDV fitted to flags: how far they go together. Imported only where it is asked for."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from synth.errors import InputError
from synth.learn.latent import from_scores

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["check_installed", "fitted"]

_FITS = 4
"""Fits in other orders of the rows, averaged: SDV draws a score for each flag, and one draw alone adds its chance."""


def check_installed() -> str:
    """Return the version of SDV; InputError that says how to install it, or do without, where it is missing."""
    try:
        import sdv  # noqa: PLC0415  an optional extra
    except ImportError:
        raise InputError(
            "synth learn needs SDV, which is not installed. Install the CPU build of PyTorch first, as PyTorch's own "
            'page says (otherwise several GB for graphics cards come with it), then pip install "synth[sdv]"; or '
            "give --copula counts, which takes the same correlations from joint counts and needs nothing more."
        ) from None
    return str(sdv.__version__)


def fitted(flags: pl.DataFrame) -> NDArray[np.float64]:
    """Return the correlations of the normals behind some flags, shape (k, k), as SDV's copula has learned them.

    `flags` holds 1 and 0, both in every column, and nothing else.
    """
    import pandas as pd  # noqa: PLC0415  comes with SDV
    from sdv.metadata import Metadata  # noqa: PLC0415  an optional extra
    from sdv.single_table import GaussianCopulaSynthesizer  # noqa: PLC0415

    columns = {name: {"sdtype": "boolean"} for name in flags.columns}
    about = Metadata.load_from_dict(
        {
            "METADATA_SPEC_VERSION": Metadata.METADATA_SPEC_VERSION,
            "tables": {"flags": {"columns": columns}},
            "relationships": [],
        }
    )
    data = pd.DataFrame({name: flags[name].to_numpy() == 1 for name in flags.columns})
    share = data.mean().to_numpy()
    scores = []
    with warnings.catch_warnings():
        # They name columns and speak of saving metadata.
        warnings.simplefilter("ignore")
        for fit in range(_FITS):
            order = np.random.default_rng(fit).permutation(len(data))
            model = GaussianCopulaSynthesizer(about, default_distribution="uniform")
            model.fit({"flags": data.iloc[order].reset_index(drop=True)})
            scores.append(_scores(model, flags.columns))
    mean = np.mean(scores, axis=0)
    first, second = np.triu_indices(len(share), 1)
    found = np.eye(len(share))
    found[first, second] = found[second, first] = from_scores(mean[first, second], share[first], share[second])
    return found


def _scores(model: Any, names: list[str]) -> NDArray[np.float64]:  # noqa: ANN401  untyped
    """Return the correlations of a fitted model, turned so that every flag that is set has the higher scores.

    SDV gives the lower scores to whichever value comes first in a column.
    """
    encoders = model.get_transformers()
    turned = [1.0 if encoders[name].intervals[True][0] > encoders[name].intervals[False][0] else -1.0 for name in names]
    # The correlations have no public name.
    learned = model._model.correlation.loc[names, names].to_numpy()  # noqa: SLF001
    return np.asarray(learned * np.outer(turned, turned), dtype=np.float64)
