"""What was learned as an overlay on the built-in profile, with a statement of what was released and what was not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from synth.learn.released import COUNT_STEP, STEP
from synth.profile.model import LEARNED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth.learn.fitting import Fitted
    from synth.learn.measures import Measure
    from synth.learn.released import Released
    from synth.profile import Parameter

__all__ = ["overlay_text", "statement"]

_BASIS = "research"
"""Neither published nor assumed: counted by whoever holds the return."""


def statement(released: Released, year: int, authorities: int, learned_with: str) -> dict[str, Any]:
    """Return what the overlay says of itself: in words, in numbers, and every released figure."""
    shares, pairs = len(released.shares), sum(map(len, released.correlations.values()))
    hidden = len(released.hidden_shares)
    few = f"fewer than {released.threshold}"
    words = (
        f"Learned by synth learn from a return of children receiving care and support on 31 March {year}, held by",
        "whoever made this overlay. No record, identifier, name, date or place of it is in here.",
        f"Released are the figures below and nothing else: {shares} shares as two counts, each rounded to the nearest",
        f"{COUNT_STEP}, and {pairs} correlations of pairs of flags, rounded to the nearest {STEP}. The parameters",
        "follow from them, the built-in profile and simulation alone.",
        f"Hidden are {hidden} shares with {few} children who have the flag, or who have it not, and",
        f"{released.hidden_pairs} correlations of pairs with {few} in one of the four joint counts. Numbers they would",
        "have moved are the built-in ones.",
        "Shares of the same children by status and by need stand beside each other, and so may overlays learned from",
        "nearly the same children: differences of rounded counts can bound a hidden one. Only the program has checked",
        "this. Before it leaves the place where the return is held, have it checked by that place's own disclosure",
        "control, which may ask for a higher threshold.",
    )
    return {
        "words": " ".join(words),
        "year": year,
        "children": released.children,
        "authorities": authorities,
        "learned_with": learned_with,
        "threshold": released.threshold,
        "counts_rounded_to": COUNT_STEP,
        "correlations_rounded_to": STEP,
        "hidden_shares": hidden,
        "hidden_correlations": released.hidden_pairs,
        "not_in_the_return": len(released.absent),
        "shares": {name: {"children": count, "of": of} for name, (count, of) in released.shares.items()},
        "correlations": {
            name: {" and ".join(pair): value for pair, value in found.items()}
            for name, found in released.correlations.items()
        },
    }


def overlay_text(
    fitted: Fitted,
    told: Mapping[str, Any],
    built_in: Mapping[str, Parameter],
    measures: Sequence[Measure],
    year: int,
) -> str:
    """Return the overlay as JSON: the statement, then each parameter that moved, with where its numbers come from."""
    parameters = {}
    for name, value in fitted.values.items():
        every = [measure.name for measure in measures if measure.lever.parameter == name]
        kept = len(every) - len(fitted.moved[name])
        left = f"; {kept} of its {len(every)} figures were hidden, their numbers are the built-in ones" if kept else ""
        old = built_in[name]
        years = "; other years keep the distances they have in the built-in profile" if "by_year" in value else ""
        parameters[name] = value | {
            "basis": _BASIS,
            "source": f"{LEARNED}a care and support return of {year} held by whoever made this overlay, released "
            "rounded and with small counts hidden; not published",
            "note": f"{old.note}{'; ' if old.note else ''}replaced by synth learn{left}{years}",
            "uncertainty": f"one return; counts rounded to {COUNT_STEP}, correlations to {STEP}",
        }
    document = {"format_version": 1, "overlay": True, "statement": told, "parameters": parameters}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
