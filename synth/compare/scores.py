"""The reports of SDMetrics on pairs of forms: scores between 0 and 1 of each column, pair of columns and link."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from synth.compare.chance import by_chance
from synth.compare.metadata import KEY, metadata
from synth.compare.pairs import PARENT, banded
from synth.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth.compare.pairs import Pair

__all__ = ["ASSOCIATION", "Comparison", "FormScores", "ReturnScores", "check_installed", "score"]

ASSOCIATION = 0.1
"""Association (Cramer's V) in A from which on a pair of columns counts, unless told otherwise."""

_PAIRS, _LINKS = "Column Pair Trends", "Intertable Trends"
_SHAPES, _VALID = "Column Shapes", "Data Validity"
_ABOVE = "above "
"""Before the name of an item of the child form beside those of another form."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What was scored, its score, and what the score would be by chance alone (None: not known)."""

    name: str
    score: float
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class FormScores:
    """One form of A and of B: rows of the files and compared, mean scores by property, and single ones.

    Single scores come farthest below chance first. `pairs_seen` counts pairs of columns, `pairs` holds those associated
    in A, as "ONE and OTHER".
    """

    form: str
    rows: tuple[int, int]
    compared: tuple[int, int]
    properties: tuple[Scored, ...]
    valid: tuple[Scored, ...]
    columns: tuple[Scored, ...]
    pairs: tuple[Scored, ...]
    pairs_seen: int
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReturnScores:
    """One return: overall scores and properties of both reports of SDMetrics, and its forms.

    `links` are pairs of an item of the child form and one of another, where both sides hold the child form.
    """

    return_: str
    diagnostic: float
    quality: float
    properties: Mapping[str, Mapping[str, float]]
    forms: tuple[FormScores, ...]
    links: tuple[Scored, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything said of two folders: what they are, scores of each return, and notes of the reader."""

    a: str
    b: str
    years: tuple[int, int]
    returns: tuple[ReturnScores, ...]
    sample: int
    association: float
    sdmetrics: str
    notes: tuple[str, ...]

    @property
    def lowest_quality(self) -> float:
        """The lowest quality of a return."""
        return min(scores.quality for scores in self.returns)


def check_installed() -> str:
    """Return the version of SDMetrics; InputError with the command that installs it where it is missing."""
    try:
        import sdmetrics.reports  # noqa: PLC0415  an optional extra
    except ImportError:
        raise InputError(
            'synth compare needs SDMetrics, which is not installed; pip install "synth[compare]" (it needs no PyTorch).'
        ) from None
    return str(sdmetrics.__version__)


def score(return_: str, pairs: Sequence[Pair], association: float = ASSOCIATION) -> ReturnScores:
    """Score the forms of one return, B against A.

    The diagnostic report looks at codes and ranges as they stand, the quality report at bands of dates and numbers,
    which SDMetrics would else cut by each side's own extremes. Pairs of columns count from `association` in A on.
    """
    from sdmetrics.reports import DiagnosticReport, QualityReport  # noqa: PLC0415  an optional extra

    parent = PARENT if len(pairs) > 1 and any(pair.form == PARENT for pair in pairs) else ""
    diagnostic, quality = DiagnosticReport(), QualityReport()
    quality.real_association_threshold = quality.real_correlation_threshold = association
    in_bands = [banded(pair) for pair in pairs]
    numeric = {item.name for pair in pairs for item in pair.items if item.type in {"date", "integer"}}
    with warnings.catch_warnings():
        # They quote values.
        warnings.simplefilter("ignore")
        for report, given, bands in ((diagnostic, pairs, ()), (quality, in_bands, numeric)):
            # Otherwise large tables are cut by a draw that is another each time.
            report.num_rows_subsample = None
            about = metadata({pair.form: pair.items for pair in given}, parent, banded=bands)
            sides = (
                {pair.form: _pandas(frame, about["tables"][pair.form]["columns"]) for pair, frame in each}
                for each in ([(p, p.a) for p in given], [(p, p.b) for p in given])
            )
            report.generate(*sides, about, verbose=False)
    return ReturnScores(
        return_,
        float(diagnostic.get_score()),
        float(quality.get_score()),
        {"diagnostic": _properties(diagnostic), "quality": _properties(quality)},
        tuple(_form_scores(pair, bands, diagnostic, quality) for pair, bands in zip(pairs, in_bands, strict=True)),
        _links(in_bands, _details(quality, _LINKS)) if parent else (),
    )


def _form_scores(pair: Pair, bands: Pair, diagnostic: Any, quality: Any) -> FormScores:  # noqa: ANN401  untyped
    own = {
        name: [row for row in _details(report, name) if row["Table"] == pair.form]
        for report, name in ((diagnostic, _VALID), (quality, _SHAPES), (quality, _PAIRS))
    }
    a, b = bands.a, bands.b
    single = {
        _VALID: [Scored(row["Column"], row["Score"]) for row in own[_VALID] if not math.isnan(row["Score"])],
        _SHAPES: [
            Scored(row["Column"], row["Score"], by_chance(a, b, [row["Column"]], blanks=False))
            for row in own[_SHAPES]
            if not math.isnan(row["Score"])
        ],
        _PAIRS: [
            Scored(" and ".join(both), row["Score"], by_chance(a, b, both, blanks=True))
            for row in own[_PAIRS]
            for both in [[row["Column 1"], row["Column 2"]]]
            if not math.isnan(row["Score"])
        ],
    }
    return FormScores(
        form=pair.form,
        rows=pair.rows,
        compared=(pair.a.height, pair.b.height),
        properties=tuple(_mean(name, scores) for name, scores in single.items() if scores),
        valid=_worst(single[_VALID]),
        columns=_worst(single[_SHAPES]),
        pairs=_worst(single[_PAIRS]),
        pairs_seen=len(own[_PAIRS]),
        left_out=pair.left_out,
    )


def _links(pairs: Sequence[Pair], rows: Sequence[Mapping[str, Any]]) -> tuple[Scored, ...]:
    """Score an item of the child form beside one of another, on the rows of that other form."""
    forms = {pair.form: pair for pair in pairs}
    parent = forms[PARENT]
    beside = {form: (_beside(parent.a, pair.a), _beside(parent.b, pair.b)) for form, pair in forms.items()}
    found = []
    for row in rows:
        if not math.isnan(row["Score"]):
            above, form, below = row["Column 1"], row["Child Table"], row["Column 2"]
            chance = by_chance(*beside[form], names=[_ABOVE + above, below], blanks=True)
            found.append(Scored(f"{PARENT}.{above} and {form}.{below}", row["Score"], chance))
    return _worst(found)


def _beside(parent: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    return other.join(parent.select(KEY, pl.exclude(KEY).name.prefix(_ABOVE)), on=KEY)


def _pandas(frame: pl.DataFrame, columns: Mapping[str, Mapping[str, str]]) -> Any:  # noqa: ANN401  untyped
    """Return the columns as SDMetrics wants them; without pyarrow, which polars would ask for."""
    import pandas as pd  # noqa: PLC0415  comes with SDMetrics

    found = {}
    for name, about in columns.items():
        values = frame[name].to_list()
        if about["sdtype"] == "datetime":
            # Years such as 0202 are none that pandas can hold.
            found[name] = pd.to_datetime(pd.Series(values, dtype="object"), errors="coerce")
        else:
            found[name] = pd.Series(values, dtype="float64" if about["sdtype"] == "numerical" else "object")
    return pd.DataFrame(found)


def _properties(report: Any) -> dict[str, float]:  # noqa: ANN401  untyped
    return {
        row["Property"]: float(row["Score"])
        for row in report.get_properties().to_dict("records")
        if not math.isnan(row["Score"])
    }


def _details(report: Any, name: str) -> list[dict[str, Any]]:  # noqa: ANN401  untyped
    return [] if math.isnan(_properties(report).get(name, math.nan)) else report.get_details(name).to_dict("records")


def _mean(name: str, scores: Sequence[Scored]) -> Scored:
    chances = [each.chance for each in scores if each.chance is not None]
    return Scored(
        name,
        sum(each.score for each in scores) / len(scores),
        sum(chances) / len(chances) if chances else None,
    )


def _worst(scores: Sequence[Scored]) -> tuple[Scored, ...]:
    """Return scores, those farthest below chance first; where there is none to say, the lowest."""
    return tuple(sorted(scores, key=lambda each: (each.score - (each.chance or 0.0), each.name)))
