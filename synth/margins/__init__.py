"""Tables fitted to published margins of which only an interval is known, and whole children made from them.

    fit_table     a table over named axes, closest to a prior, with its margins inside their intervals
    fit_vector    the same for any linear sums of any numbers, equalities among them
    whole_table   whole numbers near a fitted table, sums inside the intervals
    whole_vector  the same for any linear sums

A published figure rounded to 5 is an interval 2.5 either side of it, a hidden one is 0 to 4, an account is an
interval of no width. All are met at once: one convex problem, solved on its dual by Newton's method. Figures that
contradict each other are named, never averaged in silence.
"""

from synth.margins.model import Conflict, Fitted, Margin, Whole
from synth.margins.table import fit_table
from synth.margins.vector import fit_vector
from synth.margins.whole import whole_table, whole_vector

__all__ = ["Conflict", "Fitted", "Margin", "Whole", "fit_table", "fit_vector", "whole_table", "whole_vector"]
